//! What the lessons need of the console around them: desks side by side, the person led from one to the other, and
//! everything mended before they go.

use orderflow_contracts::api::console::Role;
use ratatui::layout::Rect;

use super::{App, Moment};
use crate::{
    area::Choice,
    desk::{Desk, Stage},
    lessons::{self, Lead, Lessons, Place},
    login,
    msg::Effect,
    overlay::Tone,
    timeline,
};

/// A lesson's desks stand side by side in less than this in one direction only: it leads from one to the other anyway.
const LESSON_DESKS_FROM: (u16, u16) = (96, 16);
/// Columns that a desk's border takes.
const BORDERS: u16 = 2;

impl App {
    /// Opens the lessons, or closes them.
    pub(super) fn toggle_lessons(&mut self) -> Vec<Effect> {
        if self.lessons.is_some() {
            return self.close_lessons();
        }
        let can_play = self.setup.is_local && self.setup.is_running;
        self.lessons = Some(Lessons::new(self.setup.remembered.lessons_done.clone(), can_play));
        Vec::new()
    }

    /// Closes them; what they have broken is mended, and the desks stand as before.
    pub(super) fn close_lessons(&mut self) -> Vec<Effect> {
        if let Some(split) = self.split_before.take() {
            self.split = split;
        }
        self.lead_waits = None;
        self.lessons.take().map(|mut lessons| lessons.close()).unwrap_or_default()
    }

    /// Whether keys go to the list of lessons, and not to a desk.
    pub(super) fn lessons_have_keys(&self) -> bool {
        self.lessons.as_ref().is_some_and(Lessons::has_keys)
    }

    /// The desks that are to be seen in a place, if there is room for them.
    pub(super) fn shown(&self, place: Rect) -> Vec<Role> {
        let all = self.desks.iter().map(|desk| desk.role);
        let is_lesson = self.lessons.as_ref().is_some_and(Lessons::is_under_way);
        match (self.split && self.desks.len() > 1, is_lesson) {
            (false, _) => vec![self.focus],
            (true, false) => all.collect(),
            // A lesson leaves little room: it shows its own desks, and another one only if somebody goes there.
            (true, true) if place.height < LESSON_DESKS_FROM.1 && place.width < LESSON_DESKS_FROM.0 => vec![self.focus],
            // A lane for each service needs more room than half a desk's.
            (true, true) if self.reads_timeline() && place.width < 2 * (timeline::LANES_FROM + BORDERS) => {
                vec![self.focus]
            }
            (true, true) => all.filter(|role| lessons::DESKS.contains(role) || *role == self.focus).collect(),
        }
    }

    fn reads_timeline(&self) -> bool {
        let desk = self.desks.iter().find(|desk| desk.role == self.focus);
        desk.is_some_and(|desk| matches!(&desk.stage, Stage::Work(work) if work.timeline.is_some()))
    }

    /// Leads the person to where the lesson goes on.
    pub(super) fn lead(&mut self, now: Moment) -> Vec<Effect> {
        let Some(lead) = self.lessons.as_mut().and_then(Lessons::take_lead) else { return Vec::new() };
        let before = self.focus;
        // Whoever writes is not interrupted.
        let writes = self.desks.iter().any(|desk| desk.role == before && desk.takes_text());
        let mut effects = Vec::new();
        let there = lead.place.map(|place| place.role).filter(|role| !lessons::DESKS.contains(role));
        for role in lessons::DESKS.into_iter().chain(there) {
            let wanted = self.go_to(role);
            let is_out = self.desks.iter().any(|desk| desk.role == role && matches!(desk.stage, Stage::Login(_)));
            if wanted.is_empty() && is_out {
                // Somebody has logged out there; a lesson needs to hear what happens.
                effects.push(Effect::Login(role, login::Do::TestAccount));
            }
            effects.extend(wanted);
            // What an earlier lesson was about is not in the way of this one.
            if lead.product.is_none()
                && let Some(work) = self.desk(role).and_then(Desk::work)
            {
                work.timeline = None;
            }
        }
        self.split_before.get_or_insert(self.split);
        self.split = true;
        self.focus = if lessons::DESKS.contains(&before) { before } else { lessons::DESKS[0] };
        self.lead_waits = None;
        if let Some(place) = lead.place.filter(|_| !writes) {
            self.focus = place.role;
            if before != place.role && self.desks.iter().any(|desk| desk.role == before) {
                // What lies over the screen there was of the step before: it does not stay behind.
                effects.extend(self.with(before, now, |area, cx| area.go(area.screen(), cx)));
            }
            if self.desk(place.role).is_some_and(|desk| matches!(desk.stage, Stage::Login(_))) {
                self.lead_waits = Some(lead);
            } else {
                effects.extend(self.show_screen(place, &lead, now));
            }
        }
        effects
    }

    /// Somebody has logged in at a desk to which a lesson has led.
    pub(super) fn lead_on(&mut self, role: Role, now: Moment) -> Vec<Effect> {
        let is_here = |lead: &mut Lead| lead.place.is_some_and(|place| place.role == role);
        let Some(lead) = self.lead_waits.take_if(is_here) else { return Vec::new() };
        lead.place.map(|place| self.show_screen(place, &lead, now)).unwrap_or_default()
    }

    /// Shows a screen, without anything over it, and chooses there what the lesson is about.
    fn show_screen(&mut self, place: Place, lead: &Lead, now: Moment) -> Vec<Effect> {
        let Some(work) = self.desk(place.role).and_then(Desk::work) else { return Vec::new() };
        work.timeline = None;
        let titles = work.screens.see().screens();
        let Some(screen) = titles.iter().position(|title| title.eq_ignore_ascii_case(place.screen)) else {
            return Vec::new();
        };
        let product = lead.product.as_ref();
        // What was just put up for sale may not have been read yet.
        if let Some(product) = product.filter(|product| work.books.products.get(product.id).is_none()) {
            work.books.put_product(product.clone());
        }
        let product = product.map(|product| Choice::Product(product.id));
        let choices = [product, lead.order.map(Choice::Order)];
        self.with(place.role, now, |area, cx| {
            area.go(screen, cx);
            choices.into_iter().flatten().for_each(|choice| area.choose(choice, cx));
        })
    }

    pub(super) fn lessons_done(&mut self, done: lessons::Done, now: Moment) -> Vec<Effect> {
        if let lessons::Done::Mended(Err(trouble)) = &done {
            let text = format!("what the lesson has broken is not mended: {}", trouble.why);
            self.notices.push(Tone::Bad, &text, now.instant);
        }
        let Some(lessons) = &mut self.lessons else { return Vec::new() };
        let (mut effects, learnt) = lessons.done(done);
        if let Some(name) = learnt
            && !self.setup.remembered.lessons_done.iter().any(|done| done == name)
        {
            self.notices.push(Tone::Good, &format!("lesson done: {}", lessons::title_of(name)), now.instant);
            self.setup.remembered.lessons_done.push(name.to_owned());
            effects.push(Effect::Save(self.remember()));
        }
        effects
    }
}
