//! How the login looks.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use super::{Login, State};
use crate::{
    keys::{self, KeyMap},
    text,
    theme::Theme,
    widgets::frames,
};

const WIDTH: u16 = 52;
/// Whoever waits for so many seconds is told so.
const WAITS_FROM: u32 = 3;

impl Login {
    /// Draws it.
    pub fn draw(&self, frame: &mut Frame<'_>, area: Rect, focused: bool, theme: &Theme, keys: &KeyMap) {
        match self.state {
            State::NoCluster => self.start.draw(frame, area, theme, keys),
            State::Form | State::Asking => self.draw_form(frame, area, focused, theme, keys),
        }
    }

    fn draw_form(&self, frame: &mut Frame<'_>, area: Rect, focused: bool, theme: &Theme, keys: &KeyMap) {
        let place = frames::centred(area, WIDTH, 10);
        let line = |index: u16| Rect { y: place.y + index, height: u16::from(index < place.height), ..place };
        let title = if self.is_new { "Open an account" } else { "Log in" };
        frame.render_widget(Line::styled(format!("{title} as {}", self.role.as_str()), theme.accent), line(0));
        for (index, (name, field)) in [("e-mail", &self.email), ("password", &self.password)].into_iter().enumerate() {
            let row = line(2 + u16::try_from(index).unwrap_or(0));
            frame.render_widget(Line::styled(name, theme.muted), Rect { width: row.width.min(9), ..row });
            let place = Rect { x: row.x + 9.min(row.width), width: row.width.saturating_sub(9), ..row };
            let is_here = focused && index == self.at && matches!(self.state, State::Form);
            field.draw(frame, place, is_here, theme);
        }
        let told = match (&self.problem, &self.unknown, &self.state) {
            (.., State::Asking) if self.seconds >= WAITS_FROM => {
                Line::styled(format!("asking the console … no answer for {} s", self.seconds), theme.warn)
            }
            (.., State::Asking) => Line::styled("asking the console …", theme.warn),
            (Some(problem), ..) => Line::styled(format!("✗ {}", text::plain(problem)), theme.bad),
            (None, Some(why), _) => {
                let submit = keys.key_in(keys::FORM, keys::SUBMIT).map(|key| format!("{key} ")).unwrap_or_default();
                frame.render_widget(Line::styled(format!("  {submit}logs in with it if it was"), theme.warn), line(6));
                Line::styled(format!("? not known whether it was opened: {}", text::plain(why)), theme.warn)
            }
            (None, None, _) => Line::raw(""),
        };
        frame.render_widget(told, line(5));
        let key = |action| {
            let binding = super::BINDINGS.iter().find(|binding| binding.action == action);
            binding.and_then(|binding| keys.key_of(binding)).map(|key| key.to_string()).unwrap_or_default()
        };
        if self.is_local {
            let words = format!(" the test account, {}@orderflow.io", test_name(self.role));
            let words = vec![Span::styled(key(super::TEST_ACCOUNT), theme.accent), Span::raw(words)];
            frame.render_widget(Line::from(words), line(7));
        }
        if self.role != orderflow_contracts::api::console::Role::Admin {
            let other = if self.is_new { " log in with an account" } else { " open a new account" };
            let words = vec![Span::styled(key(super::SIGN_UP), theme.accent), Span::raw(other)];
            frame.render_widget(Line::from(words), line(8));
        }
    }
}

const fn test_name(role: orderflow_contracts::api::console::Role) -> &'static str {
    use orderflow_contracts::api::console::Role;
    match role {
        Role::Customer => "user",
        Role::Seller => "seller",
        Role::Admin => "admin",
    }
}
