//! How many a second, over the last two minutes.

/// Seconds that are shown.
pub const SECONDS: i64 = 120;
/// Seconds over which what happens now is averaged.
const NOW_SECONDS: i64 = 10;
/// Parts into which one is divided.
pub const THOUSAND: u64 = 1_000;
/// More than that, so that a second that begins does not take one that is shown.
const BINS: usize = 128;

/// Counts by the second; older ones are forgotten.
#[derive(Debug, Clone)]
pub struct Rates {
    bins: [u32; BINS],
    /// The newest second that was counted in.
    newest: i64,
    total: u64,
}

impl Default for Rates {
    fn default() -> Self {
        Self { bins: [0; BINS], newest: 0, total: 0 }
    }
}

impl Rates {
    /// One more, at this moment of this machine's clock.
    pub fn add(&mut self, at_ms: i64) {
        let second = at_ms.div_euclid(1000);
        self.total += 1;
        if second - self.newest >= SECONDS || second < self.newest - 5 {
            // So long ago, or by a clock that was turned back: nothing of before is to be seen.
            self.bins = [0; BINS];
            self.newest = second;
        }
        while self.newest < second {
            self.newest += 1;
            self.bins[index(self.newest)] = 0;
        }
        let bin = &mut self.bins[index(second)];
        *bin = bin.saturating_add(1);
    }

    /// How many there were in all.
    pub const fn total(&self) -> u64 {
        self.total
    }

    fn at(&self, second: i64) -> u32 {
        let is_known = second <= self.newest && second > self.newest - SECONDS;
        if is_known { self.bins[index(second)] } else { 0 }
    }

    fn sum(&self, from: i64, seconds: i64) -> u32 {
        (from..from + seconds).map(|second| self.at(second)).sum()
    }

    /// How many a second there are now.
    pub fn now(&self, at_ms: i64) -> f64 {
        let second = at_ms.div_euclid(1000);
        f64::from(self.sum(second - NOW_SECONDS, NOW_SECONDS)) / seconds_of(NOW_SECONDS)
    }

    /// How many thousandths of one a second there were, in at most so many columns; the newest is the last. The second that has not ended
    /// yet is left out. Columns begin at whole multiples of their length, so that they do not change as time goes on.
    pub fn columns(&self, at_ms: i64, most: usize) -> Vec<u64> {
        let most = i64::try_from(most.max(1)).unwrap_or(SECONDS);
        let long = (SECONDS + most - 1) / most;
        let end = at_ms.div_euclid(1000).div_euclid(long) * long;
        let count = SECONDS / long;
        let sum = |column| u64::from(self.sum(end - (count - column) * long, long));
        (0..count).map(|column| sum(column) * THOUSAND / long.unsigned_abs()).collect()
    }
}

fn index(second: i64) -> usize {
    usize::try_from(second & 127).unwrap_or(0)
}

fn seconds_of(count: i64) -> f64 {
    f64::from(i32::try_from(count).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_counted_and_forgotten() {
        let mut rates = Rates::default();
        for at in [1_000_000, 1_000_500, 1_001_000, 1_005_000] {
            rates.add(at);
        }
        let columns = rates.columns(1_006_000, 120);
        assert_eq!((columns.len(), &columns[114..]), (120, [2_000, 1_000, 0, 0, 0, 1_000].as_slice()));
        assert!((rates.now(1_006_000) - 0.4).abs() < 1e-9);
        assert_eq!(rates.columns(1_200_000, 120), vec![0; 120], "nothing for two minutes");
        rates.add(1_200_000);
        assert_eq!(rates.columns(1_201_000, 120).iter().sum::<u64>(), 1_000);
        assert_eq!(rates.total(), 5);
    }

    #[test]
    fn wide_columns_stand_still_as_time_goes_on() {
        let mut rates = Rates::default();
        for second in 1_000..1_100 {
            rates.add(second * 1000);
        }
        let (now, later) = (rates.columns(1_099_000, 40), rates.columns(1_100_000, 40));
        assert_eq!(now.len(), 40);
        assert_eq!(now, later);
    }

    #[test]
    fn a_clock_that_is_turned_back_begins_anew() {
        let mut rates = Rates::default();
        rates.add(9_000_000);
        rates.add(1_000_000);
        assert_eq!(rates.columns(1_001_000, 120).last(), Some(&1_000));
    }
}
