//! The chaos board: every fault, every process, scenarios, the clock, the laboratory, and what verify says.

mod effects;

use ratatui::{Frame, layout::Rect};

pub use self::effects::{Do, Done, carry_out};
use crate::{
    area::Area,
    cx::{Cx, Show},
    keys::{Action, Binding, Scope},
};

/// The keys of the chaos board.
pub const BINDINGS: &[Binding] = &[];

/// The chaos board.
#[derive(Default)]
pub struct Board {}

impl Board {
    /// What is always to be seen, in the corner of the header: faults that are set, and what verify says.
    pub fn corner(&self, theme: &crate::theme::Theme) -> ratatui::text::Line<'static> {
        let _ = theme;
        ratatui::text::Line::default()
    }

    /// Something was done.
    pub fn done(&mut self, done: Done, cx: &mut Cx<'_>) {
        let _ = (done, cx);
    }
}

impl Area for Board {
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
