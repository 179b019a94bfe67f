use std::time::Duration;

use orderflow_client::ClientError;
use orderflow_contracts::{api::console::Role, timestamp::Timestamp};
use ratatui::layout::Position;

use super::{App, Setup};
use crate::{
    books,
    config::Remembered,
    customer::tests::{desk, order},
    input::Input,
    keys::KeyMap,
    live::Heard,
    login,
    msg::{Done, Effect, Msg},
    overlay::Tone,
    testing::{Desktop, account},
    theme::ThemeName,
};

/// The console is begun again with what was remembered.
fn again(remembered: Remembered, theme: Option<ThemeName>) -> Setup {
    Setup {
        cluster: "default".into(),
        is_running: true,
        is_local: true,
        go_as: Vec::new(),
        keys: KeyMap::default(),
        remembered,
        theme,
        mouse: false,
    }
}

#[test]
fn it_can_be_drawn_at_every_size() {
    let mut desktop = Desktop::of(Role::Customer);
    for width in [1, 2, 3, 10, 19, 20, 39, 40, 80, 120, 200] {
        for height in [1, 2, 3, 4, 5, 6, 10, 12, 24, 60] {
            desktop.buffer((width, height));
            desktop.press(&["?"]);
            desktop.buffer((width, height));
            desktop.press(&["esc", "ctrl-p"]);
            desktop.buffer((width, height));
            desktop.press(&["esc"]);
        }
    }
}

#[test]
fn roles_are_one_key_away_and_stand_side_by_side() {
    let mut desktop = Desktop::of(Role::Customer);
    let effects = desktop.press(&["f3"]);
    assert!(matches!(effects[..], [Effect::Login(Role::Seller, login::Do::TestAccount)]));
    desktop.tell(Msg::Done(Done::Login(Role::Seller, login::Done::In(account(Role::Seller)))));
    desktop.press(&["f5"]);
    let screen = desktop.screen((100, 20));
    assert!(screen.contains("[seller]") && screen.contains("customer"), "{screen}");
    desktop.press(&["tab"]);
    assert!(desktop.screen((100, 20)).contains("[customer]"));
}

#[test]
fn a_click_on_the_name_of_a_screen_goes_there() {
    let mut desktop = Desktop::of(Role::Admin);
    for size in [(40, 12), (80, 24), (160, 48)] {
        let top = desktop.screen(size).lines().nth(1).unwrap().to_owned();
        for (number, name) in [('8', "Chaos"), ('3', "Orders"), ('1', "Health")] {
            let top = desktop.screen(size).lines().nth(1).unwrap_or(&top).to_owned();
            let x = top.chars().position(|c| c == number).unwrap();
            desktop.tell(Msg::Input(Input::Click(Position::new(u16::try_from(x).unwrap(), 1))));
            let screen = desktop.screen(size);
            assert!(screen.contains(&format!("▸{number} {name}")), "{size:?}: {number}\n{screen}");
        }
    }
}

#[test]
fn the_header_says_how_every_desk_is_at_any_width() {
    let mut desktop = Desktop::of(Role::Customer);
    for role in [Role::Seller, Role::Admin] {
        desktop.press(&[if role == Role::Seller { "f3" } else { "f4" }]);
        desktop.tell(Msg::Done(Done::Login(role, login::Done::In(account(role)))));
    }
    for width in [40, 60, 80, 120] {
        let screen = desktop.screen((width, 12));
        let head = screen.lines().next().unwrap();
        assert_eq!(head.matches('○').count(), 3, "{width}: {head}");
        assert!(width < 80 || head.contains("connecting"), "{head}");
    }
}

#[test]
fn a_desk_whose_events_come_late_says_by_how_much_while_they_do() {
    let mut desktop = Desktop::of(Role::Customer);
    let hear = |desktop: &mut Desktop, age_ms: i64| {
        let at = Timestamp(desktop.now.wall.0 - age_ms);
        let id = "00000000-0000-0000-0000-00000000000a";
        let record = serde_json::from_value(serde_json::json!({
            "position": 1, "id": id, "source": "/orderflow/orders", "type": "order.paid", "subject": id, "sequence": 1,
            "correlation_id": "c", "at": at, "published_at": at, "received_at": at, "data": {},
        }));
        desktop.tell(Msg::Live(Role::Customer, Heard::Event(Box::new(record.unwrap()))));
        desktop.screen((80, 12)).lines().next().unwrap().trim_end().to_owned()
    };
    desktop.tell(Msg::Live(Role::Customer, Heard::Open { whole: true }));
    assert!(hear(&mut desktop, 2_900).ends_with("[customer]●"));
    assert!(hear(&mut desktop, 22_400).ends_with("[customer]◌ 22 s behind"));
    assert!(hear(&mut desktop, 100).ends_with("[customer]●"), "it has caught up");
    assert!(hear(&mut desktop, 22_400).ends_with("behind"));
    let due = desktop.app.next_tick(desktop.now);
    assert!(due.is_some(), "it goes away by itself");
    desktop.now.instant += Duration::from_secs(11);
    desktop.app.tick(desktop.now);
    assert!(!desktop.screen((80, 12)).contains("behind"), "nothing comes any more");
}

#[test]
fn a_split_view_without_room_says_that_there_is_more() {
    let mut desktop = Desktop::of(Role::Customer);
    for (key, role) in [("f3", Role::Seller), ("f4", Role::Admin)] {
        desktop.press(&[key]);
        desktop.tell(Msg::Done(Done::Login(role, login::Done::In(account(role)))));
    }
    assert!(!desktop.screen((80, 24)).contains("of 3 desks"), "one is all that was wanted");
    desktop.press(&["f5"]);
    let screen = desktop.screen((80, 24));
    assert!(screen.contains(" 3 of 3 desks · tab shows the next · 114 columns show all "), "{screen}");
    desktop.press(&["tab"]);
    let screen = desktop.screen((40, 12));
    assert!(screen.contains(" 1 of 3 desks: tab, all at 114 wide "), "{screen}");
    for size in [(120, 24), (80, 40)] {
        let screen = desktop.screen(size);
        assert!(!screen.contains("of 3 desks"), "{screen}");
    }
}

#[test]
fn what_is_told_never_covers_the_row_that_is_chosen() {
    let mut orders: Vec<_> = (1..80).map(|number| order(number, "PENDING", "NONE", "NONE")).collect();
    orders.push(order(80, "CANCELLED", "RELEASED", "FAILED"));
    let mut desktop = desk(orders, Vec::new(), ThemeName::Terminal);
    desktop.press(&["3", "G"]);
    let last = "✗ cancelled";
    for notice in ["one", "two", "three", "four", "five"] {
        desktop.app.notices.push(Tone::Bad, notice, desktop.now.instant);
        for size in [(40, 12), (80, 24), (160, 48)] {
            let screen = desktop.screen(size);
            assert!(screen.contains(last) && screen.contains(notice), "{size:?} {notice}:\n{screen}");
        }
    }
    assert!(desktop.screen((80, 24)).contains("two") && desktop.screen((40, 12)).contains("four"));
}

#[test]
fn help_has_room_in_every_footer() {
    for role in [Role::Customer, Role::Seller, Role::Admin] {
        let mut desktop = Desktop::of(role);
        for screen in 1..=8 {
            desktop.press(&[&screen.to_string()]);
            for size in [(30, 12), (40, 12), (80, 24)] {
                let screen = desktop.screen(size);
                assert!(screen.lines().last().unwrap().contains("? help"), "{role:?}: {screen}");
            }
        }
    }
}

#[test]
fn a_product_that_a_customer_hears_of_is_read() {
    let mut desktop = Desktop::of(Role::Customer);
    let new = "00000000-0000-0000-0000-00000000000a";
    let record = serde_json::from_value(serde_json::json!({
        "position": 1, "id": new, "source": "/orderflow/inventory", "type": "catalog.product_changed", "subject": new,
        "sequence": 1, "correlation_id": "c", "at": "2026-01-01T10:00:00Z", "published_at": "2026-01-01T10:00:00Z",
        "received_at": "2026-01-01T10:00:00Z", "data": {},
    }));
    let record: orderflow_contracts::api::console::EventRecord = record.unwrap();
    desktop.tell(Msg::Live(Role::Customer, Heard::Event(Box::new(record))));
    desktop.now.instant += Duration::from_secs(1);
    let wanted = desktop.app.tick(desktop.now);
    let is_read = |effect: &Effect| matches!(effect, Effect::Books(Role::Customer, books::Do::Product(_)));
    assert!(wanted.iter().any(is_read));
}

fn events_asking_for_the_clock(desktop: &mut Desktop, at: &str) -> usize {
    let id = "00000000-0000-0000-0000-00000000000a";
    let record = serde_json::from_value(serde_json::json!({
        "position": 1, "id": id, "source": "/orderflow/orders", "type": "order.paid", "subject": id, "sequence": 1,
        "correlation_id": "c", "at": at, "published_at": at, "received_at": at, "data": {},
    }));
    let heard = Heard::Event(Box::new(record.unwrap()));
    clocks(&desktop.tell(Msg::Live(Role::Customer, heard)))
}

fn clocks(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::Books(_, books::Do::Clock))).count()
}

fn clock_read(desktop: &mut Desktop, read: Result<i64, ClientError>) {
    desktop.tell(Msg::Done(Done::Books(Role::Customer, books::Done::Clock(read))));
}

#[test]
fn a_clock_that_cannot_be_read_goes_as_it_went_and_is_asked_for_ever_more_seldom() {
    let mut desktop = Desktop::of(Role::Customer);
    clock_read(&mut desktop, Ok(60_000));
    assert_eq!(events_asking_for_the_clock(&mut desktop, "2026-01-01T12:00:00Z"), 1);
    let mut rests = Vec::new();
    for _ in 0..5 {
        clock_read(&mut desktop, Err(ClientError::Timeout { url: "http://inventory".into() }));
        assert_eq!(desktop.app.desks[0].work().unwrap().books.clock_ahead_ms, 60_000, "nobody has moved it");
        assert_eq!(events_asking_for_the_clock(&mut desktop, "2026-01-01T12:00:00Z"), 0, "it rests");
        let at = desktop.app.next_tick(desktop.now).unwrap();
        rests.push((at - desktop.now.instant).as_secs());
        desktop.now.instant = at;
        assert_eq!(clocks(&desktop.app.tick(desktop.now)), 1, "it is asked for though nothing happens");
    }
    assert_eq!(rests, [4, 8, 16, 30, 30]);
    clock_read(&mut desktop, Ok(7_200_000));
    assert!(desktop.app.next_tick(desktop.now).is_none(), "it is known");
}

#[test]
fn a_service_whose_clock_alone_is_off_does_not_have_it_asked_for_with_each_event() {
    let mut desktop = Desktop::of(Role::Customer);
    let mut asked = 0;
    for _ in 0..60 {
        asked += events_asking_for_the_clock(&mut desktop, "2026-01-01T12:00:00Z");
        clock_read(&mut desktop, Ok(0));
        desktop.now.instant += Duration::from_secs(1);
    }
    assert_eq!(asked, 5, "at 0, 2, 6, 14 and 30 seconds");
}

#[test]
fn a_session_that_is_over_is_forgotten() {
    let mut desktop = Desktop::of(Role::Admin);
    let over = Heard::Over("the session is over; log in again".into());
    let effects = desktop.tell(Msg::Live(Role::Admin, over));
    assert!(matches!(effects[..], [Effect::Logout(Role::Admin)]));
    let screen = desktop.screen((100, 20));
    assert!(screen.contains("Log in as admin") && screen.contains("the session is over"), "{screen}");
}

#[test]
fn quitting_remembers_the_layout() {
    let mut desktop = Desktop::of(Role::Admin);
    let effects = desktop.press(&["q"]);
    assert!(desktop.app.is_over());
    let saved = effects.iter().find_map(|effect| match effect {
        Effect::Save(remembered) => Some(remembered.desks.clone()),
        _ => None,
    });
    assert_eq!(saved, Some(vec![Role::Admin]));
}

#[test]
fn only_a_theme_that_was_chosen_here_is_remembered() {
    let saved = |effects: Vec<Effect>| {
        let mut saved = effects.into_iter().filter_map(|effect| match effect {
            Effect::Save(remembered) => Some(remembered.theme),
            _ => None,
        });
        saved.next().unwrap()
    };
    let begun = |theme| {
        let remembered = Remembered { theme: ThemeName::Light, desks: vec![Role::Admin], ..Remembered::default() };
        let mut desktop = Desktop::of(Role::Admin);
        desktop.app = App::new(again(remembered, theme)).0;
        desktop
    };
    // As with NO_COLOR, or a theme in the configuration.
    let mut desktop = begun(Some(ThemeName::None));
    assert_eq!(desktop.app.theme.name, ThemeName::None);
    assert_eq!(saved(desktop.press(&["ctrl-c"])), ThemeName::Light);
    let mut desktop = begun(None);
    assert_eq!(desktop.app.theme.name, ThemeName::Light);
    let next = ThemeName::Light.next();
    assert_eq!(saved(desktop.press(&["f9"])), next);
    assert_eq!(saved(desktop.press(&["ctrl-c"])), next);
}

#[test]
fn the_desks_that_were_open_are_open_again() {
    let remembered = Remembered { split: true, desks: vec![Role::Customer, Role::Seller], ..Remembered::default() };
    let (app, effects) = App::new(again(remembered, None));
    assert!(effects.is_empty(), "nobody is logged in by that");
    assert_eq!(app.desks.iter().map(|desk| desk.role).collect::<Vec<_>>(), [Role::Customer, Role::Seller]);
    assert!(app.split && app.focus == Role::Customer);
}

#[test]
fn ctrl_c_leaves_from_everywhere() {
    for keys in [&["ctrl-c"][..], &["?", "ctrl-c"], &["ctrl-p", "ctrl-c"]] {
        let mut desktop = Desktop::of(Role::Customer);
        desktop.press(keys);
        assert!(desktop.app.is_over(), "{keys:?}");
    }
}

/// A stream has broken, and somebody has looked for the cluster since.
fn looked(desktop: &mut Desktop, cluster: login::Cluster) {
    let role = desktop.app.focus;
    desktop.tell(Msg::Done(Done::Login(role, login::Done::Looked(cluster))));
}

fn broken() -> Msg {
    Msg::Live(Role::Seller, Heard::Broken { why: "refused".into(), quiet: Duration::ZERO })
}

const GONE: login::Cluster = login::Cluster::Gone { was_lab: true };

fn starts(effects: &[Effect]) -> bool {
    matches!(effects, [Effect::Login(_, login::Do::Start { lab: true })])
}

#[test]
fn a_cluster_that_has_stopped_is_offered_to_be_started_again_as_it_was() {
    let mut desktop = Desktop::of(Role::Seller);
    let wanted = desktop.tell(broken());
    assert!(matches!(wanted[..], [Effect::Login(Role::Seller, login::Do::Look)]), "nobody else tells of it");
    looked(&mut desktop, login::Cluster::Lives);
    looked(&mut desktop, login::Cluster::NotOurs);
    assert!(!desktop.screen((80, 24)).contains("has stopped"), "a service is down, or it is somebody else's");
    looked(&mut desktop, GONE);
    let screen = desktop.screen((80, 24));
    assert!(screen.contains("the cluster has stopped") && screen.contains("○ stopped"), "{screen}");
    assert!(desktop.press(&["enter"]).is_empty(), "that was meant for what lies below");
    desktop.now.instant += Duration::from_secs(1);
    assert!(starts(&desktop.press(&["enter"])));
    assert!(desktop.press(&["enter"]).is_empty(), "it is being started");
    desktop.tell(Msg::Done(Done::Login(Role::Seller, login::Done::Said("PostgreSQL is up".into()))));
    assert!(desktop.app.next_tick(desktop.now).is_some(), "seconds are counted");
    assert!(desktop.screen((80, 24)).contains("PostgreSQL is up"));
    let wanted = desktop.tell(Msg::Done(Done::Login(Role::Seller, login::Done::Up(Ok(())))));
    assert!(wanted.is_empty(), "whoever works goes on");
    let screen = desktop.screen((80, 24));
    assert!(!screen.contains("has stopped") && screen.contains("the cluster is up"), "{screen}");
}

#[test]
fn the_offer_is_made_once_and_never_to_somebody_who_writes() {
    let mut desktop = Desktop::of(Role::Seller);
    desktop.press(&["/"]);
    desktop.tell(broken());
    looked(&mut desktop, GONE);
    desktop.type_in("l");
    assert!(!desktop.screen((80, 24)).contains("What it keeps is there"));
    desktop.press(&["esc"]);
    assert!(desktop.screen((80, 24)).contains("What it keeps is there"), "now they do not");
    desktop.now.instant += Duration::from_secs(1);
    desktop.press(&["esc"]);
    looked(&mut desktop, GONE);
    let screen = desktop.screen((80, 24));
    assert!(
        !screen.contains("What it keeps is there") && screen.contains("stopped; ctrl-o offers to start it"),
        "{screen}"
    );
    desktop.now.instant += Duration::from_secs(1);
    assert!(starts(&desktop.press(&["ctrl-o", "enter"])));
    desktop.press(&["esc"]);
    desktop.tell(Msg::Done(Done::Login(Role::Seller, login::Done::Up(Err("port 1 is taken".into())))));
    assert!(desktop.app.notices.say("port 1 is taken"), "the offer is not seen");
    assert!(starts(&desktop.press(&["ctrl-o", "enter"])), "it can be tried again");
}

#[test]
fn after_a_cluster_that_was_destroyed_a_new_one_is_offered() {
    let mut desktop = Desktop::of(Role::Seller);
    desktop.tell(broken());
    looked(&mut desktop, GONE);
    looked(&mut desktop, login::Cluster::Destroyed);
    let screen = desktop.screen((80, 24));
    assert!(screen.contains("the cluster was destroyed") && screen.contains("start a new one"), "{screen}");
    assert!(!screen.contains("What it keeps is there") && !screen.contains("that it was"), "{screen}");
    desktop.now.instant += Duration::from_secs(1);
    let wanted = desktop.press(&["enter"]);
    assert!(matches!(wanted[..], [Effect::Login(_, login::Do::Start { lab: false })]));
}

#[test]
fn a_cluster_that_somebody_else_has_started_again_is_worked_with() {
    let mut desktop = Desktop::of(Role::Seller);
    looked(&mut desktop, GONE);
    desktop.press(&["esc"]);
    desktop.press(&["f3"]);
    looked(&mut desktop, login::Cluster::Lives);
    let screen = desktop.screen((80, 24));
    assert!(!screen.contains("has stopped") && screen.contains("started again"), "{screen}");
}

#[test]
fn the_palette_leads_to_the_screens_of_other_desks_and_does_nothing_there() {
    let mut desktop = Desktop::of(Role::Customer);
    let chaos = "go to the admin's chaos";
    desktop.press(&["ctrl-p"]);
    desktop.type_in("chaos");
    assert!(desktop.screen((80, 24)).contains(chaos));
    let wanted = desktop.press(&["enter"]);
    assert!(matches!(wanted[..], [Effect::Login(Role::Admin, login::Do::TestAccount)]));
    desktop.tell(Msg::Done(Done::Login(Role::Admin, login::Done::In(account(Role::Admin)))));
    assert!(desktop.screen((80, 24)).contains("▸8 Chaos"));
    desktop.press(&["ctrl-p"]);
    desktop.type_in("customer cart");
    assert!(desktop.press(&["enter"]).is_empty(), "somebody works there");
    assert!(desktop.screen((80, 24)).contains("▸2 Cart"));
    for acts in ["confirm the order", "fulfil", "ship", "restock", "kill", "discard", "admin chaos"] {
        desktop.press(&["ctrl-p"]);
        desktop.type_in(acts);
        let is_there = !desktop.screen((80, 24)).contains("nothing of that name");
        assert_eq!(is_there, acts.ends_with("chaos"), "{acts}");
        desktop.press(&["esc"]);
    }
}

#[test]
fn why_something_went_wrong_is_read_to_its_end_in_a_narrow_window() {
    let why =
        || ClientError::Timeout { url: "http://127.0.0.1:24916/v1/orders/of/a/very/long/address".into() }.to_string();
    let read_whole = |desktop: &mut Desktop, end: &str| {
        let screen = desktop.screen((80, 24));
        let told: String = screen.lines().map(|line| line.trim_matches(['┃', '│', ' '])).collect::<Vec<_>>().join(" ");
        assert!(told.contains(end), "{screen}");
    };
    for role in [Role::Customer, Role::Seller, Role::Admin] {
        let mut desktop = Desktop::of(role);
        desktop.press(&[if role == Role::Seller { "1" } else { "3" }]);
        let orders = books::effects::Read { items: Vec::new(), end: Err(why()) };
        desktop.tell(Msg::Done(Done::Books(role, books::Done::Orders(orders))));
        read_whole(&mut desktop, "did not answer in time; ctrl-r tries again");
        desktop.app.notices.push(Tone::Bad, &format!("{} and that was all of it", why()), desktop.now.instant);
        read_whole(&mut desktop, "and that was all of it");
    }
    let mut desktop = Desktop::of(Role::Customer);
    desktop.press(&["f3"]);
    desktop.tell(Msg::Done(Done::Login(Role::Seller, login::Done::Refused(why()))));
    read_whole(&mut desktop, "did not answer in time");
    desktop.tell(Msg::Live(Role::Customer, Heard::Broken { why: why(), quiet: Duration::ZERO }));
    desktop.press(&["f2"]);
    read_whole(&mut desktop, "did not answer in time");
}
