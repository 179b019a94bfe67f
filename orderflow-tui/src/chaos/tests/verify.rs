use orderflow_client::verify::{COULD_NOT_BE_CHECKED, Check, Report, Violation};

use super::*;
use crate::chaos::{ACT, Do, FOUND, KEEP, VERIFY, checking::order_of};

const ORDER: &str = "01a203d4-2d86-72db-8210-c2da9e23c85b";

fn violation(kind: &'static str, subject: &str, is: &str) -> Violation {
    Violation { kind, subject: subject.into(), is: is.into(), should_be: "otherwise".into() }
}

fn check(name: &'static str, violations: Vec<Violation>) -> Check {
    Check { name, says: "something must hold", ok: violations.is_empty(), looked_at: 25, violations, more: 0 }
}

pub fn report(checks: Vec<Check>) -> Done {
    let ok = checks.iter().all(|check| check.ok);
    Done::Verified(Ok(Box::new(Report { ok, checks, rare: None, dead_letters: None })))
}

pub fn bad() -> Done {
    let found = vec![
        violation("money.charged_once", &format!("order {ORDER}"), "charged twice"),
        violation("money.charged_once", "order of nobody", "charged thrice"),
    ];
    report(vec![check("rest", Vec::new()), check("money.charged_once", found)])
}

pub fn good() -> Done {
    report(vec![check("rest", Vec::new()), check("stock.on_hand", Vec::new())])
}

fn unknown() -> Done {
    report(vec![check("rest", vec![violation(COULD_NOT_BE_CHECKED, "the system", "it goes on")])])
}

#[test]
fn the_corner_says_what_verify_says_and_how_old_that_is() {
    let mut bench = Bench::calm();
    assert_eq!(bench.corner(60), "");
    assert_eq!(bench.act(VERIFY), [Do::Verify]);
    assert!(bench.act(VERIFY).is_empty(), "one at a time");
    assert_eq!(bench.corner(60), "… verifying");
    bench.done(good());
    bench.now.0 += 12_300;
    bench.looked(situation());
    assert_eq!(bench.corner(60), "✓ verify 12s");
    assert_eq!(bench.board.next_change(bench.now).map(|wait| wait.as_millis()), Some(700));
    bench.now.0 += 170_000;
    assert_eq!(bench.corner(60), "✓ verify 3m");
    bench.looked(situation());
    assert_eq!(bench.board.next_change(bench.now).map(|wait| wait.as_millis()), Some(10_000), "no second is counted");
}

#[test]
fn after_new_events_it_is_not_fresh() {
    let mut bench = Bench::calm();
    bench.act(VERIFY);
    bench.done(good());
    bench.hear();
    assert_eq!(bench.corner(60), "✓ verify, 1 event since");
    bench.hear();
    assert_eq!(bench.corner(60), "✓ verify, 2 events since");
    assert_eq!(bench.corner(10), "✓ +2");
    bench.act(VERIFY);
    assert_eq!(bench.corner(60), "… verifying");
    // One comes while it reads: whether it is in there nobody knows.
    bench.hear();
    bench.done(good());
    assert_eq!(bench.corner(60), "✓ verify, 1 event since");
    bench.act(VERIFY);
    bench.hear();
    bench.done(Done::Waits("the outbox of orders: not published: 1".into()));
    assert!(bench.screen((100, 60)).contains("verifying"));
    bench.done(good());
    assert_eq!(bench.corner(60), "✓ verify now", "it has looked again since");
}

#[test]
fn a_violation_is_red_and_stays_so_while_it_is_verified_again() {
    let mut bench = Bench::calm();
    bench.act(VERIFY);
    bench.done(bad());
    assert_eq!((bench.corner(60).as_str(), bench.corner(10).as_str()), ("✗ 2 violations", "✗ 2"));
    bench.act(VERIFY);
    assert_eq!(bench.corner(60), "✗ 2 violations, verifying");
    bench.done(unknown());
    assert_eq!(bench.corner(60), "? verify: not at rest");
    bench.act(VERIFY);
    bench.done(Done::Verified(Err("the orders service cannot be reached".into())));
    assert_eq!(bench.corner(60), "? verify: not at rest");
    assert!(bench.screen((120, 90)).contains("could not be done: the orders service cannot be reached"));
}

#[test]
fn it_keeps_verifying_when_it_is_quiet_again() {
    let mut bench = Bench::calm();
    assert!(bench.hear().is_empty(), "nobody has asked for it");
    assert_eq!(bench.act(KEEP), [Do::Verify]);
    bench.now.0 += 2_000;
    assert!(bench.done(good()).is_empty());
    let wanted = bench.hear();
    let [Do::Quiet { events, ms }] = wanted[..] else { panic!("{wanted:?}") };
    assert_eq!(ms, 8_000, "four times as long as it took");
    assert!(bench.hear().is_empty(), "one wait at a time");
    let wanted = bench.done(Done::Quiet(events));
    let [Do::Quiet { events, .. }] = wanted[..] else { panic!("something has come meanwhile: {wanted:?}") };
    assert_eq!(bench.done(Done::Quiet(events)), [Do::Verify]);
    assert_eq!(bench.corner(60), "… verifying ↻");
    bench.hear();
    let wanted = bench.done(bad());
    assert!(matches!(wanted[..], [Do::Quiet { .. }]), "it came too late to be in it: {wanted:?}");
    assert_eq!(bench.corner(60), "✗ 2 violations, 1 event since ↻");
    bench.act(KEEP);
    assert!(bench.done(Done::Quiet(3)).is_empty(), "it is not wanted any more");
}

#[test]
fn what_could_not_be_checked_is_tried_again_later() {
    let mut bench = Bench::calm();
    bench.act(KEEP);
    let wanted = bench.done(unknown());
    assert!(matches!(wanted[..], [Do::Quiet { ms: 10_000, .. }]), "{wanted:?}");
}

#[test]
fn a_violation_leads_to_its_order() {
    let mut bench = Bench::calm();
    bench.act(VERIFY);
    bench.done(bad());
    bench.act(FOUND);
    assert_eq!(bench.board.chosen(), Some(Row::Violation(1, 0)));
    bench.act(ACT);
    assert_eq!(bench.timeline, Some(ORDER.parse().unwrap()));
    bench.timeline = None;
    bench.choose(Row::Violation(1, 1));
    bench.act(ACT);
    assert!(bench.timeline.is_none() && bench.told("no order is named"));
}

#[test]
fn orders_are_found_in_what_violations_are_about() {
    let found = |subject: &str, is: &str| order_of(&violation("x", subject, is)).is_some();
    for subject in [
        "order X",
        "payment of order X",
        "reservation of order X",
        "order.paid 3 of X (orders)",
        "order X, product Y",
        "X (orders)",
    ] {
        assert!(found(&subject.replace(['X', 'Y'], ORDER), "gone"), "{subject}");
    }
    for subject in ["product X", "event X", "product.updated 2 of X (inventory)", "charge ch_1"] {
        assert!(!found(&subject.replace('X', ORDER), "gone"), "{subject}");
    }
    assert!(found("charge ch_1", &format!("the payment of order {ORDER} (SUCCEEDED) does not")));
}

#[test]
fn what_is_broken_comes_before_what_verify_says_and_gives_way() {
    let mut bench = Bench::calm();
    bench.looked(broken());
    bench.act(VERIFY);
    bench.done(bad());
    let long = bench.corner(100);
    assert_eq!(long, " OUT: outbox  3 faults · 1 cut · 1 paused · 1 clock off ✗ 2 violations");
    assert_eq!(bench.corner(40), " OUT  !6 ✗ 2 violations");
    assert_eq!(bench.corner(5), " OUT  !6 ✗ 2");
}
