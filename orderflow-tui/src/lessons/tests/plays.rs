//! The eight plays, and what can go wrong in any of them.

use super::*;
use crate::lessons::{
    course::{Break, Look, Until},
    tour::Note,
};

#[test]
fn a_first_order() {
    let mut play = Play::of("first-order");
    play.ordered().goes_to("The seller confirms");
    play.hear(&confirming()).hear(&reserved()).hear(&confirmed()).next().is_at("The seller confirms");
    play.hear(&opened()).goes_to("Pay").hear(&charged()).hear(&OrderEvent::Paid).hear(&InventoryEvent::Allocated);
    play.goes_to("Ship").hear(&OrderEvent::Fulfilled).hear(&InventoryEvent::Committed);
    play.goes_to("Look back").next().checked().is_learnt();
}

#[test]
fn a_declined_card() {
    let mut play = Play::of("declined-card");
    play.ordered().goes_to("The seller confirms").hear(&confirmed()).hear(&reserved()).hear(&opened());
    play.goes_to("Pay with a bad card");
    play.help();
    assert!(matches!(play.task(), Task::Pay(order, "tok_chargeDeclined", _) if *order == id(MINE)));
    play.done(Outcome::Done).hear(&PaymentEvent::Failed { decline_code: "card_declined".into() });
    play.hear(&cancelled(CancelReason::PaymentFailed)).hear(&InventoryEvent::Released);
    play.goes_to("It went back by itself").next().checked().is_learnt();
}

#[test]
fn the_last_item_is_wanted_by_two() {
    let mut play = Play::of("last-item");
    play.ordered().goes_to("Somebody else is faster, or not");
    assert!(matches!(play.task(), Task::Rival(..)), "it orders by itself");
    play.hear_of(THEIRS, &created(PRODUCT)).done(Outcome::Ordered(id(THEIRS)));
    play.is_at("Somebody else is faster, or not").next().is_at("Both at the same moment").help();
    assert!(matches!(play.task(), Task::Confirm(orders, _) if *orders == [id(MINE), id(THEIRS)]));
    play.done(Outcome::Done).hear_of(THEIRS, &confirmed()).is_at("Both at the same moment");
    play.hear(&cancelled(CancelReason::OutOfStock)).goes_to("Is all of that true?");
    assert!(matches!(play.task(), Task::Check(exam) if exam.rival == Some(id(THEIRS))));
    play.checked().is_learnt();
}

#[test]
fn a_crash_between_commit_and_publish() {
    let mut play = Play::of("crash-after-commit");
    play.ordered().goes_to("Set the trap").help();
    assert_eq!(play.task(), &Task::Break(vec![Break::CrashAfterCommit]));
    play.done(Outcome::Broken(3)).goes_to("Spring it");
    play.hear(&confirming()).hear(&reserved()).hear(&confirmed()).hear(&opened()).goes_to("It is back");
    assert!(play.tour.looks());
    play.tick();
    assert!(matches!(play.task(), Task::Look(_, order, 3) if *order == id(MINE)));
    assert!(play.tour.tick().is_empty(), "one look at a time");
    play.done(Outcome::Looked(Ok(None))).tick();
    play.done(Outcome::Looked(Ok(Some("orders has died".into())))).is_at("It is back").next();
    play.checked();
    assert_eq!(play.wanted, [Do::Mend(vec![Break::CrashAfterCommit])]);
    play.is_learnt();
}

#[test]
fn a_trap_that_another_order_has_sprung_is_set_again() {
    let mut play = Play::of("crash-after-commit");
    play.ordered().goes_to("Set the trap").help().done(Outcome::Broken(3)).goes_to("Spring it").tick();
    assert!(matches!(play.task(), Task::Look(Look::Wasted, order, 3) if *order == id(MINE)));
    play.done(Outcome::Looked(Ok(None))).is_at("Spring it").tick();
    play.done(Outcome::Looked(Ok(Some("orders has died".into())))).is_at("Set the trap");
    assert!(play.tour.note() == Some(Note::OtherOrder) && !play.tour.is_done());
    play.help();
    assert_eq!(play.task(), &Task::Break(vec![Break::CrashAfterCommit]));
    play.done(Outcome::Broken(4)).goes_to("Spring it").hear(&confirming());
    assert!(!play.tour.looks(), "it has struck where it was to strike");
}

#[test]
fn everything_comes_twice() {
    let mut play = Play::of("duplicate-delivery");
    play.is_at("Double everything").help().done(Outcome::Broken(0)).next().ordered().next();
    play.hear(&reserved()).hear(&reserved()).hear(&opened()).goes_to("Pay");
    play.hear(&OrderEvent::Paid).hear(&InventoryEvent::Allocated).goes_to("What was passed over").tick();
    play.done(Outcome::Looked(Ok(Some("12".into())))).next().checked();
    assert_eq!(play.wanted, [Do::Mend(vec![Break::DeliverTwice])]);
    play.is_learnt();
}

#[test]
fn paying_too_late() {
    let mut play = Play::of("paying-too-late");
    play.ordered().next().hear(&reserved()).hear(&opened()).goes_to("Slow the provider down").help();
    play.done(Outcome::Broken(0)).goes_to("Pay in time").tick();
    play.done(Outcome::Looked(Ok(Some("PROCESSING".into())))).goes_to("Half an hour passes").help();
    assert_eq!(play.task(), &Task::MoveClock(35));
    // What follows is heard before the answer: the next step waits for that all the same.
    play.hear(&InventoryEvent::ReservationExpired).hear(&cancelled(CancelReason::Expired));
    play.hear(&InventoryEvent::Released).is_at("Half an hour passes");
    play.done(Outcome::ClockMoved).goes_to("The answer comes");
    assert_eq!(play.task(), &Task::Mend(vec![Break::SlowProvider]));
    play.done(Outcome::Done).hear(&PaymentEvent::Refunded { refund_id: "re_1".into() });
    play.is_at("The answer comes").next().is_at("Look back").next().checked().is_learnt();
}

#[test]
fn losing_kafka() {
    let mut play = Play::of("losing-kafka");
    play.ordered().goes_to("Kill the broker").help().done(Outcome::Broken(0));
    play.goes_to("Confirm all the same").tick();
    play.done(Outcome::Looked(Ok(Some("it waits".into())))).goes_to("Bring it back").help();
    assert_eq!(play.task(), &Task::Mend(vec![Break::Kafka]));
    play.done(Outcome::Done).is_at("Bring it back");
    play.hear(&confirming()).hear(&confirmed()).hear(&opened()).goes_to("What it cost").next().checked().is_learnt();
}

#[test]
fn what_has_happened_is_told_in_the_order_in_which_it_did() {
    let mut play = Play::of("losing-kafka");
    play.ordered();
    let (asked, held) = (record(MINE, &confirming()), record(MINE, &reserved()));
    for late in [&held, &asked] {
        play.tour.hear(Role::Customer, late);
    }
    assert_eq!(play.tour.heard.events(), ["order.created", "order.confirmation_requested", "inventory.reserved"]);
}

#[test]
fn without_the_outbox() {
    let mut play = Play::of("no-outbox");
    play.ordered().goes_to("Take the outbox out").help();
    assert_eq!(play.task(), &Task::Break(vec![Break::Outbox, Break::CrashAfterPublish]));
    play.done(Outcome::Broken(1)).goes_to("Spring the trap").tick();
    play.done(Outcome::Looked(Ok(Some("CONFIRMING".into())))).goes_to("Silence").next().is_at("Who notices?");
    play.checked().is_at("Who notices?");
    assert!(play.wanted.is_empty(), "it is mended by a step of its own");
    assert!(!play.tour.is_learnt());
    play.next().is_at("Put it back");
    assert_eq!(play.task(), &Task::Mend(vec![Break::Outbox, Break::CrashAfterPublish]));
    play.done(Outcome::Done).is_learnt();
}

#[test]
fn every_lesson_can_be_played_with_one_key() {
    for lesson in LESSONS {
        let steps = lesson.steps.iter().filter(|step| !matches!(step.until, Until::Read));
        for step in steps.filter(|step| !matches!(step.until, Until::Seen(_))) {
            assert!(step.help.is_some(), "{}: {}", lesson.name, step.title);
        }
        assert!(helps(lesson.name).contains(&Help::Check) && helps(lesson.name)[0] == Help::Prepare);
        let breaks = |help: &Help| matches!(help, Help::Break(_));
        assert!(lesson.lab || helps(lesson.name).iter().filter(|help| breaks(help)).count() <= 1);
    }
}

#[test]
fn what_is_broken_is_mended_whenever_it_is_left() {
    let mut play = Play::of("losing-kafka");
    play.ordered().next().help();
    // It is left before the answer: half of it may be broken.
    assert_eq!(play.tour.mend(), [Do::Mend(vec![Break::Kafka])]);
    assert_eq!(play.tour.mend(), [], "once");
}

#[test]
fn what_comes_to_nothing_is_told_and_tried_again_with_the_same_key() {
    let mut play = Play::of("first-order");
    play.help();
    let first = play.wanted.clone();
    let lost = Trouble::made_up("orders did not answer in time", true);
    play.came(Err(lost.clone())).is_at("Order");
    assert_eq!(play.tour.trouble, Some(lost));
    play.help();
    assert_eq!(play.wanted, first);
    assert!(play.tour.trouble.is_none() && play.tour.help().is_empty(), "one at a time");
    assert_eq!(play.tour.note(), Some(Note::OneMoment));
    play.done(Outcome::Ordered(id(MINE))).hear(&created(PRODUCT)).goes_to("The seller confirms");
}

#[test]
fn a_lesson_does_not_begin_before_it_is_ready() {
    let (tour, wanted) = Tour::of(lesson("no-outbox"), 1);
    let mut play = Play { tour, wanted };
    play.came(Err(Trouble::made_up("it is no laboratory", false)));
    assert!(play.tour.can_help() && !play.tour.can_go_on());
    play.next().next().is_at("What this is about");
    play.help();
    assert!(matches!(play.task(), Task::Prepare(_)));
}

#[test]
fn a_step_is_skipped_when_that_is_said_twice() {
    let mut play = Play::of("first-order");
    play.next().is_at("Order");
    assert_eq!(play.tour.note(), Some(Note::NotDone));
    play.next().is_at("The seller confirms").help();
    assert_eq!(play.tour.note(), Some(Note::NoOrder));
    assert!(play.wanted.is_empty());
}

#[test]
fn that_a_step_is_not_done_is_said_until_it_is() {
    let mut play = Play::of("first-order");
    play.next().is_at("Order");
    assert_eq!(play.tour.note(), Some(Note::NotDone));
    assert!(play.tour.can_help());
    play.ordered();
    assert_eq!(play.tour.note(), None);
    assert!(!play.tour.can_help(), "there is nothing left to do");
}

#[test]
fn nobody_is_rushed_on_by_what_happens() {
    let mut play = Play::of("first-order");
    play.ordered().is_at("Order").hear(&reserved()).hear(&confirmed()).hear(&opened()).is_at("Order");
    play.goes_to("The seller confirms").goes_to("Pay");
    assert!(matches!(play.tour.back(), Moved::On(_)));
    play.is_at("The seller confirms").hear(&OrderEvent::Paid).is_at("The seller confirms").goes_to("Pay");
}

#[test]
fn what_the_lesson_does_for_a_step_is_waited_for() {
    let mut play = Play::of("first-order");
    // Its event is heard before its answer.
    play.help().hear(&created(PRODUCT));
    let asked = play.wanted.clone();
    play.next().is_at("Order");
    assert_eq!(play.tour.note(), Some(Note::OneMoment));
    play.wanted = asked;
    play.done(Outcome::Ordered(id(MINE))).goes_to("The seller confirms");
}

#[test]
fn an_order_of_something_else_is_noticed() {
    let mut play = Play::of("first-order");
    play.hear_of(THEIRS, &created(OTHER)).is_at("Order");
    assert_eq!(play.tour.note(), Some(Note::OtherProduct));
    play.ordered().goes_to("The seller confirms");
    play.hear_of(THEIRS, &reserved()).hear_of(THEIRS, &confirmed()).hear_of(THEIRS, &opened());
    assert!(!play.tour.is_done());
}

#[test]
fn what_comes_for_an_earlier_tour_is_late() {
    let mut play = Play::of("first-order");
    let late = Step { tour: 0, step: 1 };
    assert!(play.tour.done(late, Ok(Outcome::Ordered(id(MINE)))).is_empty());
    play.is_at("Order");
    assert!(play.tour.heard.mine().is_none());
}

#[test]
fn what_is_not_as_it_must_be_is_looked_at_again() {
    let mut play = Play::of("declined-card");
    play.ordered();
    while play.tour.step().help != Some(Help::Check) {
        play.next();
    }
    play.done(Outcome::Found(vec![Finding { ok: false, text: "the order is PENDING".into() }]));
    assert!(!play.tour.is_learnt());
    play.next().is_at("Is all of that true?").help().checked().is_learnt();
}

#[test]
fn how_far_it_is_is_told_of_what_is_under_way_alone() {
    let mut play = Play::of("first-order");
    play.help();
    let [Do::For(step, _)] = play.wanted[..] else { panic!() };
    play.tour.said(step, "almost".into());
    assert_eq!(play.tour.busy.as_ref().unwrap().said, "almost");
    play.tour.said(Step { tour: 9, ..step }, "late".into());
    assert_eq!(play.tour.busy.as_ref().unwrap().said, "almost");
}
