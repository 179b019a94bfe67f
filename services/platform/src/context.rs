//! What connects an event with what led to it: correlation, causation, trace.

use orderflow_contracts::{envelope::Envelope, ids::EventId};
use uuid::Uuid;

/// Longest correlation id that is taken from a client, in bytes.
const CORRELATION_ID_BYTES_MAX: usize = 100;
/// `00-<32 hex>-<16 hex>-<2 hex>`
const TRACEPARENT_BYTES: usize = 55;

/// Where something comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// One for all that follows from one command.
    pub correlation_id: String,
    /// The event that led to it; none for a person's command.
    pub causation_id: Option<EventId>,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// Who wants it, as `customer/<account>`; none where a service goes on by itself.
    pub actor: Option<String>,
}

impl Context {
    /// Of a person's command. What a client sends that makes no sense is replaced, not refused.
    pub fn of_command(correlation_id: Option<&str>, traceparent: Option<&str>, actor: Option<String>) -> Self {
        let printable =
            |id: &&str| (1..=CORRELATION_ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
        let correlation_id = correlation_id.filter(printable).map_or_else(|| Uuid::now_v7().to_string(), str::to_owned);
        Self { correlation_id, causation_id: None, traceparent: traceparent.and_then(child_of), actor }
    }

    /// Of what follows from an event.
    pub fn of_event(envelope: &Envelope) -> Self {
        Self {
            correlation_id: envelope.correlation_id.clone(),
            causation_id: Some(envelope.id),
            traceparent: envelope.traceparent.as_deref().and_then(child_of),
            actor: None,
        }
    }

    /// Of what a service does by itself, on behalf of what it has once been asked for.
    pub const fn of_timer(correlation_id: String) -> Self {
        Self { correlation_id, causation_id: None, traceparent: None, actor: None }
    }
}

/// The same trace, a new span.
fn child_of(traceparent: &str) -> Option<String> {
    let well_formed = traceparent.len() == TRACEPARENT_BYTES
        && traceparent.bytes().enumerate().all(|(at, byte)| match at {
            2 | 35 | 52 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    let span = Uuid::new_v4().simple().to_string();
    well_formed.then(|| format!("{}{}{}", &traceparent[..36], &span[..16], &traceparent[52..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_child_has_the_trace_and_a_span_of_its_own() {
        let child = child_of(PARENT).unwrap();
        assert_eq!((child.len(), &child[..36], &child[52..]), (55, &PARENT[..36], "-01"));
        assert_ne!(child, PARENT);
        assert_eq!(child_of("00-zz"), None);
        assert_eq!(child_of(&"é".repeat(30)), None);
    }

    #[test]
    fn nonsense_of_a_client_is_replaced() {
        assert_eq!(Context::of_command(Some("abc"), None, None).correlation_id, "abc");
        for bad in ["", "a b", "a\nb", &"x".repeat(101)] {
            assert_ne!(Context::of_command(Some(bad), None, None).correlation_id, bad);
        }
    }
}
