//! The services' own numbers: what waits in the outbox, what came twice, what died, who is behind.

use std::collections::BTreeMap;

use orderflow_client::{Service, metrics::Metrics};

/// Topics of one service, and partitions of one topic, that are shown.
const TOPICS_MAX: usize = 32;
const PARTITIONS_MAX: usize = 256;

/// The numbers of one service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Committed, and not published yet.
    pub pending: u64,
    /// Published, in all.
    pub published: u64,
    /// Applied, in all.
    pub applied: u64,
    /// Came again, and were passed over.
    pub duplicates: u64,
    /// Dead-lettered, in all.
    pub dead: u64,
    /// Batches that relay or consumer had to try again.
    pub retries: u64,
    /// Not committed yet, by topic and partition; empty if that is not known.
    pub lag: BTreeMap<String, BTreeMap<i32, u64>>,
}

impl Numbers {
    /// Out of what the service tells.
    pub fn of(metrics: &Metrics) -> Self {
        let sum = |name| metrics.sum(name).map_or(0, whole);
        let mut lag: BTreeMap<String, BTreeMap<i32, u64>> = BTreeMap::new();
        for sample in metrics.of("orderflow_consumer_lag") {
            let (Some(topic), Some(partition)) = (sample.label("topic"), sample.label("partition")) else { continue };
            let Ok(partition) = partition.parse() else { continue };
            if lag.len() >= TOPICS_MAX && !lag.contains_key(topic) {
                continue;
            }
            let partitions = lag.entry(topic.to_owned()).or_default();
            if partitions.len() < PARTITIONS_MAX {
                partitions.insert(partition, whole(sample.value));
            }
        }
        Self {
            pending: sum("orderflow_outbox_pending"),
            published: sum("orderflow_outbox_published_total"),
            applied: sum("orderflow_inbox_applied_total"),
            duplicates: sum("orderflow_inbox_duplicates_total"),
            dead: sum("orderflow_dead_letters_total"),
            retries: sum("orderflow_relay_failures_total") + sum("orderflow_consumer_failures_total"),
            lag,
        }
    }

    /// How far it is behind in all.
    pub fn behind(&self) -> u64 {
        self.lag.values().flat_map(BTreeMap::values).sum()
    }
}

/// Counts are whole; what is not, or below nothing, is nothing.
fn whole(value: f64) -> u64 {
    // There is no lossless way; by its digits it is exact as far as counts go.
    format!("{:.0}", value.max(0.0)).parse().unwrap_or(0)
}

/// The numbers of all services, or why one does not tell them.
pub type All = Vec<(Service, Result<Numbers, String>)>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_service_tells_is_read() {
        let text = "orderflow_outbox_pending 4\norderflow_inbox_duplicates_total 7\norderflow_relay_failures_total 1\n\
                    orderflow_consumer_failures_total 2\norderflow_consumer_lag{topic=\"orders\",partition=\"0\"} 3\n\
                    orderflow_consumer_lag{topic=\"orders\",partition=\"11\"} 2\norderflow_consumer_lag{topic=\"x\"} 9\n";
        let numbers = Numbers::of(&Metrics::parse(text));
        assert_eq!((numbers.pending, numbers.duplicates, numbers.retries, numbers.behind()), (4, 7, 3, 5));
        assert_eq!(numbers.lag["orders"], BTreeMap::from([(0, 3), (11, 2)]));
        assert_eq!((whole(-1.0), whole(2.6), whole(f64::NAN)), (0, 3, 0));
    }
}
