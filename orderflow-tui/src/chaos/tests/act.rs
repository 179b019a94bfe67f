use orderflow_client::Service;
use orderflow_cluster::{Action as Signal, Need, State};
use orderflow_contracts::api::{
    chaos::{CrashPoint, FaultName},
    ops::Pattern,
};

use super::*;
use crate::chaos::{
    ACT, CLEAR, Change, Counts, Do, KILL, LASTS, LESS, MORE, NEXT_SECTION, OFTENER, PAUSE, PLACE, RARER, RESTART,
    Section, TAKE_BACK, situation::LINES,
};

fn line(service: Service, from: Need) -> Row {
    Row::Line(LINES.iter().position(|line| *line == (service, from)).unwrap())
}

/// The only change that is wanted.
fn change(wanted: Vec<Do>) -> Change {
    match <[Do; 1]>::try_from(wanted) {
        Ok([Do::Change(_, change)]) => change,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_fault_is_set_as_its_slider_says_and_taken_back() {
    let mut bench = Bench::calm();
    bench.choose(Row::Fault(FaultName::RelayTwice));
    bench.act(MORE);
    bench.act(LASTS);
    let Change::Set { name, set, services } = change(bench.act(ACT)) else { panic!() };
    assert_eq!((name, set.percent, set.for_ms), (FaultName::RelayTwice, Some(55.0), Some(10_000)));
    assert_eq!((set.seed, set.ms, set.point), (Some(1), None, None));
    assert_eq!(services, [Service::Orders, Service::Inventory, Service::Payments]);
    assert!(bench.act(ACT).is_empty(), "the change before is on its way");
    let wanted = bench.done(Done::Changed(Row::Fault(name), Ok(())));
    assert_eq!(wanted, [Do::Supervisor, Do::Look], "what is set is asked for, not remembered");
    bench.looked(broken());
    let Change::Unset { services, .. } = change(bench.act(ACT)) else { panic!() };
    // The console does not say what is set in it: it is told too.
    assert_eq!(services, [Service::Orders, Service::Inventory, Service::Console]);
}

#[test]
fn one_click_breaks_nothing() {
    let mut bench = Bench::calm();
    bench.choose(Row::Fault(FaultName::RelayTwice));
    let row = "relay-twice";
    assert!(bench.click(row, 0).is_empty(), "it was chosen by a key");
    assert!(bench.click(row, 2_000).is_empty(), "that is another click");
    assert!(matches!(change(bench.click(row, 200)), Change::Set { .. }), "and this is a double click");
}

#[test]
fn sliders_have_ends() {
    let mut bench = Bench::calm();
    bench.choose(Row::Fault(FaultName::ProviderError));
    (0..30).for_each(|_| drop(bench.act(MORE)));
    let Change::Set { set, .. } = change(bench.act(ACT)) else { panic!() };
    assert_eq!(set.percent, Some(100.0));
    bench.done(Done::Changed(Row::Fault(FaultName::ProviderError), Ok(())));
    (0..30).for_each(|_| drop(bench.act(LESS)));
    assert!(bench.act(ACT).is_empty() && bench.told("never strikes"), "{:?}", bench.notices);
    bench.choose(Row::Fault(FaultName::DbSlow));
    (0..30).for_each(|_| drop(bench.act(LESS)));
    (0..3).for_each(|_| drop(bench.act(RARER)));
    bench.act(OFTENER);
    let Change::Set { set, services, .. } = change(bench.act(ACT)) else { panic!() };
    assert_eq!((set.ms, set.percent, services.len()), (Some(10), Some(90.0), 4));
    bench.choose(Row::Fault(FaultName::HttpLatency));
    (0..30).for_each(|_| drop(bench.act(MORE)));
    let Change::Set { set, .. } = change(bench.act(ACT)) else { panic!() };
    assert_eq!(set.ms, Some(10_000));
}

#[test]
fn a_crash_is_of_one_service_and_of_those_that_can_crash_there() {
    let mut bench = Bench::calm();
    bench.choose(Row::Fault(FaultName::Crash));
    bench.act(PLACE);
    let Change::Set { set, services, .. } = change(bench.act(ACT)) else { panic!() };
    assert_eq!((set.point, services), (Some(CrashPoint::AfterCommit), vec![Service::Inventory]));
    bench.done(Done::Changed(Row::Fault(FaultName::Crash), Ok(())));
    (0..9).for_each(|_| drop(bench.act(MORE)));
    let Change::Set { set, services, .. } = change(bench.act(ACT)) else { panic!() };
    assert_eq!((set.point, services), (Some(CrashPoint::AfterAnswer), vec![Service::Payments]));
}

#[test]
fn the_services_go_round() {
    let mut bench = Bench::calm();
    bench.choose(Row::Fault(FaultName::RelayPaused));
    let mut seen = Vec::new();
    for _ in 0..6 {
        bench.act(PLACE);
        let Change::Set { services, .. } = change(bench.act(ACT)) else { panic!() };
        bench.done(Done::Changed(Row::Fault(FaultName::RelayPaused), Ok(())));
        seen.push(services.len());
    }
    assert_eq!(seen, [4, 1, 1, 1, 1, 3]);
}

#[test]
fn a_slider_of_what_is_set_is_set_anew_when_it_rests() {
    let mut bench = Bench::calm();
    bench.looked(broken());
    let row = Row::Fault(FaultName::PaymentFailure);
    bench.choose(row);
    let [Do::Rest(_, first)] = bench.act(MORE)[..] else { panic!() };
    let [Do::Rest(_, second)] = bench.act(MORE)[..] else { panic!() };
    bench.looked(broken());
    assert!(bench.done(Done::Rested(FaultName::PaymentFailure, first)).is_empty(), "it did not rest yet");
    let Change::Set { set, services, .. } = change(bench.done(Done::Rested(FaultName::PaymentFailure, second))) else {
        panic!()
    };
    assert_eq!((set.percent, services), (Some(45.0), vec![Service::Payments]), "from the 35 that somebody had set");
    bench.done(Done::Changed(row, Ok(())));
    (0..12).for_each(|_| drop(bench.act(LESS)));
    let wanted = bench.act(LESS);
    let [Do::Rest(name, number)] = wanted[..] else { panic!() };
    assert!(matches!(change(bench.done(Done::Rested(name, number))), Change::Unset { .. }), "0% is off");
}

#[test]
fn what_is_set_elsewhere_does_not_go_on_there() {
    let mut bench = Bench::calm();
    bench.looked(broken());
    bench.choose(Row::Fault(FaultName::RelayTwice));
    // It is set in two of the three usual ones, as nobody sets it here.
    let wanted = bench.act(PLACE);
    let [Do::Rest(name, number)] = wanted[..] else { panic!("{wanted:?}") };
    bench.act(PLACE);
    bench.act(PLACE);
    let _ = (name, number);
    let wanted = bench.done(Done::Rested(FaultName::RelayTwice, number + 2));
    let services: Vec<_> = wanted
        .iter()
        .map(|wanted| match wanted {
            Do::Change(_, Change::Unset { services, .. }) => (false, services.clone()),
            Do::Change(_, Change::Set { services, .. }) => (true, services.clone()),
            other => panic!("{other:?}"),
        })
        .collect();
    let [(false, unset), (true, set)] = &services[..] else { panic!("{services:?}") };
    assert!(unset.iter().all(|service| !set.contains(service)), "{services:?}");
}

#[test]
fn processes_are_killed_paused_and_restarted_and_what_came_of_it_is_told() {
    let mut bench = Bench::calm();
    bench.choose(Row::Process("orders"));
    let signal = |action, for_ms| Change::Signal { process: "orders", action, for_ms };
    assert_eq!(change(bench.act(KILL)), signal(Signal::Kill, None));
    bench.done(Done::Changed(Row::Process("orders"), Ok(())));
    bench.looked(situation());
    bench.now.0 += 3_000;
    assert!(bench.screen((100, 40)).contains("killed 3s ago; the supervisor starts it again"));
    assert_eq!(bench.tick(), [Do::Supervisor, Do::Look]);
    bench.looked(situation());
    assert_eq!(bench.tick(), [Do::Supervisor], "who is asked each second until it is back");
    let mut back = situation();
    status(&mut back).processes[0].pid = Some(200);
    status(&mut back).processes[0].restarts = 1;
    status(&mut back).processes[0].uptime_ms = 4_800;
    bench.looked(back.clone());
    let screen = bench.screen((100, 40));
    assert!(screen.contains("killed 5s ago, back after 200ms") && screen.contains("1 restart"), "{screen}");
    assert!(bench.tick().is_empty(), "then every two seconds are enough");
    assert_eq!(change(bench.act(RESTART)), signal(Signal::Restart, None));
    bench.done(Done::Changed(Row::Process("orders"), Err("orders ends already".into())));
    assert!(bench.told("orders ends already") && bench.screen((100, 40)).contains("✗ orders ends already"));
    bench.looked(back.clone());
    bench.act(LASTS);
    assert_eq!(change(bench.act(PAUSE)), signal(Signal::Pause, Some(10_000)));
    bench.done(Done::Changed(Row::Process("orders"), Ok(())));
    status(&mut back).processes[0].state = State::Paused;
    bench.looked(back);
    assert_eq!(change(bench.act(TAKE_BACK)), signal(Signal::Resume, None));
}

#[test]
fn a_process_that_goes_on_by_itself_has_no_note_of_its_pause_and_can_be_paused_again() {
    let mut bench = Bench::calm();
    bench.choose(Row::Process("orders"));
    let signal = |action| Change::Signal { process: "orders", action, for_ms: None };
    assert_eq!(change(bench.act(PAUSE)), signal(Signal::Pause));
    bench.looked(situation());
    bench.done(Done::Changed(Row::Process("orders"), Ok(())));
    let mut paused = situation();
    status(&mut paused).processes[0].state = State::Paused;
    bench.looked(paused);
    assert!(bench.screen((100, 40)).contains("stopped in its tracks just now; P lets it go on"));
    bench.looked(situation());
    let screen = bench.screen((100, 40));
    assert!(!screen.contains("stopped in its tracks") && screen.contains("up 2m"), "{screen}");
    assert_eq!(change(bench.act(PAUSE)), signal(Signal::Pause));
}

#[test]
fn the_supervisor_is_heard_while_a_service_is_silent() {
    let mut bench = Bench::calm();
    bench.now.0 += 2_000;
    assert_eq!(bench.tick(), [Do::Supervisor, Do::Look]);
    let answer = |bench: &mut Bench| bench.done(Done::Supervised(Box::new(broken().status.unwrap())));
    assert!(answer(&mut bench).is_empty());
    let screen = bench.screen((100, 40));
    assert!(screen.contains("keeps its connections") && screen.contains("78 dropped"), "{screen}");
    bench.now.0 += 1_000;
    assert_eq!(bench.tick(), [Do::Supervisor], "the services have not answered yet");
}

#[test]
fn lines_are_cut_and_healed() {
    let mut bench = Bench::calm();
    let row = line(Service::Payments, Need::Broker);
    bench.choose(row);
    bench.act(LASTS);
    bench.act(LASTS);
    let cut = Change::Cut { service: Service::Payments, from: Need::Broker, for_ms: Some(30_000) };
    assert_eq!(change(bench.act(ACT)), cut);
    bench.done(Done::Changed(row, Ok(())));
    bench.looked(broken());
    assert!(bench.screen((100, 60)).contains("78 dropped"));
    assert_eq!(change(bench.act(ACT)), Change::Heal { service: Service::Payments, from: Need::Broker });
}

#[test]
fn clocks_jump_together_and_one_is_set_off_from_the_others() {
    let mut bench = Bench::calm();
    let mut ahead = situation();
    for service in Service::WITH_CLOCK {
        there(&mut ahead, service).offset_ms = Some(600_000);
    }
    bench.looked(ahead);
    bench.choose(Row::Clocks);
    bench.act(MORE);
    assert_eq!(bench.act(ACT), [], "it is asked about");
    let Some(Effect::Chaos(wanted)) = bench.asked.take().unwrap().effects.pop() else { panic!("nothing is asked") };
    assert_eq!(change(vec![wanted]), Change::Advance { by_ms: 3_600_000 });
    bench.done(Done::Changed(Row::Clocks, Ok(())));
    let services = Service::WITH_CLOCK.to_vec();
    assert_eq!(change(bench.act(TAKE_BACK)), Change::Clocks { services, offset_ms: 0 });
    let row = Row::Clock(Service::Inventory);
    bench.choose(row);
    (0..9).for_each(|_| drop(bench.act(LESS)));
    let services = vec![Service::Inventory];
    assert_eq!(change(bench.act(ACT)), Change::Clocks { services: services.clone(), offset_ms: 300_000 });
    bench.done(Done::Changed(row, Ok(())));
    assert_eq!(change(bench.act(TAKE_BACK)), Change::Clocks { services, offset_ms: 600_000 });
}

#[test]
fn patterns_are_taken_out_and_put_back() {
    let mut bench = Bench::calm();
    bench.choose(Row::Pattern(Pattern::Outbox));
    assert_eq!(change(bench.act(ACT)), Change::Pattern { pattern: Pattern::Outbox, out: true });
    bench.done(Done::Changed(Row::Pattern(Pattern::Outbox), Ok(())));
    bench.looked(broken());
    assert_eq!(change(bench.act(ACT)), Change::Pattern { pattern: Pattern::Outbox, out: false });
    let mut no_lab = situation();
    status(&mut no_lab).lab = false;
    bench.looked(no_lab);
    assert_eq!(bench.board.chosen(), Some(Row::Title(Section::Lab)), "what was chosen is gone");
}

#[test]
fn what_is_done_and_not_in_the_audit_log_has_not_failed() {
    let mut bench = Bench::calm();
    let row = line(Service::Payments, Need::Broker);
    bench.choose(row);
    bench.act(ACT);
    let said = "cluster.cut payments is done; it could not be written into the audit log: no answer";
    bench.done(Done::NotNoted(said.into()));
    bench.done(Done::Changed(row, Ok(())));
    bench.looked(broken());
    assert_eq!(bench.notices, [(Tone::Note, said.to_owned())]);
    let screen = bench.screen((160, 60));
    assert!(screen.contains("78 dropped") && !screen.contains("✗ cluster.cut"), "{screen}");
}

#[test]
fn everything_is_taken_back_and_counted() {
    let mut bench = Bench::calm();
    bench.looked(broken());
    assert_eq!(bench.act(CLEAR), [Do::Clear]);
    assert!(bench.act(CLEAR).is_empty(), "once is enough");
    let counts = Counts { faults: 3, cuts: 1, paused: 1, skews: 0 };
    bench.done(Done::Cleared(counts, Vec::new()));
    assert!(
        bench.told("taken back: 3 faults · 1 cut · 1 paused")
            || bench.told("3 faults, 1 cut, 1 paused; OUT stays outbox")
    );
    bench.act(CLEAR);
    bench.done(Done::Cleared(Counts::default(), vec!["orders: no answer".into()]));
    assert!(bench.told("not all was taken back: orders: no answer"));
}

#[test]
fn an_answer_from_before_a_change_is_not_shown() {
    let mut bench = Bench::calm();
    bench.now.0 += 5_000;
    assert_eq!(bench.tick(), [Do::Supervisor, Do::Look]);
    bench.done(Done::Changed(Row::Fault(FaultName::RelayTwice), Ok(())));
    let Situation { services, status } = broken();
    assert_eq!(bench.done(Done::Looked(services)), [Do::Look], "it is asked again");
    assert_eq!(bench.done(Done::Supervised(Box::new(status.unwrap()))), [Do::Supervisor], "and so is the supervisor");
    assert!(Counts::of(&bench.board.seen).is_none());
}

#[test]
fn what_is_broken_is_asked_for_while_it_is_told_of() {
    let mut bench = Bench::new();
    assert!(!bench.board.wants_look(bench.now), "nothing is claimed");
    bench.looked(broken());
    bench.now.0 += 9_000;
    assert!(!bench.board.wants_look(bench.now));
    assert_eq!(bench.board.next_change(bench.now).map(|wait| wait.as_millis()), Some(1_000));
    bench.now.0 += 1_000;
    assert!(bench.board.wants_look(bench.now));
    bench.looked(situation());
    assert_eq!(bench.board.next_change(bench.now).map(|wait| wait.as_millis()), Some(10_000), "no event tells of it");
}

#[test]
fn sections_are_folded_and_gone_through_and_rows_are_found() {
    let mut bench = Bench::calm();
    let len = bench.board.rows.len();
    bench.act(NEXT_SECTION);
    assert_eq!(bench.board.chosen(), Some(Row::Title(Section::Processes)));
    bench.act(ACT);
    assert_eq!(bench.board.rows.len(), len - 7);
    bench.act(crate::keys::SEARCH);
    assert!(bench.board.takes_text() && bench.board.rows.len() == len);
    for c in "broker".chars() {
        bench.board.search_edit(&crate::input::Edit::Insert(c));
    }
    assert_eq!(bench.board.chosen(), Some(Row::Process("broker")));
    bench.act(crate::chaos::NEXT_FOUND);
    assert_eq!(bench.board.chosen(), Some(line(Service::Orders, Need::Broker)));
    bench.act(crate::keys::BACK);
    assert!(!bench.board.takes_text());
}
