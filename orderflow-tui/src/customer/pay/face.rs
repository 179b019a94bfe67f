//! A card that fills in as one types.

use orderflow_contracts::timestamp::Timestamp;
use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
    widgets::{Block, BorderType},
};

use super::{
    card::{Brand, Check},
    form::{At, Form},
};
use crate::theme::Theme;

/// Cells that it takes: the shape of a card, as far as cells allow.
pub const CELLS: (u16, u16) = (34, 8);

/// Draws the card.
pub fn draw(frame: &mut Frame<'_>, area: Rect, form: &Form, now: Timestamp, theme: &Theme) {
    let place = Rect { width: area.width.min(CELLS.0), height: area.height.min(CELLS.1), ..area };
    let is_bad = At::ALL.iter().any(|at| matches!(form.check(*at, now), Check::Bad(_)));
    let is_blank = At::ALL.iter().all(|at| form.is_blank(*at));
    let style = match form.unfinished(now) {
        _ if is_bad => theme.bad,
        _ if is_blank => theme.muted,
        None => theme.good,
        Some(_) => theme.accent,
    };
    let block = Block::bordered().border_type(BorderType::Rounded).border_style(style);
    let inside = block.inner(place);
    frame.render_widget(block, place);
    let brand = form.brand();
    let wide = usize::from(inside.width.saturating_sub(2));
    let known = if brand == Brand::Unknown && !form.is_blank(At::Number) { "card" } else { brand.name() };
    let head = Line::from(vec![
        Span::styled("  OrderFlow", theme.muted),
        Span::styled(format!("{known:>width$}", width = wide.saturating_sub(11)), theme.accent),
    ]);
    let chip = Line::styled("  ▗▄▄▖", theme.warn);
    let under = Line::styled("  ▝▀▀▘", theme.warn);
    let number = padded(form, At::Number, &[2, brand_digits(brand)], theme);
    let foot = [vec![Span::styled("  thru ", theme.muted)], spans(form, At::Expiry, "··/··", theme)].concat();
    let code = spans(form, At::Cvc, if brand == Brand::Amex { "····" } else { "···" }, theme);
    let code_wide: usize = code.iter().map(Span::width).sum();
    let gap = wide.saturating_sub(12 + 4 + code_wide);
    let foot = [foot, vec![Span::styled(format!("{:gap$}cvc ", ""), theme.muted)], code].concat();
    let lines = [head, chip, under, number, Line::raw(""), Line::from(foot)];
    for (y, line) in (inside.y..inside.bottom()).zip(lines) {
        frame.render_widget(line, Rect { y, height: 1, ..inside });
    }
}

const fn brand_digits(brand: Brand) -> usize {
    match brand {
        Brand::Unknown => 16,
        brand => brand.digits_max(),
    }
}

/// The number in its groups, with dots for what is still to come.
fn padded(form: &Form, at: At, [indent, digits]: &[usize; 2], theme: &Theme) -> Line<'static> {
    let gaps = form.brand().gaps();
    let mut blank = String::new();
    for place in 0..*digits {
        if gaps.contains(&place) {
            blank.push(' ');
        }
        blank.push('·');
    }
    Line::from([vec![Span::raw(" ".repeat(*indent))], spans(form, at, &blank, theme)].concat())
}

/// What is typed, and what is still to come of the pattern behind it.
fn spans(form: &Form, at: At, blank: &str, theme: &Theme) -> Vec<Span<'static>> {
    let (typed, _) = form.shown(at);
    let rest: String = blank.chars().skip(typed.chars().count()).collect();
    vec![Span::styled(typed, theme.text), Span::styled(rest, theme.muted)]
}
