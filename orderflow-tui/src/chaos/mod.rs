//! The chaos board: every fault, every process, scenarios, the clock, the laboratory, and what verify says.
//!
//! ```text
//!   keys ──▶ act ──▶ Do ──▶ effects ──▶ hand: services, supervisor      Look (shown: every 2 s; after each change) ──▶ Situation
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
mod hand;
mod jobs;
mod rows;
mod situation;
#[cfg(test)]
mod tests;
mod words;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    time::Duration,
};

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
    rows::{Row, Section},
    situation::{Counts, Situation, There},
};
use crate::{
    area::Area,
    cx::{Cx, Show},
    keys::{self, Action, Binding, Scope},
    msg::Effect,
    widgets::ListState,
};

/// The whole board.
pub const CHAOS: Scope = Scope("chaos");
/// Where a section's title is chosen.
pub const TITLES: Scope = Scope("chaos: sections");
/// Where a fault is chosen.
pub const FAULTS: Scope = Scope("chaos: faults");
/// Where a process is chosen.
pub const PROCESSES: Scope = Scope("chaos: processes");
/// Where a line is chosen.
pub const LINES: Scope = Scope("chaos: lines");
/// Where a clock is chosen.
pub const CLOCKS: Scope = Scope("chaos: clock");
/// Where a scenario or the load is chosen.
pub const PLAY: Scope = Scope("chaos: scenarios and load");
/// Where a pattern is chosen.
pub const LAB: Scope = Scope("chaos: laboratory");
/// Where something is chosen that verify says.
pub const FINDINGS: Scope = Scope("chaos: verify");

/// Does what is to be done with the chosen row.
pub const ACT: Action = Action("chaos.act");
/// Takes the chosen thing back, or stops it.
pub const TAKE_BACK: Action = Action("chaos.take_back");
/// Moves the slider down.
pub const LESS: Action = Action("chaos.less");
/// Moves the slider up.
pub const MORE: Action = Action("chaos.more");
/// Makes a fault less likely.
pub const RARER: Action = Action("chaos.rarer");
/// Makes it more likely.
pub const OFTENER: Action = Action("chaos.oftener");
/// Takes the next services.
pub const PLACE: Action = Action("chaos.place");
/// Takes the next span of time.
pub const LASTS: Action = Action("chaos.lasts");
/// Takes the next seed.
pub const SEED: Action = Action("chaos.seed");
/// Kills.
pub const KILL: Action = Action("chaos.kill");
/// Pauses, or resumes.
pub const PAUSE: Action = Action("chaos.pause");
/// Restarts.
pub const RESTART: Action = Action("chaos.restart");
/// Takes everything back.
pub const CLEAR: Action = Action("chaos.clear");
/// Starts load, or stops it.
pub const LOAD: Action = Action("chaos.load");
/// Verifies.
pub const VERIFY: Action = Action("chaos.verify");
/// Keeps verifying, or no longer.
pub const KEEP: Action = Action("chaos.verify_keep");
/// Goes to what verify has found.
pub const FOUND: Action = Action("chaos.found");
/// Goes to the next section.
pub const NEXT_SECTION: Action = Action("chaos.section_next");
/// Goes to the section before.
pub const PREVIOUS_SECTION: Action = Action("chaos.section_previous");

/// The keys of the chaos board.
pub const BINDINGS: &[Binding] = &[
    Binding::new(TITLES, ACT, &["space", "enter"], "fold", "fold the section, or open it"),
    Binding::new(FAULTS, ACT, &["space", "enter"], "set", "set the fault, or take it back"),
    Binding::new(FAULTS, MORE, &["right", "l"], "more", "more: likely, or long; the next point of a crash"),
    Binding::new(FAULTS, LESS, &["left", "h"], "less", "less of it; the point before of a crash"),
    Binding::new(FAULTS, PLACE, &["s"], "where", "set it in other services: all, or one"),
    Binding::new(FAULTS, LASTS, &["t"], "how long", "let it last: until cleared, 10s, 30s, 2m"),
    Binding::new(FAULTS, OFTENER, &["+", "="], "", "more likely, of what takes its time"),
    Binding::new(FAULTS, RARER, &["-"], "", "less likely, of what takes its time"),
    Binding::new(FAULTS, SEED, &["n"], "", "another seed: the same one makes the same decisions"),
    Binding::new(PROCESSES, KILL, &["K"], "kill", "kill the process as kill -9 does; it is started again"),
    Binding::new(PROCESSES, PAUSE, &["P"], "pause", "pause the process, or let it go on"),
    Binding::new(PROCESSES, RESTART, &["R"], "restart", "stop the process gently; it is started again"),
    Binding::new(PROCESSES, LASTS, &["t"], "how long", "let a pause last: until resumed, 10s, 30s, 2m"),
    Binding::new(PROCESSES, ACT, &["space", "enter"], "", "pause the process, or let it go on"),
    Binding::new(LINES, ACT, &["space", "enter"], "cut", "cut the line, or make it whole"),
    Binding::new(LINES, LASTS, &["t"], "how long", "let a cut last: until healed, 10s, 30s, 2m"),
    Binding::new(CLOCKS, ACT, &["space", "enter"], "jump", "jump ahead; one clock alone: set it off from the others"),
    Binding::new(CLOCKS, MORE, &["right", "l"], "further", "jump further"),
    Binding::new(CLOCKS, LESS, &["left", "h"], "", "jump less far"),
    Binding::new(PLAY, ACT, &["space", "enter"], "play", "play the scenario, or stop it; the same with load"),
    Binding::new(PLAY, MORE, &["right", "l"], "", "more orders a second"),
    Binding::new(PLAY, LESS, &["left", "h"], "", "fewer orders a second"),
    Binding::new(LAB, ACT, &["space", "enter"], "take out", "take the pattern out, or put it back"),
    Binding::new(FINDINGS, ACT, &["enter", "space"], "order", "open the timeline of the order that a violation names"),
    Binding::new(CHAOS, TAKE_BACK, &["x"], "back", "take back what is chosen, or stop what plays"),
    Binding::new(CHAOS, CLEAR, &["c"], "clear all", "take everything back: faults, cuts, pauses, odd clocks"),
    Binding::new(CHAOS, VERIFY, &["v"], "verify", "count every piece, cent and event once all is at rest"),
    Binding::new(CHAOS, KEEP, &["V"], "", "keep verifying: again whenever something has happened"),
    Binding::new(CHAOS, LOAD, &["L"], "load", "keep orders coming, or stop them"),
    Binding::new(CHAOS, FOUND, &["w"], "", "go to what verify has found"),
    Binding::new(CHAOS, NEXT_SECTION, &["}", "J"], "", "go to the next section"),
    Binding::new(CHAOS, PREVIOUS_SECTION, &["{"], "", "go to the section before"),
];

/// What is broken is asked for so often while the board is shown, in milliseconds, …
const LOOK_MS: i64 = 2_000;
/// … and so often while it is not, as long as the corner of the header says that something is.
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
        let is_due = self.looked_at.is_none_or(|at| now.0 - at.0 >= LOOK_AWAY_MS);
        is_due && !self.looks && self.says_something()
    }

    fn says_something(&self) -> bool {
        !self.seen.counts().is_none() || !self.seen.out().is_empty()
    }

    /// How long it takes until the corner changes, or is to be asked for, by itself.
    pub fn next_change(&self, now: Timestamp) -> Option<Duration> {
        let look = (self.says_something() && !self.looks)
            .then(|| self.looked_at.map_or(0, |at| LOOK_AWAY_MS.saturating_sub(now.0.saturating_sub(at.0))));
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
        let of_row = self.chosen().and_then(|row| match row {
            Row::Title(_) => Some(TITLES),
            Row::Fault(_) => Some(FAULTS),
            Row::Process(_) => Some(PROCESSES),
            Row::Line(_) => Some(LINES),
            Row::Clocks | Row::Clock(_) => Some(CLOCKS),
            Row::Load | Row::Scenario(_) => Some(PLAY),
            Row::Pattern(_) => Some(LAB),
            Row::Check(_) | Row::Violation(..) | Row::More(_) => Some(FINDINGS),
            Row::Words(_) => None,
        });
        of_row.into_iter().chain([CHAOS, keys::LIST]).collect()
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> bool {
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
        if self.list.click(at, self.rows.len()) == Some(true) {
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
