//! The timeline of an order.

mod effects;

use orderflow_contracts::ids::OrderId;
use ratatui::{Frame, layout::Rect};

pub use self::effects::{Do, Done, carry_out};
use crate::{
    area::Area,
    cx::{Cx, Show},
    keys::{Action, Binding, Scope},
};

/// The keys of the timeline.
pub const BINDINGS: &[Binding] = &[];

/// The timeline of an order.
pub struct Timeline {
    id: OrderId,
}

impl Timeline {
    /// Of an order, and what is wanted first.
    pub fn of(id: OrderId) -> (Self, Vec<Do>) {
        (Self { id }, Vec::new())
    }

    /// Which order's.
    pub const fn order_id(&self) -> OrderId {
        self.id
    }

    /// Something was done.
    pub fn done(&mut self, done: Done, cx: &mut Cx<'_>) {
        let _ = (done, cx);
    }
}

impl Area for Timeline {
    fn scopes(&self) -> Vec<Scope> {
        Vec::new()
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> bool {
        let _ = (action, cx);
        false
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        let _ = (frame, area, show);
    }
}
