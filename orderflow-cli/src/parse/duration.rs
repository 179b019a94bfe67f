//! Durations as people write them: `30s`, `2m`, `1h30m`, `500ms`.

use std::time::Duration;

const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
/// Longest duration that makes sense: a hundred years.
const DURATION_MAX: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Reads a duration; a number alone is seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "a duration is written as 30s, 2m, 1h30m or 500ms".to_owned();
    let mut rest = text;
    let mut total_ms: u64 = 0;
    while !rest.is_empty() {
        let (number, after) = split(rest, |c| c.is_ascii_digit());
        let (unit, after) = split(after, |c| c.is_ascii_alphabetic());
        let unit = if unit.is_empty() && number == text { "s" } else { unit };
        let (_, unit_ms) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let part = number.checked_mul(*unit_ms).ok_or_else(wrong)?;
        total_ms = total_ms.checked_add(part).ok_or_else(wrong)?;
        rest = after;
    }
    let duration = Duration::from_millis(total_ms);
    if text.is_empty() || duration > DURATION_MAX { Err(wrong()) } else { Ok(duration) }
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

/// Writes a duration as it is read, to the millisecond below a second and to the second above.
pub fn text(ms: u64) -> String {
    if ms < 1000 {
        return format!("{ms}ms");
    }
    let mut text = String::new();
    let mut rest = ms - ms % 1000;
    for (unit, unit_ms) in UNITS.iter().rev().filter(|(unit, _)| *unit != "ms") {
        if rest >= *unit_ms {
            text.push_str(&format!("{}{unit}", rest / unit_ms));
            rest %= unit_ms;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn humane_durations_are_read() {
        for (text, ms) in [
            ("30s", 30_000),
            ("2m", 120_000),
            ("31m", 1_860_000),
            ("1h30m", 5_400_000),
            ("500ms", 500),
            ("1d", 86_400_000),
            ("10", 10_000),
            ("0s", 0),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "s", "1x", "-1s", "1 s", "1.5s", "99999999999999999999s", "1h30", "200000d", "٣s"] {
            assert!(duration(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn durations_are_written() {
        for (ms, written) in [(0, "0ms"), (999, "999ms"), (1500, "1s"), (61_000, "1m1s"), (90_061_000, "1d1h1m1s")] {
            assert_eq!(text(ms), written);
        }
    }
}
