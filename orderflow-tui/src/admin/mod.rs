//! The admin's screens.

mod effects;

use ratatui::{Frame, layout::Rect};

pub use self::effects::{Do, Done, carry_out};
use crate::{
    area::Area,
    chaos::Board,
    cx::{Cx, Show},
    keys::{Action, Binding, Scope},
};

/// The keys of the admin's screens.
pub const BINDINGS: &[Binding] = &[];

/// The admin's screens.
#[derive(Default)]
pub struct Admin {
    /// The chaos board, which is one of them.
    pub board: Board,
}

impl Admin {
    /// Something was done.
    pub fn done(&mut self, done: Done, cx: &mut Cx<'_>) {
        let _ = (done, cx);
    }
}

impl Area for Admin {
    fn scopes(&self) -> Vec<Scope> {
        self.board.scopes()
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> bool {
        self.board.act(action, cx)
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        self.board.draw(frame, area, show);
    }
}
