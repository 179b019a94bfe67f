//! The chaos board: every fault, every process, scenarios, the clock, the laboratory, and what verify says.
//!
//! ```text
//!   keys ──▶ act ──▶ Do ──▶ effects ──▶ orderflow_chaos::Hand           Look (shown: every 2 s; after each change) ──▶ Situation
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
mod rows;
mod search;
mod situation;
#[cfg(test)]
mod tests;
mod words;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    time::Duration,
};

use orderflow_chaos::Situation;
use orderflow_cluster::{Action as Signal, State};
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

/// What is broken is asked for so often while the board is shown, in milliseconds, …
const LOOK_MS: i64 = 2_000;
/// … and so often while it is not: no event tells of what somebody else breaks, and the corner of the header is always
/// to be seen.
const LOOK_AWAY_MS: i64 = 10_000;

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
    looks: bool,
    looks_again: bool,
    /// By the machine's clock.
    looked_at: Option<Timestamp>,
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
            looks: false,
            looks_again: false,
            looked_at: None,
            edits: orderflow_client::chaos::FAULTS.map(|name| (name, Edit::of(name))).into(),
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
    /// Asks what is broken, if it is not being asked already. To be called when the board is shown; while it is, it
    /// asks by itself.
    pub fn look(&mut self, cx: &mut Cx<'_>) {
        if self.scenarios.is_none() {
            self.scenarios = Some(Ok(Vec::new()));
            run(cx, [Do::Scenarios]);
        }
        if !self.looks {
            self.looks = true;
            self.looked_at = Some(now(cx));
            run(cx, [Do::Look]);
        }
    }

    /// Asks again after something was changed: an answer that is on its way may be from before.
    fn look_again(&mut self, cx: &mut Cx<'_>) {
        self.looks_again |= self.looks;
        self.look(cx);
    }

    /// Whether it is to be asked now, though the board is not shown: what the corner says must not be old.
    pub fn wants_look(&self, now: Timestamp) -> bool {
        !self.looks && self.look_due_ms(now).is_some_and(|ms| ms == 0)
    }

    /// In how many milliseconds it is to be asked again, once it was asked.
    fn look_due_ms(&self, now: Timestamp) -> Option<i64> {
        Some(LOOK_AWAY_MS.saturating_sub(now.0.saturating_sub(self.looked_at?.0)).max(0))
    }

    /// How long it takes until the corner changes, or is to be asked for, by itself.
    pub fn next_change(&self, now: Timestamp) -> Option<Duration> {
        let look = self.look_due_ms(now).filter(|_| !self.looks);
        let ms = [look, self.age_changes_ms(now)].into_iter().flatten().min()?;
        Some(Duration::from_millis(ms.max(1).unsigned_abs()))
    }

    /// Something was done.
    pub fn done(&mut self, done: Done, cx: &mut Cx<'_>) {
        let now = now(cx);
        match done {
            Done::Looked(situation) => self.looked(*situation, cx),
            Done::Scenarios(read) => self.scenarios = Some(read),
            Done::Changed(row, came) => self.changed(row, came, cx),
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

    fn looked(&mut self, situation: Situation, cx: &mut Cx<'_>) {
        self.looks = false;
        if std::mem::take(&mut self.looks_again) {
            self.look(cx);
            return;
        }
        self.seen = situation;
        let now = now(cx);
        self.looked_at = Some(now);
        for (name, edit) in &mut self.edits {
            let set = self.seen.fault(*name);
            if let Some((_, fault)) = set.first().filter(|_| !edit.touched) {
                let services: Vec<_> = set.iter().map(|(service, _)| *service).collect();
                edit.adopt(*name, &fault.set, &services);
            }
        }
        for (name, deed) in &mut self.deeds {
            let process = self.seen.process(name);
            let is_back = process.is_some_and(|one| one.state == State::Ready && one.pid != deed.pid);
            if is_back && deed.back_at.is_none() {
                deed.back_at = Some(now);
            }
        }
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
        if self.looked_at.is_none() {
            self.look(cx);
        }
    }

    fn ticks(&self, _: &Show<'_>) -> bool {
        true
    }

    fn tick(&mut self, cx: &mut Cx<'_>) {
        let now = now(cx);
        let waits = self.deeds.values().any(Deed::is_awaited);
        let every_ms = if waits { 0 } else { LOOK_MS };
        if self.looked_at.is_none_or(|at| now.0 - at.0 >= every_ms) {
            self.look(cx);
        }
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
