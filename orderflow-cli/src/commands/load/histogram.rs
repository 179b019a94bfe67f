//! How long things took: counted in buckets, so that a load of days takes no more memory than one of seconds.

use std::time::Duration;

use serde::Serialize;

/// Buckets of a power of two: what is told is at most a thirty-second part too long.
const STEPS: u64 = 32;
const STEPS_BITS: u32 = STEPS.trailing_zeros();

/// Times, in milliseconds.
#[derive(Debug, Clone, Default)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    max_ms: u64,
}

/// What is told of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Percentiles {
    /// How many.
    pub count: u64,
    /// Half of them took no longer.
    pub p50_ms: u64,
    /// 95 of a hundred took no longer.
    pub p95_ms: u64,
    /// 99 of a hundred took no longer.
    pub p99_ms: u64,
    /// The longest.
    pub max_ms: u64,
}

impl Histogram {
    /// One more.
    pub fn add(&mut self, took: Duration) {
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let bucket = bucket_of(ms);
        if self.buckets.len() <= bucket {
            self.buckets.resize(bucket + 1, 0);
        }
        if let Some(count) = self.buckets.get_mut(bucket) {
            *count += 1;
        }
        self.count += 1;
        self.max_ms = self.max_ms.max(ms);
    }

    /// What no more than so many of a hundred exceed.
    fn percentile(&self, percent: u64) -> u64 {
        let wanted = (self.count * percent).div_ceil(100).max(1);
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return end_of(bucket).min(self.max_ms);
            }
        }
        self.max_ms
    }

    /// What is told.
    pub fn percentiles(&self) -> Percentiles {
        let [p50_ms, p95_ms, p99_ms] = [50, 95, 99].map(|percent| self.percentile(percent));
        Percentiles { count: self.count, p50_ms, p95_ms, p99_ms, max_ms: self.max_ms }
    }
}

/// Below [`STEPS`] each millisecond has its own; above, each power of two has as many.
fn bucket_of(ms: u64) -> usize {
    let bucket = if ms < STEPS {
        ms
    } else {
        let shift = ms.ilog2() - STEPS_BITS;
        (u64::from(shift) + 1) * STEPS + ((ms >> shift) - STEPS)
    };
    usize::try_from(bucket).unwrap_or(usize::MAX)
}

/// The longest time that belongs to a bucket.
fn end_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    match (bucket / STEPS).checked_sub(1) {
        None => bucket,
        Some(shift) => ((STEPS + bucket % STEPS + 1) << shift) - 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(times: impl IntoIterator<Item = u64>) -> Percentiles {
        let mut histogram = Histogram::default();
        times.into_iter().for_each(|ms| histogram.add(Duration::from_millis(ms)));
        histogram.percentiles()
    }

    #[test]
    fn small_times_are_exact() {
        assert_eq!(of([5]), Percentiles { count: 1, p50_ms: 5, p95_ms: 5, p99_ms: 5, max_ms: 5 });
        assert_eq!(of(1..=20), Percentiles { count: 20, p50_ms: 10, p95_ms: 19, p99_ms: 20, max_ms: 20 });
        assert_eq!(of([]), Percentiles { count: 0, p50_ms: 0, p95_ms: 0, p99_ms: 0, max_ms: 0 });
    }

    #[test]
    fn large_times_are_at_most_a_little_too_long() {
        let found = of(1..=10_000);
        for (found, exact) in [(found.p50_ms, 5_000), (found.p95_ms, 9_500), (found.p99_ms, 9_900)] {
            assert!(found >= exact && found <= exact + exact / 32 + 1, "{found} for {exact}");
        }
        assert_eq!(found.max_ms, 10_000);
    }

    #[test]
    fn every_time_is_in_the_bucket_that_ends_behind_it() {
        for ms in (0..5_000).chain([100_000, 86_400_000, u64::from(u32::MAX)]) {
            let bucket = bucket_of(ms);
            assert!(ms <= end_of(bucket) && (bucket == 0 || ms > end_of(bucket - 1)), "{ms}");
        }
    }
}
