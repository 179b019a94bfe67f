//! The lessons within the console: who has the keys, how desks stand, and what happens when they are left.

use orderflow_contracts::api::inventory::Product;

use super::*;
use crate::{
    books,
    lessons::Done,
    login,
    msg::{Done as AnyDone, Effect, Msg},
    seller,
    testing::{Desktop, account},
};

fn lessons_of(wanted: &[Effect]) -> Vec<&Do> {
    wanted
        .iter()
        .filter_map(|effect| match effect {
            Effect::Lessons(wanted) => Some(wanted),
            _ => None,
        })
        .collect()
}

/// A lesson begun, with both desks at work and everything ready.
fn begun(downs: usize) -> Desktop {
    let mut desktop = Desktop::of(Role::Customer);
    desktop.press(&["f6"]);
    for _ in 0..downs {
        desktop.press(&["j"]);
    }
    let wanted = desktop.press(&["enter"]);
    let lesson = LESSONS[downs];
    assert!(matches!(lessons_of(&wanted)[..], [Do::For(_, Task::Prepare(_))]));
    assert!(wanted.iter().any(|effect| matches!(effect, Effect::Login(Role::Seller, login::Do::TestAccount))));
    desktop.tell(Msg::Done(AnyDone::Login(Role::Seller, login::Done::In(account(Role::Seller)))));
    let step = Step { tour: 1, step: 0 };
    desktop.tell(Msg::Done(AnyDone::Lessons(Done::Of(step, Ok(Outcome::Ready(Box::new(scene(lesson))))))));
    desktop
}

#[test]
fn the_list_has_the_keys_until_a_lesson_begins() {
    let mut desktop = Desktop::of(Role::Customer);
    desktop.press(&["f6", "G", "down"]);
    desktop.type_in("k");
    let screen = desktop.screen((130, 30));
    assert!(screen.contains("lessons 0 of 8 done") && screen.contains("the broker is dead"), "{screen}");
    desktop.press(&["esc"]);
    assert!(!desktop.screen((130, 30)).contains("lessons"));
}

#[test]
fn desks_stand_side_by_side_and_the_person_is_led_to_them() {
    let mut desktop = begun(0);
    desktop.press(&["f8"]);
    let screen = desktop.screen((160, 30));
    assert!(screen.contains("[customer]") && screen.contains(" 1 Your first order 2/7"), "{screen}");
    let event = Box::new(record(MINE, &created(PRODUCT)));
    desktop.tell(Msg::Live(Role::Customer, crate::live::Heard::Event(event)));
    assert!(desktop.screen((160, 30)).contains("[customer]"), "nobody is rushed on");
    desktop.press(&["f8"]);
    assert!(desktop.screen((160, 30)).contains("[seller]"));
    // Whoever looks back is not led about.
    desktop.press(&["f7"]);
    assert!(desktop.screen((160, 30)).contains("[seller]"));
}

#[test]
fn what_the_lesson_is_about_is_chosen_and_nothing_lies_over_it() {
    let mut desktop = begun(0);
    let dearer = Product { id: OTHER.parse().unwrap(), name: "Other".into(), ..scene(LESSONS[0]).product };
    let read = |product: &Product| books::Done::Product(product.id, Ok(product.clone()));
    desktop.tell(Msg::Done(AnyDone::Books(Role::Customer, read(&dearer))));
    let older = "00000000-0000-0000-0000-0000000000ee";
    let hear = |desktop: &mut Desktop, order: &str, product: &str| {
        for role in [Role::Seller, Role::Customer] {
            let event = Box::new(record(order, &created(product)));
            desktop.tell(Msg::Live(role, crate::live::Heard::Event(event)));
        }
    };
    hear(&mut desktop, older, OTHER);
    desktop.press(&["f3", "enter"]);
    assert!(desktop.screen((160, 30)).contains("› timeline"));
    desktop.press(&["f8", "enter", "c"]);
    let screen = desktop.screen((160, 30));
    assert!(screen.contains("× 1 ") && screen.contains("24.90 USD┃") && !screen.contains("Other"), "{screen}");
    hear(&mut desktop, MINE, PRODUCT);
    desktop.press(&["f8"]);
    let screen = desktop.screen((160, 30));
    assert!(screen.contains("[seller]") && !screen.contains("› timeline"), "{screen}");
    let wanted = desktop.press(&["c"]);
    let told = |effect: &Effect| matches!(effect, Effect::Seller(seller::Do::Tell(_, told, _)) if *told == id(MINE));
    assert!(wanted.iter().any(told) && wanted.len() == 1);
}

#[test]
fn whatever_is_broken_is_mended_when_the_lessons_are_closed_or_the_console_left() {
    for key in ["f6", "ctrl-c"] {
        let mut desktop = begun(6);
        desktop.press(&["f8"]);
        desktop.tell(Msg::Live(Role::Customer, crate::live::Heard::Event(Box::new(record(MINE, &created(PRODUCT))))));
        desktop.press(&["f8"]);
        let wanted = desktop.press(&["ctrl-g"]);
        assert!(matches!(lessons_of(&wanted)[..], [Do::For(_, Task::Break(_))]), "{key}");
        let wanted = desktop.press(&[key]);
        assert!(matches!(lessons_of(&wanted)[..], [Do::Mend(_)]), "{key}");
        let failed = Done::Mended(Err(Trouble::made_up("no cluster runs", false)));
        desktop.tell(Msg::Done(AnyDone::Lessons(failed)));
        assert!(desktop.screen((130, 30)).contains("is not mended"), "it is told, though the lessons are closed");
    }
}

#[test]
fn the_layout_is_as_before_when_they_are_closed() {
    let mut desktop = begun(0);
    assert!(desktop.app.split);
    desktop.press(&["f6"]);
    assert!(!desktop.app.split);
}

#[test]
fn a_lesson_that_is_done_is_remembered() {
    let mut desktop = begun(1);
    desktop.press(&["f8"]);
    let events: Vec<EventRecord> = vec![
        record(MINE, &created(PRODUCT)),
        record(MINE, &reserved()),
        record(MINE, &opened()),
        record(MINE, &PaymentEvent::Failed { decline_code: "x".into() }),
        record(MINE, &cancelled(CancelReason::PaymentFailed)),
        record(MINE, &InventoryEvent::Released),
    ];
    for event in events {
        desktop.tell(Msg::Live(Role::Customer, crate::live::Heard::Event(Box::new(event))));
    }
    let wanted = desktop.press(&["f8", "f8", "f8", "f8"]);
    let [Do::For(step, Task::Check(_))] = lessons_of(&wanted)[..] else { panic!() };
    let found = Ok(Outcome::Found(vec![Finding { ok: true, text: "verify holds".into() }]));
    let wanted = desktop.tell(Msg::Done(AnyDone::Lessons(Done::Of(*step, found))));
    let saved = wanted.iter().any(
        |effect| matches!(effect, Effect::Save(remembered) if remembered.lessons_done == ["declined-card"] && !remembered.split),
    );
    assert!(saved);
    desktop.press(&["f8"]);
    let screen = desktop.screen((130, 30));
    assert!(screen.contains("1 of 8 done") && screen.contains("✓"), "{screen}");
}

#[test]
fn a_lesson_fits_beside_and_above_the_desks() {
    let mut desktop = begun(3);
    for size in crate::testing::SIZES {
        insta::assert_snapshot!(format!("console_{}x{}", size.0, size.1), desktop.screen(size));
    }
    for width in [1, 2, 10, 40, 44, 80, 110, 200] {
        for height in [1, 3, 6, 12, 24, 60] {
            desktop.buffer((width, height));
        }
    }
}

#[test]
fn a_screen_of_a_desk_that_is_opened_for_it_is_led_to_once_somebody_is_there() {
    let mut desktop = begun(4);
    let wanted = desktop.press(&["f8"]);
    assert!(wanted.iter().any(|effect| matches!(effect, Effect::Login(Role::Admin, login::Do::TestAccount))));
    desktop.tell(Msg::Done(AnyDone::Login(Role::Admin, login::Done::In(account(Role::Admin)))));
    let screen = desktop.screen((160, 40));
    assert!(screen.contains("[admin]") && screen.contains("▸8 Chaos"), "{screen}");
    // Whoever has gone elsewhere meanwhile is left alone.
    desktop.press(&["1"]);
    desktop.tell(Msg::Done(AnyDone::Login(Role::Seller, login::Done::In(account(Role::Seller)))));
    assert!(desktop.screen((160, 40)).contains("▸1 Health"));
}
