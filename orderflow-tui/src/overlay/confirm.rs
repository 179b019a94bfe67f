//! A question before something is done that cannot be undone.

use orderflow_contracts::{api::console::Role, ids::OrderId};
use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
    widgets::Paragraph,
};

use crate::{
    keys::{self, KeyMap},
    msg::Effect,
    text,
    theme::Theme,
    widgets::frames,
};

/// A question, and what is done if the answer is yes.
#[derive(Clone)]
pub struct Confirm {
    /// What is asked, as `Cancel order 0d2b0177?`
    pub title: String,
    /// What will happen: that comes first, and where there is not room for everything the rest is cut.
    pub text: String,
    /// What it will happen to; others may have named it.
    pub about: String,
    /// The order that it is asked about, if it is about one, and at whose desk: when that changes, it is asked anew.
    pub order: Option<(Role, OrderId)>,
    /// What yes does.
    pub effects: Vec<Effect>,
}

impl Confirm {
    /// A question.
    pub fn new(title: impl Into<String>, text: impl Into<String>, effect: Effect) -> Self {
        Self { title: title.into(), text: text.into(), about: String::new(), order: None, effects: vec![effect] }
    }

    /// The same, saying what it is about.
    #[must_use]
    pub fn about(mut self, about: impl Into<String>) -> Self {
        self.about = about.into();
        self
    }

    /// The same, about an order: it follows that.
    #[must_use]
    pub const fn follows(mut self, role: Role, order: OrderId) -> Self {
        self.order = Some((role, order));
        self
    }

    /// Draws it in the middle.
    pub fn draw(&self, frame: &mut Frame<'_>, area: Rect, map: &KeyMap, theme: &Theme) {
        let inside = frames::popup(frame, area, (56, 9), &self.title, theme);
        let (body, foot) = frames::foot(inside, 1);
        let (wide, room) = (usize::from(body.width), usize::from(body.height));
        let told = text::wrap_within(&self.text, wide, room);
        let about = text::wrap_within(&text::plain(&self.about), wide, room - told.len());
        let told = told.into_iter().map(Line::raw);
        let lines: Vec<Line<'_>> = told.chain(about.into_iter().map(|line| Line::styled(line, theme.muted))).collect();
        frame.render_widget(Paragraph::new(lines), body);
        frame.render_widget(answers(map, theme), foot);
    }
}

/// The keys of the answers.
fn answers(map: &KeyMap, theme: &Theme) -> Line<'static> {
    let keys = [(keys::YES, "yes"), (keys::NO, "no")].map(|(answer, word)| {
        let key = map.key_in(keys::DIALOG, answer).map(|key| format!("{key} ")).unwrap_or_default();
        format!("{key}{word}")
    });
    Line::from(Span::styled(keys.join(" · "), theme.accent))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ratatui::{Terminal, backend::TestBackend};

    use super::*;
    use crate::theme::ThemeName;

    fn drawn(confirm: &Confirm, map: &KeyMap) -> String {
        let theme = Theme::of(ThemeName::None);
        let mut terminal = Terminal::new(TestBackend::new(40, 12)).unwrap();
        terminal.draw(|frame| confirm.draw(frame, frame.area(), map, &theme)).unwrap();
        crate::testing::letters(terminal.backend().buffer())
    }

    #[test]
    fn what_will_happen_is_said_whatever_it_happens_to_is_called() {
        let confirm = Confirm::new("Cancel?", "Your money comes back. This cannot be undone.", Effect::Redraw);
        let screen = drawn(&confirm.about("x".repeat(500)), &KeyMap::default());
        assert!(screen.contains("Your money comes back. This cannot be") && screen.contains("undone."), "{screen}");
        assert!(screen.contains("xx…"), "{screen}");
        let long = Confirm::new("Cancel?", "word ".repeat(100), Effect::Redraw);
        let screen = drawn(&long.about("never seen"), &KeyMap::default());
        assert!(screen.contains("word…") && !screen.contains("never"), "{screen}");
    }

    #[test]
    fn ones_own_keys_are_named() {
        let own = [("answer.yes", "j"), ("answer.no", "f9")];
        let own = own.map(|(action, key)| (action.to_owned(), vec![key.to_owned()]));
        let confirm = Confirm::new("Cancel?", "Nothing is charged.", Effect::Redraw);
        let screen = drawn(&confirm, &KeyMap::new(&BTreeMap::from(own)).unwrap());
        assert!(screen.contains("j yes · f9 no"), "{screen}");
        assert!(drawn(&confirm, &KeyMap::default()).contains("y yes · n no"));
    }
}
