//! Moments as people and JSON read them: RFC 3339, in UTC, to the millisecond.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::events::TimestampMs;

const NANOS_PER_MS: i128 = 1_000_000;

/// A moment in an API: `"2026-11-22T10:56:10.123Z"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub struct Timestamp(
    /// In milliseconds since 1970.
    pub TimestampMs,
);

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&rfc3339(self.0))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_rfc3339(&text).map(Self).ok_or_else(|| D::Error::custom("not a time of RFC 3339"))
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&rfc3339(self.0))
    }
}

/// To the millisecond, in UTC.
pub(crate) fn rfc3339(time_ms: TimestampMs) -> String {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(time_ms) * NANOS_PER_MS);
    // Out of range is a time that no clock shows: the year 9999 is the last.
    let time = time.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (year, month, day) = (time.year(), u8::from(time.month()), time.day());
    let (hour, minute, second, ms) = time.time().as_hms_milli();
    // Always to the millisecond, so that columns of times are even.
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

pub(crate) fn parse_rfc3339(text: &str) -> Option<TimestampMs> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    TimestampMs::try_from(time.unix_timestamp_nanos().div_euclid(NANOS_PER_MS)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_and_read_back() {
        let json = serde_json::to_string(&Timestamp(1_700_000_000_123)).unwrap();
        assert_eq!(json, r#""2023-11-14T22:13:20.123Z""#);
        assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), Timestamp(1_700_000_000_123));
        assert_eq!(Timestamp(1_700_000_000_000).to_string(), "2023-11-14T22:13:20.000Z");
        assert!(serde_json::from_str::<Timestamp>(r#""soon""#).is_err());
    }
}
