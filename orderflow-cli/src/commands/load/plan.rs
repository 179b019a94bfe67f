//! What is ordered, and what becomes of it: decided by the seed and the order's number alone.

use std::time::Duration;

use serde::{Serialize, Serializer};

/// Most orders a second.
const RATE_MAX: f64 = 1_000.0;
/// Most orders under way. A service works on 512 requests at once.
const CONCURRENCY_MAX: usize = 400;
/// Most pieces of a product in an order.
const QUANTITY_MAX: u64 = 3;

/// What becomes of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It is paid and shipped.
    Happy,
    /// The card is declined.
    Decline,
    /// The customer calls it off.
    Cancel,
    /// The customer never pays.
    Abandon,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Happy, Self::Decline, Self::Cancel, Self::Abandon];

    /// Its word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Happy => "happy",
            Self::Decline => "decline",
            Self::Cancel => "cancel",
            Self::Abandon => "abandon",
        }
    }
}

/// How many of each kind, by weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mix([u32; 4]);

impl Default for Mix {
    fn default() -> Self {
        Self([70, 10, 10, 10])
    }
}

impl Mix {
    /// Reads `happy=70,decline=10,cancel=10,abandon=10`; what is left out is nothing.
    pub fn read(text: &str) -> Result<Self, String> {
        let names = Kind::ALL.map(Kind::name).join(", ");
        let mut weights = [None; 4];
        for pair in text.split(',') {
            let (name, weight) = pair.trim().split_once('=').ok_or("a mix is written as happy=70,cancel=30")?;
            let kinds = Kind::ALL.iter().zip(&mut weights);
            let (_, place) = kinds
                .into_iter()
                .find(|(kind, _)| kind.name() == name)
                .ok_or_else(|| format!("{name:?} is no kind of order: there are {names}"))?;
            let weight: u16 = weight.parse().map_err(|_| format!("{weight:?} is no weight: 0 to {}", u16::MAX))?;
            if place.replace(u32::from(weight)).is_some() {
                return Err(format!("{name} is given twice"));
            }
        }
        let weights = weights.map(Option::unwrap_or_default);
        if weights.iter().sum::<u32>() == 0 { Err("a mix of nothing".to_owned()) } else { Ok(Self(weights)) }
    }

    fn pick(self, random: &mut Random) -> Kind {
        let mut left = random.below(u64::from(self.0.iter().sum::<u32>()));
        for (kind, weight) in Kind::ALL.into_iter().zip(self.0) {
            match left.checked_sub(weight.into()) {
                Some(rest) => left = rest,
                None => return kind,
            }
        }
        Kind::Happy
    }
}

impl std::fmt::Display for Mix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let pairs = Kind::ALL.iter().zip(self.0).filter(|(_, weight)| *weight > 0);
        let pairs: Vec<_> = pairs.map(|(kind, weight)| format!("{}={weight}", kind.name())).collect();
        f.write_str(&pairs.join(","))
    }
}

impl Serialize for Mix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A load.
#[derive(Debug, Clone)]
pub struct Plan {
    /// New orders a second.
    pub rate: f64,
    /// Which.
    pub mix: Mix,
    /// For how long; until it is stopped if nothing is said.
    pub lasts: Option<Duration>,
    /// Of its random numbers.
    pub seed: u64,
    /// Orders under way at once; a further one waits.
    pub concurrency: usize,
}

impl Plan {
    /// Orders under way where nothing is said.
    pub const CONCURRENCY: usize = 64;

    /// Whether it can be had.
    pub fn check(&self) -> Result<(), String> {
        if !(self.rate > 0.0 && self.rate <= RATE_MAX) {
            return Err(format!("the rate is above 0 and at most {RATE_MAX} orders a second"));
        }
        if !(1..=CONCURRENCY_MAX).contains(&self.concurrency) {
            return Err(format!("the concurrency is between 1 and {CONCURRENCY_MAX}"));
        }
        Ok(())
    }

    /// What order number `number` is.
    pub fn decide(&self, number: u64, products: usize) -> Decision {
        let mut random = Random::new(self.seed, number);
        let kind = self.mix.pick(&mut random);
        let products = products as u64;
        let first = random.below(products);
        let count = 1 + random.below(products);
        let lines = (0..count).map(|n| ((first + n) % products, 1 + random.below(QUANTITY_MAX)));
        let small = |number: u64| usize::try_from(number).unwrap_or(0);
        let lines = lines.map(|(product, quantity)| (small(product), u32::try_from(quantity).unwrap_or(1))).collect();
        let left_at = match (kind, random.below(3)) {
            (Kind::Cancel, 2) => Stage::Paid,
            (Kind::Cancel | Kind::Abandon, 0) => Stage::Created,
            (Kind::Cancel | Kind::Abandon, _) => Stage::Confirmed,
            _ => Stage::Paid,
        };
        Decision { kind, lines, left_at }
    }
}

/// How far an order is brought before it is called off or abandoned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The seller has not confirmed.
    Created,
    /// It could be paid.
    Confirmed,
    /// It is paid.
    Paid,
}

/// What an order is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What becomes of it.
    pub kind: Kind,
    /// Which products, by their place in the shop, and how many of each.
    pub lines: Vec<(usize, u32)>,
    /// How far it is brought.
    pub left_at: Stage,
}

/// Random numbers of one order.
struct Random(u64);

impl Random {
    const fn new(seed: u64, number: u64) -> Self {
        Self(splitmix64(seed).wrapping_add(splitmix64(number ^ 0x6f72_6465_7273)))
    }

    /// Below the limit, which is not 0. The bias of a small limit is of no account here.
    const fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        splitmix64(self.0) % limit
    }
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

    fn plan(seed: u64, mix: &str) -> Plan {
        Plan { rate: 1.0, mix: Mix::read(mix).unwrap(), lasts: None, seed, concurrency: 1 }
    }

    fn decisions(plan: &Plan) -> Vec<Decision> {
        (0..1000).map(|number| plan.decide(number, 3)).collect()
    }

    #[test]
    fn mixes_are_read_as_they_are_written() {
        for text in ["happy=70,decline=10,cancel=10,abandon=10", "happy=1", "cancel=5,abandon=5"] {
            assert_eq!(Mix::read(text).unwrap().to_string(), text);
        }
        assert_eq!(Mix::read(" happy=1, cancel=2").unwrap(), Mix([1, 0, 2, 0]));
        for (text, word) in [
            ("", "written as"),
            ("happy", "written as"),
            ("lucky=5", "lucky"),
            ("happy=-1", "weight"),
            ("happy=70000", "weight"),
            ("happy=1,happy=2", "twice"),
            ("happy=0", "nothing"),
        ] {
            let error = Mix::read(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn the_same_seed_makes_the_same_orders_and_another_makes_others() {
        let mix = "happy=70,decline=10,cancel=10,abandon=10";
        assert_eq!(decisions(&plan(7, mix)), decisions(&plan(7, mix)));
        assert_ne!(decisions(&plan(7, mix)), decisions(&plan(8, mix)));
    }

    #[test]
    fn kinds_come_about_as_often_as_they_should() {
        let all = decisions(&plan(1, "happy=70,decline=30"));
        let happy = all.iter().filter(|decision| decision.kind == Kind::Happy).count();
        assert!((640..760).contains(&happy), "{happy}");
        assert!(all.iter().all(|decision| matches!(decision.kind, Kind::Happy | Kind::Decline)));
    }

    #[test]
    fn orders_have_each_product_once_and_are_left_everywhere() {
        let all = decisions(&plan(3, "cancel=1,abandon=1"));
        for decision in &all {
            let mut products: Vec<_> = decision.lines.iter().map(|line| line.0).collect();
            products.sort_unstable();
            products.dedup();
            assert_eq!(products.len(), decision.lines.len());
            assert!(decision.lines.iter().all(|(product, quantity)| *product < 3 && (1..=3).contains(quantity)));
        }
        for (kind, stage) in [
            (Kind::Cancel, Stage::Created),
            (Kind::Cancel, Stage::Confirmed),
            (Kind::Cancel, Stage::Paid),
            (Kind::Abandon, Stage::Created),
            (Kind::Abandon, Stage::Confirmed),
        ] {
            assert!(all.iter().any(|decision| (decision.kind, decision.left_at) == (kind, stage)));
        }
        assert!(!all.iter().any(|decision| (decision.kind, decision.left_at) == (Kind::Abandon, Stage::Paid)));
    }

    #[test]
    fn a_plan_that_cannot_be_had_is_refused() {
        let good = plan(1, "happy=1");
        assert!(good.check().is_ok());
        for rate in [0.0, -1.0, f64::NAN, 1001.0] {
            assert!(Plan { rate, ..good.clone() }.check().is_err(), "{rate}");
        }
        assert!(Plan { concurrency: 0, ..good.clone() }.check().is_err());
        assert!(Plan { concurrency: 401, ..good }.check().is_err());
    }
}
