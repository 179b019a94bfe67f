use orderflow_contracts::api::console::Role;

use crate::{
    login,
    msg::{Done, Effect, Msg},
    testing::{Desktop, account},
};

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
fn ctrl_c_leaves_from_everywhere() {
    for keys in [&["ctrl-c"][..], &["?", "ctrl-c"], &["ctrl-p", "ctrl-c"]] {
        let mut desktop = Desktop::of(Role::Customer);
        desktop.press(keys);
        assert!(desktop.app.is_over(), "{keys:?}");
    }
}
