use orderflow_contracts::events::InventoryEvent;

use super::*;
use crate::{
    seller::Verb,
    testing::{SIZES, letters_and_colours},
};

const SCREENS: [(&str, &str); 4] = [("1", "orders"), ("2", "inventory"), ("3", "reservations"), ("4", "sales")];

fn full(theme: ThemeName) -> Desktop {
    use ReservationStatus::{Allocated, Committed, Expired, Held, Lost, Refused, Released};
    let mut orders = one_of_each();
    orders.extend((60..120).step_by(4).map(|number| order(number, OrderStatus::Fulfilled)));
    let reservations = [Held, Allocated, Committed, Released, Expired, Refused, Lost];
    let reservations = reservations.into_iter().zip(10..).map(|(status, number)| reservation(number, status));
    desk_in(theme, orders, (1..=4).map(product).collect(), reservations.collect())
}

#[test]
fn the_screens_look_as_they_should() {
    for size in SIZES {
        for (key, name) in SCREENS {
            let mut desk = full(ThemeName::Terminal);
            desk.press(&[key]);
            insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), desk.screen(size));
        }
    }
}

#[test]
fn the_screens_have_their_colours() {
    for theme in [ThemeName::Dark, ThemeName::Light] {
        for (key, name) in SCREENS {
            let mut desk = full(theme);
            desk.press(&[key]);
            let screen = letters_and_colours(&desk.buffer((80, 24)));
            insta::assert_snapshot!(format!("{name}_{}", theme.as_str()), screen);
        }
    }
}

#[test]
fn what_is_under_way_looks_as_it_should() {
    let mut desk = full(ThemeName::Dark);
    desk.press(&["space", "space", "c"]);
    yes(&mut desk);
    let told = |number, error| seller::Done::Told {
        verb: Verb::Confirm,
        id: order_id(number),
        key: "key".into(),
        answer: Err(error),
    };
    done(&mut desk, told(4, lost()));
    insta::assert_snapshot!("under_way", letters_and_colours(&desk.buffer((80, 24))));
    done(&mut desk, told(1, no(Code::IllegalTransition, "the order is CANCELLED")));
    insta::assert_snapshot!("troubles", letters_and_colours(&desk.buffer((100, 20))));
}

#[test]
fn forms_look_as_they_should() {
    let mut desk = full(ThemeName::Light);
    desk.press(&["2", "n"]);
    desk.type_in("Lamp");
    desk.press(&["tab"]);
    desk.type_in("1,5");
    insta::assert_snapshot!("form_80x24", letters_and_colours(&desk.buffer((80, 24))));
    insta::assert_snapshot!("form_40x12", desk.screen((40, 12)));
}

#[test]
fn an_empty_desk_says_what_to_do() {
    let mut desk = desk(Vec::new(), Vec::new(), Vec::new());
    let words = ["as soon as a customer orders", "n adds the first one", "as soon as you confirm", "nothing was paid"];
    for ((key, _), words) in SCREENS.into_iter().zip(words) {
        desk.press(&[key]);
        let screen = desk.screen((100, 30));
        assert!(screen.contains(words), "{screen}");
    }
}

#[test]
fn a_list_that_cannot_be_read_says_why_and_keeps_what_was_read() {
    let mut desk = full(ThemeName::Terminal);
    let failed = Read { items: Vec::new(), end: Err("the orders service cannot be reached".into()) };
    desk.tell(Msg::Done(Done::Books(Role::Seller, books::Done::Orders(failed))));
    let screen = desk.screen((100, 30));
    assert!(screen.contains("✗ orders cannot be read, as of 10:00:00: the orders service"), "{screen}");
    assert!(screen.contains("● pending"));
}

#[test]
fn reservations_follow_the_events() {
    let mut desk = full(ThemeName::Terminal);
    desk.press(&["3"]);
    event(&mut desk, 1, order_id(1), &InventoryEvent::Reserved { expires_at: NOW_MS + 90_000 });
    let line = line_with(&mut desk, &crate::text::short(order_id(1)));
    assert!(line.contains("● held") && line.contains("1:30") && line.contains("2 × Brass Lamp"), "{line}");
    let now = desk.now;
    assert!(desk.app.next_tick(now).is_some(), "time runs out");
    event(&mut desk, 2, order_id(1), &InventoryEvent::Allocated);
    assert!(line_with(&mut desk, &crate::text::short(order_id(1))).contains("▸ allocated"));
}

#[test]
fn sales_are_of_one_day_and_in_one_currency() {
    let mut orders =
        vec![order(1, OrderStatus::Paid), order(2, OrderStatus::Fulfilled), order(3, OrderStatus::Pending)];
    let mut euros = order(4, OrderStatus::Paid);
    euros.total.currency = Currency::Eur;
    euros.lines[0].unit_price.currency = Currency::Eur;
    let mut yesterday = order(5, OrderStatus::Paid);
    yesterday.created_at.0 -= 24 * 60 * MINUTE_MS;
    orders.extend([euros, yesterday]);
    let mut desk = desk(orders, Vec::new(), Vec::new());
    desk.press(&["4"]);
    let screen = desk.screen((100, 30));
    assert!(screen.contains("2039.00 USD, 240.00 EUR"), "{screen}");
    assert!(screen.contains("✓ 3 of 4,"), "{screen}");
    assert!(screen.contains("1 to confirm, 3 to ship"), "{screen}");
    desk.press(&["m"]);
    assert!(desk.screen((100, 30)).contains("USD by the hour"));
    desk.press(&["m"]);
    assert!(desk.screen((100, 30)).contains("EUR by the hour"));
    desk.press(&["left"]);
    assert!(desk.screen((100, 30)).contains("✓ 1 of 1"));
    desk.press(&["t", "right"]);
    assert!(desk.screen((100, 30)).contains("today"), "there is no tomorrow");
}

#[test]
fn every_size_can_be_drawn() {
    let mut desk = full(ThemeName::Terminal);
    for keys in [&["1"][..], &["/", "a", "enter"], &["esc", "2"], &["n"], &["esc", "+"], &["esc", "3"], &["4"], &["m"]]
    {
        desk.press(keys);
        for width in [1, 2, 3, 10, 19, 20, 39, 40, 60, 80, 120, 133, 200] {
            for height in [1, 2, 3, 4, 5, 6, 10, 12, 18, 24, 60] {
                desk.buffer((width, height));
            }
        }
    }
}
