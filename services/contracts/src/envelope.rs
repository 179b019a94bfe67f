//! What stands around an event: CloudEvents 1.0 in the binary mode of the Kafka binding.
//!
//! The attributes are record headers (`ce_id`, `ce_type`, …), the record's value is the event's data as JSON, its key
//! the id of what the event is about. Of our own are the extensions `correlationid` (one for all that follows from
//! one command), `causationid` (the event that made this one), `sequence` (of the aggregate, without a gap), `actor` (who
//! did it, where it was a person) and W3C's `traceparent`.

use std::collections::BTreeMap;

use crate::{
    events::TimestampMs,
    ids::EventId,
    timestamp::{parse_rfc3339, rfc3339},
};

/// The version of CloudEvents that is written and understood.
const SPEC_VERSION: &str = "1.0";
/// What the record's value is.
const CONTENT_TYPE: &str = "application/json";
/// Longest header that is read, in bytes.
const HEADER_BYTES_MAX: usize = 1024;

/// The attributes of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The event's id: the same when the same event is sent again.
    pub id: EventId,
    /// The service that wrote it, as `/orderflow/orders`.
    pub source: String,
    /// The event's type, as `order.created`.
    pub event_type: String,
    /// What it is about: the aggregate's id, which is the record's key too.
    pub subject: String,
    /// When it happened, by the clock of the service's database.
    pub time_ms: TimestampMs,
    /// One for all that follows from one command.
    pub correlation_id: String,
    /// The event that led to this one; none for a person's command.
    pub causation_id: Option<EventId>,
    /// The number of the event in the life of its aggregate, from 1 on, without a gap.
    pub sequence: u64,
    /// W3C trace context, where the work is traced.
    pub traceparent: Option<String>,
    /// Who did it, as `customer/<account>`; none where the service did it by itself.
    pub actor: Option<String>,
}

/// Why headers are not an envelope. Such a record is dead-lettered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// A header that must be there is not.
    #[error("the header {0} is missing")]
    Missing(&'static str),
    /// A header is there and makes no sense.
    #[error("the header {0} is not readable")]
    Unreadable(&'static str),
    /// Not the version of CloudEvents that we know.
    #[error("CloudEvents {0:?} is not understood; {SPEC_VERSION} is")]
    SpecVersion(String),
}

impl Envelope {
    /// The record's headers.
    pub fn to_headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("content-type", CONTENT_TYPE.to_owned()),
            ("ce_specversion", SPEC_VERSION.to_owned()),
            ("ce_id", self.id.to_string()),
            ("ce_source", self.source.clone()),
            ("ce_type", self.event_type.clone()),
            ("ce_subject", self.subject.clone()),
            ("ce_time", rfc3339(self.time_ms)),
            ("ce_correlationid", self.correlation_id.clone()),
            ("ce_sequence", self.sequence.to_string()),
        ];
        headers.extend(self.causation_id.map(|id| ("ce_causationid", id.to_string())));
        headers.extend(self.traceparent.clone().map(|parent| ("ce_traceparent", parent)));
        headers.extend(self.actor.clone().map(|actor| ("ce_actor", actor)));
        headers
    }

    /// Reads the headers of a record; those that are not ours are passed over.
    pub fn from_headers<'a>(headers: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Self, EnvelopeError> {
        let found: BTreeMap<&str, &[u8]> = headers.into_iter().collect();
        let optional = |name: &'static str| match found.get(name) {
            None => Ok(None),
            Some(bytes) if bytes.len() > HEADER_BYTES_MAX => Err(EnvelopeError::Unreadable(name)),
            // No attribute has a control character in it (CloudEvents 1.0, type system); a NUL is refused by Postgres.
            Some(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) if !text.chars().any(char::is_control) => Ok(Some(text)),
                _ => Err(EnvelopeError::Unreadable(name)),
            },
        };
        let needed = |name| optional(name)?.filter(|text| !text.is_empty()).ok_or(EnvelopeError::Missing(name));
        let version = needed("ce_specversion")?;
        if version != SPEC_VERSION {
            return Err(EnvelopeError::SpecVersion(version.chars().take(20).collect()));
        }
        let event_id = |name, text: &str| text.parse().map_err(|_| EnvelopeError::Unreadable(name));
        let causation_id = optional("ce_causationid")?.map(|text| event_id("ce_causationid", text)).transpose()?;
        let sequence = needed("ce_sequence")?.parse().ok().filter(|sequence| *sequence > 0);
        Ok(Self {
            id: event_id("ce_id", needed("ce_id")?)?,
            source: needed("ce_source")?.to_owned(),
            event_type: needed("ce_type")?.to_owned(),
            subject: needed("ce_subject")?.to_owned(),
            time_ms: parse_rfc3339(needed("ce_time")?).ok_or(EnvelopeError::Unreadable("ce_time"))?,
            correlation_id: needed("ce_correlationid")?.to_owned(),
            causation_id,
            sequence: sequence.ok_or(EnvelopeError::Unreadable("ce_sequence"))?,
            traceparent: optional("ce_traceparent")?.map(str::to_owned),
            actor: optional("ce_actor")?.map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope() -> Envelope {
        Envelope {
            id: "00000000-0000-0000-0000-00000000000a".parse().unwrap(),
            source: "/orderflow/orders".into(),
            event_type: "order.created".into(),
            subject: "00000000-0000-0000-0000-000000000001".into(),
            time_ms: 1_700_000_000_123,
            correlation_id: "c".into(),
            causation_id: Some("00000000-0000-0000-0000-00000000000b".parse().unwrap()),
            sequence: 3,
            traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
            actor: Some("seller/00000000-0000-0000-0000-000000000002".into()),
        }
    }

    fn read(headers: &[(&str, String)]) -> Result<Envelope, EnvelopeError> {
        Envelope::from_headers(headers.iter().map(|(name, value)| (*name, value.as_bytes())))
    }

    #[test]
    fn headers_are_those_of_the_kafka_binding_and_read_back() {
        let headers = envelope().to_headers();
        assert!(headers.contains(&("ce_time", "2023-11-14T22:13:20.123Z".into())));
        assert!(headers.contains(&("ce_type", "order.created".into())));
        assert_eq!(read(&headers), Ok(envelope()));
        let bare = Envelope { causation_id: None, traceparent: None, actor: None, ..envelope() };
        assert_eq!(read(&bare.to_headers()), Ok(bare));
    }

    #[test]
    fn each_header_that_is_needed_is_missed() {
        for name in [
            "ce_specversion",
            "ce_id",
            "ce_source",
            "ce_type",
            "ce_subject",
            "ce_time",
            "ce_correlationid",
            "ce_sequence",
        ] {
            let mut headers = envelope().to_headers();
            headers.retain(|(n, _)| *n != name);
            assert_eq!(read(&headers), Err(EnvelopeError::Missing(name)));
        }
    }

    #[test]
    fn nonsense_is_named() {
        let with = |name: &'static str, value: &str| {
            let mut headers = envelope().to_headers();
            headers.retain(|(n, _)| *n != name);
            headers.push((name, value.to_owned()));
            read(&headers)
        };
        for (name, value) in [
            ("ce_id", "x"),
            ("ce_causationid", "x"),
            ("ce_sequence", "0"),
            ("ce_sequence", "-1"),
            ("ce_time", "yesterday"),
            ("ce_subject", "00000000-0000-0000-0000-000000000001\0"),
            ("ce_source", "\n"),
            ("ce_type", "order.\u{85}created"),
            ("ce_correlationid", "\u{1b}[2J"),
            ("ce_actor", "\u{7f}"),
        ] {
            assert_eq!(with(name, value), Err(EnvelopeError::Unreadable(name)), "{name}: {value}");
        }
        assert_eq!(with("ce_source", &"x".repeat(2000)), Err(EnvelopeError::Unreadable("ce_source")));
        assert_eq!(with("ce_specversion", "0.3"), Err(EnvelopeError::SpecVersion("0.3".into())));
    }
}
