//! A row's own cells: those that are worth least go first where it is narrow.

use ratatui::{
    style::Style,
    text::{Line, Span},
};

use super::said::whole;
use crate::text;

/// A cell of a row.
pub struct Cell {
    text: String,
    style: Style,
    width: usize,
    worth: u8,
    right: bool,
    grows: bool,
    whole: bool,
}

impl Cell {
    /// A cell of a fixed width; 9 stays wherever there is room for it alone.
    pub fn new(text: impl Into<String>, width: usize, worth: u8, style: Style) -> Self {
        Self { text: text.into(), style, width, worth, right: false, grows: false, whole: false }
    }

    /// The same, to the right.
    pub const fn right(mut self) -> Self {
        self.right = true;
        self
    }

    /// The same, taking what is left over.
    pub const fn grows(mut self) -> Self {
        self.grows = true;
        self
    }

    /// The same, with whole words only: there are numbers among them.
    pub const fn whole(mut self) -> Self {
        self.whole = true;
        self
    }
}

/// The cells in a line of this width, with a gap of one between them.
pub fn compose(mut cells: Vec<Cell>, width: usize) -> Line<'static> {
    let needed = |cells: &[Cell]| cells.iter().map(|cell| cell.width + 1).sum::<usize>().saturating_sub(1);
    while needed(&cells) > width {
        let least = cells.iter().enumerate().filter(|(_, cell)| cell.worth < 9).min_by_key(|(_, cell)| cell.worth);
        let Some((index, _)) = least else { break };
        cells.remove(index);
    }
    let left = width.saturating_sub(needed(&cells));
    // Where what grows had to go, the last one that is no number takes its place.
    let grows = cells.iter().position(|cell| cell.grows).or_else(|| cells.iter().rposition(|cell| !cell.right));
    if let Some(cell) = grows.and_then(|index| cells.get_mut(index)) {
        cell.width += left;
    }
    let mut spans = Vec::with_capacity(cells.len() * 2);
    for cell in cells {
        let plain = text::plain(&cell.text);
        let shown = if cell.whole { whole(&plain, cell.width) } else { text::cut(&plain, cell.width) };
        let pad = " ".repeat(cell.width - text::width(&shown).min(cell.width));
        let shown = if cell.right { format!("{pad}{shown}") } else { format!("{shown}{pad}") };
        spans.push(Span::styled(shown, cell.style));
        spans.push(Span::raw(" "));
    }
    spans.pop();
    Line::from(spans)
}

/// A slider: `━━━━●─────`.
pub fn slider(percent: usize, width: usize) -> String {
    let last = width.saturating_sub(1);
    let at = (percent.min(100) * last + 50) / 100;
    format!("{}●{}", "━".repeat(at), "─".repeat(last - at))
}
