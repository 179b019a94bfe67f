use orderflow_contracts::api::console::Role;

use super::*;
use crate::keys::KeyMap;

fn login() -> Login {
    Login::new(Role::Customer, true, true)
}

#[test]
fn a_form_is_sent_when_it_is_whole() {
    let mut login = login();
    assert_eq!(login.act(keys::SUBMIT).map(|wanted| wanted.len()), Some(0));
    login.edit(&Edit::Paste("a@b.c\n".into()));
    assert_eq!(login.act(keys::SUBMIT).map(|wanted| wanted.len()), Some(0), "enter leads to the password");
    login.edit(&Edit::Paste("password".into()));
    let wanted = login.act(keys::SUBMIT).unwrap();
    assert!(matches!(&wanted[..], [Do::With { email, password }] if email == "a@b.c" && password.0 == "password"));
    assert!(!login.takes_text(), "the console is being asked");
    login.done(Done::Refused("E-mail address or password is wrong".into()));
    assert!(login.takes_text() && login.password.is_empty());
}

#[test]
fn whether_an_account_was_opened_that_nobody_knows_of_is_found_out_by_logging_in() {
    let mut login = login();
    login.act(SIGN_UP);
    login.edit(&Edit::Paste("a@b.c".into()));
    login.act(keys::NEXT_FIELD);
    login.edit(&Edit::Paste("password".into()));
    assert!(matches!(login.act(keys::SUBMIT).as_deref(), Some([Do::SignUp { .. }])));
    login.done(Done::Unknown("the console did not answer in time".into()));
    let said = drawn(&login);
    assert!(said.contains("? not known whether it was opened") && !said.contains('✗'), "{said}");
    assert!(
        matches!(login.act(keys::SUBMIT).as_deref(), Some([Do::With { password, .. }]) if password.0 == "password")
    );
}

fn drawn(login: &Login) -> String {
    let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(80, 24)).unwrap();
    let (theme, keys) = (crate::theme::Theme::of(crate::theme::ThemeName::None), KeyMap::default());
    terminal.draw(|frame| login.draw(frame, frame.area(), true, &theme, &keys)).unwrap();
    crate::testing::letters(terminal.backend().buffer())
}

#[test]
fn nobody_makes_themselves_an_admin() {
    assert!(Login::new(Role::Admin, true, true).act(SIGN_UP).is_none());
    assert!(login().act(SIGN_UP).is_some());
}

#[test]
fn without_a_cluster_one_is_offered() {
    let mut login = Login::new(Role::Customer, false, true);
    let wanted = login.act(START_LAB).unwrap();
    assert!(matches!(wanted[..], [Do::Start { lab: true }]));
    login.done(Done::Up(Err("port 3001 is taken".into())));
    assert!(login.act(START).is_some(), "it can be tried again");
}
