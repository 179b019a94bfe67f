use std::time::Duration;

use orderflow_contracts::ids::OrderId;

use super::{stories::event_id, *};
use crate::{
    desk::Desk,
    keys,
    live::Heard,
    msg::Msg,
    testing::Desktop,
    timeline::keymap::{CAUSE, DIAGRAM, FOLLOW},
};

fn chosen(bench: &Bench) -> &'static str {
    bench.timeline.view.rows[bench.timeline.chosen].line.what.word
}

fn id() -> OrderId {
    ORDER.parse().unwrap()
}

#[test]
fn everything_is_asked_for_when_it_opens() {
    let (_, wanted) = Timeline::of(id());
    assert_eq!(wanted, [Do::Events(id()), Do::Order(id()), Do::Explain { id: id(), after: Duration::ZERO }]);
}

#[test]
fn the_newest_is_followed_until_somebody_looks_back() {
    let story = Story::payable();
    let mut bench = Bench::new();
    for record in &story.records[..3] {
        bench.hear(record);
    }
    assert_eq!(chosen(&bench), "reserved");
    bench.press(&["up"]);
    bench.hear(&story.records[3]);
    assert_eq!(chosen(&bench), "confirming", "what somebody looks at stays");
    bench.press(&["f"]);
    assert_eq!(chosen(&bench), "confirmed");
    bench.press(&["f"]);
    bench.hear(&story.records[4]);
    assert_eq!(chosen(&bench), "confirmed");
    bench.press(&["G"]);
    assert!(bench.timeline.follows && chosen(&bench) == "payable");
}

#[test]
fn an_open_event_stays_open_whatever_comes() {
    let story = Story::payable();
    let mut bench = Bench::new();
    story.records[..3].iter().for_each(|record| bench.hear(record));
    bench.press(&["enter"]);
    bench.hear(&story.records[3]);
    assert_eq!(chosen(&bench), "reserved");
    bench.press(&["right"]);
    assert_eq!(chosen(&bench), "confirmed");
    bench.press(&["o", "o"]);
    assert_eq!(chosen(&bench), "confirming");
    bench.press(&["o"]);
    assert!(bench.out.notices[0].1.contains("the seller did"));
    bench.press(&["esc"]);
    assert!(!bench.out.close_timeline && bench.timeline.event.is_none());
    bench.press(&["esc"]);
    assert!(bench.out.close_timeline);
}

#[test]
fn an_event_that_is_alone_is_scrolled_and_lanes_beside_it_are_moved_in() {
    let mut bench = Bench::of(&Story::payable());
    bench.press(&["enter"]);
    bench.screen((78, 20));
    bench.press(&["down", "down"]);
    assert_eq!((chosen(&bench), bench.timeline.event.as_ref().unwrap().first), ("payable", 2));
    bench.screen((158, 44));
    bench.press(&["up"]);
    assert_eq!((chosen(&bench), bench.timeline.event.as_ref().unwrap().first), ("confirmed", 0));
}

#[test]
fn everybody_is_asked_after_an_event_but_once_at_a_time() {
    let story = Story::shipped();
    let mut bench = Bench::new();
    bench.hear(&story.records[0]);
    assert!(bench.wanted().is_empty(), "the first question is on its way");
    bench.came(Came::Explained(Ok(Story::ordered().explained())));
    let later = Do::Explain { id: id(), after: Duration::from_millis(500) };
    assert_eq!(bench.wanted(), [&later], "something has happened since it was asked");
    bench.came(Came::Explained(Ok(Story::ordered().explained())));
    assert!(bench.wanted().is_empty());
    bench.hear(&story.records[1]);
    assert_eq!(bench.wanted(), [&later]);
    bench.hear(&story.records[2]);
    assert!(bench.wanted().is_empty());
    bench.hear(&story.records[2]);
    assert!(bench.wanted().is_empty(), "it was heard already");
    let mut foreign = story.records[3].clone();
    foreign.subject = "01a203bb-0000-7000-8000-000000000009".into();
    bench.hear(&foreign);
    assert_eq!(bench.timeline.view.rows.len(), 3);
}

#[test]
fn until_it_is_over_it_is_asked_again() {
    for story in [Story::dead_letter(), Story::ordered(), Story::payable()] {
        let mut bench = Bench::of(&story);
        assert!(bench.ticks());
        bench.wait(1_000);
        assert!(bench.wanted().is_empty());
        bench.wait(2_000);
        assert_eq!(bench.wanted().len(), 1, "no event tells of what is stuck");
        bench.wait(3_000);
        assert!(bench.wanted().is_empty(), "the question is on its way");
    }
    let mut bench = Bench::of(&Story::shipped());
    bench.wait(60_000);
    assert!(!bench.ticks() && bench.wanted().is_empty());
}

#[test]
fn who_takes_long_to_answer_is_asked_less_often() {
    let story = Story::dead_letter();
    let mut bench = Bench::of(&story);
    bench.wait(3_000);
    assert_eq!(bench.wanted().len(), 1);
    bench.now.0 += 4_000;
    bench.came(Came::Explained(Ok(story.explained())));
    bench.wait(9_000);
    assert!(bench.wanted().is_empty());
    bench.wait(1_000);
    assert_eq!(bench.wanted(), [&Do::Explain { id: id(), after: Duration::from_secs(2) }]);
}

#[test]
fn what_failed_for_good_is_not_asked_again_by_itself() {
    let mut bench = Bench::new();
    bench.fails(|error| Came::Explained(Err(error)));
    assert!(!bench.ticks());
    bench.press(&[]);
    bench.act(keys::REFRESH);
    assert_eq!(bench.wanted().len(), 3);
    let mut bench = Bench::new();
    bench.came(Came::Explained(Err(ClientError::Timeout { url: "the service".into() })));
    assert!(bench.ticks());
}

#[test]
fn ids_and_the_diagram_can_be_copied() {
    let mut bench = Bench::new();
    bench.act(DIAGRAM);
    assert_eq!(bench.copied(), None);
    let mut bench = Bench::of(&Story::declined());
    bench.act(DIAGRAM);
    assert!(bench.copied().unwrap().starts_with("sequenceDiagram"));
    bench.press(&["y"]);
    assert_eq!(bench.copied(), Some(ORDER));
    bench.press(&["g", "enter", "y"]);
    assert_eq!(bench.copied(), Some(event_id(0).to_string().as_str()));
}

#[test]
fn what_comes_of_another_order_is_passed_over() {
    let mut bench = Bench::new();
    let other = "01a203bb-0000-7000-8000-000000000009".parse().unwrap();
    let came = Came::Events(Ok(Story::payable().records));
    bench.with(|timeline, cx| timeline.done(Done { id: other, came }, cx));
    assert!(bench.timeline.view.rows.is_empty());
}

#[test]
fn what_was_said_before_the_newest_event_is_no_news_of_what_comes_next() {
    let (story, shipped) = (Story::payable(), Story::shipped());
    let mut bench = Bench::of(&story);
    assert!(bench.timeline.view.ahead[0].due);
    bench.hear(&shipped.records[5]);
    assert!(bench.timeline.view.ahead.iter().all(|ahead| !ahead.due));
    assert_eq!(bench.timeline.view.ahead[0].what.unwrap().word, "paid");
}

#[test]
fn keys_of_nothing_do_no_harm() {
    let mut bench = Bench::new();
    for action in [keys::UP, keys::DOWN, keys::BOTTOM, keys::OPEN, CAUSE, FOLLOW, keys::COPY] {
        bench.act(action);
    }
    assert!(bench.timeline.event.is_none());
}

#[test]
fn over_a_desk_it_has_the_keys_and_gives_them_back() {
    let mut desktop = Desktop::of(Role::Admin);
    let (timeline, _) = Timeline::of(id());
    let desk = desktop.app.desks.iter_mut().find_map(Desk::work);
    desk.unwrap().timeline = Some(timeline);
    for record in Story::declined().records {
        desktop.tell(Msg::Live(Role::Admin, Heard::Event(Box::new(record))));
    }
    let screen = desktop.screen((100, 30));
    assert!(screen.contains("› timeline") && screen.contains("declined") && screen.contains("esc back"), "{screen}");
    desktop.press(&["esc"]);
    assert!(!desktop.screen((100, 30)).contains("› timeline"));
}
