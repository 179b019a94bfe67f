//! What keys do to the rows, and what came of it.

use orderflow_client::{Service, chaos::services_of};
use orderflow_cluster::{Action as Signal, State};
use orderflow_contracts::{
    api::{chaos::FaultName, ops::Pattern},
    words::word,
};

use super::{
    ACT, Board, CLEAR, Deed, FOUND, KEEP, KILL, LASTS, LESS, LOAD, MORE, NEXT_SECTION, OFTENER, PAUSE, PLACE,
    PREVIOUS_SECTION, RARER, RESTART, Row, SEED, TAKE_BACK, VERIFY,
    checking::order_of,
    children::Part,
    clock_moved,
    effects::{Change, Do},
    jobs::RATES,
    now, run,
    situation::{Counts, LINES},
};
use crate::{
    cx::Cx,
    keys::{self, Action},
    msg::Effect,
    overlay::Confirm,
    text,
};

/// How far all clocks jump, in milliseconds.
pub const JUMPS_MS: [i64; 3] = [60_000, 600_000, 3_600_000];
/// How far one clock is set off from the others, in milliseconds.
pub const SKEWS_MS: [i64; 5] = [-300_000, -60_000, 60_000, 300_000, 3_600_000];
/// The first of these that is offered, by its place.
pub const SKEW_FIRST: usize = 3;

impl Board {
    /// What works wherever one is on the board.
    pub(super) fn act_on_board(&mut self, action: Action, cx: &mut Cx<'_>) -> bool {
        match action {
            CLEAR => self.clear(cx),
            VERIFY => match self.checking.begin(now(cx)) {
                Some(wanted) => run(cx, [wanted]),
                None => cx.note("it is being verified already"),
            },
            KEEP => {
                let wanted = self.checking.toggle(now(cx));
                let said = if self.checking.keeps {
                    "verifies whenever something has happened"
                } else {
                    "verifies only when asked to"
                };
                cx.note(said);
                run(cx, wanted);
            }
            LOAD => self.toggle_load(cx),
            FOUND => self.go_findings(),
            NEXT_SECTION => self.go_section(true),
            PREVIOUS_SECTION => self.go_section(false),
            keys::REFRESH => {
                self.scenarios = None;
                self.look_again(cx);
                // The books are read again as well.
                return false;
            }
            keys::BACK => return self.stop(Part::Scenario, cx),
            _ => return false,
        }
        true
    }

    /// What works on the chosen row.
    pub(super) fn act_on_row(&mut self, action: Action, cx: &mut Cx<'_>) -> bool {
        let Some(row) = self.chosen() else { return false };
        match (row, action) {
            (Row::Title(section), ACT) => self.fold(section),
            (Row::Fault(name), _) => return self.act_on_fault(name, action, cx),
            (Row::Process(process), ACT | PAUSE) => self.pause(process, cx),
            (Row::Process(process), KILL) => self.signal(process, Signal::Kill, cx),
            (Row::Process(process), RESTART) => self.signal(process, Signal::Restart, cx),
            (Row::Process(process), TAKE_BACK) if self.is_paused(process) => self.pause(process, cx),
            (Row::Line(line), ACT) => self.cut(line, cx),
            (Row::Line(line), TAKE_BACK) if self.is_cut(line) => self.cut(line, cx),
            (Row::Process(_) | Row::Line(_), LASTS) => {
                let lasts = self.lasts.entry(row).or_default();
                *lasts = lasts.next();
            }
            (Row::Clocks | Row::Clock(_), _) => return self.act_on_clock(row, action, cx),
            (Row::Load, ACT) => self.toggle_load(cx),
            (Row::Load, MORE) => self.rate = (self.rate + 1).min(RATES.len() - 1),
            (Row::Load, LESS) => self.rate = self.rate.saturating_sub(1),
            (Row::Load, TAKE_BACK) => return self.stop(Part::Load, cx),
            (Row::Scenario(index), ACT) if self.is_played(index) => return self.stop(Part::Scenario, cx),
            (Row::Scenario(index), ACT) => self.play(index, cx),
            (Row::Pattern(pattern), ACT) => self.pattern(pattern, cx),
            (Row::Pattern(pattern), TAKE_BACK) if !self.seen.out_in(pattern).is_empty() => self.pattern(pattern, cx),
            (Row::Violation(check, at), ACT) => self.open_order(check, at, cx),
            (Row::Violation(check, at), keys::COPY) => self.copy(check, at, cx),
            (_, TAKE_BACK) => return self.stop(Part::Scenario, cx),
            _ => return false,
        }
        true
    }

    fn act_on_fault(&mut self, name: FaultName, action: Action, cx: &mut Cx<'_>) -> bool {
        let is_set = !self.seen.fault(name).is_empty();
        let Some(edit) = self.edits.get_mut(&name) else { return false };
        match action {
            ACT if is_set => self.unset(name, cx),
            ACT => self.set(name, cx),
            TAKE_BACK if is_set => self.unset(name, cx),
            MORE | LESS | OFTENER | RARER | PLACE | LASTS => {
                match action {
                    MORE | LESS => edit.slide(name, action == MORE),
                    OFTENER | RARER => edit.likely(action == OFTENER),
                    PLACE => edit.next_place(name),
                    _ => edit.lasts = edit.lasts.next(),
                }
                if is_set {
                    // It is set anew when the slider rests: each time it begins anew, and stands in the audit log.
                    (edit.touched, edit.number) = (true, edit.number + 1);
                    let number = edit.number;
                    run(cx, [Do::Rest(name, number)]);
                }
            }
            SEED => {
                self.seed = self.seed % 99 + 1;
                cx.note(format!("seed {} for what is set from now on", self.seed));
            }
            TAKE_BACK => return self.stop(Part::Scenario, cx),
            _ => return false,
        }
        true
    }

    fn change(&mut self, row: Row, change: Change, cx: &mut Cx<'_>) {
        if !self.busy.insert(row) {
            cx.note("one after the other: the change before is still on its way");
            return;
        }
        self.problems.remove(&row);
        run(cx, [Do::Change(row, change)]);
    }

    fn set(&mut self, name: FaultName, cx: &mut Cx<'_>) {
        let Some(edit) = self.edits.get(&name) else { return };
        if edit.percent == 0 {
            cx.note(format!("at 0% {} never strikes; right makes it more", word(name)));
            return;
        }
        if self.busy.contains(&Row::Fault(name)) {
            // Half of it would be done otherwise.
            return cx.note("one after the other: the change before is still on its way");
        }
        let (set, services) = (edit.set(name, self.seed), edit.services(name));
        // In other services it would go on as it was.
        let elsewhere = self.seen.fault(name).into_iter().map(|(service, _)| service);
        let elsewhere: Vec<Service> = elsewhere.filter(|service| !services.contains(service)).collect();
        if !elsewhere.is_empty() {
            run(cx, [Do::Change(Row::Fault(name), Change::Unset { name, services: elsewhere })]);
        }
        self.change(Row::Fault(name), Change::Set { name, set, services }, cx);
    }

    fn unset(&mut self, name: FaultName, cx: &mut Cx<'_>) {
        if let Some(edit) = self.edits.get_mut(&name) {
            edit.touched = false;
        }
        // One that is silent may have it too, and is told as well.
        let silent =
            self.seen.silent().map(|(service, _)| service).filter(|service| services_of(name, None).contains(service));
        let services = self.seen.fault(name).into_iter().map(|(service, _)| service).chain(silent).collect();
        self.change(Row::Fault(name), Change::Unset { name, services }, cx);
    }

    /// A slider rests: what it says now is set, if the fault still is.
    pub(super) fn rested(&mut self, name: FaultName, number: u64, cx: &mut Cx<'_>) {
        let Some(edit) = self.edits.get_mut(&name).filter(|edit| edit.touched && edit.number == number) else { return };
        if self.busy.contains(&Row::Fault(name)) {
            // The change before is still on its way.
            run(cx, [Do::Rest(name, number)]);
            return;
        }
        edit.touched = false;
        let is_never = edit.percent == 0;
        match self.seen.fault(name).is_empty() {
            true => {}
            false if is_never => self.unset(name, cx),
            false => self.set(name, cx),
        }
    }

    fn is_paused(&self, process: &str) -> bool {
        self.seen.process(process).is_some_and(|process| matches!(process.state, State::Paused | State::HeldDown))
    }

    fn pause(&mut self, process: &'static str, cx: &mut Cx<'_>) {
        let signal = if self.is_paused(process) { Signal::Resume } else { Signal::Pause };
        self.signal(process, signal, cx);
    }

    fn signal(&mut self, process: &'static str, signal: Signal, cx: &mut Cx<'_>) {
        let row = Row::Process(process);
        let Some(status) = self.seen.process(process) else {
            cx.note(format!("{process} is not a process of this cluster"));
            return;
        };
        let deed = Deed { signal, at: now(cx), pid: status.pid, back_at: None };
        let lasts = self.lasts.get(&row).copied().unwrap_or_default();
        // A process that is killed for a while is held down for so long.
        let for_ms = if matches!(signal, Signal::Pause | Signal::Kill) { lasts.ms() } else { None };
        if !self.busy.contains(&row) {
            self.deeds.insert(process, deed);
        }
        self.change(row, Change::Signal { process, action: signal, for_ms }, cx);
    }

    fn is_cut(&self, line: usize) -> bool {
        LINES.get(line).is_some_and(|(service, from)| self.seen.cut(*service, *from).is_some())
    }

    fn cut(&mut self, line: usize, cx: &mut Cx<'_>) {
        let Some((service, from)) = LINES.get(line).copied() else { return };
        let row = Row::Line(line);
        let change = if self.is_cut(line) {
            Change::Heal { service, from }
        } else {
            Change::Cut { service, from, for_ms: self.lasts.get(&row).copied().unwrap_or_default().ms() }
        };
        self.change(row, change, cx);
    }

    /// How far a clock is going to be set off, by its place in [`SKEWS_MS`].
    pub(super) fn skew(&self, row: Row) -> usize {
        self.skews.get(&row).copied().unwrap_or(SKEW_FIRST)
    }

    /// What a jump ends does not begin again when the clocks are set back, so it is asked about.
    fn jump(&mut self, cx: &mut Cx<'_>) {
        let by_ms = JUMPS_MS[self.jump];
        let minutes = by_ms / 60_000;
        let title = format!("Set all clocks {minutes} {} ahead?", if minutes == 1 { "minute" } else { "minutes" });
        let text = "Whatever has a deadline until then meets it: reservations that nobody has paid for expire, and their \
                    orders are cancelled. Setting the clocks back does not bring them back.";
        cx.confirm(Confirm::new(title, text, Effect::Chaos(Do::Change(Row::Clocks, Change::Advance { by_ms }))));
    }

    fn act_on_clock(&mut self, row: Row, action: Action, cx: &mut Cx<'_>) -> bool {
        let step = |at: usize, len: usize| if action == MORE { (at + 1).min(len - 1) } else { at.saturating_sub(1) };
        let common = self.seen.common_ms();
        match (row, action) {
            (Row::Clocks, ACT) => self.jump(cx),
            (Row::Clocks, TAKE_BACK) => {
                let services = Service::WITH_CLOCK.to_vec();
                self.change(row, Change::Clocks { services, offset_ms: 0 }, cx);
            }
            (Row::Clocks, MORE | LESS) => self.jump = step(self.jump, JUMPS_MS.len()),
            (Row::Clock(_), MORE | LESS) => {
                let at = step(self.skew(row), SKEWS_MS.len());
                self.skews.insert(row, at);
            }
            (Row::Clock(service), ACT) => {
                let offset_ms = common.saturating_add(SKEWS_MS[self.skew(row)]);
                self.change(row, Change::Clocks { services: vec![service], offset_ms }, cx);
            }
            (Row::Clock(service), TAKE_BACK) => {
                self.change(row, Change::Clocks { services: vec![service], offset_ms: common }, cx);
            }
            _ => return false,
        }
        true
    }

    fn is_played(&self, index: usize) -> bool {
        self.playing.as_ref().is_some_and(|(job, at)| job.runs() && *at == Some(index))
    }

    fn pattern(&mut self, pattern: Pattern, cx: &mut Cx<'_>) {
        let out = self.seen.out_in(pattern).is_empty();
        self.change(Row::Pattern(pattern), Change::Pattern { pattern, out }, cx);
    }

    fn violation(&self, check: usize, at: usize) -> Option<&orderflow_client::verify::Violation> {
        self.checking.report()?.checks.get(check)?.violations.get(at)
    }

    fn open_order(&self, check: usize, at: usize, cx: &mut Cx<'_>) {
        match self.violation(check, at).and_then(order_of) {
            Some(id) => cx.timeline(id),
            None => cx.note("no order is named there"),
        }
    }

    fn copy(&self, check: usize, at: usize, cx: &mut Cx<'_>) {
        if let Some(violation) = self.violation(check, at) {
            let id = order_of(violation).map(|id| id.to_string());
            cx.copy(id.unwrap_or_else(|| text::plain(&violation.subject)));
        }
    }

    /// Takes everything back.
    pub(super) fn clear(&mut self, cx: &mut Cx<'_>) {
        if std::mem::replace(&mut self.clears, true) {
            return;
        }
        self.edits.values_mut().for_each(|edit| edit.touched = false);
        self.problems.clear();
        run(cx, [Do::Clear]);
    }

    /// Everything was taken back.
    pub(super) fn cleared(&mut self, counts: &Counts, failed: &[String], cx: &mut Cx<'_>) {
        self.clears = false;
        let words = counts.words();
        let out: Vec<String> = self.seen.out().into_iter().map(word).collect();
        let stays = if out.is_empty() { String::new() } else { format!("; OUT stays {}", out.join(", ")) };
        match (words.is_empty(), failed.is_empty()) {
            (true, true) => cx.note(format!("nothing was broken on purpose{stays}")),
            (false, true) => cx.good(format!("taken back: {}{stays}", words.join(", "))),
            (_, false) => cx.bad(format!("not all was taken back: {}", failed.join("; "))),
        }
        if self.plays(Part::Scenario) {
            cx.note("the scenario goes on, and breaks more; x stops it");
        }
        clock_moved(cx);
        self.look_again(cx);
    }

    /// Something was changed, or not.
    pub(super) fn changed(&mut self, row: Row, came: Result<(), String>, cx: &mut Cx<'_>) {
        self.busy.remove(&row);
        match (came, row) {
            (Err(why), _) => {
                cx.bad(why.clone());
                self.problems.insert(row, why);
            }
            // The audit log has it before it is done, and may have been waited for.
            (Ok(()), Row::Process(name)) => {
                let now = now(cx);
                self.deeds.entry(name).and_modify(|deed| deed.at = now);
            }
            _ => {}
        }
        if matches!(row, Row::Clocks | Row::Clock(_)) {
            clock_moved(cx);
        }
        self.look_again(cx);
    }
}
