//! A part of the console at work: what a desk gives it, and what comes of what it wanted.

use orderflow_contracts::api::console::Role;

use super::{App, Moment};
use crate::{
    area::Area,
    cx::{Cx, Out},
    desk::{Desk, Screens, Work},
    msg::Effect,
    overlay::Overlay,
    timeline::Timeline,
};

impl App {
    /// Does something with what has the keys of a desk, and with what comes of that.
    pub(super) fn with(
        &mut self,
        role: Role,
        now: Moment,
        act: impl FnOnce(&mut dyn Area, &mut Cx<'_>),
    ) -> Vec<Effect> {
        let is_local = self.setup.is_local;
        let mut out = Out::default();
        if let Some(work) = self.desk(role).and_then(Desk::work) {
            let Work { books, screens, timeline, .. } = work;
            let service_now = books.service_time(now.wall);
            let mut cx = Cx { role, books, now: service_now, is_local, out: &mut out };
            match timeline {
                Some(timeline) => act(timeline, &mut cx),
                None => act(screens.area(), &mut cx),
            }
        }
        self.settle(role, out, now)
    }

    /// The same with the screens and the timeline, whichever has the keys.
    pub(super) fn with_all(
        &mut self,
        role: Role,
        now: Moment,
        mut act: impl FnMut(&mut dyn Area, &mut Cx<'_>),
    ) -> Vec<Effect> {
        let is_local = self.setup.is_local;
        let mut out = Out::default();
        if let Some(work) = self.desk(role).and_then(Desk::work) {
            let Work { books, screens, timeline, .. } = work;
            let service_now = books.service_time(now.wall);
            let mut cx = Cx { role, books, now: service_now, is_local, out: &mut out };
            act(screens.area(), &mut cx);
            if let Some(timeline) = timeline {
                act(timeline, &mut cx);
            }
        }
        self.settle(role, out, now)
    }

    pub(super) fn with_screens(
        &mut self,
        role: Role,
        now: Moment,
        act: impl FnOnce(&mut Screens, &mut Cx<'_>),
    ) -> Vec<Effect> {
        let is_local = self.setup.is_local;
        let mut out = Out::default();
        if let Some(Work { books, screens, .. }) = self.desk(role).and_then(Desk::work) {
            let service_now = books.service_time(now.wall);
            act(screens, &mut Cx { role, books, now: service_now, is_local, out: &mut out });
        }
        self.settle(role, out, now)
    }

    /// What a part of the console wanted.
    pub(super) fn settle(&mut self, role: Role, out: Out, now: Moment) -> Vec<Effect> {
        let Out { mut effects, notices, confirm, timeline, close_timeline } = out;
        for (tone, text) in notices {
            self.notices.push(tone, &text, now.instant);
        }
        if let Some(confirm) = confirm {
            self.overlay = Some(Overlay::Confirm(confirm));
        }
        if let Some(work) = self.desk(role).and_then(Desk::work) {
            if close_timeline {
                work.timeline = None;
            }
            if let Some(id) = timeline {
                let (timeline, wanted) = Timeline::of(id);
                work.timeline = Some(timeline);
                effects.extend(wanted.into_iter().map(|wanted| Effect::Timeline(role, wanted)));
            }
        }
        effects
    }
}
