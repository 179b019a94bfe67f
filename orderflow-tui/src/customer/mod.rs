//! The customer's screens.

mod effects;

use ratatui::{Frame, layout::Rect};

pub use self::effects::{Do, Done, carry_out};
use crate::{
    area::Area,
    cx::{Cx, Show},
    keys::{Action, Binding, Scope},
};

/// The keys of the customer's screens.
pub const BINDINGS: &[Binding] = &[];

/// The customer's screens.
#[derive(Default)]
pub struct Customer {}

impl Customer {
    /// Something was done.
    pub fn done(&mut self, done: Done, cx: &mut Cx<'_>) {
        let _ = (done, cx);
    }
}

impl Area for Customer {
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
