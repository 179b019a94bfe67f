//! The core of the console: what it shows, and what becomes of it when something comes. It waits for nothing.
//!
//! ```text
//!   Msg ──▶ App::update ──▶ Effects        App::draw ──▶ a frame        App::next_tick: when something goes on by itself
//! ```

mod draw;
mod gone;
mod guide;
mod reread;
mod route;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use orderflow_contracts::{
    api::console::{Account, EventRecord, Role},
    timestamp::Timestamp,
};

use crate::{
    area::Area,
    config::Remembered,
    cx::{Cx, Out, Show},
    desk::{Desk, Screens, Stage, Work},
    keys::KeyMap,
    lessons::{Lead, Lessons},
    live::{Heard, Live},
    login::{self, Login},
    msg::{Done, Effect, Msg},
    overlay::{Confirm, Notices, Overlay, Tone},
    theme::{Theme, ThemeName},
    timeline::{self, Timeline},
};

use self::{gone::Gone, reread::Reread};

/// What time it is, for a message or a frame.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// For spans of time.
    pub instant: Instant,
    /// By the wall's clock.
    pub wall: Timestamp,
}

/// What the console is begun with.
pub struct Setup {
    /// The cluster's name.
    pub cluster: String,
    /// Whether there is anything to log in to.
    pub is_running: bool,
    /// The cluster is on this machine.
    pub is_local: bool,
    /// Desks to go straight to, with their test accounts.
    pub go_as: Vec<Role>,
    /// The keys.
    pub keys: KeyMap,
    /// What was remembered.
    pub remembered: Remembered,
    /// The theme to begin with, if it is another one than that which was remembered.
    pub theme: Option<ThemeName>,
    /// Whether the mouse is on.
    pub mouse: bool,
}

/// What counts down is drawn so often.
const TICK: Duration = Duration::from_secs(1);

/// The console.
pub struct App {
    pub(crate) setup: Setup,
    pub(crate) theme: Theme,
    pub(crate) desks: Vec<Desk>,
    pub(crate) focus: Role,
    pub(crate) split: bool,
    pub(crate) mouse: bool,
    pub(crate) overlay: Option<Overlay>,
    pub(crate) notices: Notices,
    pub(crate) lessons: Option<Lessons>,
    /// Whether desks stood side by side before a lesson put them so.
    split_before: Option<bool>,
    /// Where a lesson or the palette leads to, once somebody is logged in there.
    lead_waits: Option<Lead>,
    reread: Reread,
    /// The cluster has stopped.
    gone: Option<Gone>,
    tick_at: Option<Instant>,
    is_over: bool,
}

impl App {
    /// The console at its start, and what it wants first.
    pub fn new(setup: Setup) -> (Self, Vec<Effect>) {
        let theme = Theme::of(setup.theme.unwrap_or(setup.remembered.theme));
        let first = setup.go_as.first().copied();
        let remembered = &setup.remembered;
        let focus = first.or(remembered.desks.first().copied()).unwrap_or(Role::Customer);
        let split = setup.go_as.len() > 1 || (first.is_none() && remembered.split && remembered.desks.len() > 1);
        let mouse = setup.mouse;
        let mut app = Self {
            theme,
            desks: Vec::new(),
            focus,
            split,
            mouse,
            overlay: None,
            notices: Notices::default(),
            lessons: None,
            split_before: None,
            lead_waits: None,
            reread: Reread::default(),
            gone: None,
            tick_at: None,
            is_over: false,
            setup,
        };
        let mut effects = Vec::new();
        let (go_as, remembered) = (&app.setup.go_as, &app.setup.remembered.desks);
        let roles = match (go_as.is_empty(), remembered.is_empty()) {
            (false, _) => go_as.clone(),
            (true, false) => remembered.clone(),
            (true, true) => vec![focus],
        };
        for role in roles {
            effects.extend(app.open(role));
        }
        app.focus = focus;
        if mouse {
            effects.push(Effect::Mouse(true));
        }
        (app, effects)
    }

    /// Whether it has come to its end.
    pub const fn is_over(&self) -> bool {
        self.is_over
    }

    /// Opens a desk, if it is not open; where the cluster is local, with its test account.
    fn open(&mut self, role: Role) -> Vec<Effect> {
        self.focus = role;
        if self.desks.iter().any(|desk| desk.role == role) {
            return Vec::new();
        }
        let login = Login::new(role, self.setup.is_running, self.setup.is_local);
        self.desks.push(Desk::new(role, login));
        self.desks.sort_by_key(|desk| order_of(desk.role));
        let goes_straight = self.setup.go_as.contains(&role) && self.setup.is_running && self.setup.is_local;
        if goes_straight { vec![Effect::Login(role, login::Do::TestAccount)] } else { Vec::new() }
    }

    fn desk(&mut self, role: Role) -> Option<&mut Desk> {
        self.desks.iter_mut().find(|desk| desk.role == role)
    }

    /// Something has come. What is wanted of it.
    pub fn update(&mut self, message: Msg, now: Moment) -> Vec<Effect> {
        let mut effects = match message {
            Msg::Input(input) => self.input(input, now),
            Msg::Live(role, heard) => self.heard(role, heard, now),
            Msg::Done(done) => self.done(done, now),
            Msg::End => vec![Effect::Quit],
        };
        effects.extend(self.lead(now));
        if effects.iter().any(|effect| matches!(effect, Effect::Quit)) {
            self.is_over = true;
            effects.extend(self.close_lessons());
            effects.push(Effect::Save(self.remember()));
        }
        self.one_at_a_time(&mut effects);
        self.mark_stale(now);
        self.watch(now);
        self.offer_start(now);
        effects
    }

    /// Whose answers are waited for, and since when.
    fn watch(&mut self, now: Moment) {
        self.desks.iter_mut().filter_map(Desk::work).for_each(|work| work.watch(now.instant));
    }

    /// What the layout is now.
    fn remember(&self) -> Remembered {
        let desks = self.desks.iter().map(|desk| desk.role).collect();
        let split = self.split_before.unwrap_or(self.split);
        Remembered { split, desks, ..self.setup.remembered.clone() }
    }

    /// What was to be remembered could not be written down.
    pub fn not_remembered(&mut self, why: &std::io::Error, now: Moment) {
        self.notices.push(Tone::Bad, &format!("the layout is not remembered: {why}"), now.instant);
    }

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
    fn board(&self) -> Option<&crate::chaos::Board> {
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

    /// Does something with what has the keys of a desk, and with what comes of that.
    fn with(&mut self, role: Role, now: Moment, act: impl FnOnce(&mut dyn Area, &mut Cx<'_>)) -> Vec<Effect> {
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
    fn with_all(&mut self, role: Role, now: Moment, mut act: impl FnMut(&mut dyn Area, &mut Cx<'_>)) -> Vec<Effect> {
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

    /// What a part of the console wanted.
    fn settle(&mut self, role: Role, out: Out, now: Moment) -> Vec<Effect> {
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

    fn heard(&mut self, role: Role, heard: Heard, now: Moment) -> Vec<Effect> {
        let Some(work) = self.desk(role).and_then(Desk::work) else { return Vec::new() };
        match heard {
            Heard::Open { whole } => {
                let reads = if whole { Vec::new() } else { work.books.read_missed() };
                work.live = Live::Open;
                reads.into_iter().map(|read| Effect::Books(role, read)).collect()
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

    fn done(&mut self, done: Done, now: Moment) -> Vec<Effect> {
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

    fn with_screens(&mut self, role: Role, now: Moment, act: impl FnOnce(&mut Screens, &mut Cx<'_>)) -> Vec<Effect> {
        let is_local = self.setup.is_local;
        let mut out = Out::default();
        if let Some(Work { books, screens, .. }) = self.desk(role).and_then(Desk::work) {
            let service_now = books.service_time(now.wall);
            act(screens, &mut Cx { role, books, now: service_now, is_local, out: &mut out });
        }
        self.settle(role, out, now)
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

    fn login_done(&mut self, role: Role, done: login::Done, now: Moment) -> Vec<Effect> {
        match done {
            login::Done::In(account) => {
                self.setup.is_running = true;
                self.logged_in(role, account, now)
            }
            login::Done::Up(Ok(())) => self.cluster_is_up(now),
            login::Done::Looked(cluster) => {
                self.looked(cluster, now);
                Vec::new()
            }
            done => {
                self.login_said(role, done, now);
                Vec::new()
            }
        }
    }

    /// Somebody has logged in. Their role says whose desk it is, which may not be the one at which they did.
    fn logged_in(&mut self, asked_at: Role, account: Account, now: Moment) -> Vec<Effect> {
        let role = account.role;
        self.desks.retain(|desk| desk.role != asked_at && desk.role != role);
        let work = Stage::Work(Box::new(Work::new(account)));
        self.desks.push(Desk { role, stage: work, place: ratatui::layout::Rect::ZERO });
        self.desks.sort_by_key(|desk| order_of(desk.role));
        if self.focus == asked_at {
            self.focus = role;
        }
        // What it knows of the services is read when its stream is open, so that nothing falls in between.
        let mut effects = self.with(role, now, |area, cx| area.begin(cx));
        effects.extend(self.lead_on(role, now));
        effects
    }

    fn logged_out(&mut self, role: Role) {
        let (is_running, is_local) = (self.setup.is_running, self.setup.is_local);
        if let Some(desk) = self.desk(role) {
            desk.stage = Stage::Login(Box::new(Login::new(role, is_running, is_local)));
        }
    }

    fn show<'a>(&'a self, role: Role, work: &'a Work, now: Moment) -> Show<'a> {
        Show {
            role,
            books: &work.books,
            live: &work.live,
            now: work.books.service_time(now.wall),
            focused: self.focus == role && self.overlay.is_none() && !self.lessons_have_keys(),
            is_local: self.setup.is_local,
            theme: &self.theme,
            keys: &self.setup.keys,
        }
    }
}

const fn order_of(role: Role) -> u8 {
    match role {
        Role::Customer => 0,
        Role::Seller => 1,
        Role::Admin => 2,
    }
}
