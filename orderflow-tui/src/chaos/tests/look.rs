use orderflow_cluster::Need;
use orderflow_contracts::api::chaos::{Bites, FaultName};

use super::{verify::bad, *};
use crate::{
    chaos::{KILL, Scenario, VERIFY, situation::LINES},
    testing::{SIZES, letters_and_colours},
};

fn shown() -> Bench {
    let mut bench = Bench::new();
    let scenario = |name: &str, about: &str| Scenario {
        path: format!("examples/chaos/{name}.toml").into(),
        name: name.into(),
        about: Ok(about.into()),
        seed: 3,
    };
    bench.done(Done::Scenarios(Ok(vec![
        scenario("duplicates", "Duplicates everywhere: events are published and delivered twice"),
        scenario("lost-broker", "The broker is down for a while, then one service cannot reach it"),
    ])));
    bench.looked(situation());
    bench.choose(Row::Process("orders"));
    bench.act(KILL);
    bench.done(Done::Changed(Row::Process("orders"), Ok(())));
    bench.now.0 -= 3_000;
    bench.looked(broken());
    bench.now.0 += 3_000;
    bench.choose(Row::Fault(FaultName::PaymentFailure));
    bench
}

#[test]
fn how_it_looks() {
    let mut bench = shown();
    for (width, height) in SIZES {
        insta::assert_snapshot!(format!("board_{width}x{height}"), bench.screen((width, height)));
    }
    for theme in [ThemeName::Dark, ThemeName::None] {
        let buffer = bench.buffer((80, 24), theme);
        insta::assert_snapshot!(format!("board_colours_{}", theme.as_str()), letters_and_colours(&buffer));
    }
    bench.act(VERIFY);
    bench.done(bad());
    bench.act(crate::chaos::FOUND);
    for (width, height) in SIZES {
        insta::assert_snapshot!(format!("found_{width}x{height}"), bench.screen((width, height)));
    }
}

#[test]
fn the_corner_is_in_the_header_whatever_is_shown() {
    use crate::{
        msg::{Done as AnyDone, Msg},
        testing::Desktop,
    };
    let mut desktop = Desktop::of(Role::Admin);
    let tell = |desktop: &mut Desktop, done| drop(desktop.tell(Msg::Done(AnyDone::Chaos(done))));
    let Situation { services, status } = broken();
    tell(&mut desktop, Done::Supervised(Box::new(status.unwrap())));
    tell(&mut desktop, Done::Looked(services));
    tell(&mut desktop, bad());
    let head = |desktop: &mut Desktop, wide| desktop.screen((wide, 24)).lines().next().unwrap_or_default().to_owned();
    let wide = head(&mut desktop, 120);
    assert!(
        wide.contains("[admin]") && wide.contains("OUT: outbox  3 faults") && wide.ends_with("✗ 2 violations"),
        "{wide}"
    );
    let narrow = head(&mut desktop, 46);
    assert!(narrow.contains("[admin]") && narrow.contains("OUT") && narrow.ends_with("✗ 2"), "{narrow}");
}

#[test]
fn before_anybody_has_answered_it_says_so() {
    let mut bench = Bench::new();
    assert!(bench.screen((80, 24)).contains("asking what is broken"));
    let mut nobody = situation();
    nobody.status = Some(Err("no cluster runs in /tmp/x".into()));
    nobody.services.iter_mut().for_each(|(_, there)| *there = Err("cannot be reached".into()));
    bench.looked(nobody);
    let screen = bench.screen((120, 60));
    assert!(screen.contains("no supervisor is there to be asked: no cluster runs in /tmp/x"), "{screen}");
    assert!(
        screen.contains("orders, inventory, payments, console are silent") && !screen.contains("nothing is broken"),
        "{screen}"
    );
}

#[test]
fn a_fault_that_is_not_known_here_is_named_and_hides_nothing() {
    let mut bench = Bench::calm();
    bench.looked(broken());
    bench.choose(Row::Fault(FaultName::PaymentFailure));
    let screen = bench.screen((160, 60));
    assert!(screen.contains("disk-full") && screen.contains("41×"), "{screen}");
}

#[test]
fn the_counters_are_the_sums_of_all_services() {
    let mut bench = Bench::calm();
    let mut first = situation();
    for (service, struck) in [(Service::Orders, 3), (Service::Payments, 4)] {
        there(&mut first, service).faults.known.push(fault(FaultName::DbRefused, 20.0, struck));
    }
    bench.looked(first.clone());
    assert!(bench.screen((100, 40)).contains(" 7×"));
    there(&mut first, Service::Orders).faults.known[0].struck = 90;
    bench.looked(first);
    assert!(bench.screen((100, 40)).contains(" 94×"));
}

#[test]
fn what_is_over_has_left_its_number() {
    let mut bench = Bench::calm();
    let mut over = situation();
    there(&mut over, Service::Payments).bites.push(Bites { name: FaultName::ProviderError, bites: 40 });
    let told = status(&mut over);
    told.processes[0].struck = Struck { kills: 3, pauses: 1, restarts: 0 };
    told.lines.push(LineStatus { service: "payments".into(), to: Need::Broker, dropped: 78 });
    bench.looked(over);
    let broker = LINES.iter().position(|line| *line == (Service::Payments, Need::Broker)).unwrap();
    for (row, said) in [
        (Row::Fault(FaultName::ProviderError), "so far payments 40×"),
        (Row::Process("orders"), "so far killed 3×, paused 1×"),
        (Row::Line(broker), "so far connections ended or refused 78×"),
    ] {
        bench.choose(row);
        for size in [(160, 48), (80, 24)] {
            let screen = bench.screen(size);
            assert!(screen.contains(said), "{said}: {screen}");
        }
    }
    for row in [Row::Fault(FaultName::DbSlow), Row::Process("inventory"), Row::Line(0)] {
        bench.choose(row);
        assert!(!bench.screen((160, 48)).contains("so far"), "{row:?}");
    }
}

#[test]
fn it_can_be_drawn_at_every_size() {
    let mut bench = shown();
    bench.act(VERIFY);
    bench.done(bad());
    for row in bench.board.rows.clone() {
        bench.choose(row);
        for width in [1, 2, 3, 10, 20, 39, 40, 80, 104, 105, 160, 200] {
            for height in [1, 2, 3, 6, 9, 12, 24, 60] {
                bench.buffer((width, height), ThemeName::Terminal);
            }
        }
    }
}
