//! Records that no service can make anything of, and the dead letters that become of them.

use crate::{Kafka, eventually};

/// Why each record of [`Kafka::send_nonsense`] is put aside: a part of the reason that is given.
const REASONS: [&str; 5] = [
    "ce_specversion is missing",
    "ce_sequence is missing",
    "unknown variant `nobody.knows`",
    "missing field",
    "key is not the event's subject",
];

impl Kafka {
    /// Sends what makes no sense to anybody: no event at all, half an envelope, an event of a type that is not known, one
    /// of `event_type` whose data lack something, and the same under another key than its subject. All but the last have
    /// this key.
    pub async fn send_nonsense(&self, topic: &str, key: &str, event_type: &str, incomplete: &str) {
        let headers = |event_type, id| {
            [
                ("ce_specversion", "1.0"),
                ("ce_id", id),
                ("ce_source", "/test"),
                ("ce_type", event_type),
                ("ce_subject", key),
                ("ce_time", "2026-01-01T00:00:00Z"),
                ("ce_correlationid", "c"),
                ("ce_sequence", "1"),
            ]
        };
        self.send(topic, key, &[], b"hello").await;
        self.send(topic, key, &[("ce_specversion", "1.0")], b"\xff\x00").await;
        let unknown = headers("nobody.knows", "00000000-0000-0000-0000-000000000001");
        self.send(topic, key, &unknown, b"{}").await;
        let known = headers(event_type, "00000000-0000-0000-0000-000000000002");
        self.send(topic, key, &known, incomplete.as_bytes()).await;
        self.send(topic, "other", &known, incomplete.as_bytes()).await;
    }

    /// Waits until all of that is in this topic of dead letters, and as many more as there are reasons here. Each reason
    /// is found there; how many letters there are, as a query counts them.
    pub async fn nonsense_is_put_aside(&self, topic: &'static str, more: &[&str]) -> i64 {
        let count = REASONS.len() + more.len();
        let published = async || Some(self.read(topic).await).filter(|letters| letters.len() == count);
        let letters = eventually("all of it is a dead letter", published).await;
        let reasons: Vec<_> = letters.iter().map(|letter| letter.headers["dead-letter-reason"].as_str()).collect();
        for reason in REASONS.iter().chain(more) {
            assert!(reasons.iter().any(|found| found.contains(reason)), "{reason}: {reasons:?}");
        }
        i64::try_from(count).expect("a few")
    }
}
