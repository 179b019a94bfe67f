//! The admin's desk: how everything is, what flows, what has died, who did what, and what is broken on purpose.
//!
//! ```text
//!   1 health   every process, by the supervisor         5 letters  dead letters of all services
//!   2 flow     charts of the events, services' numbers  6 audit    who did what, and whether the log is whole
//!   3 orders   all of them, to look at                  7 logs     of this machine's processes
//!   4 events   the stream as it comes                   8 chaos    the board
//! ```
//!
//! Lists are read once and kept right by the stream; numbers and health are asked for only while they are looked at.

mod audit;
mod effects;
mod events;
mod flow;
mod health;
mod keymap;
mod letters;
mod logs;
mod orders;
mod parts;
mod procfs;
#[cfg(test)]
mod tests;

use orderflow_contracts::api::console::EventRecord;
use ratatui::{
    Frame,
    layout::{Position, Rect},
};

use self::{
    audit::Audit,
    effects::Seen,
    events::Events,
    flow::{Flow, numbers::Numbers},
    health::Health,
    letters::Letters,
    logs::Logs,
    orders::Orders,
};
pub use self::{
    effects::{Do, Done, carry_out},
    keymap::BINDINGS,
};
use crate::{
    area::{Area, Choice},
    chaos::Board,
    cx::{Cx, Show},
    input::{Edit, Wheel},
    keys::{self, Action, Scope},
    msg::Effect,
};

/// Its screens.
pub const SCREENS: [&str; 8] = ["Health", "Flow", "Orders", "Events", "Letters", "Audit", "Logs", "Chaos"];
const HEALTH: usize = 0;
const FLOW: usize = 1;
const ORDERS: usize = 2;
const EVENTS: usize = 3;
const LETTERS: usize = 4;
const AUDIT: usize = 5;
const LOGS: usize = 6;
const CHAOS: usize = 7;
/// Between two questions whether there are new dead letters, in milliseconds.
const LETTERS_EVERY_MS: i64 = 5_000;

/// The admin's screens.
#[derive(Default)]
pub struct Admin {
    /// The chaos board, which is one of them.
    pub board: Board,
    screen: usize,
    /// Whether what the first screen shows was asked for.
    has_begun: bool,
    health: Health,
    flow: Flow,
    orders: Orders,
    events: Events,
    letters: Letters,
    audit: Audit,
    logs: Logs,
}

impl Admin {
    fn shown(&self) -> &dyn Area {
        match self.screen {
            FLOW => &self.flow,
            ORDERS => &self.orders,
            EVENTS => &self.events,
            LETTERS => &self.letters,
            AUDIT => &self.audit,
            LOGS => &self.logs,
            CHAOS => &self.board,
            _ => &self.health,
        }
    }

    fn shown_mut(&mut self) -> &mut dyn Area {
        match self.screen {
            FLOW => &mut self.flow,
            ORDERS => &mut self.orders,
            EVENTS => &mut self.events,
            LETTERS => &mut self.letters,
            AUDIT => &mut self.audit,
            LOGS => &mut self.logs,
            CHAOS => &mut self.board,
            _ => &mut self.health,
        }
    }

    /// Asks for what the shown screen needs.
    fn ask(&mut self, cx: &mut Cx<'_>) {
        match self.screen {
            HEALTH => self.health.ask(cx),
            FLOW => self.flow.ask(cx),
            LETTERS => self.letters.ask(cx),
            AUDIT => self.audit.ask(cx),
            LOGS => {
                self.health.ask(cx);
                self.logs.ask(cx);
            }
            _ => {}
        }
    }

    /// Something was done.
    pub fn done(&mut self, done: Done, cx: &mut Cx<'_>) {
        match done {
            Done::Status(seen) => self.seen(seen, cx),
            Done::Metrics(metrics) => {
                let read = |found: Result<_, String>| found.map(|metrics| Numbers::of(&metrics));
                let numbers = metrics.into_iter().map(|(service, found)| (service, read(found))).collect();
                if self.letters.told(&numbers) {
                    self.letters.ask(cx);
                }
                self.flow.told(numbers);
            }
            Done::Letters(letters) => self.letters.read(letters),
            Done::Acted(acted) => self.letters.acted(acted),
            Done::ActedAll(act) => self.letters.acted_all(act, cx),
            Done::Mended(service, id, result) => self.letters.mended((service, id), *result, cx),
            Done::Audit(part, page) => self.audit.read(&part, page),
            Done::AuditChecked(check) => self.audit.checked(check),
            Done::Tail(path, tail) => self.logs.read(&path, tail),
        }
    }

    fn seen(&mut self, seen: Seen, cx: &mut Cx<'_>) {
        self.health.seen(seen, cx);
        if let Some(status) = self.health.processes() {
            self.logs.processes(status);
        }
        if self.screen == LOGS {
            self.logs.ask(cx);
        }
    }

    /// What is done in every screen, or leads from one to another. Whether it was that.
    fn act_here(&mut self, action: Action, cx: &mut Cx<'_>) -> bool {
        match (action, self.screen) {
            (keys::REFRESH, _) => {
                self.ask(cx);
                let reads = cx.books.read_again();
                let role = cx.role;
                reads.into_iter().for_each(|read| cx.run(Effect::Books(role, read)));
                // The board has its own to read.
                if self.screen == CHAOS {
                    self.board.act(action, cx);
                }
            }
            (keys::OPEN, HEALTH) => match self.health.chosen().map(str::to_owned) {
                Some(name) => {
                    self.logs.show(&name);
                    self.go(LOGS, cx);
                }
                None => cx.note("logs are read from this machine's cluster alone"),
            },
            _ => return false,
        }
        true
    }
}

impl Area for Admin {
    fn scopes(&self) -> Vec<Scope> {
        self.shown().scopes()
    }

    fn takes_text(&self) -> bool {
        self.shown().takes_text()
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> bool {
        self.act_here(action, cx) || self.shown_mut().act(action, cx)
    }

    fn edit(&mut self, edit: Edit, cx: &mut Cx<'_>) {
        self.shown_mut().edit(edit, cx);
    }

    fn hear(&mut self, record: &EventRecord, cx: &mut Cx<'_>) {
        self.flow.hear(record, cx);
        self.events.hear(record, cx);
        self.audit.hear(record, cx);
        self.board.hear(record, cx);
    }

    fn books_changed(&mut self, cx: &mut Cx<'_>) {
        if !std::mem::replace(&mut self.has_begun, true) {
            self.ask(cx);
        }
        self.board.books_changed(cx);
    }

    fn ticks(&self, show: &Show<'_>) -> bool {
        self.shown().ticks(show)
    }

    fn tick(&mut self, cx: &mut Cx<'_>) {
        self.shown_mut().tick(cx);
        if self.screen == LETTERS {
            self.flow.ask_every(LETTERS_EVERY_MS, cx);
        }
    }

    fn screens(&self) -> &'static [&'static str] {
        &SCREENS
    }

    fn screen(&self) -> usize {
        self.screen
    }

    fn go(&mut self, screen: usize, cx: &mut Cx<'_>) {
        self.screen = screen.min(CHAOS);
        self.ask(cx);
        if self.screen == CHAOS {
            self.board.look(cx);
        }
    }

    fn choose(&mut self, what: Choice, cx: &mut Cx<'_>) {
        if let (ORDERS, Choice::Order(id)) = (self.screen, what) {
            self.orders.choose(id, cx.books);
        }
    }

    fn click(&mut self, at: Position, cx: &mut Cx<'_>) {
        self.shown_mut().click(at, cx);
    }

    fn wheel(&mut self, at: Position, wheel: Wheel, cx: &mut Cx<'_>) {
        self.shown_mut().wheel(at, wheel, cx);
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        self.shown_mut().draw(frame, area, show);
    }
}
