//! How the login looks.

use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
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
/// From this height on there is room for long reasons.
const ROOMY_FROM: u16 = 14;
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
        let (told, style) = self.told(theme, keys);
        let most = if area.height < ROOMY_FROM { 2 } else { 4 };
        let told = text::wrap_within(&told, usize::from(WIDTH.min(area.width)), most);
        // What is told has two rows as it is.
        let more = u16::try_from(told.len()).unwrap_or(0).saturating_sub(2);
        let place = frames::centred(area, WIDTH, 10 + more);
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
        for (index, words) in (5..).zip(told) {
            frame.render_widget(Line::styled(words, style), line(index));
        }
        let key = |action| {
            let binding = super::BINDINGS.iter().find(|binding| binding.action == action);
            binding.and_then(|binding| keys.key_of(binding)).map(|key| key.to_string()).unwrap_or_default()
        };
        if self.is_local {
            let words = format!(" the test account, {}@orderflow.io", test_name(self.role));
            let words = vec![Span::styled(key(super::TEST_ACCOUNT), theme.accent), Span::raw(words)];
            frame.render_widget(Line::from(words), line(7 + more));
        }
        if self.role != orderflow_contracts::api::console::Role::Admin {
            let other = if self.is_new { " log in with an account" } else { " open a new account" };
            let words = vec![Span::styled(key(super::SIGN_UP), theme.accent), Span::raw(other)];
            frame.render_widget(Line::from(words), line(8 + more));
        }
    }

    /// How it stands with what was asked.
    fn told(&self, theme: &Theme, keys: &KeyMap) -> (String, Style) {
        match (&self.problem, &self.unknown, &self.state) {
            (.., State::Asking) if self.seconds >= WAITS_FROM => {
                (format!("asking the console … no answer for {} s", self.seconds), theme.warn)
            }
            (.., State::Asking) => ("asking the console …".to_owned(), theme.warn),
            (Some(problem), ..) => (format!("✗ {}", text::plain(problem)), theme.bad),
            (None, Some(why), _) => {
                let submit = keys.key_in(keys::FORM, keys::SUBMIT).map(|key| format!("{key} ")).unwrap_or_default();
                let why = text::plain(why);
                let words = format!("? not known whether it was opened; {submit}logs in with it if it was: {why}");
                (words, theme.warn)
            }
            (None, None, _) => (String::new(), theme.text),
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
