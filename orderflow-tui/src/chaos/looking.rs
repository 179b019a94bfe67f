//! Asking what is broken: the services and the supervisor each by themselves, so that a service that does not answer
//! keeps nobody from seeing what the supervisor says.

use std::time::Duration;

use orderflow_chaos::There;
use orderflow_client::Service;
use orderflow_cluster::{Action as Signal, State, control::Status};
use orderflow_contracts::timestamp::Timestamp;

use super::{Board, Deed, Row, effects::Do, now, run};
use crate::cx::Cx;

/// What is broken is asked for so often while the board is shown, in milliseconds, …
const LOOK_MS: i64 = 2_000;
/// … and so often while it is not: no event tells of what somebody else breaks, and the corner of the header is always
/// to be seen.
const LOOK_AWAY_MS: i64 = 10_000;

/// Whether somebody is being asked, and when that was.
#[derive(Default)]
pub struct Asking {
    asks: bool,
    again: bool,
    /// By the machine's clock.
    at: Option<Timestamp>,
}

impl Asking {
    /// Begins, if it is not being asked already.
    fn begin(&mut self, now: Timestamp) -> bool {
        let begins = !self.asks;
        if begins {
            (self.asks, self.at) = (true, Some(now));
        }
        begins
    }

    /// There is an answer. Whether it is of any use: one from before a change is not.
    fn ended(&mut self, now: Timestamp) -> bool {
        (self.asks, self.at) = (false, Some(now));
        !std::mem::take(&mut self.again)
    }

    fn is_due(&self, every_ms: i64, now: Timestamp) -> bool {
        self.at.is_none_or(|at| now.0.saturating_sub(at.0) >= every_ms)
    }

    /// In how many milliseconds it is to be asked again while the board is not shown, once it was asked.
    fn due_ms(&self, now: Timestamp) -> Option<i64> {
        let at = self.at.filter(|_| !self.asks)?;
        Some(LOOK_AWAY_MS.saturating_sub(now.0.saturating_sub(at.0)).max(0))
    }
}

impl Board {
    /// Asks what is broken, whoever is not being asked already. To be called when the board is shown; while it is, it
    /// asks by itself.
    pub fn look(&mut self, cx: &mut Cx<'_>) {
        if self.scenarios.is_none() {
            self.scenarios = Some(Ok(Vec::new()));
            run(cx, [Do::Scenarios]);
        }
        self.look_at_supervisor(cx);
        self.look_at_services(cx);
    }

    fn look_at_services(&mut self, cx: &mut Cx<'_>) {
        if self.services.begin(now(cx)) {
            run(cx, [Do::Look]);
        }
    }

    fn look_at_supervisor(&mut self, cx: &mut Cx<'_>) {
        if self.supervisor.begin(now(cx)) {
            run(cx, [Do::Supervisor]);
        }
    }

    /// Asks again after something was changed: an answer that is on its way may be from before.
    pub(super) fn look_again(&mut self, cx: &mut Cx<'_>) {
        for asking in [&mut self.services, &mut self.supervisor] {
            asking.again |= asking.asks;
        }
        self.look(cx);
    }

    /// Asks whoever is to be asked again while the board is shown.
    pub(super) fn look_on(&mut self, cx: &mut Cx<'_>) {
        let now = now(cx);
        let waits = self.deeds.values().any(Deed::is_awaited);
        if self.supervisor.is_due(if waits { 0 } else { LOOK_MS }, now) {
            self.look_at_supervisor(cx);
        }
        if self.services.is_due(LOOK_MS, now) {
            self.look_at_services(cx);
        }
    }

    /// Whether anybody was asked yet.
    pub(super) const fn has_looked(&self) -> bool {
        self.services.at.is_some()
    }

    /// Whether it is to be asked now, though the board is not shown: what the corner says must not be old.
    pub fn wants_look(&self, now: Timestamp) -> bool {
        self.look_due_ms(now) == Some(0)
    }

    fn look_due_ms(&self, now: Timestamp) -> Option<i64> {
        [&self.services, &self.supervisor].into_iter().filter_map(|asking| asking.due_ms(now)).min()
    }

    /// How long it takes until the corner changes, or is to be asked for, by itself.
    pub fn next_change(&self, now: Timestamp) -> Option<Duration> {
        let ms = [self.look_due_ms(now), self.age_changes_ms(now)].into_iter().flatten().min()?;
        Some(Duration::from_millis(ms.max(1).unsigned_abs()))
    }

    /// The services have said what is set in them.
    pub(super) fn looked(&mut self, services: Vec<(Service, Result<There, String>)>, cx: &mut Cx<'_>) {
        if !self.services.ended(now(cx)) {
            return self.look_at_services(cx);
        }
        self.seen.services = services;
        for (name, edit) in &mut self.edits {
            let set = self.seen.fault(*name);
            if let Some((_, fault)) = set.first().filter(|_| !edit.touched) {
                let services: Vec<_> = set.iter().map(|(service, _)| *service).collect();
                edit.adopt(*name, &fault.set, &services);
            }
        }
    }

    /// The supervisor has said how its processes and lines are.
    pub(super) fn supervised(&mut self, status: Result<Status, String>, cx: &mut Cx<'_>) {
        if !self.supervisor.ended(now(cx)) {
            return self.look_at_supervisor(cx);
        }
        self.seen.status = Some(status);
        let (now, seen, busy) = (now(cx), &self.seen, &self.busy);
        self.deeds.retain(|name, deed| {
            let Some(process) = seen.process(name).filter(|_| !busy.contains(&Row::Process(name))) else { return true };
            let is_back = process.state == State::Ready && process.pid != deed.pid;
            if is_back && deed.back_at.is_none() {
                // When it was started, whenever it is that we hear of it.
                let up_ms = i64::try_from(process.uptime_ms).unwrap_or(0);
                deed.back_at = Some(Timestamp(now.0.saturating_sub(up_ms).max(deed.at.0)));
            }
            // A pause ends by itself, or somebody else ends it: the note of it goes with it.
            deed.signal != Signal::Pause || process.state == State::Paused
        });
    }
}
