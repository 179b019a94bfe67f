//! Mending a dead letter: its key, its headers and its payload as lines, each of which can be changed, added or taken
//! away. Nothing is sent before it is saved.

use orderflow_contracts::api::ops::{DeadLetter, EditLetter};
use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};
use serde_json::Value;

use super::Key;
use crate::{
    admin::{
        keymap::{ADD, MENDING, MENDING_ONE, REMOVE, SAVE},
        parts::both_ends,
    },
    cx::Show,
    input::Edit,
    keys::{self, Action, Scope},
    text,
    widgets::{Column, Field, ListState, frames, list::Table},
};

/// Longest value that is changed in one line, in letters.
const VALUE_MAX: usize = 4_096;
/// Lines that are shown of one letter.
const SLOTS_MAX: usize = 2_000;
const COLUMNS: [Column; 2] = [Column::new("field", 26, 9), Column::new("value", 10, 9).grows()];

/// What a line stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Slot {
    Key,
    Header(usize),
    /// By a JSON pointer; the empty one is all of it.
    Payload(String),
}

/// A line.
struct Entry {
    slot: Slot,
    name: String,
    value: String,
}

/// What is written at the moment.
struct Writing {
    what: What,
    field: Field,
    wrong: Option<String>,
}

enum What {
    Change(Slot),
    /// A header, or a field of what this pointer leads to.
    AddHeader,
    AddTo(String),
}

/// A letter that is mended.
pub(super) struct Mending {
    /// Which.
    pub key: Key,
    before: DeadLetter,
    letter: DeadLetter,
    list: ListState,
    writing: Option<Writing>,
    is_saving: bool,
    /// It was said once that leaving it loses what was changed.
    is_warned: bool,
    wrong: Option<String>,
}

/// What a key came to.
pub(super) enum Outcome {
    /// It goes on.
    Stays,
    /// It is no key of this.
    NotMine,
    /// It is left.
    Leave,
    /// This is to be saved.
    Save(Box<EditLetter>),
}

impl Mending {
    pub fn of(key: Key, letter: &DeadLetter) -> Self {
        let (before, letter) = (letter.clone(), letter.clone());
        Self {
            key,
            before,
            letter,
            list: ListState::default(),
            writing: None,
            is_saving: false,
            is_warned: false,
            wrong: None,
        }
    }

    pub fn scope(&self) -> Scope {
        if self.writing.is_some() { MENDING_ONE } else { MENDING }
    }

    pub const fn takes_text(&self) -> bool {
        self.writing.is_some()
    }

    pub fn edit(&mut self, edit: &Edit) {
        if let Some(writing) = &mut self.writing
            && writing.field.edit(edit)
        {
            writing.wrong = None;
        }
    }

    /// The service did not take it.
    pub fn not_saved(&mut self, why: &str) {
        (self.is_saving, self.wrong) = (false, Some(why.to_owned()));
    }

    pub fn act(&mut self, action: Action) -> Outcome {
        if self.writing.is_some() {
            match action {
                keys::OPEN => self.take(),
                keys::BACK => self.writing = None,
                _ => return Outcome::NotMine,
            }
            return Outcome::Stays;
        }
        let entries = self.entries();
        let chosen = self.list.chosen(entries.len()).and_then(|row| entries.into_iter().nth(row));
        self.wrong = None;
        let was_warned = std::mem::take(&mut self.is_warned);
        match (action, chosen) {
            (keys::BACK, _) if was_warned || self.changes() == EditLetter::default() => return Outcome::Leave,
            (keys::BACK, _) => {
                self.is_warned = true;
                self.wrong = Some("not saved yet: s saves it, esc again leaves it as it was".to_owned());
            }
            (SAVE, _) => return self.save(),
            (keys::OPEN, Some(entry)) => self.begin(entry),
            (ADD, Some(entry)) => self.begin_adding(&entry.slot),
            (REMOVE, Some(entry)) => self.remove(&entry.slot),
            (action, _) => {
                let count = self.entries().len();
                return if self.list.act(action, count) { Outcome::Stays } else { Outcome::NotMine };
            }
        }
        Outcome::Stays
    }

    /// All lines: key, headers, and the payload name by name.
    fn entries(&self) -> Vec<Entry> {
        let mut entries =
            vec![Entry { slot: Slot::Key, name: "key".to_owned(), value: self.letter.key.clone().unwrap_or_default() }];
        let headers = self.letter.headers.iter().enumerate();
        entries.extend(headers.map(|(index, (name, value))| Entry {
            slot: Slot::Header(index),
            name: format!("header {name}"),
            value: value.clone(),
        }));
        walk(&self.letter.payload, "payload", String::new(), 0, &mut entries);
        entries
    }

    fn begin(&mut self, entry: Entry) {
        if entry.value.chars().count() > VALUE_MAX {
            self.wrong =
                Some("too long for one line: `orderflow dlq edit LETTER --payload -` takes it from a file".to_owned());
            return;
        }
        let mut field = Field::default().at_most(VALUE_MAX);
        field.set(&entry.value);
        self.writing = Some(Writing { what: What::Change(entry.slot), field, wrong: None });
    }

    fn begin_adding(&mut self, slot: &Slot) {
        let what = match slot {
            Slot::Key | Slot::Header(_) => What::AddHeader,
            Slot::Payload(pointer) => {
                let is_in =
                    self.letter.payload.pointer(pointer).is_some_and(|value| value.is_object() || value.is_array());
                What::AddTo(if is_in { pointer.clone() } else { parent(pointer).to_owned() })
            }
        };
        self.writing = Some(Writing { what, field: Field::default().at_most(VALUE_MAX), wrong: None });
    }

    /// Takes what was written, if it makes sense.
    fn take(&mut self) {
        let Some(mut writing) = self.writing.take() else { return };
        let text = writing.field.text();
        let taken = match &writing.what {
            What::Change(slot) => self.change(slot, text),
            What::AddHeader => self.add_header(&text),
            What::AddTo(pointer) => self.add_to(pointer, &text),
        };
        if let Err(wrong) = taken {
            writing.wrong = Some(wrong);
            self.writing = Some(writing);
        }
    }

    fn change(&mut self, slot: &Slot, text: String) -> Result<(), String> {
        match slot {
            Slot::Key => self.letter.key = Some(text),
            Slot::Header(index) => {
                if let Some((_, value)) = self.letter.headers.get_mut(*index) {
                    *value = text;
                }
            }
            Slot::Payload(pointer) => {
                let new = json(&text)?;
                if let Some(value) = self.letter.payload.pointer_mut(pointer) {
                    *value = new;
                }
            }
        }
        Ok(())
    }

    fn add_header(&mut self, text: &str) -> Result<(), String> {
        let (name, value) = named(text)?;
        self.letter.headers.push((name.to_owned(), value.to_owned()));
        Ok(())
    }

    fn add_to(&mut self, pointer: &str, text: &str) -> Result<(), String> {
        match self.letter.payload.pointer_mut(pointer) {
            Some(Value::Object(fields)) => {
                let (name, value) = named(text)?;
                fields.insert(name.to_owned(), json(value)?);
            }
            Some(Value::Array(items)) => items.push(json(text)?),
            _ => return Err("nothing can be added here: the payload is no object".to_owned()),
        }
        Ok(())
    }

    fn remove(&mut self, slot: &Slot) {
        match slot {
            Slot::Header(index) if *index < self.letter.headers.len() => drop(self.letter.headers.remove(*index)),
            Slot::Payload(pointer) if !pointer.is_empty() => {
                let name = pointer.rsplit('/').next().map(unescape).unwrap_or_default();
                match self.letter.payload.pointer_mut(parent(pointer)) {
                    Some(Value::Object(fields)) => drop(fields.remove(&name)),
                    Some(Value::Array(items)) => {
                        if let Some(index) = name.parse().ok().filter(|index| *index < items.len()) {
                            items.remove(index);
                        }
                    }
                    _ => {}
                }
            }
            Slot::Key | Slot::Header(_) | Slot::Payload(_) => {
                self.wrong = Some("this cannot be taken away, only changed".to_owned());
            }
        }
    }

    /// What has changed, and nothing else.
    fn changes(&self) -> EditLetter {
        let (before, now) = (&self.before, &self.letter);
        EditLetter {
            key: now.key.clone().filter(|_| now.key != before.key),
            headers: (now.headers != before.headers).then(|| now.headers.clone()),
            payload: (now.payload != before.payload).then(|| now.payload.clone()),
        }
    }

    fn save(&mut self) -> Outcome {
        let edit = self.changes();
        if edit == EditLetter::default() {
            self.wrong = Some("nothing was changed yet".to_owned());
            return Outcome::Stays;
        }
        if self.is_saving {
            return Outcome::Stays;
        }
        self.is_saving = true;
        Outcome::Save(Box::new(edit))
    }

    pub fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        let theme = show.theme;
        let (head, body) = frames::head(area, 1);
        let is_changed = self.changes() != EditLetter::default();
        let state = match (self.is_saving, is_changed) {
            (true, _) => Span::styled("↻ saving", theme.warn),
            (false, true) => Span::styled("◆ changed, not saved", theme.warn),
            (false, false) => Span::styled("as it came", theme.muted),
        };
        let title = format!("mending a dead letter of {}", self.key.0.name());
        both_ends(frame, head, Line::styled(title, theme.accent), Line::from(state));
        let (body, foot) = frames::foot(body, 2);
        let entries = self.entries();
        let focused = show.focused && self.writing.is_none();
        let table = Table { columns: &COLUMNS, len: entries.len(), focused, empty: "", theme };
        table.draw(frame, body, &mut self.list, |row| {
            let entry = &entries[row];
            vec![Line::styled(text::plain(&entry.name), theme.muted), Line::from(text::plain(&entry.value))]
        });
        self.draw_foot(frame, foot, show);
    }

    /// What is written, and what is wrong with it.
    fn draw_foot(&self, frame: &mut Frame<'_>, foot: Rect, show: &Show<'_>) {
        let theme = show.theme;
        let (line, below) = frames::head(foot, 1);
        let Some(writing) = &self.writing else {
            // First why it was dead-lettered: that is what is to be mended.
            let reason = format!("reason: {}", text::plain(&self.letter.reason));
            frame.render_widget(Line::styled(text::cut(&reason, usize::from(line.width)), theme.bad), line);
            if let Some(wrong) = &self.wrong {
                let wrong = format!("✗ {wrong}");
                frame.render_widget(Line::styled(text::cut(&wrong, usize::from(below.width)), theme.bad), below);
            }
            return;
        };
        let label = match &writing.what {
            What::Change(_) => "value ",
            What::AddHeader | What::AddTo(_) => "add   ",
        };
        frame.render_widget(Span::styled(label, theme.accent), line);
        let indent = 6.min(line.width);
        let place = Rect { x: line.x + indent, width: line.width - indent, ..line };
        writing.field.draw(frame, place, show.focused, theme);
        let help = match (&writing.wrong, &writing.what) {
            (Some(wrong), _) => Span::styled(format!("✗ {wrong}"), theme.bad),
            (None, What::Change(Slot::Payload(_))) => Span::styled("JSON: text stands in quotation marks", theme.muted),
            (None, What::Change(_)) => Span::styled("text", theme.muted),
            (None, What::AddHeader) => Span::styled("name = text", theme.muted),
            (None, What::AddTo(_)) => Span::styled("name = JSON; in a list the JSON alone", theme.muted),
        };
        frame.render_widget(help, below);
    }
}

/// The lines of a value and of what is in it.
fn walk(value: &Value, name: &str, pointer: String, depth: usize, entries: &mut Vec<Entry>) {
    if entries.len() >= SLOTS_MAX {
        return;
    }
    let shown = format!("{:indent$}{name}", "", indent = depth * 2);
    entries.push(Entry { slot: Slot::Payload(pointer.clone()), name: shown, value: value.to_string() });
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                walk(value, name, format!("{pointer}/{}", escape(name)), depth + 1, entries);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                walk(value, &index.to_string(), format!("{pointer}/{index}"), depth + 1, entries);
            }
        }
        _ => {}
    }
}

/// As a JSON pointer (RFC 6901) has it.
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn unescape(name: &str) -> String {
    name.replace("~1", "/").replace("~0", "~")
}

fn parent(pointer: &str) -> &str {
    pointer.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text.trim()).map_err(|error| format!("not JSON: {error}"))
}

fn named(text: &str) -> Result<(&str, &str), String> {
    match text.split_once('=').map(|(name, value)| (name.trim(), value.trim())) {
        Some((name, value)) if !name.is_empty() => Ok((name, value)),
        _ => Err("name = value".to_owned()),
    }
}
