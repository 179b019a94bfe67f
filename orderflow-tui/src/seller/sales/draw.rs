//! How sales look.

use orderflow_client::view as words;
use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
    widgets::Paragraph,
};

use super::{
    Measure, Sales,
    day::{amounts, date, hour_of},
};
use crate::{
    books::Part,
    cx::Show,
    seller::draw::beside,
    text,
    unread::unread,
    widgets::{
        chart::{self, Look},
        frames,
    },
};

/// From this size on, the figures stand beside the chart.
const BESIDE_FROM: u16 = 100;
const BESIDE_WIDTH: u16 = 48;
const BESIDE_HEIGHT: u16 = 16;
/// From this height on, the figures stand below it.
const BELOW_FROM: u16 = 18;
const BELOW_HEIGHT: u16 = 8;
/// A higher chart says no more.
const CHART_MAX: u16 = 20;
/// Products that are listed, where there is room.
const TOP_MAX: usize = 10;
/// Columns of a product's bar.
const BAR: usize = 10;

impl Sales {
    /// Draws the screen.
    pub fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        let day = self.refresh(show.books, show.now);
        let (head, area) = frames::head(area, 1);
        frame.render_widget(self.title(day, head.width, show), head);
        let area = unread(frame, area, &show.books.orders_part, "orders", show);
        if area.height >= BESIDE_HEIGHT
            && let (chart, Some(side)) = beside(area, BESIDE_FROM, BESIDE_WIDTH)
        {
            let mut lines = self.figures(show);
            for part in [self.cancelled(side.width, show), self.top(side.width, show)] {
                lines.push(Line::default());
                lines.extend(part);
            }
            frame.render_widget(Paragraph::new(lines), side);
            return self.draw_chart(frame, frames::head(chart, CHART_MAX).0, show);
        }
        if area.height >= BELOW_FROM {
            let figures = self.figures(show);
            let (head, area) = frames::head(area, u16::try_from(figures.len() + 1).unwrap_or(0));
            frame.render_widget(Paragraph::new(figures), head);
            let (chart, foot) = frames::foot(area, BELOW_HEIGHT);
            let left = Rect { width: foot.width.min(36) / 2 + 14, ..foot };
            let right = Rect { x: left.right() + 2, width: foot.width.saturating_sub(left.width + 2), ..foot };
            let below = |area: Rect| frames::head(area, 1).1;
            frame.render_widget(Paragraph::new(self.cancelled(left.width, show)), below(left));
            frame.render_widget(Paragraph::new(self.top(right.width, show)), below(right));
            return self.draw_chart(frame, chart, show);
        }
        let (head, chart) = frames::head(area, if area.height > 6 { 2 } else { 1 });
        frame.render_widget(Paragraph::new(self.in_short(show)), head);
        self.draw_chart(frame, chart, show);
    }

    /// Which day, and what the chart shows.
    fn title(&self, day: i64, width: u16, show: &Show<'_>) -> Line<'static> {
        let name = match self.back {
            0 => "today".to_owned(),
            1 => "yesterday".to_owned(),
            days => format!("{days} days ago"),
        };
        let measure = match self.measure {
            Measure::Orders => "paid orders by the hour".to_owned(),
            Measure::Revenue(currency) => format!("{currency} by the hour"),
        };
        let mut title = Line::from(vec![Span::styled(format!(" {name}  "), show.theme.accent), Span::raw(measure)]);
        let date = format!("  {} UTC", date(day));
        if title.width() + text::width(&date) <= usize::from(width) {
            title.push_span(Span::styled(date, show.theme.muted));
        }
        title
    }

    fn draw_chart(&self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        let none = [0; 24];
        let (values, style, say): (_, _, fn(u64) -> String) = match self.measure {
            Measure::Orders => (&self.day.orders_by_hour, show.theme.good, |orders| orders.to_string()),
            Measure::Revenue(currency) => {
                let values = self.day.revenue_by_hour.get(&currency).unwrap_or(&none);
                (values, show.theme.accent, whole_units)
            }
        };
        let bars: Vec<(String, u64)> =
            values.iter().enumerate().map(|(hour, value)| (format!("{hour:02}"), *value)).collect();
        chart::bars(frame, area, &bars, &Look::new(style, show.theme).saying(say));
        if self.day.sold == 0 && area.height > 2 {
            let told = match &show.books.orders_part {
                Part::Loading => "reading the orders …",
                _ if self.back == 0 => "nothing was paid today yet",
                _ => "nothing was paid on this day",
            };
            let wide = u16::try_from(text::width(told)).unwrap_or(0);
            let place = frames::centred(Rect { height: area.height - 1, ..area }, wide, 1);
            frame.render_widget(Span::styled(told, show.theme.muted), place);
        }
    }

    fn figures(&self, show: &Show<'_>) -> Vec<Line<'static>> {
        let theme = show.theme;
        let day = &self.day;
        let field = |name: &str| Span::styled(format!("{name:<14}"), theme.muted);
        let revenue = if day.revenue.is_empty() { "nothing yet".to_owned() } else { amounts(&day.revenue) };
        let (confirm, ship) = self.waiting;
        let waits = if confirm + ship > 0 { theme.warn } else { theme.muted };
        let this_hour = if self.back == 0 {
            let hour = hour_of(show.now);
            format!(", {} since {hour:02}:00", day.orders_by_hour[hour])
        } else {
            String::new()
        };
        if !show.books.orders_part.was_read() {
            return ["revenue", "paid", "waits for you"].map(|name| Line::from(vec![field(name), "…".into()])).to_vec();
        }
        vec![
            Line::from(vec![field("revenue"), Span::styled(revenue, theme.accent)]),
            Line::from(vec![
                field("paid"),
                Span::styled(format!("✓ {} of {}", day.sold, day.placed), theme.good),
                Span::styled(this_hour, theme.muted),
            ]),
            Line::from(vec![
                field("waits for you"),
                Span::styled(format!("● {confirm} to confirm, {ship} to ship"), waits),
            ]),
        ]
    }

    /// The same where there is little room.
    fn in_short(&self, show: &Show<'_>) -> Vec<Line<'static>> {
        let (theme, day) = (show.theme, &self.day);
        if !show.books.orders_part.was_read() {
            return vec![Line::styled(" … paid", theme.muted), Line::styled(" … for you", theme.muted)];
        }
        let (confirm, ship) = self.waiting;
        let cancelled: u64 = day.cancelled.iter().map(|(_, count)| count).sum();
        let revenue = if day.revenue.is_empty() { "nothing yet".to_owned() } else { amounts(&day.revenue) };
        vec![
            Line::from(vec![
                Span::styled(format!(" {revenue}"), theme.accent),
                Span::styled(format!("  ✓ {} paid", day.sold), theme.good),
            ]),
            Line::from(vec![
                Span::styled(format!(" ● {} for you", confirm + ship), theme.warn),
                Span::styled(format!("  ✗ {cancelled} cancelled"), theme.muted),
            ]),
        ]
    }

    fn cancelled(&self, width: u16, show: &Show<'_>) -> Vec<Line<'static>> {
        let theme = show.theme;
        let all: u64 = self.day.cancelled.iter().map(|(_, count)| count).sum();
        let mut lines = vec![Line::from(vec![
            Span::styled("Cancelled", theme.accent),
            Span::styled(format!("  {all} of {}", self.day.placed), theme.muted),
        ])];
        for (reason, count) in &self.day.cancelled {
            let count = format!("✗ {count:>4} ");
            let room = usize::from(width).saturating_sub(text::width(&count));
            let why = text::cut(&words::cancel_reason(*reason).replace("the seller", "you"), room);
            lines.push(Line::from(vec![Span::styled(count, theme.bad), Span::raw(why)]));
        }
        if all == 0 {
            lines.push(Line::styled("none", theme.muted));
        }
        lines
    }

    fn top(&self, width: u16, show: &Show<'_>) -> Vec<Line<'static>> {
        let theme = show.theme;
        let mut lines = vec![Line::styled("Best sellers", theme.accent)];
        let most = self.day.top.first().map_or(0, |sold| sold.pieces);
        for sold in self.day.top.iter().take(TOP_MAX) {
            let amount = amounts(&sold.revenue);
            let rest = 5 + BAR + 1 + text::width(&amount) + 1;
            let room = usize::from(width).saturating_sub(rest).max(8);
            let name = text::cut(&text::plain(&sold.name), room);
            let gap = " ".repeat(room.saturating_sub(text::width(&name)));
            lines.push(Line::from(vec![
                Span::raw(format!("{:>4} ", sold.pieces)),
                Span::styled(format!("{:<BAR$} ", chart::gauge(sold.pieces, most, BAR)), theme.good),
                Span::raw(format!("{name}{gap} ")),
                Span::styled(amount, theme.muted),
            ]));
        }
        if self.day.top.is_empty() {
            lines.push(Line::styled("nothing sold", theme.muted));
        }
        lines
    }
}

/// `120` for 120.00, `0.05` for less than one.
fn whole_units(minor: u64) -> String {
    if minor.is_multiple_of(100) { (minor / 100).to_string() } else { format!("{}.{:02}", minor / 100, minor % 100) }
}
