//! The flow, drawn: every part is lines of text, in one column or two.

use std::collections::BTreeMap;

use orderflow_client::{Service, view};
use orderflow_contracts::timestamp::Timestamp;
use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span as Text},
};

use super::{
    Flow,
    numbers::Numbers,
    outcomes::{self, Outcome, REASONS},
    rates::{Rates, THOUSAND},
    spans::Span,
};
use crate::{
    admin::parts::wall,
    cx::Show,
    text,
    theme::Theme,
    widgets::{chart, frames},
};

/// From this width on, there are two columns.
const TWO_FROM: u16 = 96;
/// Columns of the axis at the left of a chart.
const AXIS: usize = 6;
/// Letters of a bar.
const BAR: usize = 12;
const MINUTE_MS: i64 = 60_000;

type Lines = Vec<Line<'static>>;

impl Flow {
    pub(super) fn draw_in(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        let now_ms = wall(show.now, show.books).0;
        let is_wide = area.width >= TWO_FROM;
        let width = usize::from(if is_wide { (area.width - 3) / 2 } else { area.width });
        // In two columns the charts take what the table beneath them leaves; in one, all of it is scrolled anyway.
        let high = match area.height {
            ..16 => 2,
            height if is_wide => usize::from(height.saturating_sub(8) / 2).min(14),
            16..30 => 4,
            _ => 7,
        };
        let theme = show.theme;
        let charts = self.throughput(width, high, now_ms, theme);
        let (spans, ends) = (self.latency(width, theme), self.ends(width, now_ms, theme));
        let (waits, lag) = (self.waits(width, theme), self.lag(width, theme));
        let columns = if is_wide {
            vec![apart([charts, spans]), apart([ends, waits, lag])]
        } else {
            vec![apart([charts, spans, waits, ends, lag])]
        };
        self.draw_columns(frame, area, columns, theme);
    }

    fn draw_columns(&mut self, frame: &mut Frame<'_>, area: Rect, columns: Vec<Lines>, theme: &Theme) {
        let all = columns.iter().map(Vec::len).max().unwrap_or(0);
        let is_long = all > usize::from(area.height) && area.height > 2;
        let (body, foot) = frames::foot(area, u16::from(is_long));
        let height = usize::from(body.height);
        self.first.1 = all.saturating_sub(height);
        self.first.0 = self.first.0.min(self.first.1);
        let first = self.first.0;
        let wide = if columns.len() > 1 { (body.width - 3) / 2 } else { body.width };
        for (index, lines) in (0_u16..).zip(columns) {
            let x = body.x + index * (wide + 3);
            for (y, line) in (body.y..body.bottom()).zip(lines.into_iter().skip(first)) {
                frame.render_widget(line, Rect { x, y, width: wide.min(body.right().saturating_sub(x)), height: 1 });
            }
        }
        if is_long {
            let more = all.saturating_sub(first + height);
            let label = if more > 0 { format!("↓ {more} more lines") } else { "↑ that is all".to_owned() };
            frame.render_widget(Line::styled(label, theme.muted), foot);
        }
    }

    fn throughput(&self, width: usize, high: usize, now_ms: i64, theme: &Theme) -> Lines {
        let since = self.since();
        let last = self.last(2 * MINUTE_MS, now_ms);
        let mut lines = rates("events", &self.events, [&last, &since], (width, high), now_ms, theme.accent, theme);
        lines.extend(rates("new orders", &self.orders, [&last, &since], (width, high), now_ms, theme.good, theme));
        lines
    }

    /// `last 10 minutes`; shorter, if it does not listen for so long yet.
    fn last(&self, most_ms: i64, now_ms: i64) -> String {
        match self.since_ms {
            Some(since) if now_ms.saturating_sub(since) < most_ms => self.since(),
            _ => format!("last {} minutes", most_ms / MINUTE_MS),
        }
    }

    /// `since 18:28:37`
    fn since(&self) -> String {
        self.since_ms.map_or_else(|| "since now".to_owned(), |ms| format!("since {}", text::clock(Timestamp(ms))))
    }

    /// How long the system takes, by span.
    fn latency(&self, width: usize, theme: &Theme) -> Lines {
        let mut lines = vec![heading(
            if width < 56 { "latency" } else { "latency: the system's own time" },
            &format!("{:>7} {:>7} {:>7} {:>6}", "p50", "p95", "p99", "n"),
            width,
            theme,
        )];
        for span in Span::ALL {
            let line = match self.spans.of(span) {
                Some(found) => {
                    let numbers =
                        format!("{:>7} {:>7} {:>7} {:>6}", ms(found.p50), ms(found.p95), ms(found.p99), found.count);
                    ends(vec![Text::raw(span.name()), explained(span, width, theme)], vec![Text::raw(numbers)], width)
                }
                None => ends(
                    vec![Text::raw(span.name()), explained(span, width, theme)],
                    vec![Text::styled("none yet", theme.muted)],
                    width,
                ),
            };
            lines.push(line);
        }
        lines
    }

    /// How orders have ended in the last ten minutes.
    fn ends(&self, width: usize, now_ms: i64, theme: &Theme) -> Lines {
        let all = self.outcomes.all(now_ms);
        let mut lines = vec![heading("how orders went", &self.last(outcomes::KEPT_MS, now_ms), width, theme)];
        if all == 0 {
            lines.push(Line::styled("no order was paid or cancelled in this time", theme.muted));
            return lines;
        }
        let bars = BAR.min(width / 4);
        let paid = self.outcomes.count(Outcome::Paid, now_ms);
        lines.push(share("✓", "paid", paid, all, bars, theme.good, width));
        for reason in REASONS {
            let count = self.outcomes.count(Outcome::Cancelled(reason), now_ms);
            if count > 0 {
                lines.push(share("✗", view::cancel_reason(reason), count, all, bars, theme.bad, width));
            }
        }
        lines
    }

    /// What waits in the outboxes, and what the inboxes had to do.
    fn waits(&self, width: usize, theme: &Theme) -> Lines {
        let is_wide = width >= 56;
        let columns = if is_wide {
            format!("{:>7}{:>7}{:>8}{:>7}{:>6}{:>8}", "waiting", "sent", "applied", "twice", "dead", "retries")
        } else {
            format!("{:>7}{:>7}{:>6}", "waiting", "twice", "dead")
        };
        let mut lines = vec![heading("outbox, inbox", &columns, width, theme)];
        let Some(numbers) = &self.numbers else {
            lines.push(Line::styled("asking the services…", theme.muted));
            return lines;
        };
        for (service, found) in numbers {
            lines.push(match found {
                Ok(numbers) => ends(vec![Text::raw(service.name())], counts(numbers, is_wide, theme), width),
                Err(why) => silent(*service, why, width, theme),
            });
        }
        lines
    }

    /// How far each consumer is behind, by topic and partition.
    fn lag(&self, width: usize, theme: &Theme) -> Lines {
        let numbers =
            self.numbers.iter().flatten().filter_map(|(service, found)| Some((*service, found.as_ref().ok()?)));
        let known: Vec<(Service, &Numbers)> = numbers.filter(|(_, numbers)| !numbers.lag.is_empty()).collect();
        let behind: u64 = known.iter().map(|(_, numbers)| numbers.behind()).sum();
        let sum = if known.is_empty() { String::new() } else { format!("{behind} records behind") };
        let mut lines = vec![heading("consumer lag by partition", &sum, width, theme)];
        if known.is_empty() {
            let why = if self.numbers.is_some() {
                "not told: Kafka is not there, or the services are older"
            } else {
                "asking the services…"
            };
            lines.push(Line::styled(why, theme.muted));
        }
        for (service, numbers) in known {
            for (index, (topic, partitions)) in numbers.lag.iter().enumerate() {
                let name = if index == 0 { service.name() } else { "" };
                lines.push(lag_line(name, topic, partitions, width, theme));
            }
        }
        lines
    }
}

/// One after the other, with an empty line between them.
fn apart<const N: usize>(parts: [Lines; N]) -> Lines {
    let mut lines: Lines = Vec::new();
    for part in parts {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.extend(part);
    }
    lines
}

fn heading(title: &str, right: &str, width: usize, theme: &Theme) -> Line<'static> {
    ends(vec![Text::styled(title.to_owned(), theme.accent)], vec![Text::styled(right.to_owned(), theme.muted)], width)
}

/// Something at each end; what is left goes before what is right does.
fn ends(left: Vec<Text<'static>>, right: Vec<Text<'static>>, width: usize) -> Line<'static> {
    let long: usize = right.iter().map(Text::width).sum();
    let mut room = width.saturating_sub(long + 1);
    let mut spans = Vec::new();
    for span in left {
        let cut = text::cut(&span.content, room);
        room -= text::width(&cut).min(room);
        spans.push(Text::styled(cut, span.style));
    }
    spans.push(Text::raw(" ".repeat(room + 1)));
    spans.extend(right);
    Line::from(spans)
}

fn rates(
    name: &str,
    of: &Rates,
    [last, since]: [&str; 2],
    (width, high): (usize, usize),
    now_ms: i64,
    style: Style,
    theme: &Theme,
) -> Lines {
    let values = of.columns(now_ms, width.saturating_sub(AXIS));
    let peak = values.iter().copied().max().unwrap_or(0);
    let top = chart::top_of(std::iter::once(peak.div_ceil(THOUSAND)));
    let now =
        vec![Text::styled(format!("{name} "), theme.accent), Text::styled(format!("{:.1}/s", of.now(now_ms)), style)];
    let tenths = (peak + THOUSAND / 20) / (THOUSAND / 10);
    let highest = if tenths < 100 { format!("{}.{}", tenths / 10, tenths % 10) } else { (tenths / 10).to_string() };
    let span = match width {
        ..30 => String::new(),
        30..50 => format!("peak {highest}"),
        50..60 => format!("{last} · peak {highest}"),
        _ if last == since => format!("{last} · peak {highest} · {} in all", of.total()),
        _ => format!("{last} · peak {highest} · {} {since}", of.total()),
    };
    let mut lines = vec![ends(now, vec![Text::styled(span, theme.muted)], width)];
    // So wide that two minutes fill what there is: each column is drawn several times.
    let times = (width.saturating_sub(AXIS) / values.len().max(1)).max(1);
    let rows = chart::rows(&values, high, top * THOUSAND);
    let count = rows.len();
    for (index, row) in rows.into_iter().enumerate() {
        let label = match index {
            0 => format!("{top:>4} ┤"),
            _ if index + 1 == count => "   0 ┤".to_owned(),
            _ => "     │".to_owned(),
        };
        let row: String = row.chars().flat_map(|c| std::iter::repeat_n(c, times)).collect();
        lines.push(Line::from(vec![Text::styled(label, theme.muted), Text::styled(row, style)]));
    }
    lines
}

/// What a span is, if there is room to say it.
fn explained(span: Span, width: usize, theme: &Theme) -> Text<'static> {
    let text = if width >= 70 {
        format!("{:pad$}{}", "", span.explained(), pad = 9 - span.name().len())
    } else {
        String::new()
    };
    Text::styled(text, theme.muted)
}

/// `45 ms`, `1.2 s`, `3 m`.
fn ms(ms: i64) -> String {
    match ms {
        ..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        _ => format!("{} m", ms / 60_000),
    }
}

fn share(sign: &str, name: &str, count: usize, all: usize, bars: usize, style: Style, width: usize) -> Line<'static> {
    let percent = count * 100 / all.max(1);
    let right = format!("{:<bars$} {count:>5} {percent:>3}%", chart::gauge(count as u64, all as u64, bars));
    ends(vec![Text::styled(format!("{sign} {name}"), style)], vec![Text::styled(right, style)], width)
}

fn counts(numbers: &Numbers, is_wide: bool, theme: &Theme) -> Vec<Text<'static>> {
    // What is nothing is quiet, what should be nothing and is not is loud.
    let loud = |count: u64, style: Style| if count == 0 { theme.muted } else { style };
    let cell = |count: u64, wide: usize, style: Style| Text::styled(format!("{:>wide$}", short(count)), style);
    if !is_wide {
        return vec![
            cell(numbers.pending, 7, loud(numbers.pending, theme.warn)),
            cell(numbers.duplicates, 7, loud(numbers.duplicates, theme.text)),
            cell(numbers.dead, 6, loud(numbers.dead, theme.bad)),
        ];
    }
    vec![
        cell(numbers.pending, 7, loud(numbers.pending, theme.warn)),
        cell(numbers.published, 7, theme.text),
        cell(numbers.applied, 8, theme.text),
        cell(numbers.duplicates, 7, loud(numbers.duplicates, theme.text)),
        cell(numbers.dead, 6, loud(numbers.dead, theme.bad)),
        cell(numbers.retries, 8, loud(numbers.retries, theme.warn)),
    ]
}

/// `12345`, `123k`, `12M`: six letters at most.
fn short(count: u64) -> String {
    match count {
        ..100_000 => count.to_string(),
        100_000..100_000_000 => format!("{}k", count / 1000),
        _ => format!("{}M", count / 1_000_000),
    }
}

fn silent(service: Service, why: &str, width: usize, theme: &Theme) -> Line<'static> {
    let why = text::cut(&text::plain(why), width.saturating_sub(14));
    ends(vec![Text::raw(service.name())], vec![Text::styled(format!("✗ {why}"), theme.bad)], width)
}

/// A letter for each partition, as high as what waits there, and what waits in all.
fn lag_line(service: &str, topic: &str, partitions: &BTreeMap<i32, u64>, width: usize, theme: &Theme) -> Line<'static> {
    let sum: u64 = partitions.values().sum();
    let style = if sum == 0 { theme.muted } else { theme.warn };
    let left = vec![Text::raw(format!("{service:<10}")), Text::styled(format!("← {}", text::plain(topic)), theme.text)];
    let room = width.saturating_sub(32);
    let cells: Vec<String> = partitions.values().map(|records| format!("{:>4}", short(*records))).collect();
    let long = cells.len() * 4;
    let right = if long <= room {
        cells.concat()
    } else {
        // No room for numbers: a column for each, against the fullest.
        let most = partitions.values().copied().max().unwrap_or(0).max(1);
        let values: Vec<u64> = partitions.values().take(room).copied().collect();
        chart::rows(&values, 1, most).concat()
    };
    ends(left, vec![Text::styled(right, style), Text::styled(format!("{:>7}", short(sum)), style)], width)
}
