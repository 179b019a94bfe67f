//! An event as it is: envelope, times, payload, and the headers that it has in Kafka.

use orderflow_client::{
    saga_view::{Mark, Row, SagaView},
    why::{Consumed, Hop, span},
};
use orderflow_contracts::{api::console::EventRecord, envelope::Envelope, timestamp::Timestamp};
use ratatui::{
    style::{Modifier, Style},
    text::{Line, Span},
};

use crate::{text, theme::Theme};

/// Columns of the names.
const NAMES: usize = 13;

/// An event, and what is known of it.
pub struct Event<'a> {
    /// Where it stands in the order's life.
    pub view: &'a SagaView,
    /// Its row.
    pub row: &'a Row,
    /// As it was heard; none if nobody has heard it yet.
    pub record: Option<&'a EventRecord>,
    /// Its way, where that is known.
    pub hop: Option<&'a Hop>,
}

impl Event<'_> {
    /// All of it.
    pub fn lines(&self, width: u16, theme: &Theme) -> Vec<Line<'static>> {
        let mut lines = self.facts(width, theme);
        lines.extend(self.content(width, theme));
        lines
    }

    /// What it is, and when it was where.
    pub fn facts(&self, width: u16, theme: &Theme) -> Vec<Line<'static>> {
        let mut page = Page { width: usize::from(width), theme, lines: Vec::new() };
        self.title(&mut page);
        self.envelope(&mut page);
        self.times(&mut page);
        page.lines
    }

    /// What is in it.
    pub fn content(&self, width: u16, theme: &Theme) -> Vec<Line<'static>> {
        let mut page = Page { width: usize::from(width), theme, lines: Vec::new() };
        match self.record {
            Some(record) => {
                page.part("payload");
                page.block(&serde_json::to_string_pretty(&record.data).unwrap_or_default());
                page.part("headers in Kafka");
                for (name, value) in envelope(record).to_headers() {
                    page.header(name, &value);
                }
            }
            None => page.say("it is committed and was not published yet: nobody has heard it", theme.warn),
        }
        page.lines
    }

    fn title(&self, page: &mut Page<'_>) {
        let (what, theme) = (self.row.line.what, page.theme);
        let style = Style { bg: None, ..theme.tone(what.tone) }.add_modifier(Modifier::BOLD);
        page.lines.push(Line::from(vec![
            Span::styled(format!("{} {}", what.tone.glyph(), what.word), style),
            Span::styled(format!("  {}", what.title), theme.text),
        ]));
        if self.row.line.text != what.title {
            page.say(&self.row.line.text, theme.text);
        }
        for mark in &self.row.marks {
            page.say(&explained(mark), theme.tone(mark.tone()));
        }
    }

    fn envelope(&self, page: &mut Page<'_>) {
        page.part("envelope");
        page.pair("id", &self.row.event_id.to_string());
        page.pair("type", &self.row.line.event);
        if let Some(record) = self.record {
            page.pair("source", &record.source);
            page.pair("subject", &record.subject);
            page.pair("sequence", &record.sequence.to_string());
            page.pair("correlation", &record.correlation_id);
        }
        let cause = self.row.cause.and_then(|index| self.view.rows.get(index));
        match (cause, self.record.and_then(|record| record.causation_id), self.row.by) {
            (Some(cause), ..) => page.pair("caused by", &named(cause)),
            (None, Some(id), _) => page.pair("caused by", &id.to_string()),
            (None, None, Some(who)) => page.pair("caused by", &format!("the {who}")),
            (None, None, None) => page.pair("caused by", "no event: the clock, or what a service had to do"),
        }
        let at = self.view.find(self.row.event_id);
        let led_to: Vec<String> = at.map(|at| self.view.led_to(at).map(named).collect()).unwrap_or_default();
        for (index, effect) in led_to.iter().enumerate() {
            page.pair(if index == 0 { "led to" } else { "" }, effect);
        }
    }

    fn times(&self, page: &mut Page<'_>) {
        page.part("times");
        let decided = self.hop.and_then(|hop| hop.handler_ms).map(|ms| format!("decided in {}", span(ms)));
        page.time("committed", self.row.line.at, decided.unwrap_or_default());
        if let Some(record) = self.record {
            let outbox = self.hop.and_then(|hop| hop.outbox_ms).or(between(record.at, record.published_at));
            page.time("published", record.published_at, took(outbox, "in the outbox"));
            let kafka = between(record.published_at, record.received_at);
            page.time("heard here", record.received_at, took(kafka, "in Kafka"));
        }
        let consumers = self.hop.map(|hop| hop.consumers.as_slice()).unwrap_or_default();
        for (index, consumed) in consumers.iter().enumerate() {
            page.pair(if index == 0 { "applied by" } else { "" }, &applied(consumed));
        }
    }
}

/// What a mark means.
fn explained(mark: &Mark) -> String {
    match mark {
        Mark::Suppressed(1) => "×1: it came once more, and was passed over by its id".to_owned(),
        Mark::Suppressed(times) => format!("×{times}: it came {times} times more, and was passed over by its id"),
        Mark::Restarted(process) => format!("↻ {process} was started again before this, and the order went on"),
        mark => mark.words(),
    }
}

fn named(row: &Row) -> String {
    format!("{} {} {}", row.line.what.tone.glyph(), row.line.what.word, row.event_id)
}

fn applied(consumed: &Consumed) -> String {
    let again = match consumed.duplicates {
        0 => String::new(),
        times => format!(", ×{times} suppressed"),
    };
    match (consumed.applied_at, consumed.kafka_ms) {
        (Some(_), Some(ms)) => format!("{} after {}{again}", consumed.service, span(ms)),
        (Some(at), None) => format!("{} at {}{again}", consumed.service, text::clock(at)),
        (None, _) => format!("{}: not yet", consumed.service),
    }
}

/// Between two clocks; nothing where one was moved.
fn between(from: Timestamp, to: Timestamp) -> Option<i64> {
    Some(to.0.saturating_sub(from.0)).filter(|ms| *ms >= 0)
}

fn took(ms: Option<i64>, place: &str) -> String {
    ms.map(|ms| format!("+{} {place}", span(ms))).unwrap_or_default()
}

/// As it was sent. Who did it and the trace are not kept by the console.
fn envelope(record: &EventRecord) -> Envelope {
    Envelope {
        id: record.id,
        source: record.source.clone(),
        event_type: record.event_type.clone(),
        subject: record.subject.clone(),
        time_ms: record.at.0,
        correlation_id: record.correlation_id.clone(),
        causation_id: record.causation_id,
        sequence: u64::try_from(record.sequence).unwrap_or_default(),
        traceparent: None,
        actor: None,
    }
}

struct Page<'a> {
    width: usize,
    theme: &'a Theme,
    lines: Vec<Line<'static>>,
}

impl Page<'_> {
    fn part(&mut self, name: &str) {
        let rule = "─".repeat(self.width.saturating_sub(name.len() + 1));
        self.lines.push(Line::from(vec![
            Span::styled(format!("{name} "), self.theme.accent),
            Span::styled(rule, self.theme.border),
        ]));
    }

    fn say(&mut self, words: &str, style: Style) {
        for words in text::wrap(&text::plain(words), self.width) {
            self.lines.push(Line::styled(words, Style { bg: None, ..style }));
        }
    }

    /// Text with lines of its own.
    fn block(&mut self, words: &str) {
        for line in words.lines() {
            let line = text::plain(line);
            let indent = line.len() - line.trim_start().len();
            for (index, words) in text::wrap(&line, self.width.saturating_sub(indent)).into_iter().enumerate() {
                let more = if index == 0 { indent } else { indent + 2 };
                self.lines.push(Line::raw(format!("{}{words}", " ".repeat(more))));
            }
        }
    }

    fn pair(&mut self, name: &str, value: &str) {
        let room = self.width.saturating_sub(NAMES);
        for (index, words) in text::wrap(&text::plain(value), room).into_iter().enumerate() {
            let name = if index == 0 { name } else { "" };
            self.lines
                .push(Line::from(vec![Span::styled(format!("{name:<NAMES$}"), self.theme.muted), Span::raw(words)]));
        }
    }

    fn time(&mut self, name: &str, at: Timestamp, took: String) {
        let clock = at.to_string().get(11..23).unwrap_or_default().to_owned();
        self.pair(name, format!("{clock}  {took}").trim_end());
    }

    fn header(&mut self, name: &str, value: &str) {
        for (index, words) in text::wrap(&text::plain(&format!("{name}: {value}")), self.width).into_iter().enumerate()
        {
            let spans = match words.strip_prefix(name).filter(|_| index == 0) {
                Some(rest) => vec![Span::styled(name.to_owned(), self.theme.muted), Span::raw(rest.to_owned())],
                None => vec![Span::raw(words)],
            };
            self.lines.push(Line::from(spans));
        }
    }
}
