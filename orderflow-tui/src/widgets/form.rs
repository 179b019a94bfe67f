//! A form: fields with their names, each judged as it is written, and what the service has to say about them.
//!
//! Whoever opens a form gives each field a [`Check`]; the form shows what it says, and is sent only when all are content.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
    widgets::{Paragraph, Wrap},
};

use super::{Field, frames};
use crate::{
    input::Edit,
    keys::{self, Action},
    text,
    theme::Theme,
};

/// What is thought of a field's text: a remark for beside it, or what is wrong with it.
pub type Check = fn(&str) -> Result<String, String>;

/// A field with its name.
struct Row {
    label: &'static str,
    /// What stands beside it while it is empty.
    hint: &'static str,
    field: Field,
    check: Check,
    /// Somebody was in it: only then something can be wrong with its being empty.
    touched: bool,
    /// What the service says about it.
    refused: Option<String>,
}

/// What a key has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Nothing that the owner has to know.
    Stayed,
    /// It is whole and wanted to be sent; it is locked until the owner says more.
    Sent,
    /// It wants to be closed.
    Closed,
}

/// A form that lies over what is there.
pub struct Form {
    title: String,
    rows: Vec<Row>,
    at: usize,
    /// What there is to say about all of it.
    told: Option<Told>,
    /// It was sent, or must be sent again as it is: nobody writes in it.
    locked: bool,
    sending: bool,
}

/// What there is to say about a form.
enum Told {
    Bad(String),
    Warn(String),
}

impl Form {
    /// A form without fields.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), rows: Vec::new(), at: 0, told: None, locked: false, sending: false }
    }

    /// With one more field.
    #[must_use]
    pub fn with(mut self, label: &'static str, hint: &'static str, field: Field, check: Check) -> Self {
        self.rows.push(Row { label, hint, field, check, touched: false, refused: None });
        self
    }

    /// What stands in a field.
    pub fn text(&self, row: usize) -> String {
        self.rows.get(row).map(|row| row.field.text().trim().to_owned()).unwrap_or_default()
    }

    /// Other text for a field.
    pub fn set(&mut self, row: usize, text: &str) {
        if let Some(row) = self.rows.get_mut(row) {
            row.field.set(text);
        }
    }

    /// Whether the answer of the service is waited for.
    pub const fn is_sending(&self) -> bool {
        self.sending
    }

    /// The service says no to one field.
    pub fn refuse(&mut self, row: usize, why: impl Into<String>) {
        self.open();
        if let Some(refused) = self.rows.get_mut(row) {
            refused.refused = Some(why.into());
            self.at = row;
        }
    }

    /// The service says no, to none of the fields in particular.
    pub fn refuse_all(&mut self, why: impl Into<String>) {
        self.open();
        self.told = Some(Told::Bad(why.into()));
    }

    /// There is something to think about before it is sent again.
    pub fn warn(&mut self, what: impl Into<String>) {
        self.open();
        self.told = Some(Told::Warn(what.into()));
    }

    /// Nobody knows what came of it: it can be sent again as it is, and not otherwise.
    pub fn unknown(&mut self, what: impl Into<String>) {
        self.warn(what);
        self.locked = true;
    }

    fn open(&mut self) {
        (self.sending, self.locked, self.told) = (false, false, None);
    }

    /// A key of forms.
    pub fn act(&mut self, action: Action) -> Event {
        let count = self.rows.len().max(1);
        match action {
            keys::BACK => return Event::Closed,
            _ if self.sending => {}
            keys::NEXT_FIELD => self.go((self.at + 1) % count),
            keys::PREVIOUS_FIELD => self.go((self.at + count - 1) % count),
            keys::SUBMIT => return self.submit(),
            _ => {}
        }
        Event::Stayed
    }

    fn go(&mut self, to: usize) {
        if let Some(row) = self.rows.get_mut(self.at) {
            row.touched = true;
        }
        self.at = to;
    }

    /// Sent if it is whole; otherwise the keys go to what is missing.
    fn submit(&mut self) -> Event {
        let wrong = self.rows.iter().position(|row| (row.check)(row.field.text().trim()).is_err());
        match wrong {
            Some(wrong) => {
                // Enter in a field that is right leads on to one that nobody has written in: nothing is wrong yet.
                let is_next = wrong > self.at && !self.rows[wrong].touched;
                self.go(wrong);
                self.rows[wrong].touched |= !is_next;
                Event::Stayed
            }
            None => {
                self.open();
                self.rows.iter_mut().for_each(|row| row.refused = None);
                (self.sending, self.locked) = (true, true);
                Event::Sent
            }
        }
    }

    /// Somebody writes.
    pub fn edit(&mut self, edit: &Edit) {
        if self.locked {
            return;
        }
        if let Some(row) = self.rows.get_mut(self.at)
            && row.field.edit(edit)
        {
            (row.touched, row.refused) = (row.touched || !row.field.is_empty(), None);
        }
    }

    /// Draws it in the middle.
    pub fn draw(&self, frame: &mut Frame<'_>, area: Rect, focused: bool, theme: &Theme) {
        let count = u16::try_from(self.rows.len()).unwrap_or(u16::MAX);
        let told = u16::from(self.told.is_some()) * TOLD_ROWS;
        let roomy = area.height >= count * 2 + 3 + told;
        let step = if roomy { 2 } else { 1 };
        let height = (count * step).saturating_add(2 + told + u16::from(!roomy)).saturating_add(u16::from(roomy));
        let inside = frames::popup(frame, area, (WIDTH, height), &self.title, theme);
        let (rows, foot) = frames::foot(inside, 1.max(told + 1).min(inside.height.saturating_sub(count.min(2))));
        let wide = self.rows.iter().map(|row| row.label.len()).max().unwrap_or(0);
        let wide = u16::try_from(wide + 1).unwrap_or(u16::MAX).min(rows.width / 2);
        for (index, y) in (0..self.rows.len()).zip((rows.y..rows.bottom()).step_by(usize::from(step))) {
            let line = Rect { y, height: 1, ..rows };
            self.draw_row(frame, line, index, wide, focused, theme);
            if roomy && y + 1 < rows.bottom() {
                let below = Rect { x: line.x + wide, y: y + 1, width: line.width - wide, height: 1 };
                frame.render_widget(self.remark(index, theme), below);
            }
        }
        self.draw_foot(frame, foot, roomy, theme);
    }

    fn draw_row(&self, frame: &mut Frame<'_>, line: Rect, index: usize, wide: u16, focused: bool, theme: &Theme) {
        let row = &self.rows[index];
        let is_here = focused && index == self.at && !self.locked;
        let style = if index == self.at { theme.accent } else { theme.muted };
        frame.render_widget(Span::styled(row.label, style), Rect { width: wide.saturating_sub(1), ..line });
        let place = Rect { x: line.x + wide, width: line.width - wide, ..line };
        row.field.draw(frame, place, is_here, theme);
        if row.field.is_empty() && !is_here {
            frame.render_widget(Span::styled(row.hint, theme.muted), place);
        }
    }

    /// What is to be said about a field, below it.
    fn remark(&self, index: usize, theme: &Theme) -> Line<'static> {
        let row = &self.rows[index];
        if let Some(refused) = &row.refused {
            return Line::styled(format!("✗ {}", text::plain(refused)), theme.bad);
        }
        let written = row.field.text();
        match (row.check)(written.trim()) {
            Err(why) if row.touched => Line::styled(format!("✗ {why}"), theme.bad),
            Ok(remark) if !row.field.is_empty() => Line::styled(remark, theme.muted),
            _ if index == self.at => Line::styled(row.hint, theme.muted),
            _ => Line::default(),
        }
    }

    fn draw_foot(&self, frame: &mut Frame<'_>, foot: Rect, roomy: bool, theme: &Theme) {
        if foot.is_empty() {
            return;
        }
        let line = match &self.told {
            _ if self.sending => Line::styled("… asking the service", theme.warn),
            Some(Told::Bad(what)) => Line::styled(format!("✗ {}", text::plain(what)), theme.bad),
            Some(Told::Warn(what)) => Line::styled(format!("! {}", text::plain(what)), theme.warn),
            None if roomy => Line::styled("enter send · esc close", theme.muted),
            None => self.remark(self.at, theme),
        };
        frame.render_widget(Paragraph::new(line).wrap(Wrap { trim: true }), foot);
    }
}

const WIDTH: u16 = 60;
/// Rows for what there is to say about all of it.
const TOLD_ROWS: u16 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Result<String, String> {
        text.parse::<u32>().map(|number| format!("= {number}")).map_err(|_| "a number is wanted".into())
    }

    fn form() -> Form {
        Form::new("Test").with("first", "1", Field::default(), number).with("second", "2", Field::default(), number)
    }

    fn type_in(form: &mut Form, text: &str) {
        form.edit(&Edit::Paste(text.into()));
    }

    #[test]
    fn it_is_sent_when_it_is_whole() {
        let mut form = form();
        type_in(&mut form, "1");
        assert_eq!(form.act(keys::SUBMIT), Event::Stayed, "enter leads to the second field");
        assert!(!form.rows[1].touched, "nothing is wrong with it yet");
        type_in(&mut form, "x");
        assert_eq!(form.act(keys::SUBMIT), Event::Stayed);
        form.edit(&Edit::Clear);
        type_in(&mut form, "2\n");
        assert_eq!(form.act(keys::SUBMIT), Event::Sent);
        assert_eq!((form.text(0), form.text(1)), ("1".into(), "2".into()));
        assert_eq!(form.act(keys::SUBMIT), Event::Stayed, "it is sent once");
    }

    #[test]
    fn what_is_refused_is_written_again_and_what_is_unknown_is_not() {
        let mut form = form();
        type_in(&mut form, "1");
        form.act(keys::NEXT_FIELD);
        type_in(&mut form, "2");
        form.act(keys::SUBMIT);
        form.refuse(0, "too small");
        type_in(&mut form, "0");
        assert_eq!((form.text(0), form.at), ("10".into(), 0));
        form.act(keys::SUBMIT);
        form.unknown("no answer");
        type_in(&mut form, "5");
        assert_eq!(form.text(0), "10");
        assert_eq!(form.act(keys::SUBMIT), Event::Sent);
    }
}
