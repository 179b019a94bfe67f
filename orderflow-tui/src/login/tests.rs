use orderflow_contracts::api::console::Role;

use super::*;

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
