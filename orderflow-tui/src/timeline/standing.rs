//! Where an order stands: whose turn it is, and what is in its way.

use orderflow_client::{
    view,
    why::{Block, BlockKind, Told},
};
use orderflow_contracts::{
    api::orders::{Order, OrderStatus},
    timestamp::Timestamp,
};
use ratatui::{
    style::Style,
    text::{Line, Span},
};

use super::{asking::Asking, effects::Explained};
use crate::{text, theme::Theme};

/// What there is to say in at most so many rows, the most important first.
pub fn lines(
    asking: &Asking,
    order: Option<&Order>,
    now: Timestamp,
    room: (u16, u16),
    theme: &Theme,
) -> Vec<Line<'static>> {
    let all = said(asking, order, now, (room.0, u16::MAX), theme);
    if all.len() <= usize::from(room.1) {
        return all;
    }
    // Of each thing its first row, rather than all of the first thing.
    said(asking, order, now, (room.0, 1), theme)
}

fn said(
    asking: &Asking,
    order: Option<&Order>,
    now: Timestamp,
    (width, rows_each): (u16, u16),
    theme: &Theme,
) -> Vec<Line<'static>> {
    let mut said = Said { width: usize::from(width), rows_each: usize::from(rows_each), theme, lines: Vec::new() };
    match asking.known() {
        Some(known) => said.known(known, order, now),
        None if asking.failed().is_none() => said.say("…", "everybody is being asked", theme.muted),
        None => {}
    }
    if let Some(why) = asking.failed() {
        said.say("✗", why, theme.bad);
    }
    said.lines
}

struct Said<'a> {
    width: usize,
    rows_each: usize,
    theme: &'a Theme,
    lines: Vec<Line<'static>>,
}

impl Said<'_> {
    fn known(&mut self, known: &Explained, order: Option<&Order>, now: Timestamp) {
        let (theme, explanation) = (self.theme, &known.explanation);
        if explanation.over {
            self.over(order.unwrap_or(&known.facts.order));
        }
        for turn in &explanation.turns {
            self.turn(turn, now);
        }
        let in_the_way: Vec<&Block> =
            explanation.blocked_by.iter().filter(|block| block.kind != BlockKind::Person).collect();
        for block in &in_the_way {
            self.block(block);
        }
        if in_the_way.is_empty() && !explanation.over && explanation.blocked_by.is_empty() {
            let sees_all = known.facts.sees_all && known.facts.unread.is_empty();
            let words = if sees_all { "nothing is in the way: it is on its way" } else { "nothing in the way is seen" };
            self.say("…", words, theme.muted);
        }
        for note in &known.facts.unread {
            self.say("?", note, theme.warn);
        }
        let restarts: Vec<String> =
            explanation.restarts.iter().map(|(process, times)| format!("{process} {times}×")).collect();
        if !restarts.is_empty() && !explanation.over {
            self.say("↻", &format!("started again since the cluster came up: {}", restarts.join(", ")), theme.muted);
        }
        if !known.facts.sees_all && !explanation.over {
            self.say("·", "outboxes, inboxes and dead letters are for admins to see", theme.muted);
        }
    }

    fn over(&mut self, order: &Order) {
        let (sign, style) = match order.status {
            OrderStatus::Cancelled => ("✗", self.theme.bad),
            _ => ("✓", self.theme.good),
        };
        self.say(sign, &format!("over: {}", view::headline(order)), style);
    }

    fn turn(&mut self, turn: &Told, now: Timestamp) {
        let (sign, style) = match turn.who {
            "customer" => ("!", self.theme.customer),
            "seller" => ("!", self.theme.seller),
            _ => ("▸", self.theme.accent),
        };
        let left = turn.until.map(|until| format!(" · {} left", text::countdown(until, now)));
        let does = format!("{}{}", turn.does, left.unwrap_or_default());
        for (index, words) in self.rows(&format!("{} {does}", turn.who)).into_iter().enumerate() {
            let spans = match words.strip_prefix(turn.who).filter(|_| index == 0) {
                Some(rest) => vec![
                    Span::styled(format!("{sign} "), style),
                    Span::styled(turn.who, style),
                    Span::raw(rest.to_owned()),
                ],
                None => vec![Span::raw(format!("  {words}"))],
            };
            self.lines.push(Line::from(spans));
        }
    }

    fn block(&mut self, block: &Block) {
        let theme = self.theme;
        let (sign, style) = match block.kind {
            _ if block.is_fresh() => ("…", theme.muted),
            BlockKind::ProviderCall | BlockKind::Deadline => ("…", theme.warn),
            _ => ("✗", theme.bad),
        };
        self.say(sign, &block.what, style);
    }

    /// Behind a sign, in as many rows as each thing may have.
    fn rows(&self, words: &str) -> Vec<String> {
        let room = self.width.saturating_sub(2);
        if self.rows_each == 1 {
            return vec![text::cut(words, room)];
        }
        text::wrap(words, room)
    }

    fn say(&mut self, sign: &'static str, words: &str, style: Style) {
        for (index, words) in self.rows(&text::plain(words)).into_iter().enumerate() {
            let sign = if index == 0 { sign } else { " " };
            self.lines.push(Line::styled(format!("{sign} {words}"), Style { bg: None, ..style }));
        }
    }
}
