//! Help: the keys that work here, out of the registry.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use crate::{
    keys::{self, Action, KeyMap, Scope},
    theme::Theme,
    widgets::frames,
};

/// The keys of the scopes that have the focus.
pub struct Help {
    scopes: Vec<Scope>,
    screens: &'static [&'static str],
    first: usize,
    rows: usize,
    height: usize,
}

impl Help {
    /// Of these scopes, the innermost first, on a desk with these screens.
    pub const fn of(scopes: Vec<Scope>, screens: &'static [&'static str]) -> Self {
        Self { scopes, screens, first: 0, rows: 0, height: 1 }
    }

    /// A key was pressed. Whether help stays open.
    pub fn act(&mut self, action: Option<Action>) -> bool {
        let last = self.rows.saturating_sub(self.height);
        self.first = match action {
            Some(keys::UP) => self.first.saturating_sub(1),
            Some(keys::DOWN) => (self.first + 1).min(last),
            Some(keys::PAGE_UP) => self.first.saturating_sub(self.height),
            Some(keys::PAGE_DOWN) => (self.first + self.height).min(last),
            Some(keys::TOP) => 0,
            Some(keys::BOTTOM) => last,
            _ => return false,
        };
        true
    }

    /// Draws it in the middle.
    pub fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, keys: &KeyMap, theme: &Theme) {
        let lines = self.lines(keys, theme);
        self.rows = lines.len();
        let height = u16::try_from(lines.len() + 3).unwrap_or(u16::MAX);
        let inside = frames::popup(frame, area, (76, height), "keys that work here", theme);
        let (body, foot) = frames::foot(inside, 1);
        self.height = usize::from(body.height.max(1));
        self.first = self.first.min(self.rows.saturating_sub(self.height));
        for (line, y) in lines.into_iter().skip(self.first).zip(body.y..body.bottom()) {
            frame.render_widget(line, Rect { y, height: 1, ..body });
        }
        let more = if self.rows > self.height { "↑↓ more · " } else { "" };
        frame.render_widget(Line::styled(format!("{more}any other key closes"), theme.muted), foot);
    }

    fn lines(&self, keys: &KeyMap, theme: &Theme) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        for scope in &self.scopes {
            let bindings: Vec<_> = keys::all().filter(|binding| binding.scope == *scope).collect();
            if !bindings.is_empty() {
                lines.push(Line::styled(scope.0, theme.accent));
            }
            for binding in bindings {
                let Some(words) = keys::help_of(binding, self.screens) else { continue };
                let names: Vec<String> = keys.keys_of(binding).iter().map(ToString::to_string).collect();
                let names = if names.is_empty() { "(palette)".to_owned() } else { names.join("  ") };
                lines.push(Line::from(vec![Span::styled(format!("  {names:<18} "), theme.text), Span::raw(words)]));
            }
        }
        lines
    }
}
