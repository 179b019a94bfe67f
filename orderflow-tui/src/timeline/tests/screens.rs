use super::*;
use crate::{
    keys,
    testing::{SIZES, letters_and_colours},
};

/// What a desk of a console of each size has inside its frame.
fn places() -> [(u16, u16); 3] {
    SIZES.map(|(width, height)| (width - 2, height - 4))
}

fn at_all_sizes(bench: &mut Bench) -> String {
    places().map(|size| format!("{} x {}\n{}", size.0, size.1, bench.screen(size))).join("\n")
}

macro_rules! story {
    ($($name:ident),* $(,)?) => {$(
        #[test]
        fn $name() {
            insta::assert_snapshot!(at_all_sizes(&mut Bench::of(&Story::$name())));
        }
    )*};
}

story!(
    ordered,
    payable,
    shipped,
    declined,
    out_of_stock,
    paid_too_late,
    cancelled_while_paid,
    battered,
    unpublished,
    dead_letter,
    service_down,
    of_a_customer,
);

#[test]
fn compensation_has_its_own_colour() {
    let story = Story::declined();
    for (name, theme) in [("terminal", ThemeName::Terminal), ("dark", ThemeName::Dark), ("light", ThemeName::Light)] {
        let buffer = Bench::of(&story).buffer((78, 20), theme);
        insta::assert_snapshot!(format!("colours_{name}"), letters_and_colours(&buffer));
    }
}

#[test]
fn an_event_is_shown_as_it_is() {
    let mut bench = Bench::of(&Story::battered());
    bench.press(&["up", "up", "enter"]);
    insta::assert_snapshot!("event", at_all_sizes(&mut bench));
    let mut bench = Bench::of(&Story::unpublished());
    bench.press(&["enter"]);
    insta::assert_snapshot!("event_unpublished", bench.screen((78, 20)));
}

#[test]
fn what_comes_live_is_marked() {
    let story = Story::payable();
    let mut bench = Bench::new();
    story.records.iter().for_each(|record| bench.hear(record));
    insta::assert_snapshot!("live", at_all_sizes(&mut bench));
    bench.wait(2_500);
    assert!(!bench.screen((78, 20)).contains("new"));
}

#[test]
fn what_cannot_be_read_is_said() {
    let mut bench = Bench::new();
    insta::assert_snapshot!("reading", bench.screen((78, 8)));
    bench.fails(|error| Came::Events(Err(error)));
    bench.fails(|error| Came::Order(Err(error)));
    bench.fails(|error| Came::Explained(Err(error)));
    insta::assert_snapshot!("failed", bench.screen((78, 8)));
}

#[test]
fn it_can_be_drawn_at_every_size() {
    for story in [Story::ordered(), Story::battered(), Story::paid_too_late(), Story::unpublished()] {
        let mut bench = Bench::of(&story);
        for width in (1..=200).step_by(7).chain([38, 69, 70, 71, 78, 129, 130, 131]) {
            for height in [1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 20, 60] {
                bench.screen((width, height));
                bench.act(keys::OPEN);
                bench.screen((width, height));
                bench.act(keys::BOTTOM);
                bench.screen((width, height));
                bench.act(keys::BACK);
            }
        }
    }
}
