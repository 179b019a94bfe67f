//! Borders, and boxes in the middle of a screen.

use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span, Text},
    widgets::{Block, BorderType, Clear},
};

use crate::{text, theme::Theme};

/// Rows in which something is told above a list: addresses and reasons of failures are longer than a line.
const TOLD_ROWS_MAX: u16 = 3;
/// Below this, borders take more than they give.
const BORDERS_FROM: (u16, u16) = (20, 6);

/// Whether a frame of this size has borders.
pub const fn has_border(area: Rect) -> bool {
    area.width >= BORDERS_FROM.0 && area.height >= BORDERS_FROM.1
}

/// A frame with a title; what is inside is given back. In a small place there is only a line for the title.
pub fn framed(frame: &mut Frame<'_>, area: Rect, title: Line<'static>, focused: bool, theme: &Theme) -> Rect {
    if !has_border(area) {
        let head = Rect { height: area.height.min(1), ..area };
        frame.render_widget(title, head);
        return Rect { y: area.y + head.height, height: area.height - head.height, ..area };
    }
    let style = if focused { theme.focus } else { theme.border };
    // The focus is seen without colours too.
    let lines = if focused { BorderType::Thick } else { BorderType::Plain };
    let block = Block::bordered().border_type(lines).border_style(style).title(title);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    inside
}

/// A place of this size in the middle, as far as there is room.
pub fn centred(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height }
}

/// A box in the middle, over what is there; what is inside is given back.
pub fn popup(frame: &mut Frame<'_>, area: Rect, size: (u16, u16), title: &str, theme: &Theme) -> Rect {
    // One row more is better than a box without sides.
    let place = centred(area, size.0.max(BORDERS_FROM.0), size.1.max(BORDERS_FROM.1));
    frame.render_widget(Clear, place);
    frame.buffer_mut().set_style(place, theme.text);
    framed(frame, place, Line::from(Span::styled(format!(" {title} "), theme.accent)), true, theme)
}

/// Cuts a row off at the top; what is left comes second.
pub fn head(area: Rect, rows: u16) -> (Rect, Rect) {
    let rows = rows.min(area.height);
    let head = Rect { height: rows, ..area };
    (head, Rect { y: area.y + rows, height: area.height - rows, ..area })
}

/// Tells something above what is left, in as many rows as it needs: three at most, and a quarter of the place.
pub fn told(frame: &mut Frame<'_>, area: Rect, words: &str, style: Style) -> Rect {
    let most = usize::from((area.height / 4).clamp(1, TOLD_ROWS_MAX));
    let lines = text::wrap_within(&text::plain(words), usize::from(area.width), most);
    let (place, rest) = head(area, u16::try_from(lines.len()).unwrap_or(0));
    frame.render_widget(Text::from_iter(lines.into_iter().map(|line| Line::styled(line, style))), place);
    rest
}

/// Cuts rows off at the bottom; what is left comes first.
pub fn foot(area: Rect, rows: u16) -> (Rect, Rect) {
    let rows = rows.min(area.height);
    let rest = Rect { height: area.height - rows, ..area };
    (rest, Rect { y: area.y + rest.height, height: rows, ..area })
}
