use orderflow_contracts::timestamp::Timestamp;

use crate::{
    customer::{
        Do, Done,
        tests::{catalogue, done, has, lost, product, shop, wanted},
    },
    testing::{Desktop, NOW_MS},
};

fn names(desktop: &mut Desktop) -> Vec<String> {
    let all: Vec<String> = catalogue().into_iter().map(|product| product.name).collect();
    let screen = desktop.screen((60, 20));
    let found = |line: &str| all.iter().find(|name| line.contains(name.as_str())).cloned();
    screen.lines().filter_map(found).collect()
}

#[test]
fn it_is_searched_as_one_types_filtered_and_sorted() {
    let mut desktop = shop();
    assert_eq!(names(&mut desktop), ["Office Chair", "Zorb 3000", "Desk Lamp", "Enamel Mug", "Test Widget"]);
    desktop.press(&["s"]);
    assert_eq!(names(&mut desktop)[0], "Desk Lamp");
    desktop.press(&["s"]);
    assert_eq!(names(&mut desktop)[0], "Enamel Mug", "the cheapest");
    desktop.press(&["s", "f"]);
    assert_eq!(names(&mut desktop), ["Enamel Mug", "Test Widget", "Office Chair", "Zorb 3000"]);
    desktop.press(&["/"]);
    desktop.type_in("ENA");
    assert_eq!(names(&mut desktop), ["Enamel Mug"]);
    desktop.type_in("q");
    has(&mut desktop, &["Nothing in stock is like that"]);
    desktop.press(&["esc"]);
    assert_eq!(names(&mut desktop).len(), 4);
}

#[test]
fn letters_are_typed_while_one_searches_and_do_things_otherwise() {
    let mut desktop = shop();
    desktop.press(&["/"]);
    desktop.type_in("chair");
    desktop.press(&["enter", "a"]);
    has(&mut desktop, &["/ chair", "cart 1 310.00 USD"]);
}

#[test]
fn what_one_settles_on_is_looked_at_again_once() {
    let mut desktop = shop();
    assert!(wanted(desktop.press(&["down"])).is_empty(), "it was read a moment ago");
    desktop.now.wall = Timestamp(NOW_MS + 60_000);
    let effects = desktop.press(&["down"]);
    assert!(matches!(wanted(effects)[..], [Do::Rest]));
    assert!(wanted(desktop.press(&["down"])).is_empty(), "it is waited for already");
    assert!(matches!(wanted(done(&mut desktop, Done::Rested))[..], [Do::Rest]), "it was another row");
    let looks = wanted(done(&mut desktop, Done::Rested));
    let [Do::Look(id)] = looks[..] else { panic!("it has settled") };
    has(&mut desktop, &["as of 10:00:00 · looking"]);
    desktop.now.wall = Timestamp(NOW_MS + 62_000);
    done(&mut desktop, Done::Looked(id, Ok(Box::new(product(2, "Enamel Mug", 1250, 4)))));
    // As of when it was asked, not of when the answer came.
    has(&mut desktop, &["! 4 left", "as of 10:01:00"]);
    assert!(wanted(desktop.press(&["up", "down"])).is_empty(), "it is fresh");
}

#[test]
fn what_could_not_be_looked_at_stays_as_old_as_it_says() {
    let mut desktop = shop();
    desktop.now.wall = Timestamp(NOW_MS + 60_000);
    desktop.press(&["down"]);
    let looks = wanted(done(&mut desktop, Done::Rested));
    let [Do::Look(id)] = looks[..] else { panic!("it has settled") };
    done(&mut desktop, Done::Looked(id, Err(lost())));
    has(&mut desktop, &["as of 10:00:00"]);
    assert!(!desktop.screen((120, 40)).contains("looking"));
}

#[test]
fn what_is_chosen_stays_chosen_when_the_list_changes() {
    let mut desktop = shop();
    desktop.press(&["down", "down", "down"]);
    let newer = product(9, "Field Watch", 22_000, 12);
    let read = crate::books::Done::Product(newer.id, Ok(newer));
    desktop
        .tell(crate::msg::Msg::Done(crate::msg::Done::Books(orderflow_contracts::api::console::Role::Customer, read)));
    desktop.press(&["a"]);
    has(&mut desktop, &["×1 Enamel Mug"]);
}

#[test]
fn a_key_does_not_add_what_was_not_seen() {
    let mut desktop = shop();
    desktop.press(&["f"]);
    has(&mut desktop, &["Office Chair"]);
    // Between the frame and the key the last one is sold, and its row is another one's.
    let sold = product(5, "Office Chair", 31_000, 0);
    let read = crate::books::Done::Product(sold.id, Ok(sold));
    desktop
        .tell(crate::msg::Msg::Done(crate::msg::Done::Books(orderflow_contracts::api::console::Role::Customer, read)));
    desktop.press(&["a"]);
    has(&mut desktop, &["only 0 are there now", "cart 1 310.00 USD"]);
}
