//! The timeline of an order, live: what has happened in lanes, what is still to come, and what is in its way.
//!
//! ```text
//!   the stream ──▶ records ──┐                        ┌─▶ head:     how far it is
//!   Do::Events ──▶           ├──▶ SagaView ──▶ draw ──┼─▶ lanes:    each event, from what led to it
//!   Do::Explain ─▶ asking ───┘                        ├─▶ standing: whose turn, and what is in the way
//!                                                     └─▶ detail:   one event as it is
//! ```

mod asking;
mod detail;
mod draw;
mod effects;
mod head;
mod keymap;
mod lanes;
mod rail;
mod standing;
#[cfg(test)]
mod tests;

use orderflow_client::{Service, saga_view::SagaView, why};
use orderflow_contracts::{
    api::{
        console::{EventRecord, NextStep},
        orders::Order,
    },
    ids::{EventId, OrderId},
    timestamp::Timestamp,
};
use ratatui::{
    Frame,
    layout::{Position, Rect},
};

use self::{
    asking::Asking,
    keymap::{CAUSE, DIAGRAM, EVENT, FOLLOW, NEXT_EVENT, PREVIOUS_EVENT, TIMELINE},
};
pub use self::{
    effects::{Came, Do, Done, Explained, carry_out},
    keymap::BINDINGS,
};
use crate::{
    area::Area,
    books::Books,
    cx::{Cx, Show},
    keys::{self, Action, Scope},
    msg::Effect,
};

/// An event is new for so long, in milliseconds.
const NEW_MS: i64 = 2_000;
/// Events that are kept. An order has a dozen.
const EVENTS_MAX: usize = 500;

/// From this width on each service has a lane.
pub const LANES_FROM: u16 = lanes::WIDTH_MIN;

/// The timeline of an order.
pub struct Timeline {
    id: OrderId,
    records: Vec<EventRecord>,
    /// How far the events were read.
    read: Reading,
    /// As it was read; the books may have it newer, or not at all.
    order: Option<Box<Order>>,
    order_failed: Option<String>,
    asking: Asking,
    view: SagaView,
    chosen: usize,
    follows: bool,
    newest: Option<(EventId, Timestamp)>,
    event: Option<Scroll>,
    placed: Placed,
}

/// How far the events were read.
enum Reading {
    OnItsWay,
    Read,
    Failed(String),
}

/// How far an open event is scrolled, and how much of it there is.
#[derive(Default)]
struct Scroll {
    first: usize,
    rows: usize,
    height: usize,
}

/// Where things were drawn.
#[derive(Default)]
struct Placed {
    rows: Rect,
    first: usize,
    /// The open event hides the lanes.
    is_event_alone: bool,
}

impl Timeline {
    /// Of an order, and what is wanted first.
    pub fn of(id: OrderId) -> (Self, Vec<Do>) {
        let mut timeline = Self {
            id,
            records: Vec::new(),
            read: Reading::OnItsWay,
            order: None,
            order_failed: None,
            asking: Asking::default(),
            view: SagaView::default(),
            chosen: 0,
            follows: true,
            newest: None,
            event: None,
            placed: Placed::default(),
        };
        let explain = timeline.asking.begin(id);
        (timeline, vec![Do::Events(id), Do::Order(id), explain])
    }

    /// Which order's.
    pub const fn order_id(&self) -> OrderId {
        self.id
    }

    /// Something was done.
    pub fn done(&mut self, done: Done, cx: &mut Cx<'_>) {
        // It may be of the order whose timeline was open before.
        if done.id != self.id {
            return;
        }
        match done.came {
            Came::Order(Ok(order)) => {
                cx.books.put_orders(std::slice::from_ref(&order));
                (self.order, self.order_failed) = (Some(order), None);
            }
            Came::Order(Err(error)) => self.order_failed = Some(error.to_string()),
            Came::Events(Ok(records)) => {
                self.read = Reading::Read;
                self.put(records);
            }
            Came::Events(Err(error)) => self.read = Reading::Failed(error.to_string()),
            Came::Explained(answer) => {
                if let Ok(known) = &answer {
                    self.believe(&known.facts, cx);
                }
                let wanted = self.asking.came(self.id, answer, cx.now);
                let heard = self.asking.known().map(|known| known.facts.events.clone());
                self.put(heard.unwrap_or_default());
                self.want(wanted, cx);
            }
        }
    }

    /// The order may be further than any event has told. Where its service is silent it is only what events tell.
    fn believe(&mut self, facts: &why::Facts, cx: &mut Cx<'_>) {
        if !facts.down.contains_key(&Service::Orders) {
            cx.books.put_orders(std::slice::from_ref(&facts.order));
        }
        self.order = Some(Box::new(facts.order.clone()));
    }

    fn want(&self, wanted: Option<Do>, cx: &mut Cx<'_>) {
        let role = cx.role;
        wanted.into_iter().for_each(|wanted| cx.run(Effect::Timeline(role, wanted)));
    }

    fn put(&mut self, records: Vec<EventRecord>) {
        for record in records {
            let is_known = self.records.iter().any(|known| known.id == record.id);
            if !is_known && self.records.len() < EVENTS_MAX {
                self.records.push(record);
            }
        }
        self.rebuild();
    }

    /// The same row stays chosen, unless the newest is followed. An open event is not taken away from who reads it.
    fn rebuild(&mut self) {
        let chosen = self.view.rows.get(self.chosen).map(|row| row.event_id);
        // What was said before the newest event is no news of what comes next.
        let turns = self.asking.explanation().filter(|_| self.asking.is_newest()).map(|known| known.turns.as_slice());
        let step = |turn: &why::Told| NextStep { who: turn.who.to_owned(), what: turn.does.to_owned() };
        let next: Vec<NextStep> = turns.unwrap_or_default().iter().map(step).collect();
        self.view = SagaView::of(&self.records, &next, self.asking.explanation());
        self.chosen = match chosen.and_then(|id| self.view.find(id)) {
            Some(row) if !self.follows || self.event.is_some() => row,
            _ => self.view.rows.len().saturating_sub(1),
        };
    }

    fn order<'a>(&'a self, books: &'a Books) -> Option<&'a Order> {
        books.orders.get(self.id).map(|entry| &entry.order).or(self.order.as_deref())
    }

    fn is_new(&self, id: EventId, now: Timestamp) -> bool {
        self.newest.is_some_and(|(newest, at)| newest == id && (now.0 - at.0).abs() < NEW_MS)
    }

    fn ask_all(&mut self, cx: &mut Cx<'_>) {
        self.want(Some(Do::Order(self.id)), cx);
        self.want(Some(Do::Events(self.id)), cx);
        let explain = self.asking.again(self.id, cx.now);
        self.want(explain, cx);
    }

    fn choose(&mut self, row: usize) {
        let last = self.view.rows.len().saturating_sub(1);
        self.chosen = row.min(last);
        self.follows = self.chosen == last;
        if let Some(scroll) = &mut self.event {
            scroll.first = 0;
        }
    }

    fn move_in_rows(&mut self, action: Action) -> bool {
        let page = usize::from(self.placed.rows.height.max(2)) - 1;
        let to = match action {
            keys::UP | PREVIOUS_EVENT => self.chosen.saturating_sub(1),
            keys::DOWN | NEXT_EVENT => self.chosen + 1,
            keys::PAGE_UP => self.chosen.saturating_sub(page),
            keys::PAGE_DOWN => self.chosen + page,
            keys::TOP => 0,
            keys::BOTTOM => usize::MAX,
            _ => return false,
        };
        self.choose(to);
        true
    }

    /// An open event is scrolled, unless the key is for the lanes beside it.
    fn scroll(&mut self, action: Action) -> bool {
        let is_alone = self.placed.is_event_alone;
        let Some(scroll) = &mut self.event else { return false };
        let last = scroll.rows.saturating_sub(scroll.height);
        let page = scroll.height.max(2) - 1;
        scroll.first = match action {
            keys::UP if is_alone => scroll.first.saturating_sub(1),
            keys::DOWN if is_alone => scroll.first + 1,
            keys::PAGE_UP => scroll.first.saturating_sub(page),
            keys::PAGE_DOWN => scroll.first + page,
            keys::TOP => 0,
            keys::BOTTOM => last,
            _ => return false,
        }
        .min(last);
        true
    }

    fn go_to_cause(&mut self, cx: &mut Cx<'_>) {
        let Some(row) = self.view.rows.get(self.chosen) else { return };
        match (row.cause, row.by) {
            (Some(cause), _) => self.choose(cause),
            (None, Some(who)) => cx.note(format!("no event led to it: the {who} did")),
            (None, None) => cx.note("no event led to it"),
        }
    }

    fn copy(&self, cx: &mut Cx<'_>) {
        let event = self.event.as_ref().and_then(|_| self.view.rows.get(self.chosen));
        cx.copy(event.map_or_else(|| self.id.to_string(), |row| row.event_id.to_string()));
    }

    fn copy_diagram(&self, cx: &mut Cx<'_>) {
        match self.asking.explanation() {
            Some(explanation) => {
                cx.run(Effect::Copy(why::mermaid(explanation)));
                cx.note("copied the sequence diagram, for Mermaid");
            }
            None => cx.note("there is no diagram yet: everybody is still being asked"),
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        if self.event.take().is_some() {
            self.follows = self.chosen + 1 >= self.view.rows.len();
        } else {
            cx.out.close_timeline = true;
        }
    }
}

impl Area for Timeline {
    fn scopes(&self) -> Vec<Scope> {
        vec![if self.event.is_some() { EVENT } else { TIMELINE }]
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> bool {
        match action {
            keys::BACK => self.close(cx),
            keys::OPEN => self.event = (!self.view.rows.is_empty()).then(Scroll::default),
            FOLLOW => {
                self.follows = !self.follows;
                self.rebuild();
            }
            CAUSE => self.go_to_cause(cx),
            DIAGRAM => self.copy_diagram(cx),
            keys::COPY => self.copy(cx),
            keys::REFRESH => self.ask_all(cx),
            action => return self.scroll(action) || self.move_in_rows(action),
        }
        true
    }

    fn hear(&mut self, record: &EventRecord, cx: &mut Cx<'_>) {
        let is_ours = record.subject.parse() == Ok(self.id);
        if !is_ours || self.records.iter().any(|known| known.id == record.id) {
            return;
        }
        self.newest = Some((record.id, cx.now));
        let explain = self.asking.again(self.id, cx.now);
        self.put(vec![record.clone()]);
        self.want(explain, cx);
    }

    fn ticks(&self, show: &Show<'_>) -> bool {
        let counts_down = self.order(show.books).is_some_and(|order| head::deadline(order).is_some());
        let is_new = self.newest.is_some_and(|(id, _)| self.is_new(id, show.now));
        counts_down || is_new || self.asking.goes_on()
    }

    fn tick(&mut self, cx: &mut Cx<'_>) {
        let wanted = self.asking.second(self.id, cx.now);
        self.want(wanted, cx);
    }

    fn click(&mut self, at: Position, cx: &mut Cx<'_>) {
        let Placed { rows, first, .. } = self.placed;
        if !rows.contains(at) {
            return;
        }
        let row = first + usize::from(at.y - rows.y);
        if row >= self.view.rows.len() {
            return;
        }
        if row == self.chosen && self.event.is_none() {
            self.act(keys::OPEN, cx);
        } else {
            self.choose(row);
        }
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        draw::draw(self, frame, area, show);
    }
}
