//! The flow: throughput, the time that sagas take and how they end, by the events as they come; and what waits where, by
//! the services' numbers, which are asked for only while they are looked at.

mod draw;
pub mod numbers;
mod outcomes;
mod rates;
mod spans;

use orderflow_contracts::api::console::EventRecord;
use ratatui::{Frame, layout::Rect};

use self::{numbers::All, outcomes::Outcomes, rates::Rates, spans::Spans};
use super::{
    Do,
    keymap::FLOW,
    parts::{Every, wall},
};
use crate::{
    area::Area,
    cx::{Cx, Show},
    keys::{self, Action, Scope},
    msg::Effect,
};

/// Between two questions for numbers, in milliseconds.
const EVERY_MS: i64 = 2_000;

/// The flow.
#[derive(Default)]
pub struct Flow {
    events: Rates,
    orders: Rates,
    spans: Spans,
    outcomes: Outcomes,
    numbers: Option<All>,
    every: Every,
    /// When it began to listen, by this machine's clock: of what was before it knows nothing.
    since_ms: Option<i64>,
    /// Rows that are scrolled out, and how many can be.
    first: (usize, usize),
}

impl Flow {
    /// Asks for the services' numbers, if it is time to.
    pub fn ask(&mut self, cx: &mut Cx<'_>) {
        self.ask_every(EVERY_MS, cx);
    }

    /// The same for another screen that needs them, less often.
    pub fn ask_every(&mut self, every_ms: i64, cx: &mut Cx<'_>) {
        if self.every.is_due(wall(cx.now, cx.books), every_ms) {
            cx.run(Effect::Admin(Do::Metrics));
        }
    }

    fn begin(&mut self, cx: &Cx<'_>) {
        self.since_ms.get_or_insert(wall(cx.now, cx.books).0);
    }

    /// They have come.
    pub fn told(&mut self, numbers: All) {
        self.every.answered();
        self.numbers = Some(numbers);
    }
}

impl Area for Flow {
    fn scopes(&self) -> Vec<Scope> {
        vec![FLOW]
    }

    fn act(&mut self, action: Action, _: &mut Cx<'_>) -> bool {
        let (first, most) = self.first;
        let first = match action {
            keys::UP => first.saturating_sub(1),
            keys::DOWN => (first + 1).min(most),
            keys::PAGE_UP => first.saturating_sub(PAGE),
            keys::PAGE_DOWN => (first + PAGE).min(most),
            keys::TOP => 0,
            keys::BOTTOM => most,
            _ => return false,
        };
        self.first.0 = first;
        true
    }

    fn hear(&mut self, record: &EventRecord, cx: &mut Cx<'_>) {
        self.begin(cx);
        let now_ms = wall(cx.now, cx.books).0;
        self.events.add(now_ms);
        if record.event_type == "order.created" {
            self.orders.add(now_ms);
        }
        self.spans.hear(record);
        self.outcomes.hear(record, now_ms);
    }

    fn books_changed(&mut self, cx: &mut Cx<'_>) {
        self.begin(cx);
    }

    /// The charts go on by themselves: what was a minute ago is to be seen further left.
    fn ticks(&self, _: &Show<'_>) -> bool {
        true
    }

    fn tick(&mut self, cx: &mut Cx<'_>) {
        self.begin(cx);
        self.ask(cx);
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        self.draw_in(frame, area, show);
    }
}

/// Rows of a page: what is to be seen there has a dozen lines each.
const PAGE: usize = 8;
