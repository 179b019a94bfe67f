//! How long the system takes for what is its own: from what a person did, or what it was told, to what follows of it
//! without anybody. By the times that stand in the events.

use std::collections::{HashMap, VecDeque};

use orderflow_contracts::api::console::EventRecord;

/// Orders whose beginning is remembered.
const ORDERS_MAX: usize = 4_096;
/// Samples that are kept of each span.
const SAMPLES_MAX: usize = 1_024;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// The seller confirms; stock is held, the order can be paid.
    Reserve,
    /// The money is taken; the order is paid, the stock its own.
    Settle,
    /// The order is cancelled; stock or money is given back.
    Undo,
    /// An event is committed; the console has heard of it.
    Publish,
}

impl Span {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Reserve, Self::Settle, Self::Undo, Self::Publish];

    /// One word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reserve => "reserve",
            Self::Settle => "settle",
            Self::Undo => "undo",
            Self::Publish => "publish",
        }
    }

    /// From where to where.
    pub const fn explained(self) -> &'static str {
        match self {
            Self::Reserve => "confirmation_requested → confirmed",
            Self::Settle => "payment.succeeded → paid, allocated",
            Self::Undo => "cancelled → released, voided, refunded",
            Self::Publish => "event committed → heard by the console",
        }
    }
}

/// What is known of a span, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percentiles {
    /// How many samples there are.
    pub count: usize,
    /// Half of them are not slower.
    pub p50: i64,
    /// 95 in a hundred are not slower.
    pub p95: i64,
    /// 99 in a hundred are not slower.
    pub p99: i64,
}

/// The last samples of one span.
#[derive(Debug, Clone, Default)]
struct Samples(VecDeque<i64>);

impl Samples {
    fn add(&mut self, ms: i64) {
        if self.0.len() == SAMPLES_MAX {
            self.0.pop_front();
        }
        // Two services' clocks may differ a little.
        self.0.push_back(ms.max(0));
    }

    fn percentiles(&self) -> Option<Percentiles> {
        let mut sorted: Vec<i64> = self.0.iter().copied().collect();
        sorted.sort_unstable();
        let count = sorted.len();
        // The nearest rank, counted from 1.
        let at = |percent: usize| sorted.get((count * percent).div_ceil(100).max(1) - 1).copied();
        Some(Percentiles { count, p50: at(50)?, p95: at(95)?, p99: at(99)? })
    }
}

/// When something of an order began.
#[derive(Debug, Clone, Copy, Default)]
struct Begun {
    reserve: Option<i64>,
    settle: Option<i64>,
    undo: Option<i64>,
    /// Of what follows a charge, so much has happened.
    settled: u8,
}

/// The spans of the last orders.
#[derive(Debug, Default)]
pub struct Spans {
    begun: HashMap<String, Begun>,
    oldest: VecDeque<String>,
    samples: [Samples; 4],
}

impl Spans {
    /// What is known of a span; nothing before the first sample.
    pub fn of(&self, span: Span) -> Option<Percentiles> {
        self.samples[span as usize].percentiles()
    }

    /// An event has come.
    pub fn hear(&mut self, record: &EventRecord) {
        let at = record.at.0;
        self.samples[Span::Publish as usize].add(record.received_at.0 - at);
        let ended = match record.event_type.as_str() {
            "order.confirmation_requested" => return self.begun(record).reserve = Some(at),
            "payment.succeeded" => return self.begun(record).settle = Some(at),
            "order.cancelled" => return self.begun(record).undo = Some(at),
            "order.confirmed" => self
                .begun
                .get_mut(&record.subject)
                .and_then(|begun| begun.reserve.take())
                .map(|from| (Span::Reserve, from)),
            "order.paid" | "inventory.allocated" => self.begun.get_mut(&record.subject).and_then(settled),
            "inventory.released" | "payment.voided" | "payment.refunded" => {
                // Each of them is a way back of its own.
                self.begun.get(&record.subject).and_then(|begun| begun.undo).map(|from| (Span::Undo, from))
            }
            _ => None,
        };
        if let Some((span, from)) = ended {
            self.samples[span as usize].add(at - from);
        }
    }

    fn begun(&mut self, record: &EventRecord) -> &mut Begun {
        if !self.begun.contains_key(&record.subject) {
            if self.oldest.len() == ORDERS_MAX
                && let Some(oldest) = self.oldest.pop_front()
            {
                self.begun.remove(&oldest);
            }
            self.oldest.push_back(record.subject.clone());
        }
        self.begun.entry(record.subject.clone()).or_default()
    }
}

/// A charge is settled with the second of the two that follow it; there is no order between topics.
fn settled(begun: &mut Begun) -> Option<(Span, i64)> {
    let from = begun.settle?;
    begun.settled += 1;
    if begun.settled < 2 {
        return None;
    }
    begun.settle = None;
    Some((Span::Settle, from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::tests::record_at;

    #[test]
    fn only_the_systems_own_time_counts() {
        let mut spans = Spans::default();
        let events = [
            ("order.created", 0),
            ("order.confirmation_requested", 60_000),
            ("inventory.reserved", 60_020),
            ("order.confirmed", 60_050),
            ("payment.succeeded", 120_000),
            ("order.paid", 120_030),
            ("inventory.allocated", 120_080),
            ("order.cancelled", 130_000),
            ("inventory.released", 130_005),
            ("payment.refunded", 130_400),
        ];
        for (position, (event_type, at)) in events.into_iter().enumerate() {
            spans.hear(&record_at(i64::try_from(position).unwrap(), event_type, at));
        }
        let p50 = |span| spans.of(span).map(|found| (found.count, found.p50, found.p99));
        assert_eq!(p50(Span::Reserve), Some((1, 50, 50)));
        assert_eq!(p50(Span::Settle), Some((1, 80, 80)));
        assert_eq!(p50(Span::Undo), Some((2, 5, 400)));
        assert_eq!(p50(Span::Publish), Some((10, 7, 7)));
    }

    #[test]
    fn percentiles_are_of_the_last_samples() {
        let mut samples = Samples::default();
        assert_eq!(samples.percentiles(), None);
        (1..=100).for_each(|ms| samples.add(ms));
        assert_eq!(samples.percentiles(), Some(Percentiles { count: 100, p50: 50, p95: 95, p99: 99 }));
        (0..2_000).for_each(|_| samples.add(-7));
        assert_eq!(samples.percentiles(), Some(Percentiles { count: SAMPLES_MAX, p50: 0, p95: 0, p99: 0 }));
    }

    #[test]
    fn only_so_many_orders_are_remembered() {
        let mut spans = Spans::default();
        for number in 0..ORDERS_MAX + 10 {
            let mut record = record_at(1, "order.confirmation_requested", 0);
            record.subject = number.to_string();
            spans.hear(&record);
        }
        assert_eq!((spans.begun.len(), spans.oldest.len()), (ORDERS_MAX, ORDERS_MAX));
    }
}
