//! The audit log: who did what to what, the newest first, read on as one scrolls.

mod draw;

use orderflow_contracts::api::{
    Page,
    console::EventRecord,
    ops::{AuditCheck, AuditEntry},
};
use ratatui::{
    Frame,
    layout::{Position, Rect},
};

use super::{
    Do,
    effects::AuditPart,
    keymap::{AUDIT, DETAIL, NEXT, PREVIOUS, VERIFY},
    parts::{self, Row, Sheet, json_rows},
};
use crate::{
    area::Area,
    cx::{Cx, Show},
    input::Edit,
    keys::{self, Action, Scope},
    msg::Effect,
    widgets::{Pick, search::Search},
};

/// Entries that are kept.
const ENTRIES_MAX: usize = 5_000;
/// So many rows before the end, the next part is read.
const AHEAD: usize = 30;
/// The audit log.
#[derive(Default)]
pub struct Audit {
    /// The newest first.
    entries: Vec<AuditEntry>,
    next: Option<String>,
    /// What the service was asked for.
    asked: AuditPart,
    is_reading: bool,
    was_read: bool,
    failed: Option<String>,
    /// Something has happened since; the newest entries are read again.
    is_behind: bool,
    search: Search,
    rows: Vec<i64>,
    is_settled: bool,
    pick: Pick<i64>,
    sheet: Option<(i64, Sheet)>,
    check: Option<Result<AuditCheck, String>>,
    is_checking: bool,
}

impl Audit {
    /// Reads the newest entries, unless something is being read.
    pub fn ask(&mut self, cx: &mut Cx<'_>) {
        if !self.is_reading {
            self.read_newest(cx);
        }
    }

    fn read_newest(&mut self, cx: &mut Cx<'_>) {
        self.is_behind = false;
        self.read_from(None, cx);
    }

    fn read_from(&mut self, cursor: Option<String>, cx: &mut Cx<'_>) {
        self.is_reading = true;
        cx.run(Effect::Admin(Do::Audit(AuditPart { cursor, ..self.asked.clone() })));
    }

    /// A part was read.
    pub fn read(&mut self, part: &AuditPart, page: Result<Page<AuditEntry>, String>) {
        if part.search != self.asked.search {
            return;
        }
        self.is_reading = false;
        let page = match page {
            Ok(page) => page,
            Err(why) => return self.failed = Some(why),
        };
        (self.failed, self.was_read, self.is_settled) = (None, true, false);
        let is_first = part.cursor.is_none();
        let newest = self.entries.first().map_or(0, |entry| entry.number);
        let meets = page.items.iter().any(|entry| entry.number <= newest);
        if !is_first {
            let last = self.entries.last().map_or(i64::MAX, |entry| entry.number);
            self.entries.extend(page.items.into_iter().filter(|entry| entry.number < last));
            self.next = page.next_cursor;
        } else if meets && !self.entries.is_empty() {
            // Only what is new; what was read before goes on where it did.
            let new: Vec<AuditEntry> = page.items.into_iter().take_while(|entry| entry.number > newest).collect();
            self.entries.splice(0..0, new);
        } else {
            (self.entries, self.next) = (page.items, page.next_cursor);
        }
        if self.entries.len() >= ENTRIES_MAX {
            self.entries.truncate(ENTRIES_MAX);
            self.next = None;
        }
    }

    /// It was checked.
    pub fn checked(&mut self, check: Result<AuditCheck, String>) {
        (self.is_checking, self.check) = (false, Some(check));
    }

    fn settle(&mut self) {
        if std::mem::replace(&mut self.is_settled, true) {
            return;
        }
        let needle = local(self.search.needle());
        let wanted = self.entries.iter().filter(|entry| is_wanted(entry, &needle));
        self.rows = wanted.map(|entry| entry.number).collect();
        self.pick.settle(&self.rows);
    }

    /// Something else is wanted than before.
    const fn anew(&mut self) {
        self.is_settled = false;
        self.pick.anew();
    }

    fn find(&self, number: i64) -> Option<&AuditEntry> {
        // The newest first: numbers go down.
        let found = self.entries.binary_search_by(|entry| number.cmp(&entry.number));
        found.ok().and_then(|index| self.entries.get(index))
    }

    fn chosen(&mut self) -> Option<&AuditEntry> {
        self.settle();
        let number = match &self.sheet {
            Some((number, _)) => *number,
            None => self.pick.chosen(&self.rows)?,
        };
        self.find(number)
    }

    fn open(&mut self) {
        self.settle();
        let Some(entry) = self.pick.chosen(&self.rows).and_then(|number| self.find(number)) else { return };
        self.sheet = Some((entry.number, sheet(entry)));
    }

    /// What follows is read before one gets there.
    fn read_on(&mut self, cx: &mut Cx<'_>) {
        let row = self.pick.row(&self.rows).unwrap_or(0);
        if row + AHEAD >= self.rows.len()
            && !self.is_reading
            && let Some(cursor) = self.next.clone()
        {
            self.read_from(Some(cursor), cx);
        }
    }

    /// `actor=…`, `action=…` and `subject=…` are for the service, which knows all entries.
    fn ask_for_search(&mut self, cx: &mut Cx<'_>) {
        let text = self.search.text();
        let value = |name: &str| {
            let found = text.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
            found.filter(|value| !value.is_empty()).map(str::to_owned)
        };
        let (actor, action, subject) = (value("actor"), value("action"), value("subject"));
        let asked = &self.asked;
        if (&asked.actor, &asked.action, &asked.subject) == (&actor, &action, &subject) {
            return self.read_on(cx);
        }
        self.asked = AuditPart { search: asked.search + 1, actor, action, subject, cursor: None };
        (self.entries, self.next, self.was_read, self.is_settled) = (Vec::new(), None, false, false);
        self.read_newest(cx);
    }

    fn act_in_list(&mut self, action: Action, cx: &mut Cx<'_>) -> bool {
        let was_typing = self.search.is_open();
        if let Some(changed) = self.search.act_over(action, &mut self.pick, &self.rows) {
            if changed {
                self.anew();
            }
            if was_typing || changed {
                self.ask_for_search(cx);
            }
            return true;
        }
        if action == keys::OPEN {
            self.open();
            return true;
        }
        self.settle();
        let moved = self.pick.act(action, &self.rows);
        self.read_on(cx);
        moved
    }
}

impl Area for Audit {
    fn scopes(&self) -> Vec<Scope> {
        parts::scopes(self.sheet.as_ref().map(|_| &[DETAIL][..]), &self.search, AUDIT)
    }

    fn takes_text(&self) -> bool {
        self.search.is_open() && self.sheet.is_none()
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> bool {
        match (action, &mut self.sheet) {
            (VERIFY, _) => {
                if !self.is_checking {
                    self.is_checking = true;
                    cx.run(Effect::Admin(Do::CheckAudit));
                }
            }
            (keys::COPY, _) => {
                if let Some(subject) = self.chosen().map(|entry| entry.subject.clone()) {
                    cx.copy(subject);
                }
            }
            (keys::BACK, Some(_)) => self.sheet = None,
            (PREVIOUS | NEXT, Some(_)) => {
                self.settle();
                self.pick.act(if action == NEXT { keys::DOWN } else { keys::UP }, &self.rows);
                self.read_on(cx);
                self.open();
            }
            (action, Some((_, sheet))) => return sheet.act(action),
            (action, None) => return self.act_in_list(action, cx),
        }
        true
    }

    fn edit(&mut self, edit: Edit, _: &mut Cx<'_>) {
        if self.search.edit(&edit) {
            self.anew();
        }
    }

    /// Whatever happens, somebody has done it: there is an entry of it.
    fn hear(&mut self, _: &EventRecord, _: &mut Cx<'_>) {
        self.is_behind = true;
    }

    fn ticks(&self, _: &Show<'_>) -> bool {
        self.is_behind
    }

    fn tick(&mut self, cx: &mut Cx<'_>) {
        if self.is_behind && !self.is_reading {
            self.ask(cx);
        }
    }

    fn click(&mut self, at: Position, cx: &mut Cx<'_>) {
        self.settle();
        if self.pick.click(at, &self.rows, cx.now) || self.sheet.is_some() {
            self.open();
        }
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        self.draw_in(frame, area, show);
    }
}

/// The words that are looked for in what was read; the others are the service's.
fn local(needle: &str) -> Vec<String> {
    let is_local = |word: &&str| !["actor=", "action=", "subject="].iter().any(|name| word.starts_with(name));
    needle.split_whitespace().filter(is_local).map(str::to_owned).collect()
}

fn is_wanted(entry: &AuditEntry, words: &[String]) -> bool {
    let has = |word: &String| {
        let has = |text: &str| text.to_lowercase().contains(word.as_str());
        has(&entry.actor) || has(&entry.action) || has(&entry.subject) || has(&entry.detail.to_string())
    };
    words.iter().all(has)
}

fn sheet(entry: &AuditEntry) -> Sheet {
    let mut rows = vec![
        Row::pair("number", &entry.number.to_string()),
        Row::pair("at", &entry.at.to_string()),
        Row::pair("who", &entry.actor),
        Row::pair("did what", &entry.action),
        Row::pair("to", &entry.subject),
        Row::pair("hash", &entry.hash),
    ];
    rows.extend(Row::title("more about it"));
    rows.extend(json_rows(&entry.detail));
    Sheet::new(format!("entry {}", entry.number), rows)
}
