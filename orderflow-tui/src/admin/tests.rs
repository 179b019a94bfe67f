use orderflow_contracts::{api::console::EventRecord, timestamp::Timestamp};
use serde_json::json;

/// An event of one order, heard seven milliseconds after it was committed.
pub(super) fn record_at(position: i64, event_type: &str, at_ms: i64) -> EventRecord {
    let id = "00000000-0000-0000-0000-000000000001";
    let service = match event_type.split('.').next() {
        Some("inventory" | "catalog") => "inventory",
        Some("payment") => "payments",
        _ => "orders",
    };
    let mut record: EventRecord = serde_json::from_value(json!({
        "position": position, "id": id, "source": format!("/orderflow/{service}"), "type": event_type, "subject": id,
        "sequence": 1, "correlation_id": "c", "causation_id": null, "at": "2026-01-01T10:00:00Z",
        "published_at": "2026-01-01T10:00:00Z", "received_at": "2026-01-01T10:00:00Z", "data": {},
    }))
    .unwrap();
    (record.at, record.published_at, record.received_at) =
        (Timestamp(at_ms), Timestamp(at_ms + 3), Timestamp(at_ms + 7));
    record
}
