//! What the panel looks like, and that nothing in it is cut where people use it.

use ratatui::{Terminal, backend::TestBackend, buffer::Buffer, layout::Rect};

use super::*;
use crate::{
    keys::KeyMap,
    lessons::{Lessons, draw},
    testing::{letters, letters_and_colours},
    theme::{Theme, ThemeName},
};

/// Where the panel is put at 40x12, 80x24, 100x30 and 160x48.
const PANELS: [(u16, u16); 4] = [(40, 5), (80, 11), (100, 14), (44, 46)];

fn drawn(lessons: &mut Lessons, (width, height): (u16, u16), theme: ThemeName) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let (theme, keys) = (Theme::of(theme), KeyMap::default());
    terminal.draw(|frame| lessons.draw(frame, Rect::new(0, 0, width, height), &theme, &keys)).unwrap();
    terminal.backend().buffer().clone()
}

fn at_all_sizes(lessons: &mut Lessons) -> String {
    let screens = PANELS.map(|size| letters(&drawn(lessons, size, ThemeName::Terminal)));
    screens.join("\n")
}

fn playing(play: Play) -> Lessons {
    let mut lessons = Lessons::new(Vec::new(), true);
    lessons.tour = Some(Box::new(play.tour));
    lessons
}

#[test]
fn the_list() {
    let mut lessons = Lessons::new(vec!["first-order".into(), "declined-card".into()], true);
    insta::assert_snapshot!("list", at_all_sizes(&mut lessons));
    let coloured = drawn(&mut lessons, (80, 11), ThemeName::Dark);
    insta::assert_snapshot!("list_dark", letters_and_colours(&coloured));
    assert!(!Lessons::new(Vec::new(), false).offers(crate::lessons::BEGIN));
    insta::assert_snapshot!("list_nowhere", at_all_sizes(&mut Lessons::new(Vec::new(), false)));
}

#[test]
fn a_step_to_do() {
    let mut play = Play::of("first-order");
    play.ordered().next().hear(&confirming()).hear(&reserved());
    let mut lessons = playing(play);
    insta::assert_snapshot!("step", at_all_sizes(&mut lessons));
    let coloured = drawn(&mut lessons, (44, 30), ThemeName::Light);
    insta::assert_snapshot!("step_light", letters_and_colours(&coloured));
}

#[test]
fn a_step_that_came_to_nothing() {
    let mut play = Play::of("crash-after-commit");
    play.ordered()
        .next()
        .help()
        .came(Err(Trouble::made_up("http://127.0.0.1:3001/v1/chaos/crash cannot be reached", true)));
    insta::assert_snapshot!("trouble", at_all_sizes(&mut playing(play)));
}

#[test]
fn a_lesson_that_is_learnt() {
    let mut play = Play::of("declined-card");
    play.ordered().next().hear(&confirming()).hear(&confirmed()).hear(&reserved()).hear(&opened()).next();
    play.hear(&PaymentEvent::Failed { decline_code: "card_declined".into() });
    play.hear(&cancelled(CancelReason::PaymentFailed)).hear(&InventoryEvent::Released).next().next();
    let finding = |text: &str| Finding { ok: true, text: text.into() };
    play.done(Outcome::Found(vec![
        finding("the order is CANCELLED (payment_failed), its stock RELEASED, its money FAILED"),
        finding("5 can be had; it was 5 before"),
        finding("verify: all 16 checks hold"),
    ]));
    let mut lessons = playing(play);
    insta::assert_snapshot!("learnt", at_all_sizes(&mut lessons));
    // What is done is read to its end, and stays until somebody goes on.
    let mut seen = letters(&drawn(&mut lessons, (80, 11), ThemeName::Terminal));
    assert!(seen.contains("Is all of that true?") && seen.contains("reads on"), "{seen}");
    while seen.contains("reads on") {
        lessons.act(crate::lessons::NEXT);
        seen = letters(&drawn(&mut lessons, (80, 11), ThemeName::Terminal));
    }
    assert!(seen.contains("A saga does not roll back") && seen.contains("goes to the list"), "{seen}");
    lessons.act(crate::lessons::NEXT);
    assert!(lessons.tour.is_none());
}

#[test]
fn a_step_that_is_done_stays_and_names_the_key_that_goes_on() {
    let mut play = Play::of("first-order");
    play.ordered();
    let screen = letters(&drawn(&mut playing(play), (80, 11), ThemeName::Terminal));
    assert!(screen.contains("You are the customer") && screen.contains("f8      goes on"), "{screen}");
    assert!(!screen.contains("puts it into the cart"), "that is done:\n{screen}");
}

#[test]
fn what_was_wrong_before_is_said_at_the_begin() {
    let lesson = lesson("losing-kafka");
    let (mut tour, _) = Tour::of(lesson, 1);
    let ready = Scene {
        known: vec!["a".into(), "b".into()],
        warnings: vec!["fault deliver-twice is set in inventory".into()],
        ..scene(lesson)
    };
    tour.done(Step { tour: 1, step: 0 }, Ok(Outcome::Ready(Box::new(ready))));
    let mut lessons = playing(Play { tour, wanted: Vec::new() });
    insta::assert_snapshot!("warnings", letters(&drawn(&mut lessons, (44, 30), ThemeName::Terminal)));
}

#[test]
fn every_text_can_be_read_at_80_by_24_without_scrolling() {
    let theme = Theme::of(ThemeName::Terminal);
    // Of the panel's eleven rows two are its border, and of its columns some are beside the text.
    let (columns, rows) = (46, 9);
    let mut long = Vec::new();
    for lesson in LESSONS {
        let (mut tour, _) = Tour::of(lesson, 1);
        for (at, step) in lesson.steps.iter().enumerate() {
            tour.at = at;
            let lines = draw::text_lines(&tour, columns, &theme).len();
            if lines > rows {
                long.push(format!("{} {}: {lines}", lesson.name, step.title));
            }
            let sentences = step.text.matches(". ").count() + step.text.matches("? ").count() + 1;
            assert!((1..=6).contains(&sentences), "{}: {sentences}", step.title);
        }
    }
    assert_eq!(long, [""; 0]);
}

#[test]
fn it_can_be_drawn_everywhere() {
    let sizes = [1, 2, 3, 5, 6, 10, 19, 20, 36, 40, 44, 66, 70, 200];
    for lesson in LESSONS {
        let (tour, wanted) = Tour::of(lesson, 1);
        let mut lessons = playing(Play { tour, wanted });
        for width in sizes {
            for height in [1, 2, 3, 5, 6, 8, 14, 60] {
                drawn(&mut lessons, (width, height), ThemeName::None);
                drawn(&mut Lessons::new(Vec::new(), true), (width, height), ThemeName::None);
            }
        }
    }
}

#[test]
fn a_long_text_is_scrolled() {
    let mut lessons = playing(Play::of("paying-too-late"));
    let top = letters(&drawn(&mut lessons, (40, 5), ThemeName::Terminal));
    lessons.tour = Some(Box::new({
        let (tour, _) = Tour::of(lesson("paying-too-late"), 1);
        tour
    }));
    let first = letters(&drawn(&mut lessons, (40, 5), ThemeName::Terminal));
    assert!(first.contains('▼') && first != top, "{first}");
    for _ in 0..40 {
        lessons.act(crate::lessons::DOWN);
    }
    let last = letters(&drawn(&mut lessons, (40, 5), ThemeName::Terminal));
    assert!(!last.contains('▼') && last.contains("moved."), "{last}");
    for _ in 0..40 {
        lessons.act(crate::lessons::UP);
    }
    assert_eq!(letters(&drawn(&mut lessons, (40, 5), ThemeName::Terminal)), first);
}
