//! The core of the console: what it shows, and what becomes of it when something comes. It waits for nothing.
//!
//! ```text
//!   Msg ──▶ App::update ──▶ Effects        App::draw ──▶ a frame        App::next_tick: when something goes on by itself
//! ```

mod desks;
mod draw;
mod failed;
mod gone;
mod guide;
mod news;
mod parts;
mod reread;
mod route;
#[cfg(test)]
mod tests;
mod ticks;

use std::time::Instant;

use orderflow_contracts::{api::console::Role, timestamp::Timestamp};

use crate::{
    config::Remembered,
    cx::Show,
    desk::{Desk, Work},
    keys::KeyMap,
    lessons::{Lead, Lessons},
    msg::{Effect, Msg},
    overlay::{Notices, Overlay, Tone},
    theme::{Theme, ThemeName},
};

pub use self::failed::Failed;
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
        self.watch_failed(now);
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
