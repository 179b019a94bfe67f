//! A desk: one role at work, with what it knows, its screens, and the timeline that may lie over them.

use std::time::{Duration, Instant};

use orderflow_contracts::api::console::{Account, EventRecord, Role};
use ratatui::layout::Rect;

use crate::{
    admin::{self, Admin},
    app::{Failed, Moment},
    area::Area,
    books::Books,
    customer::{self, Customer},
    keys::{self, Scope},
    live::Live,
    login::Login,
    seller::{self, Seller},
    timeline::Timeline,
};

/// A desk.
pub struct Desk {
    /// Whose it is.
    pub role: Role,
    /// How far it is.
    pub stage: Stage,
    /// Where it was drawn; empty if it was not.
    pub place: Rect,
}

/// How far a desk is.
pub enum Stage {
    /// Nobody is logged in.
    Login(Box<Login>),
    /// Somebody works.
    Work(Box<Work>),
}

/// Somebody at work.
pub struct Work {
    /// What the desk knows.
    pub books: Books,
    /// How its stream is.
    pub live: Live,
    /// The role's screens.
    pub screens: Screens,
    /// The timeline that lies over them.
    pub timeline: Option<Timeline>,
    /// Since when an answer is waited for.
    pub waits_since: Option<Instant>,
    /// What comes is not new.
    pub behind: Option<Behind>,
    /// When lists that could not be read are read again.
    pub failed: Failed,
}

/// The screens of a role.
#[allow(clippy::large_enum_variant, reason = "a desk has one of them, and is in a box itself")]
pub enum Screens {
    /// The customer's.
    Customer(Customer),
    /// The seller's.
    Seller(Seller),
    /// The admin's.
    Admin(Box<Admin>),
}

impl Screens {
    /// The screens of a role, as they are at first.
    pub fn of(role: Role) -> Self {
        match role {
            Role::Customer => Self::Customer(Customer::default()),
            Role::Seller => Self::Seller(Seller::default()),
            Role::Admin => Self::Admin(Box::default()),
        }
    }

    /// What the screens of a role are called.
    pub const fn names(role: Role) -> &'static [&'static str] {
        match role {
            Role::Customer => customer::SCREENS,
            Role::Seller => &seller::SCREENS,
            Role::Admin => &admin::SCREENS,
        }
    }

    /// What they have in common.
    pub fn area(&mut self) -> &mut dyn Area {
        match self {
            Self::Customer(area) => area,
            Self::Seller(area) => area,
            Self::Admin(area) => &mut **area,
        }
    }

    /// The same, to look at.
    pub fn see(&self) -> &dyn Area {
        match self {
            Self::Customer(area) => area,
            Self::Seller(area) => area,
            Self::Admin(area) => &**area,
        }
    }
}

/// How old an event was when it came.
#[derive(Debug, Clone, Copy)]
pub struct Behind {
    /// Since its publication, in milliseconds.
    pub ms: i64,
    /// When it came.
    pub heard: Instant,
}

/// With an event that is so old, what is shown is behind.
const BEHIND_MIN_MS: i64 = 3_000;
/// For so long that is said; if nothing comes until then, there is nothing to be behind of.
const BEHIND_SHOWN: Duration = Duration::from_secs(10);

impl Work {
    /// An account has come to work.
    pub fn new(me: Account) -> Self {
        let screens = Screens::of(me.role);
        Self {
            books: Books::new(me),
            live: Live::default(),
            screens,
            timeline: None,
            waits_since: None,
            behind: None,
            failed: Failed::default(),
        }
    }

    /// Looks whether an answer is waited for.
    pub fn watch(&mut self, now: Instant) {
        let waits = self.books.is_reading() || self.screens.see().waits();
        self.waits_since = waits.then(|| self.waits_since.unwrap_or(now));
        self.behind = self.behind.filter(|behind| now.duration_since(behind.heard) < BEHIND_SHOWN);
    }

    /// An event has come. Between its publication and now everything is by clocks of machines, which nobody moves.
    pub fn hear(&mut self, record: &EventRecord, now: Moment) {
        let ms = now.wall.0.saturating_sub(record.published_at.0);
        self.behind = (ms >= BEHIND_MIN_MS).then_some(Behind { ms, heard: now.instant });
        self.books.hear(record);
    }

    /// What the keys go to: the timeline if it is open.
    pub fn see(&self) -> &dyn Area {
        match &self.timeline {
            Some(timeline) => timeline,
            None => self.screens.see(),
        }
    }
}

impl Desk {
    /// A desk where nobody is logged in.
    pub fn new(role: Role, login: Login) -> Self {
        Self { role, stage: Stage::Login(Box::new(login)), place: Rect::ZERO }
    }

    /// Whoever is at work here.
    pub fn work(&mut self) -> Option<&mut Work> {
        match &mut self.stage {
            Stage::Work(work) => Some(work),
            Stage::Login(_) => None,
        }
    }

    /// Where keys are looked up here.
    pub fn scopes(&self) -> Vec<Scope> {
        let mut scopes = match &self.stage {
            Stage::Login(login) => login.scopes(),
            Stage::Work(work) => work.see().scopes(),
        };
        scopes.push(keys::EVERYWHERE);
        scopes
    }

    /// Whether letters go into a field here.
    pub fn takes_text(&self) -> bool {
        match &self.stage {
            Stage::Login(login) => login.takes_text(),
            Stage::Work(work) => work.see().takes_text(),
        }
    }
}
