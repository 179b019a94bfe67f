//! Charts of block characters: bars with their axes, a line of columns, and a gauge in a row of text.
//!
//! The scale is honest: it begins at nothing, ends at a round number, and whatever is more than nothing is seen.

use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use crate::{text, theme::Theme};

/// Columns of eighths, from nothing to a whole.
const EIGHTHS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
/// Rows of eighths.
const EIGHTHS_ACROSS: [&str; 9] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];
/// Below this there is no room for axes.
const AXES_FROM: (u16, u16) = (16, 4);

/// How a chart looks.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    /// The style of what is measured.
    pub style: Style,
    /// The styles of axes and labels.
    pub theme: &'a Theme,
    /// How a value is written at the axis.
    pub say: fn(u64) -> String,
}

impl<'a> Look<'a> {
    /// Plain numbers in this style.
    pub fn new(style: Style, theme: &'a Theme) -> Self {
        Self { style, theme, say: |value| value.to_string() }
    }

    /// With values written otherwise.
    #[must_use]
    pub const fn saying(mut self, say: fn(u64) -> String) -> Self {
        self.say = say;
        self
    }
}

/// A bar for each value over its label, from left to right, with the scale at the left side.
pub fn bars(frame: &mut Frame<'_>, area: Rect, bars: &[(String, u64)], look: &Look<'_>) {
    let top = top_of(bars.iter().map(|(_, value)| *value));
    let plot = axis(frame, area, top, true, look);
    let Some(step) = u16::try_from(bars.len()).ok().and_then(|count| plot.width.checked_div(count)) else { return };
    if step == 0 {
        let values: Vec<u64> = bars.iter().map(|(_, value)| *value).collect();
        return columns(frame, plot, &values, top, look.style);
    }
    // A gap between bars as soon as there is room for one, and bars that do not grow without end.
    let step = step.min(BAR_MAX + 2);
    let wide = if step > 1 { step - (1 + step / 6).min(step - 1) } else { 1 };
    for ((_, value), x) in bars.iter().zip((plot.x..).step_by(usize::from(step))) {
        column(frame, Rect { x, width: wide, ..plot }, *value, top, look.style);
    }
    if area.height >= AXES_FROM.1 {
        labels(frame, Rect { y: plot.bottom(), height: 1, ..plot }, bars, step, look.theme);
    }
}

/// Widest bar, in columns.
const BAR_MAX: u16 = 8;

/// The last values as columns, the newest at the right side; with room for it, with the scale at the left.
pub fn spark(frame: &mut Frame<'_>, area: Rect, values: &[u64], look: &Look<'_>) {
    let seen = values.len().saturating_sub(usize::from(area.width));
    let top = top_of(values[seen..].iter().copied());
    let plot = axis(frame, area, top, false, look);
    let values = &values[values.len().saturating_sub(usize::from(plot.width))..];
    let indent = plot.width.saturating_sub(u16::try_from(values.len()).unwrap_or(plot.width));
    columns(frame, Rect { x: plot.x + indent, width: plot.width - indent, ..plot }, values, top, look.style);
}

/// So much of `top` as a bar in a row of text, in at most so many columns.
pub fn gauge(value: u64, top: u64, columns: usize) -> String {
    let eighths = scaled(value, top, columns * 8);
    let mut bar = "█".repeat(eighths / 8);
    bar.push_str(EIGHTHS_ACROSS[eighths % 8]);
    bar
}

/// The round number at which the scale ends, at most a quarter more than what is measured, but for small numbers.
pub fn top_of(values: impl Iterator<Item = u64>) -> u64 {
    const TENTHS: [u64; 10] = [10, 12, 15, 20, 25, 30, 40, 50, 60, 80];
    let most = values.max().unwrap_or(0).max(1);
    let mut power = 1_u64;
    loop {
        let round = |tenths: &u64| power.checked_mul(*tenths).filter(|top| top % 10 == 0).map(|top| top / 10);
        if let Some(top) = TENTHS.iter().filter_map(round).find(|top| *top >= most) {
            return top;
        }
        match power.checked_mul(10) {
            Some(next) => power = next,
            None => return most,
        }
    }
}

/// Draws the scale at the left side, and leaves a line for labels if they are wanted. The rest is for the plot.
fn axis(frame: &mut Frame<'_>, area: Rect, top: u64, labelled: bool, look: &Look<'_>) -> Rect {
    if area.width < AXES_FROM.0 || area.height < AXES_FROM.1 {
        return area;
    }
    let plot = Rect { height: area.height - u16::from(labelled), ..area };
    let half = (top.is_multiple_of(2) && plot.height >= 5).then_some(top / 2);
    let words = [Some(top), half, Some(0)].map(|value| value.map(look.say));
    let wide = words.iter().flatten().map(|word| text::width(word)).max().unwrap_or(0);
    let Ok(wide) = u16::try_from(wide.min(usize::from(area.width / 3))) else { return plot };
    // The line of a value is where a bar of that value ends.
    let rows = [plot.y, plot.y + plot.height / 2, plot.bottom() - 1];
    for y in plot.y..plot.bottom() {
        let word = rows.iter().zip(&words).find(|(row, word)| **row == y && word.is_some());
        let (word, line) = match word {
            Some((_, Some(word))) => (word.as_str(), "┤"),
            _ => ("", "│"),
        };
        let label = format!("{:>width$}{line}", text::cut(word, usize::from(wide)), width = usize::from(wide));
        frame.render_widget(Span::styled(label, look.theme.muted), Rect { y, width: wide + 1, height: 1, ..area });
    }
    Rect { x: plot.x + wide + 1, width: plot.width - wide - 1, ..plot }
}

/// As many labels as fit, each under the begin of its bar.
fn labels(frame: &mut Frame<'_>, line: Rect, bars: &[(String, u64)], step: u16, theme: &Theme) {
    let mut free_from = line.x;
    for ((label, _), x) in bars.iter().zip((line.x..).step_by(usize::from(step))) {
        let wide = u16::try_from(text::width(label)).unwrap_or(u16::MAX);
        if x < free_from || x.saturating_add(wide) > line.right() {
            continue;
        }
        frame.render_widget(Span::styled(label.clone(), theme.muted), Rect { x, width: wide, ..line });
        free_from = x + wide + 1;
    }
}

/// A column of one cell for each value.
fn columns(frame: &mut Frame<'_>, plot: Rect, values: &[u64], top: u64, style: Style) {
    for (y, row) in (plot.y..plot.bottom()).zip(rows(values, usize::from(plot.height), top)) {
        frame.render_widget(Line::styled(row, style), Rect { y, height: 1, ..plot });
    }
}

fn column(frame: &mut Frame<'_>, place: Rect, value: u64, top: u64, style: Style) {
    for (y, row) in (place.y..place.bottom()).zip(rows(&[value], usize::from(place.height), top)) {
        if row != EIGHTHS[0] {
            let line = Line::styled(row.repeat(usize::from(place.width)), style);
            frame.render_widget(line, Rect { y, height: 1, ..place });
        }
    }
}

/// A column of one letter for each value, in so many rows, the highest first. `top` is as high as all of them.
pub fn rows(values: &[u64], height: usize, top: u64) -> Vec<String> {
    let high: Vec<usize> = values.iter().map(|value| scaled(*value, top, height * 8)).collect();
    let row = |level: usize| high.iter().map(|high| EIGHTHS[high.saturating_sub(level * 8).min(8)]).collect();
    (0..height).rev().map(row).collect()
}

/// So many eighths; what is more than nothing has at least one.
fn scaled(value: u64, top: u64, whole: usize) -> usize {
    let (value, whole_wide) = (u128::from(value.min(top)), whole as u128);
    let eighths = (value * whole_wide + u128::from(top / 2)).checked_div(u128::from(top)).unwrap_or(0);
    usize::try_from(eighths).unwrap_or(whole).clamp(usize::from(value > 0), whole.max(usize::from(value > 0)))
}

#[cfg(test)]
mod tests {
    use ratatui::{Terminal, backend::TestBackend};

    use super::*;
    use crate::theme::ThemeName;

    fn drawn((width, height): (u16, u16), draw: impl Fn(&mut Frame<'_>, Rect, &Look<'_>)) -> String {
        let theme = Theme::of(ThemeName::None);
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, frame.area(), &Look::new(theme.good, &theme))).unwrap();
        crate::testing::letters(terminal.backend().buffer())
    }

    #[test]
    fn the_scale_ends_at_a_round_number() {
        let tops = [0, 1, 3, 7, 11, 499, 501, u64::MAX].map(|most| top_of([most].into_iter()));
        assert_eq!(tops, [1, 1, 3, 8, 12, 500, 600, u64::MAX]);
    }

    #[test]
    fn bars_stand_over_their_labels() {
        let hours: Vec<(String, u64)> = (0..6).map(|hour| (format!("{hour:02}"), hour * 2)).collect();
        insta::assert_snapshot!(drawn((24, 7), |frame, area, look| bars(frame, area, &hours, look)));
    }

    #[test]
    fn the_newest_value_is_at_the_right_side() {
        insta::assert_snapshot!(drawn((20, 4), |frame, area, look| spark(frame, area, &[1, 5, 9, 2], look)));
        assert_eq!(drawn((3, 1), |frame, area, look| spark(frame, area, &[9, 1, 5, 10], look)), "▁▄█\n");
    }

    #[test]
    fn columns_stand_on_their_foot() {
        assert_eq!(rows(&[0, 50, 100, 1], 1, 100), [" ▄█▁"]);
        assert_eq!(rows(&[0, 20, 40, 30], 2, 40), ["  █▄", " ███"]);
        assert_eq!(rows(&[1], 0, 1), Vec::<String>::new());
        assert_eq!(rows(&[1, 0], 1, 0), ["  "], "of nothing there is nothing to draw");
    }

    #[test]
    fn little_is_seen_and_nothing_is_not() {
        assert_eq!(
            (gauge(1, 1000, 4), gauge(0, 9, 4), gauge(9, 9, 4), gauge(5, 0, 4)),
            ("▏".into(), String::new(), "████".into(), String::new())
        );
    }

    #[test]
    fn every_size_can_be_drawn() {
        let values: Vec<(String, u64)> = (0..24_u64).map(|hour| (hour.to_string(), hour)).collect();
        for (width, height) in [(1, 1), (2, 9), (16, 4), (17, 3), (40, 12), (200, 60)] {
            drawn((width, height), |frame, area, look| bars(frame, area, &values, look));
            drawn((width, height), |frame, area, look| spark(frame, area, &[1, 2, 3], look));
            drawn((width, height), |frame, area, look| bars(frame, area, &[], look));
        }
    }
}
