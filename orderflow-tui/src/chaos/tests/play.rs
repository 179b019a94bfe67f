use orderflow_contracts::api::chaos::FaultName;

use super::*;
use crate::chaos::{ACT, Do, Ending, LOAD, MORE, Part, Scenario, Section, TAKE_BACK};

fn with_scenarios() -> Bench {
    let mut bench = Bench::calm();
    let scenario =
        |name: &str, about| Scenario { path: format!("/x/{name}.toml").into(), name: name.into(), about, seed: 3 };
    let scenarios = vec![
        scenario("lost-broker", Ok("The broker is down".into())),
        scenario("odd", Err("missing field `about`".into())),
    ];
    bench.done(Done::Scenarios(Ok(scenarios)));
    bench
}

#[test]
fn a_scenario_is_played_followed_and_stopped() {
    let mut bench = with_scenarios();
    bench.choose(Row::Scenario(0));
    assert_eq!(bench.act(ACT), [Do::Play("/x/lost-broker.toml".into())]);
    bench.done(Done::Said(Part::Scenario, "   3.2s  ⚡ kill broker --for 8s".into()));
    assert!(bench.screen((120, 60)).contains("kill broker"));
    bench.choose(Row::Fault(FaultName::RelayTwice));
    assert_eq!(bench.act(crate::keys::BACK), [Do::Stop(Part::Scenario)]);
    assert!(bench.screen((120, 60)).contains("ending"));
    bench.done(Done::Ended(Part::Scenario, Ending::Stopped));
    assert!(bench.told("stopped, its own faults are taken back"));
    assert!(bench.act(crate::keys::BACK).is_empty(), "nothing is played any more");
}

#[test]
fn one_scenario_is_played_at_a_time_and_one_that_cannot_be_read_is_not() {
    let mut bench = with_scenarios();
    bench.choose(Row::Scenario(1));
    assert!(bench.act(ACT).is_empty() && bench.told("missing field"));
    bench.choose(Row::Scenario(0));
    bench.act(ACT);
    assert_eq!(bench.act(ACT), [Do::Stop(Part::Scenario)], "the one that plays is stopped by the same key");
    let refused = Ending::NotStarted("the scenario runs already".into());
    bench.done(Done::Ended(Part::Scenario, refused));
    assert!(bench.told("runs already"));
}

#[test]
fn a_scenario_that_had_to_be_killed_has_left_something() {
    let mut bench = with_scenarios();
    bench.choose(Row::Scenario(0));
    bench.act(ACT);
    let wanted = bench.done(Done::Ended(Part::Scenario, Ending::Killed));
    assert!(wanted.contains(&Do::Clear), "{wanted:?}");
}

#[test]
fn whoever_leaves_is_told_what_stays_broken() {
    let mut bench = with_scenarios();
    assert_eq!(bench.board.stays(false), None);
    bench.looked(broken());
    let clear = "; `orderflow chaos clear` takes back what is broken on purpose";
    assert_eq!(bench.board.stays(false), Some(format!("3 faults, 1 cut, 1 paused, 1 clock off stay{clear}")));
    bench.choose(Row::Scenario(0));
    bench.act(ACT);
    assert_eq!(bench.board.stays(false), Some(format!("what was broken by hand stays{clear}")));
}

#[test]
fn a_violation_at_the_end_of_a_scenario_is_told() {
    let mut bench = with_scenarios();
    bench.choose(Row::Scenario(0));
    bench.act(ACT);
    bench.done(Done::Ended(Part::Scenario, Ending::Exit(7)));
    assert!(bench.notices.iter().any(|(tone, text)| *tone == Tone::Bad && text.contains("is wrong")));
}

#[test]
fn load_is_started_and_stopped_from_everywhere() {
    let mut bench = Bench::calm();
    bench.choose(Row::Load);
    bench.act(MORE);
    bench.choose(Row::Fault(FaultName::DbSlow));
    assert_eq!(bench.act(LOAD), [Do::Load(10)]);
    bench.done(Done::Said(Part::Load, "   5.0s  52 orders (10.0/s)  2 under way  50 ended  0 retries".into()));
    bench.choose(Row::Load);
    assert!(bench.screen((80, 24)).contains("52 orders"));
    assert_eq!(bench.act(TAKE_BACK), [Do::Stop(Part::Load)]);
    bench.done(Done::Ended(Part::Load, Ending::Exit(1)));
    assert!(bench.told("has ended with 1"));
    assert_eq!(bench.act(LOAD), [Do::Load(10)], "it can be started again");
}

#[test]
fn what_was_begun_before_the_desk_was_left_is_taken_up() {
    let mut bench = Bench::calm();
    bench.done(Done::Said(Part::Load, "   5.0s  52 orders".into()));
    assert_eq!(bench.act(LOAD), [Do::Stop(Part::Load)]);
}

#[test]
fn what_has_no_room_is_left_out_whole() {
    let mut bench = Bench::calm();
    bench.act(LOAD);
    let said = "  42.0s  211 orders (5.0/s)  22 under way  184 ended  0 retries";
    bench.done(Done::Said(Part::Load, said.into()));
    bench.done(Done::Said(Part::Load, "order to paid         122   1m58s   2m02s   2m04s".into()));
    for (size, row) in [((120, 40), Row::Fault(FaultName::DbSlow)), ((56, 24), Row::Load)] {
        bench.choose(row);
        let screen = bench.screen(size);
        let lines = screen.lines().filter(|line| line.contains("orders (") || line.contains("to paid"));
        for line in lines.filter(|line| line.trim_end().ends_with('…')) {
            assert!(line.trim_end().ends_with(" …"), "{screen}");
        }
        assert!(screen.contains("22 under way") && !screen.contains(" 1…"), "{screen}");
    }
    bench.act(LOAD);
    assert!(bench.screen((120, 40)).contains("■ 5 orders a second ending what is under way"));
}

#[test]
fn where_there_are_no_scenarios_it_says_what_to_do() {
    let mut bench = Bench::calm();
    bench.done(Done::Scenarios(Err("examples/chaos: No such file or directory (os error 2)".into())));
    bench.choose(Row::Words(Section::Play));
    let screen = bench.screen((160, 60));
    for said in ["`orderflow tui --scenarios DIR` says where", "start the console in the directory", "os error 2"] {
        assert!(screen.contains(said), "{said}: {screen}");
    }
    assert!(bench.screen((80, 24)).contains("`orderflow tui --scenarios DIR` says where"));
}

/// Of real processes: a shell that does as the program would.
mod processes {
    use std::time::Duration;

    use tokio::{process::Command, sync::mpsc};

    use super::*;
    use crate::{
        chaos::Children,
        msg::{Done as AnyDone, Msg},
    };

    fn shell(script: &str) -> Command {
        // No shell can trap what was ignored when it began, and whoever runs the tests in the background ignores SIGINT.
        let (program, before): (_, &[_]) =
            if cfg!(target_os = "linux") { ("env", &["--default-signal=INT", "sh"]) } else { ("sh", &[]) };
        let mut command = Command::new(program);
        command.args(before).arg("-c").arg(script);
        command
    }

    async fn until_ended(messages: &mut mpsc::Receiver<Msg>) -> (Vec<String>, Ending) {
        let mut lines = Vec::new();
        loop {
            let message = tokio::time::timeout(Duration::from_secs(30), messages.recv()).await.unwrap();
            match message {
                Some(Msg::Done(AnyDone::Chaos(Done::Said(_, line)))) => lines.push(line),
                Some(Msg::Done(AnyDone::Chaos(Done::Ended(_, ending)))) => return (lines, ending),
                _ => panic!("it has not ended"),
            }
        }
    }

    #[tokio::test]
    async fn what_it_says_is_passed_on_and_how_it_ends() {
        let (sender, mut messages) = mpsc::channel(64);
        let children = Children::default();
        children.begin(Part::Scenario, shell("echo one; echo two >&2; exit 7"), sender).unwrap();
        let (mut lines, ending) = until_ended(&mut messages).await;
        lines.sort();
        assert_eq!((lines, ending), (vec!["one".to_owned(), "two".to_owned()], Ending::Exit(7)));
        assert!(children.end().await.is_empty() && !children.any());
    }

    #[tokio::test]
    async fn it_is_told_to_end_and_takes_back_what_it_has_set() {
        let (sender, mut messages) = mpsc::channel(64);
        let children = Children::default();
        let script = "trap 'echo mended; exit 130' INT; echo ready; while :; do sleep 0.05; done";
        children.begin(Part::Scenario, shell(script), sender.clone()).unwrap();
        assert!(children.begin(Part::Scenario, shell("true"), sender).is_err(), "one at a time");
        // Once it says something its trap is set.
        let first = messages.recv().await;
        assert!(matches!(first, Some(Msg::Done(AnyDone::Chaos(Done::Said(_, line)))) if line == "ready"));
        assert!(children.stop(Part::Scenario) && !children.stop(Part::Load));
        let (lines, ending) = until_ended(&mut messages).await;
        assert_eq!((lines, ending), (vec!["mended".to_owned()], Ending::Stopped));
    }

    #[tokio::test]
    async fn whatever_does_not_end_is_killed_with_the_console() {
        let (sender, mut messages) = mpsc::channel(64);
        let children = Children::with_end_max(Duration::from_millis(300));
        let script = "trap '' INT; echo ready; while :; do sleep 0.05; done";
        children.begin(Part::Load, shell(script), sender).unwrap();
        let first = messages.recv().await;
        assert!(matches!(first, Some(Msg::Done(AnyDone::Chaos(Done::Said(..))))));
        // Nobody listens any more: the console is gone.
        drop(messages);
        let left = children.end().await;
        assert!(left.iter().any(|word| word.contains("had to be killed")), "{left:?}");
        assert!(!children.any());
    }
}
