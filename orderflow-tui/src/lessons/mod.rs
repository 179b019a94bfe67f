//! Lessons: guided tours beside the live desks.

mod effects;

use orderflow_contracts::api::console::{EventRecord, Role};
use ratatui::{Frame, layout::Rect};

pub use self::effects::{Do, Done, carry_out};
use crate::{
    keys::{Action, Binding, KeyMap, Scope},
    msg::Effect,
    theme::Theme,
};

/// The keys of the lessons.
pub const BINDINGS: &[Binding] = &[];

/// The panel of the lessons.
pub struct Lessons {
    learnt: Vec<String>,
}

impl Lessons {
    /// With those that are done.
    pub const fn new(learnt: Vec<String>) -> Self {
        Self { learnt }
    }

    /// Where keys are looked up, after those of the desk.
    pub fn scopes(&self) -> Vec<Scope> {
        Vec::new()
    }

    /// Whether something goes on by itself.
    pub const fn ticks(&self) -> bool {
        false
    }

    /// A second has passed.
    pub fn tick(&mut self) -> Vec<Effect> {
        Vec::new()
    }

    /// A key was pressed; nothing if it means nothing here.
    pub fn act(&mut self, action: Action) -> Option<Vec<Effect>> {
        let _ = action;
        None
    }

    /// Whether it was closed.
    pub const fn is_closed(&self) -> bool {
        false
    }

    /// A desk has heard an event.
    pub fn hear(&mut self, role: Role, record: &EventRecord) -> Vec<Effect> {
        let _ = (role, record);
        Vec::new()
    }

    /// Something was done. The name of a lesson that is learnt by it comes back too.
    pub fn done(&mut self, done: Done) -> (Vec<Effect>, Option<&'static str>) {
        match done {}
    }

    /// Draws it.
    pub fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, theme: &Theme, keys: &KeyMap) {
        let _ = (frame, area, theme, keys, &self.learnt);
    }
}
