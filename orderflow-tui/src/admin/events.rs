//! The stream of events as it comes, filtered as you type, held still if you want.

use orderflow_client::view;
use orderflow_contracts::api::console::EventRecord;
use ratatui::{
    Frame,
    layout::{Position, Rect},
    text::{Line, Span},
};

use super::{
    keymap::{DETAIL, EVENT, EVENTS, NEXT, PAUSE, PREVIOUS, TIMELINE},
    parts::{self, Row, Sheet, beside, both_ends, json_rows},
};
use crate::{
    area::Area,
    books::Books,
    cx::{Cx, Show},
    input::Edit,
    keys::{self, Action, Scope},
    text,
    widgets::{Column, Pick, frames, list::Table, search::Search},
};

const COLUMNS: [Column; 6] = [
    Column::new("at", 8, 7),
    Column::new("what", 13, 9),
    Column::new("type", 28, 3),
    Column::new("subject", 8, 8),
    Column::new("heard", 7, 4).right(),
    Column::new("detail", 20, 5).grows(),
];

/// The stream.
#[derive(Default)]
pub struct Events {
    search: Search,
    /// What is shown while it is held still.
    held: Option<Vec<EventRecord>>,
    came_since: u64,
    /// Positions of what is shown, the newest first, and what they were made of.
    rows: Vec<i64>,
    of: Option<(i64, usize)>,
    pick: Pick<i64>,
    sheet: Option<(i64, Sheet)>,
}

impl Events {
    fn settle(&mut self, books: &Books) {
        let log = &books.events;
        let of = match &self.held {
            Some(held) => (held.first().map_or(0, |record| record.position), held.len()),
            None => (log.newest().next().map_or(0, |record| record.position), log.len()),
        };
        if self.of == Some(of) {
            return;
        }
        self.of = Some(of);
        let needle = self.search.needle();
        self.rows = match &self.held {
            Some(held) => {
                held.iter().filter(|record| is_wanted(record, needle)).map(|record| record.position).collect()
            }
            None => log.newest().filter(|record| is_wanted(record, needle)).map(|record| record.position).collect(),
        };
        self.pick.settle(&self.rows);
    }

    /// Something else is wanted than before.
    const fn anew(&mut self) {
        self.of = None;
        self.pick.anew();
    }

    /// An event by its position: they are in its order, the newest first.
    fn find<'a>(&'a self, books: &'a Books, position: i64) -> Option<&'a EventRecord> {
        match &self.held {
            Some(held) => held.iter().find(|record| record.position == position),
            None => books.events.newest().find(|record| record.position == position),
        }
    }

    fn chosen<'a>(&'a mut self, books: &'a Books) -> Option<&'a EventRecord> {
        self.settle(books);
        let position = match &self.sheet {
            Some((position, _)) => *position,
            None => self.pick.chosen(&self.rows)?,
        };
        self.find(books, position)
    }

    fn open(&mut self, books: &Books) {
        self.settle(books);
        let Some(position) = self.pick.chosen(&self.rows) else { return };
        let Some(record) = self.find(books, position) else { return };
        self.sheet = Some((position, sheet(record)));
    }

    fn move_by(&mut self, action: Action, books: &Books) {
        self.settle(books);
        // The list may have gone on: from what is open, not from a number.
        if let Some((position, _)) = &self.sheet {
            self.pick.choose(*position);
            self.pick.settle(&self.rows);
        }
        self.pick.act(action, &self.rows);
        self.open(books);
    }

    fn toggle(&mut self, books: &Books) {
        self.held = match self.held.take() {
            Some(_) => None,
            None => Some(books.events.newest().cloned().collect()),
        };
        self.came_since = 0;
        self.of = None;
    }

    fn draw_head(&self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        let theme = show.theme;
        let mut right = vec![Span::styled(format!("{} shown", self.rows.len()), theme.muted)];
        let dropped = show.books.events.dropped();
        if dropped > 0 {
            right.push(Span::styled(format!(" · {dropped} older ones dropped"), theme.muted));
        }
        if self.held.is_some() {
            let came = format!("‖ paused · {} came since ", self.came_since);
            right.insert(0, Span::styled(came, theme.warn));
        }
        if self.search.is_shown() {
            return self.search.draw(frame, area, Line::from(right), show.focused, theme);
        }
        let left = if self.held.is_some() { Line::default() } else { Line::styled("● as they come", theme.good) };
        both_ends(frame, area, left, Line::from(right));
    }

    fn draw_list(&mut self, frame: &mut Frame<'_>, area: Rect, focused: bool, show: &Show<'_>) {
        let empty = if self.search.needle().is_empty() {
            "no events since you came: place an order, or let `orderflow load` do it"
        } else {
            "none of them is like that: esc shows all"
        };
        let Self { rows, pick, held, .. } = self;
        let table = Table { columns: &COLUMNS, len: rows.len(), focused, empty, theme: show.theme };
        // Whatever is held or logged is sorted by position, the newest first.
        pick.draw(frame, area, &table, rows, |row| {
            let position = rows[row];
            let found = match held {
                Some(held) => held.iter().find(|record| record.position == position),
                None => show.books.events.newest().find(|record| record.position == position),
            };
            found.map(|record| cells(record, show)).unwrap_or_default()
        });
    }
}

impl Area for Events {
    fn scopes(&self) -> Vec<Scope> {
        parts::scopes(self.sheet.as_ref().map(|_| &[EVENT, DETAIL][..]), &self.search, EVENTS)
    }

    fn takes_text(&self) -> bool {
        self.search.is_open() && self.sheet.is_none()
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> bool {
        match (action, &mut self.sheet) {
            (keys::BACK, Some(_)) => self.sheet = None,
            (PREVIOUS, Some(_)) => self.move_by(keys::UP, cx.books),
            (NEXT, Some(_)) => self.move_by(keys::DOWN, cx.books),
            (TIMELINE, _) => match self.chosen(cx.books).map(|record| record.subject.parse()) {
                Some(Ok(id)) if !self.is_product(cx.books) => cx.timeline(id),
                Some(_) => cx.note("only orders have a timeline"),
                None => {}
            },
            (PAUSE, _) => self.toggle(cx.books),
            (keys::COPY, _) => {
                if let Some(id) = self.chosen(cx.books).map(|record| record.id.to_string()) {
                    cx.copy(id);
                }
            }
            (action, None) => {
                if let Some(changed) = self.search.act_over(action, &mut self.pick, &self.rows) {
                    if changed {
                        self.anew();
                    }
                } else if action == keys::OPEN {
                    self.open(cx.books);
                } else {
                    self.settle(cx.books);
                    return self.pick.act(action, &self.rows);
                }
            }
            (action, Some((_, sheet))) => return sheet.act(action),
        }
        true
    }

    fn edit(&mut self, edit: Edit, _: &mut Cx<'_>) {
        if self.search.edit(&edit) {
            self.anew();
        }
    }

    fn hear(&mut self, _: &EventRecord, _: &mut Cx<'_>) {
        if self.held.is_some() {
            self.came_since += 1;
        }
    }

    fn click(&mut self, at: Position, cx: &mut Cx<'_>) {
        self.settle(cx.books);
        if self.pick.click(at, &self.rows, cx.now) || self.sheet.is_some() {
            self.open(cx.books);
        }
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        self.settle(show.books);
        let (head, body) = frames::head(area, 1);
        self.draw_head(frame, head, show);
        let (list, detail) = beside(body, self.sheet.is_some());
        if let Some(list) = list {
            self.draw_list(frame, list, show.focused && detail.is_none(), show);
        }
        if let (Some((_, sheet)), Some(detail)) = (&mut self.sheet, detail) {
            sheet.draw(frame, detail, show.theme);
        }
    }
}

impl Events {
    fn is_product(&mut self, books: &Books) -> bool {
        self.chosen(books).is_some_and(|record| record.event_type.starts_with("catalog."))
    }
}

fn is_wanted(record: &EventRecord, needle: &str) -> bool {
    needle.is_empty()
        || record.event_type.contains(needle)
        || record.subject.to_lowercase().contains(needle)
        || view::service_of(&record.source).contains(needle)
        || view::what(&record.event_type).word.contains(needle)
}

fn cells(record: &EventRecord, show: &Show<'_>) -> Vec<Line<'static>> {
    let (what, theme) = (view::what(&record.event_type), show.theme);
    let style = theme.tone(what.tone);
    let detail = view::detail(record);
    let detail = if detail.is_empty() { what.title.to_owned() } else { detail };
    vec![
        Line::styled(text::clock(record.at), theme.muted),
        Line::styled(format!("{} {}", what.tone.glyph(), what.word), style),
        Line::from(text::plain(&record.event_type)),
        Line::from(text::short(&record.subject)),
        Line::styled(format!("{} ms", (record.received_at.0 - record.at.0).max(0)), theme.muted),
        Line::styled(text::plain(&detail), theme.muted),
    ]
}

/// The envelope, as it is in the headers of the record, and the payload.
fn sheet(record: &EventRecord) -> Sheet {
    let later = |at: orderflow_contracts::timestamp::Timestamp| format!("{at}  +{} ms", at.0 - record.at.0);
    let caused = record.causation_id.map_or_else(|| "a person's command".to_owned(), |id| id.to_string());
    let mut rows = vec![
        Row::pair("id", &record.id.to_string()),
        Row::pair("source", &record.source),
        Row::pair("type", &record.event_type),
        Row::pair("subject", &record.subject),
        Row::pair("sequence", &record.sequence.to_string()),
        Row::pair("correlation", &record.correlation_id),
        Row::pair("caused by", &caused),
        Row::pair("committed", &record.at.to_string()),
        Row::pair("published", &later(record.published_at)),
        Row::pair("heard", &later(record.received_at)),
        Row::pair("position", &record.position.to_string()),
    ];
    rows.extend(Row::title("payload"));
    rows.extend(json_rows(&record.data));
    let what = view::what(&record.event_type);
    Sheet::new(format!("{} {}: {}", what.tone.glyph(), text::plain(&record.event_type), what.title), rows)
}
