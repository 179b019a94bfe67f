//! What is read again by itself: stock that has moved, orders that may be further than they look, the services' clock.

use std::time::{Duration, Instant};

use orderflow_contracts::api::console::{EventRecord, Role};

use super::{App, Moment};
use crate::{
    books,
    desk::{Desk, Stage},
    msg::Effect,
};

/// Products that are read again at one time for each desk, and orders: what a person wants done does not wait behind
/// them.
const STALE_AT_ONCE: usize = 4;
/// What has moved is read again after so long: several events of one order come together.
const STALE_AFTER: Duration = Duration::from_millis(150);
/// The same, if it could not be read just now: a service that is down is not asked six times a second.
const STALE_AGAIN: Duration = Duration::from_secs(2);
/// A live event from so far away says that the services' clock was moved, in milliseconds.
const CLOCK_MOVED_MS: u64 = 5_000;
/// How long the clock is not asked for again: longer each time that it could not be read or has told nothing new, as
/// when one service's clock alone is off, and each of its events is from another time.
const CLOCK_RESTS: [Duration; 5] = [
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(16),
    Duration::from_secs(30),
];

/// When something is read again.
#[derive(Default)]
pub(super) struct Reread {
    stale_at: Option<Instant>,
    /// The clock could not be read, and is asked for then though nothing happens.
    clock_at: Option<Instant>,
    /// The clock is not asked for before.
    clock_rests_until: Option<Instant>,
    /// How often in a row it was asked for in vain.
    clock_in_vain: usize,
}

impl Reread {
    /// When something is to be done next.
    pub(super) fn next(&self) -> Option<Instant> {
        self.stale_at.into_iter().chain(self.clock_at).min()
    }

    /// Whether the clock may be asked for now. Then it rests.
    fn may_ask_clock(&mut self, now: Instant) -> bool {
        if self.clock_rests_until.is_some_and(|until| now < until) {
            return false;
        }
        // Whoever has not asked for so long begins anew.
        if self.clock_rests_until.is_some_and(|until| now.duration_since(until) > CLOCK_RESTS[CLOCK_RESTS.len() - 1]) {
            self.clock_in_vain = 0;
        }
        self.rest_clock(now);
        self.clock_in_vain += 1;
        self.clock_at = None;
        true
    }

    fn rest_clock(&mut self, now: Instant) -> Instant {
        let until = now + CLOCK_RESTS[self.clock_in_vain.min(CLOCK_RESTS.len() - 1)];
        self.clock_rests_until = Some(until);
        until
    }

    fn clock_not_read(&mut self, now: Instant) {
        self.clock_at = Some(self.rest_clock(now));
    }
}

impl App {
    /// A product is read once at a time, whoever wants it: of two answers nobody could say which is the newer one.
    pub(super) fn one_at_a_time(&mut self, effects: &mut Vec<Effect>) {
        effects.retain(|effect| match effect {
            Effect::Books(role, books::Do::Product(id)) => {
                self.desk(*role).and_then(Desk::work).is_some_and(|work| work.books.products.ask(*id))
            }
            _ => true,
        });
    }

    pub(super) fn mark_stale(&mut self, now: Moment) {
        let is_stale = |desk: &Desk| matches!(&desk.stage, Stage::Work(work) if work.books.has_stale(STALE_AT_ONCE));
        if self.reread.stale_at.is_none() && self.desks.iter().any(is_stale) {
            self.reread.stale_at = Some(now.instant + STALE_AFTER);
        }
    }

    /// Reads again what is due.
    pub(super) fn read_again(&mut self, now: Moment) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.reread.stale_at.is_some_and(|at| at <= now.instant) {
            self.reread.stale_at = None;
            for desk in &mut self.desks {
                let role = desk.role;
                let Some(work) = desk.work() else { continue };
                let reads = work.books.take_stale(STALE_AT_ONCE);
                effects.extend(reads.into_iter().map(|read| Effect::Books(role, read)));
            }
        }
        if self.reread.clock_at.is_some_and(|at| at <= now.instant) {
            effects.extend(self.ask_clock(now));
        }
        effects
    }

    /// Nothing says that the services' clock was moved; their events do, by being from another time.
    pub(super) fn look_at_clock(&mut self, role: Role, record: &EventRecord, now: Moment) -> Vec<Effect> {
        let Some(work) = self.desk(role).and_then(Desk::work) else { return Vec::new() };
        let is_moved = work.books.service_time(now.wall).0.abs_diff(record.at.0) > CLOCK_MOVED_MS;
        if is_moved { self.ask_clock(now) } else { Vec::new() }
    }

    fn ask_clock(&mut self, now: Moment) -> Vec<Effect> {
        if !self.reread.may_ask_clock(now.instant) {
            return Vec::new();
        }
        let roles = self.desks.iter().filter(|desk| matches!(desk.stage, Stage::Work(_))).map(|desk| desk.role);
        roles.map(|role| Effect::Books(role, books::Do::Clock)).collect()
    }

    /// Something was read for a desk: what that says of when to read again.
    pub(super) fn learn(&mut self, role: Role, done: &books::Done, now: Moment) {
        match done {
            books::Done::Product(_, Err(error)) | books::Done::Order(_, Err(error)) if error.is_transient() => {
                self.reread.stale_at = Some(now.instant + STALE_AGAIN);
            }
            books::Done::Orders(read) if read.end.is_err() => {
                self.reread.stale_at = Some(now.instant + STALE_AGAIN);
            }
            books::Done::Clock(Err(error)) if error.is_transient() => self.reread.clock_not_read(now.instant),
            books::Done::Clock(Ok(ahead_ms)) => {
                let known = self.desk(role).and_then(Desk::work).map(|work| work.books.clock_ahead_ms);
                if known.is_some_and(|known| known != *ahead_ms) {
                    self.reread.clock_in_vain = 0;
                }
            }
            _ => {}
        }
    }
}
