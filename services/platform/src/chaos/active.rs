//! A fault that is set, and whether it strikes.

use std::time::{SystemTime, UNIX_EPOCH};

use orderflow_contracts::api::chaos::{FaultName, SetFault};

#[derive(Debug, Clone)]
pub(super) struct Active {
    pub(super) set: SetFault,
    pub(super) struck: u64,
    /// How often it was asked: the number of the next random number.
    pub(super) asked: u64,
    /// How often that was when it was written down. It says of `struck` too whether that is in the database.
    pub(super) saved: u64,
    pub(super) ends_ms: Option<i64>,
    /// Which setting of its name it is.
    pub(super) setting: u64,
}

impl Active {
    /// Whether it strikes now. Which of its chances it takes is decided by the seed and by which fault it is: two of one
    /// seed that strike at the same place would otherwise always do so together.
    pub(super) fn draw(&mut self, name: FaultName) -> bool {
        if self.set.times.is_some_and(|times| self.struck >= times) || self.is_over(now_ms()) {
            return false;
        }
        let seed = splitmix64(self.set.seed.unwrap_or(0)) ^ splitmix64(!(name as u64));
        let chance = splitmix64(seed ^ self.asked.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        self.asked += 1;
        let percent = self.set.percent.unwrap_or(100.0);
        // 53 bits make an even number between 0 and 1.
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
        let strikes = (chance >> 11) as f64 / (1_u64 << 53) as f64 * 100.0 < percent;
        self.struck += u64::from(strikes);
        strikes
    }

    pub(super) fn is_over(&self, now_ms: i64) -> bool {
        self.ends_ms.is_some_and(|ends| now_ms >= ends)
    }
}

/// The machine's clock: faults are about the machine.
pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

const fn splitmix64(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn active(set: SetFault) -> Active {
        Active { set, struck: 0, asked: 0, saved: 0, ends_ms: None, setting: 0 }
    }

    fn drawn(name: FaultName, seed: u64, percent: f64) -> Vec<bool> {
        let mut fault = active(SetFault { percent: Some(percent), seed: Some(seed), ..SetFault::default() });
        (0..1000).map(|_| fault.draw(name)).collect()
    }

    #[test]
    fn the_same_seed_makes_the_same_decisions_and_another_makes_others() {
        assert_eq!(drawn(FaultName::DbSlow, 7, 50.0), drawn(FaultName::DbSlow, 7, 50.0));
        assert_ne!(drawn(FaultName::DbSlow, 7, 50.0), drawn(FaultName::DbSlow, 8, 50.0));
        assert_ne!(drawn(FaultName::DbSlow, 7, 50.0), drawn(FaultName::DbRefused, 7, 50.0));
    }

    #[test]
    fn it_strikes_about_as_often_as_it_is_told_to() {
        let count = |percent| drawn(FaultName::DbSlow, 1, percent).into_iter().filter(|strikes| *strikes).count();
        assert_eq!((count(0.0), count(100.0)), (0, 1000));
        assert!((250..350).contains(&count(30.0)), "{}", count(30.0));
    }

    #[test]
    fn it_strikes_no_more_than_so_often_and_not_when_it_is_over() {
        let mut twice = active(SetFault { times: Some(2), ..SetFault::default() });
        assert_eq!(
            (0..5).map(|_| twice.draw(FaultName::DbSlow)).collect::<Vec<_>>(),
            [true, true, false, false, false]
        );
        let mut over = Active { ends_ms: Some(0), ..active(SetFault::default()) };
        assert!(!over.draw(FaultName::DbSlow));
    }
}
