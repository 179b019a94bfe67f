//! The chaos board: every fault, every process, scenarios, the clock, the laboratory, and what verify says.
//!
//! ```text
//!   keys ──▶ act ──▶ Do ──▶ effects ──▶ orderflow_chaos::Hand           looking (shown: every 2 s; after each change) ──▶ Situation
//!                      └──▶ children: `orderflow chaos run`, `orderflow load`
//!   events ──▶ checking: verify, and how old its word is ──▶ corner of the header
//! ```
//!
//! What is broken is not remembered here: it is asked for. What is remembered is how it is going to be set.

mod act;
mod checking;
mod children;
mod corner;
mod draw;
mod effects;
mod faults;
mod jobs;
mod keymap;
mod looking;
mod rows;
mod search;
mod situation;
#[cfg(test)]
mod tests;
mod words;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use orderflow_chaos::Situation;
use orderflow_cluster::Action as Signal;
use orderflow_contracts::{
    api::{
        chaos::FaultName,
        console::{EventRecord, Role},
    },
    timestamp::Timestamp,
};
use ratatui::{
    Frame,
    layout::{Position, Rect},
};

use self::{
    checking::Checking,
    faults::{Edit, Lasts},
    jobs::Job,
    looking::Asking,
};
pub use self::{
    children::{Children, Ending, Part},
    effects::{Change, Do, Done, Scenario, carry_out},
    keymap::*,
    rows::{Row, Section},
    situation::Counts,
};
use crate::{
    area::Area,
    cx::{Cx, Show},
    input::Edit as Typed,
    keys::{self, Action, Scope},
    msg::Effect,
    widgets::{Field, ListState},
};

/// What was done to a process, and what came of it.
struct Deed {
    signal: Signal,
    at: Timestamp,
    /// Its process id then: another one says that it was started again.
    pid: Option<u32>,
    back_at: Option<Timestamp>,
}

/// The chaos board.
pub struct Board {
    seen: Situation,
    services: Asking,
    supervisor: Asking,
    edits: BTreeMap<FaultName, Edit>,
    seed: u64,
    lasts: HashMap<Row, Lasts>,
    deeds: HashMap<&'static str, Deed>,
    busy: HashSet<Row>,
    problems: HashMap<Row, String>,
    jump: usize,
    skews: HashMap<Row, usize>,
    scenarios: Option<Result<Vec<Scenario>, String>>,
    playing: Option<(Job, Option<usize>)>,
    load: Option<Job>,
    rate: usize,
    checking: Checking,
    rows: Vec<Row>,
    folded: BTreeSet<Section>,
    list: ListState,
    clears: bool,
    search: Option<Field>,
}

impl Default for Board {
    fn default() -> Self {
        let mut board = Self {
            seen: Situation::default(),
            services: Asking::default(),
            supervisor: Asking::default(),
            edits: FaultName::ALL.map(|name| (name, Edit::of(name))).into(),
            seed: 1,
            lasts: HashMap::new(),
            deeds: HashMap::new(),
            busy: HashSet::new(),
            problems: HashMap::new(),
            jump: 1,
            skews: HashMap::new(),
            scenarios: None,
            playing: None,
            load: None,
            rate: jobs::RATE_FIRST,
            checking: Checking::default(),
            rows: Vec::new(),
            folded: BTreeSet::new(),
            list: ListState::default(),
            clears: false,
            search: None,
        };
        board.make_rows();
        board.list.choose(1);
        board
    }
}

/// What time it is by the machine's clock, which faults and supervisor go by.
const fn machine(now: Timestamp, clock_ahead_ms: i64) -> Timestamp {
    Timestamp(now.0.saturating_sub(clock_ahead_ms))
}

fn now(cx: &Cx<'_>) -> Timestamp {
    machine(cx.now, cx.books.clock_ahead_ms)
}

fn run(cx: &mut Cx<'_>, wanted: impl IntoIterator<Item = Do>) {
    wanted.into_iter().for_each(|wanted| cx.run(Effect::Chaos(wanted)));
}

impl Board {
    /// Something was done.
    pub fn done(&mut self, done: Done, cx: &mut Cx<'_>) {
        let now = now(cx);
        match done {
            Done::Looked(services) => self.looked(services, cx),
            Done::Supervised(status) => self.supervised(*status, cx),
            Done::Scenarios(read) => self.scenarios = Some(read),
            Done::Changed(row, came) => self.changed(row, came, cx),
            Done::NotNoted(said) => cx.note(said),
            Done::Cleared(counts, failed) => self.cleared(&counts, &failed, cx),
            Done::Rested(name, number) => self.rested(name, number, cx),
            Done::Said(part, line) => self.said(part, line, now),
            Done::Ended(part, ending) => self.ended(part, ending, cx),
            Done::Quiet(events) => {
                let wanted = self.checking.quiet(events, now);
                run(cx, wanted);
            }
            Done::Waits(what) => self.checking.waits(what),
            Done::Verified(came) => {
                let wanted = self.checking.done(came, now);
                run(cx, wanted);
            }
        }
        self.make_rows();
    }
}

impl Area for Board {
    fn scopes(&self) -> Vec<Scope> {
        if self.search.is_some() {
            return vec![SEARCH];
        }
        let of_row = self.chosen().and_then(|row| match row {
            Row::Title(_) => Some(TITLES),
            Row::Fault(_) => Some(FAULTS),
            Row::Process(_) => Some(PROCESSES),
            Row::Line(_) => Some(LINES),
            Row::Clocks | Row::Clock(_) => Some(CLOCKS),
            Row::Load | Row::Scenario(_) => Some(PLAY),
            Row::Pattern(_) => Some(LAB),
            Row::Violation(..) => Some(FINDINGS),
            Row::Check(_) | Row::More(_) | Row::Words(_) => None,
        });
        of_row.into_iter().chain([CHAOS, keys::LIST]).collect()
    }

    fn takes_text(&self) -> bool {
        self.search.is_some()
    }

    fn edit(&mut self, edit: Typed, _: &mut Cx<'_>) {
        self.search_edit(&edit);
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> bool {
        match (action, &self.search) {
            (NEXT_FOUND | PREVIOUS_FOUND, _) => {
                self.search_next(action == NEXT_FOUND);
                return true;
            }
            (keys::BACK, Some(_)) => {
                self.search = None;
                return true;
            }
            (keys::SEARCH, _) => {
                self.search();
                return true;
            }
            _ => {}
        }
        if self.list.act(action, self.rows.len()) {
            return true;
        }
        let was_it = self.act_on_board(action, cx) || self.act_on_row(action, cx);
        self.make_rows();
        was_it
    }

    fn hear(&mut self, _: &EventRecord, cx: &mut Cx<'_>) {
        let wanted = self.checking.hear();
        run(cx, wanted);
    }

    /// The first time that the desk knows something, the corner is to know what is broken.
    fn books_changed(&mut self, cx: &mut Cx<'_>) {
        if !self.has_looked() {
            self.look(cx);
        }
    }

    fn ticks(&self, _: &Show<'_>) -> bool {
        true
    }

    fn tick(&mut self, cx: &mut Cx<'_>) {
        self.look_on(cx);
    }

    fn click(&mut self, at: Position, cx: &mut Cx<'_>) {
        if self.list.click(at, self.rows.len(), cx.now) == Some(true) {
            self.act(ACT, cx);
        }
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        self.draw_board(frame, area, show);
    }
}

impl Deed {
    /// Whether it is still to come back by itself.
    fn is_awaited(&self) -> bool {
        matches!(self.signal, Signal::Kill | Signal::Restart) && self.back_at.is_none()
    }
}

/// Everybody's countdowns go by the services' clock: who has moved it has the desks ask for it.
fn clock_moved(cx: &mut Cx<'_>) {
    for role in [Role::Customer, Role::Seller, Role::Admin] {
        cx.run(Effect::Books(role, crate::books::Do::Clock));
    }
}
