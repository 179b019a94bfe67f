//! What has come by the streams, and what came of effects. A question about an order follows both.

use orderflow_contracts::{
    api::console::{EventRecord, Role},
    timestamp::Timestamp,
};

use super::{App, Moment};
use crate::{
    cx::{Cx, Out},
    desk::{Desk, Screens, Work},
    live::{Heard, Live},
    msg::{Done, Effect},
    overlay::{Confirm, Overlay, Tone},
    timeline,
};

impl App {
    pub(super) fn heard(&mut self, role: Role, heard: Heard, now: Moment) -> Vec<Effect> {
        let Some(work) = self.desk(role).and_then(Desk::work) else { return Vec::new() };
        match heard {
            Heard::Open { whole } => {
                let reads = if whole { Vec::new() } else { work.books.read_missed() };
                work.live = Live::Open;
                let mut effects: Vec<_> = reads.into_iter().map(|read| Effect::Books(role, read)).collect();
                // What could not be read while it was away may be there again too.
                effects.extend(self.read_failed_now(role));
                effects
            }
            Heard::Event(record) => self.event(role, &record, now),
            Heard::Broken { why, quiet } => {
                let quiet_ms = i64::try_from(quiet.as_millis()).unwrap_or(i64::MAX);
                let since = match &work.live {
                    Live::Broken { since, .. } => *since,
                    _ => Timestamp(now.wall.0.saturating_sub(quiet_ms)),
                };
                work.live = Live::Broken { why, since };
                self.look_for_cluster(role)
            }
            Heard::Over(why) => {
                self.notices.push(Tone::Bad, &why, now.instant);
                self.logged_out(role);
                // Whoever would work with it next is told no, so nobody does.
                vec![Effect::Logout(role)]
            }
        }
    }

    fn event(&mut self, role: Role, record: &EventRecord, now: Moment) -> Vec<Effect> {
        let mut effects = self.look_at_clock(role, record, now);
        if let Some(work) = self.desk(role).and_then(Desk::work) {
            work.hear(record, now);
        }
        let heard = self.with_all(role, now, |area, cx| area.hear(record, cx));
        effects.extend(heard);
        effects.extend(self.follow_question(role, now));
        if let Some(lessons) = &mut self.lessons {
            effects.extend(lessons.hear(role, record));
        }
        effects
    }

    /// A question about an order never says what is not so any more.
    fn follow_question(&mut self, role: Role, now: Moment) -> Vec<Effect> {
        let Some(Overlay::Confirm(Confirm { order: Some((of, id)), text, .. })) = &self.overlay else {
            return Vec::new();
        };
        if *of != role {
            return Vec::new();
        }
        let (id, text) = (*id, text.clone());
        self.overlay = None;
        let effects = self.with_screens(role, now, |screens, cx| screens.area().ask_anew(id, cx));
        if matches!(&self.overlay, Some(Overlay::Confirm(anew)) if anew.text != text) {
            self.notices.push(Tone::Note, "the order has changed meanwhile: read the question again", now.instant);
        }
        effects
    }

    pub(super) fn done(&mut self, done: Done, now: Moment) -> Vec<Effect> {
        match done {
            Done::Login(role, done) => self.login_done(role, done, now),
            Done::Books(role, done) => {
                self.learn(role, &done, now);
                if let Some(work) = self.desk(role).and_then(Desk::work) {
                    work.books.done(done, now.wall);
                }
                let mut effects = self.with_all(role, now, |area, cx| area.books_changed(cx));
                effects.extend(self.follow_question(role, now));
                effects
            }
            Done::Customer(done) => self.with_screens(Role::Customer, now, |screens, cx| {
                if let Screens::Customer(customer) = screens {
                    customer.done(done, cx);
                }
            }),
            Done::Seller(done) => self.with_screens(Role::Seller, now, |screens, cx| {
                if let Screens::Seller(seller) = screens {
                    seller.done(done, cx);
                }
            }),
            Done::Admin(done) => self.with_screens(Role::Admin, now, |screens, cx| {
                if let Screens::Admin(admin) = screens {
                    admin.done(done, cx);
                }
            }),
            Done::Chaos(done) => self.with_screens(Role::Admin, now, |screens, cx| {
                if let Screens::Admin(admin) = screens {
                    admin.board.done(done, cx);
                }
            }),
            Done::Timeline(role, done) => self.timeline_done(role, done, now),
            Done::Lessons(done) => self.lessons_done(done, now),
        }
    }

    fn timeline_done(&mut self, role: Role, done: timeline::Done, now: Moment) -> Vec<Effect> {
        let is_local = self.setup.is_local;
        let mut out = Out::default();
        if let Some(Work { books, timeline: Some(timeline), .. }) = self.desk(role).and_then(Desk::work) {
            let service_now = books.service_time(now.wall);
            timeline.done(done, &mut Cx { role, books, now: service_now, is_local, out: &mut out });
        }
        self.settle(role, out, now)
    }
}
