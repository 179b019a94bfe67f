//! What a part of the console has at hand when something happens to it, and when it draws itself.

use orderflow_contracts::{api::console::Role, ids::OrderId, timestamp::Timestamp};

use crate::{
    books::Books,
    keys::KeyMap,
    live::Live,
    msg::Effect,
    overlay::{Confirm, Tone},
    theme::Theme,
};

/// At hand when something happens.
pub struct Cx<'a> {
    /// Whose desk it is.
    pub role: Role,
    /// What the desk knows.
    pub books: &'a mut Books,
    /// What time it is, by the services' clock.
    pub now: Timestamp,
    /// The cluster is on this machine.
    pub is_local: bool,
    /// What is wanted.
    pub out: &'a mut Out,
}

/// What a part of the console wants.
#[derive(Default)]
pub struct Out {
    /// To be done elsewhere.
    pub effects: Vec<Effect>,
    /// To be told.
    pub notices: Vec<(Tone, String)>,
    /// To be asked before something is destroyed.
    pub confirm: Option<Confirm>,
    /// To be opened: the timeline of this order.
    pub timeline: Option<OrderId>,
    /// To be closed: the timeline.
    pub close_timeline: bool,
}

impl Cx<'_> {
    /// Wants something done.
    pub fn run(&mut self, effect: Effect) {
        self.out.effects.push(effect);
    }

    /// What time it is, by our clock.
    pub const fn wall(&self) -> Timestamp {
        Timestamp(self.now.0.saturating_sub(self.books.clock_ahead_ms))
    }

    /// Tells that something went well.
    pub fn good(&mut self, text: impl Into<String>) {
        self.out.notices.push((Tone::Good, text.into()));
    }

    /// Tells something.
    pub fn note(&mut self, text: impl Into<String>) {
        self.out.notices.push((Tone::Note, text.into()));
    }

    /// Tells that something went wrong.
    pub fn bad(&mut self, text: impl Into<String>) {
        self.out.notices.push((Tone::Bad, text.into()));
    }

    /// Asks before something is done that cannot be undone.
    pub fn confirm(&mut self, confirm: Confirm) {
        self.out.confirm = Some(confirm);
    }

    /// Opens an order's timeline in this desk.
    pub const fn timeline(&mut self, id: OrderId) {
        self.out.timeline = Some(id);
    }

    /// Puts text on the clipboard, and says so.
    pub fn copy(&mut self, text: impl Into<String>) {
        let text = text.into();
        self.note(format!("copied {text}"));
        self.run(Effect::Copy(text));
    }
}

/// At hand when a part draws itself.
#[derive(Clone, Copy)]
pub struct Show<'a> {
    /// Whose desk it is.
    pub role: Role,
    /// What the desk knows.
    pub books: &'a Books,
    /// How its stream is.
    pub live: &'a Live,
    /// What time it is, by the services' clock.
    pub now: Timestamp,
    /// Whether keys go here.
    pub focused: bool,
    /// The cluster is on this machine.
    pub is_local: bool,
    /// The styles.
    pub theme: &'a Theme,
    /// The keys.
    pub keys: &'a KeyMap,
}
