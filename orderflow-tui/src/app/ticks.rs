//! What goes on by itself: what counts down, and the board, which looks now and then.

use std::time::{Duration, Instant};

use orderflow_contracts::api::console::Role;

use super::{App, Moment};
use crate::{
    chaos::Board,
    desk::{Desk, Screens, Stage},
    lessons::Lessons,
    msg::Effect,
};

/// What counts down is drawn so often.
const TICK: Duration = Duration::from_secs(1);

impl App {
    /// When something goes on by itself, if it does.
    pub fn next_tick(&mut self, now: Moment) -> Option<Instant> {
        if self.ticks(now) {
            self.tick_at.get_or_insert(now.instant + TICK);
        } else {
            self.tick_at = None;
        }
        let corner = self.board().and_then(|board| board.next_change(now.wall)).map(|wait| now.instant + wait);
        [self.notices.next_end(), self.reread.next(), self.tick_at, corner].into_iter().flatten().min()
    }

    /// The chaos board, whose corner is always to be seen.
    pub(crate) fn board(&self) -> Option<&Board> {
        self.desks.iter().find_map(|desk| match &desk.stage {
            Stage::Work(work) => match &work.screens {
                Screens::Admin(admin) => Some(&admin.board),
                _ => None,
            },
            Stage::Login(_) => None,
        })
    }

    fn ticks(&self, now: Moment) -> bool {
        let shown = |desk: &&Desk| !desk.place.is_empty();
        let ticks = |desk: &Desk| match &desk.stage {
            Stage::Work(work) => work.waits_since.is_some() || work.see().ticks(&self.show(desk.role, work, now)),
            Stage::Login(login) => login.ticks(),
        };
        let is_behind = |desk: &Desk| matches!(&desk.stage, Stage::Work(work) if work.behind.is_some());
        self.desks.iter().filter(shown).any(ticks)
            || self.desks.iter().any(is_behind)
            || self.lessons.as_ref().is_some_and(Lessons::ticks)
            || self.is_starting_again()
    }

    /// A moment that [`App::next_tick`] has named has come.
    pub fn tick(&mut self, now: Moment) -> Vec<Effect> {
        self.notices.expire(now.instant);
        let mut effects = self.read_again(now);
        if self.tick_at.is_some_and(|at| at <= now.instant) {
            self.tick_at = None;
            effects.extend(self.second(now));
        }
        effects.extend(self.lead(now));
        effects.extend(self.look_at_board(now));
        self.one_at_a_time(&mut effects);
        self.mark_stale(now);
        self.watch(now);
        effects
    }

    /// What is set is always to be seen, so the board looks now and then, wherever the admin is.
    fn look_at_board(&mut self, now: Moment) -> Vec<Effect> {
        if self.board().is_none_or(|board| !board.wants_look(now.wall)) {
            return Vec::new();
        }
        self.with_screens(Role::Admin, now, |screens, cx| {
            if let Screens::Admin(admin) = screens {
                admin.board.look(cx);
            }
        })
    }

    fn second(&mut self, now: Moment) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.tick_start();
        let roles: Vec<Role> = self.desks.iter().filter(|desk| !desk.place.is_empty()).map(|desk| desk.role).collect();
        for role in roles {
            effects.extend(self.with(role, now, |area, cx| area.tick(cx)));
            if let Some(Desk { stage: Stage::Login(login), .. }) = self.desk(role) {
                login.tick();
            }
        }
        if let Some(lessons) = &mut self.lessons {
            effects.extend(lessons.tick());
        }
        effects
    }
}
