//! Dead letters, as an admin handles them.

use orderflow_contracts::{
    api::ops::EditLetter,
    problem::{Code, Problem},
};
use serde_json::{Value, json};

use super::*;
use crate::{
    admin::{
        Done,
        tests::{desk, told, wanted},
    },
    testing::{Desktop, NOW_MS, SIZES},
    theme::ThemeName,
};

fn letter(number: u128, status: LetterStatus) -> DeadLetter {
    serde_json::from_value(json!({
        "id": Uuid::from_u128(number), "status": status, "reason": "order.paid cannot be read: missing field `quantity`",
        "topic": "orders", "partition": 3, "offset": 120 + i64::try_from(number).unwrap(), "key": Uuid::from_u128(9),
        "headers": [["ce_type", "order.paid"], ["ce_specversion", "1.0"]],
        "payload": { "lines": [{ "name": "Widget" }], "total": "x" },
        "created_at": "2026-01-01T09:58:00Z",
    }))
    .unwrap()
}

fn full() -> Desktop {
    let mut desktop = desk(ThemeName::Terminal);
    assert_eq!(wanted(desktop.press(&["5"])), [Do::Letters]);
    assert!(desktop.screen((80, 24)).contains("open …"), "they are not read yet");
    let letters = |numbers: &[u128]| numbers.iter().map(|number| letter(*number, LetterStatus::Open)).collect();
    let of_orders = Found { letters: letters(&[1, 2]), more: false };
    let mut of_payments = Found { letters: letters(&[3]), more: true };
    of_payments.letters.push(letter(4, LetterStatus::Discarded));
    let silent = Err("http://127.0.0.1:3000 cannot be reached".to_owned());
    let all = vec![(Service::Orders, Ok(of_orders)), (Service::Payments, Ok(of_payments)), (Service::Console, silent)];
    told(&mut desktop, Done::Letters(all));
    desktop
}

fn acted(act: Act, number: usize, of: usize, key: Key, letter: Result<DeadLetter, ClientError>) -> Done {
    Done::Acted(Acted { act, number, of, service: key.0, id: key.1, letter })
}

fn key(service: Service, number: u128) -> Key {
    (service, Uuid::from_u128(number))
}

#[test]
fn letters_of_all_services_stand_in_one_list() {
    for (width, height) in SIZES {
        insta::assert_snapshot!(format!("letters_{width}x{height}"), full().screen((width, height)));
    }
    let mut desktop = full();
    desktop.press(&["f", "f"]);
    assert!(desktop.screen((100, 24)).contains("▸discarded 1"));
    desktop.press(&["f", "f", "enter"]);
    insta::assert_snapshot!("letter_detail", desktop.screen((120, 30)));
}

#[test]
fn one_is_replayed_at_once_and_says_why_if_it_stays_open() {
    let mut desktop = full();
    let effects = wanted(desktop.press(&["r"]));
    let Some(Do::Act(Act::Replay, which)) = effects.first() else { panic!("{effects:?}") };
    assert_eq!(which.len(), 1);
    let still = DeadLetter { reason: "still missing".to_owned(), ..letter(1, LetterStatus::Open) };
    told(&mut desktop, acted(Act::Replay, 1, 1, which[0], Ok(still)));
    told(&mut desktop, Done::ActedAll(Act::Replay));
    let screen = desktop.screen((120, 24));
    assert!(screen.contains("still: still missing") && screen.contains("0 of 1 replayed"), "{screen}");
}

#[test]
fn one_that_has_come_since_the_frame_is_not_replayed() {
    let mut desktop = full();
    desktop.screen((100, 24));
    let newer =
        DeadLetter { created_at: orderflow_contracts::timestamp::Timestamp(NOW_MS), ..letter(5, LetterStatus::Open) };
    let found = Found { letters: vec![newer], more: false };
    told(&mut desktop, Done::Letters(vec![(Service::Inventory, Ok(found))]));
    let effects = wanted(desktop.press(&["r"]));
    let Some(Do::Act(Act::Replay, which)) = effects.first() else { panic!("{effects:?}") };
    assert!(which.iter().all(|(service, _)| *service != Service::Inventory), "{which:?}");
}

#[test]
fn several_are_asked_about_and_done_one_after_the_other() {
    let mut desktop = full();
    assert!(wanted(desktop.press(&["a", "d"])).is_empty());
    assert!(desktop.screen((100, 24)).contains("Discard 3 dead letters?"));
    let effects = wanted(desktop.press(&["y"]));
    assert!(matches!(&effects[..], [Do::Act(Act::Discard, which)] if which.len() == 3), "{effects:?}");
    told(&mut desktop, acted(Act::Discard, 1, 3, key(Service::Orders, 1), Ok(letter(1, LetterStatus::Discarded))));
    let screen = desktop.screen((140, 24));
    assert!(screen.contains("↻ discarding 1 of 3") && screen.contains("2 marked"), "{screen}");
    assert!(wanted(desktop.press(&["r"])).is_empty(), "one thing after the other");
    let lost = ClientError::Timeout { url: "http://127.0.0.1:3001".to_owned() };
    told(&mut desktop, acted(Act::Discard, 2, 3, key(Service::Orders, 2), Err(lost)));
    let no = ClientError::Problem(Box::new(Problem::new(Code::Forbidden, "only admins may")));
    told(&mut desktop, acted(Act::Discard, 3, 3, key(Service::Payments, 3), Err(no)));
    told(&mut desktop, Done::ActedAll(Act::Discard));
    let screen = desktop.screen((140, 24));
    for words in ["1 of 3 discarded", "outcome unknown, doing it again is safe", "only admins may"] {
        assert!(screen.contains(words), "{words}: {screen}");
    }
}

#[test]
fn what_is_decided_is_not_touched() {
    let mut desktop = full();
    desktop.press(&["f", "f"]);
    for keys in [["r"], ["d"], ["e"]] {
        assert!(wanted(desktop.press(&keys)).is_empty(), "{keys:?}");
    }
}

/// Types a value into the line that is chosen.
fn write(desktop: &mut Desktop, text: &str) {
    desktop.press(&["ctrl-u"]);
    desktop.type_in(text);
    desktop.press(&["enter"]);
}

#[test]
fn a_letter_is_mended_line_by_line_and_only_what_changed_is_sent() {
    let mut desktop = full();
    // Key, two headers, payload, lines, 0, name, total.
    desktop.press(&["e", "down", "enter"]);
    write(&mut desktop, "order.confirmed");
    desktop.press(&["end", "enter"]);
    write(&mut desktop, "not json");
    assert!(desktop.screen((100, 24)).contains("✗ not JSON"));
    write(&mut desktop, "7");
    desktop.press(&["up", "a"]);
    write(&mut desktop, "quantity = 2");
    insta::assert_snapshot!("mending", desktop.screen((80, 24)));
    let effects = wanted(desktop.press(&["s"]));
    let [Do::Mend(Service::Payments, _, edit)] = &effects[..] else { panic!("{effects:?}") };
    let headers = [("ce_type", "order.confirmed"), ("ce_specversion", "1.0")];
    let wanted_edit = EditLetter {
        key: None,
        headers: Some(headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()),
        payload: Some(json!({ "lines": [{ "name": "Widget", "quantity": 2 }], "total": 7 })),
    };
    assert_eq!(**edit, wanted_edit);
    assert!(wanted(desktop.press(&["s"])).is_empty(), "it is being saved");
    let no = ClientError::Problem(Box::new(Problem::new(Code::ValidationFailed, "the payload is too large")));
    told(&mut desktop, Done::Mended(Service::Payments, Uuid::from_u128(3), Box::new(Err(no))));
    assert!(desktop.screen((100, 24)).contains("✗ the payload is too large"));
    told(
        &mut desktop,
        Done::Mended(Service::Payments, Uuid::from_u128(3), Box::new(Ok(letter(3, LetterStatus::Open)))),
    );
    assert!(!desktop.screen((100, 24)).contains("mending"));
}

#[test]
fn nothing_that_was_written_is_lost_by_one_key() {
    let mut desktop = full();
    assert!(wanted(desktop.press(&["e", "s"])).is_empty());
    assert!(desktop.screen((100, 24)).contains("nothing was changed yet"));
    desktop.press(&["end", "x", "esc"]);
    assert!(desktop.screen((100, 24)).contains("not saved yet"));
    desktop.press(&["esc"]);
    assert!(!desktop.screen((100, 24)).contains("mending"));
}

#[test]
fn fields_are_taken_away_but_not_what_has_to_be_there() {
    let mut mending = Mending::of(key(Service::Orders, 1), &letter(1, LetterStatus::Open));
    let mut press = |action| drop(mending.act(action));
    press(super::super::keymap::REMOVE);
    for _ in 0..3 {
        press(keys::DOWN);
    }
    press(super::super::keymap::REMOVE);
    press(keys::BOTTOM);
    press(super::super::keymap::REMOVE);
    let Outcome::Save(edit) = mending.act(super::super::keymap::SAVE) else { panic!("nothing to save") };
    let payload: Value = json!({ "lines": [{ "name": "Widget" }] });
    assert_eq!(*edit, EditLetter { payload: Some(payload), ..EditLetter::default() });
}

#[test]
fn new_ones_are_read_when_the_services_count_more() {
    let metrics = |dead: u32| {
        let text = format!("orderflow_dead_letters_total {dead}");
        Done::Metrics(vec![(Service::Orders, Ok(orderflow_client::metrics::Metrics::parse(&text)))])
    };
    let mut desktop = full();
    assert!(wanted(told(&mut desktop, metrics(2))).is_empty());
    assert_eq!(wanted(told(&mut desktop, metrics(3))), [Do::Letters]);
    assert!(wanted(told(&mut desktop, metrics(3))).is_empty());
    assert_eq!(
        text::ago(letter(1, LetterStatus::Open).created_at, orderflow_contracts::timestamp::Timestamp(NOW_MS)),
        "2m"
    );
}
