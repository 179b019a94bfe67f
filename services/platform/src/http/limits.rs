//! How often one may ask: a token bucket for each account or address.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// Most buckets that are remembered; when there are more, those that are full again are forgotten.
const BUCKETS_MAX: usize = 10_000;

/// Says who has asked too often.
#[derive(Debug)]
pub struct RateLimiter<K> {
    per_second: f64,
    burst: f64,
    buckets: Mutex<HashMap<K, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl<K: Eq + Hash> RateLimiter<K> {
    /// So many a second in the long run, so many at once.
    pub fn new(per_second: f64, burst: f64) -> Self {
        Self { per_second, burst, buckets: Mutex::default() }
    }

    /// Whether this one may, now.
    pub fn allows(&self, who: K, now: Instant) -> bool {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= BUCKETS_MAX && !buckets.contains_key(&who) {
            buckets.retain(|_, bucket| self.filled(bucket, now) < self.burst);
            if buckets.len() >= BUCKETS_MAX {
                return false;
            }
        }
        let bucket = buckets.entry(who).or_insert(Bucket { tokens: self.burst, at: now });
        let tokens = self.filled(bucket, now);
        let allowed = tokens >= 1.0;
        *bucket = Bucket { tokens: if allowed { tokens - 1.0 } else { tokens }, at: now };
        allowed
    }

    fn filled(&self, bucket: &Bucket, now: Instant) -> f64 {
        let seconds = now.saturating_duration_since(bucket.at).as_secs_f64();
        seconds.mul_add(self.per_second, bucket.tokens).min(self.burst)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_is_allowed_then_the_rate_and_nobody_pays_for_others() {
        let limiter = RateLimiter::new(2.0, 3.0);
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        assert!((0..3).all(|_| limiter.allows("a", start)));
        assert!(!limiter.allows("a", start));
        assert!(limiter.allows("b", start));
        assert!(limiter.allows("a", at(500)) && !limiter.allows("a", at(600)));
        assert!((0..3).all(|_| limiter.allows("a", at(60_000))) && !limiter.allows("a", at(60_000)));
    }

    #[test]
    fn the_memory_is_bounded() {
        let limiter = RateLimiter::new(1.0, 1.0);
        let start = Instant::now();
        assert!((0..BUCKETS_MAX).all(|who| limiter.allows(who, start)));
        assert!(!limiter.allows(BUCKETS_MAX, start), "everybody has just asked");
        assert!(limiter.allows(BUCKETS_MAX, start + Duration::from_secs(2)));
        assert_eq!(limiter.buckets.lock().unwrap().len(), 1);
    }
}
