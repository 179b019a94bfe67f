//! How a fault is going to be set: its slider, where, and for how long. Nothing here is set in any service yet.

use orderflow_client::{
    Service,
    chaos::{CRASH_POINTS, services_of, takes_time, usual_services_of},
};
use orderflow_contracts::{
    api::chaos::{CrashPoint, FaultName, SetFault},
    words::word,
};

/// The steps of a percentage.
const PERCENT_STEP: u8 = 5;
/// The steps of a time, in milliseconds.
pub const TIMES_MS: [u64; 11] = [10, 25, 50, 100, 200, 400, 800, 1_500, 3_000, 5_000, 10_000];
/// The steps of how long something lasts, in milliseconds; first: until it is taken back.
const LASTS_MS: [Option<u64>; 4] = [None, Some(10_000), Some(30_000), Some(120_000)];

/// For how long something is broken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lasts(usize);

impl Lasts {
    /// The next one, round and round.
    #[must_use]
    pub const fn next(self) -> Self {
        Self((self.0 + 1) % LASTS_MS.len())
    }

    /// In milliseconds; nothing if it does not end by itself.
    pub fn ms(self) -> Option<u64> {
        LASTS_MS.get(self.0).copied().flatten()
    }

    /// `until cleared`, `for 30s`.
    pub fn words(self) -> String {
        self.ms().map_or_else(|| "until cleared".to_owned(), |ms| format!("for {}", span(ms)))
    }
}

/// In which services a fault is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Where it is mostly set.
    Usual,
    /// Wherever it can strike.
    All,
    /// In one.
    One(Service),
}

/// How a fault is going to be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// How likely it strikes.
    pub percent: u8,
    /// How long it takes, for what takes its time.
    pub ms: u64,
    /// Where it crashes, for a crash.
    pub point: CrashPoint,
    /// In which services.
    pub place: Place,
    /// For how long.
    pub lasts: Lasts,
    /// Somebody is just changing how it is set: that is not taken from under their hands.
    pub touched: bool,
    /// Counts what was done to it, so that what comes late is known to be late.
    pub number: u64,
}

impl Edit {
    /// As it is at first: what shows something, and does not stop everything.
    pub const fn of(name: FaultName) -> Self {
        let (percent, ms) = match name {
            FaultName::HttpLatency | FaultName::DbSlow | FaultName::ConsumerSlow => (100, 200),
            FaultName::DeliverLate => (10, 400),
            FaultName::ProviderLatency => (100, 400),
            FaultName::DbRefused => (20, 200),
            FaultName::CommitLost => (10, 200),
            FaultName::RelayTwice | FaultName::DeliverTwice | FaultName::PaymentFailure => (50, 200),
            FaultName::ProviderTimeout | FaultName::ProviderError => (30, 200),
            FaultName::RelayPaused | FaultName::ConsumerPaused | FaultName::Crash => (100, 200),
        };
        // Everything down at once is seldom what is meant.
        let place = if matches!(name, FaultName::Crash) { Place::One(Service::Orders) } else { Place::Usual };
        Self { percent, ms, point: CrashPoint::AfterCommit, place, lasts: Lasts(0), touched: false, number: 0 }
    }

    fn point_of(&self, name: FaultName) -> Option<CrashPoint> {
        (name == FaultName::Crash).then_some(self.point)
    }

    /// What a service is told.
    pub fn set(&self, name: FaultName, seed: u64) -> SetFault {
        SetFault {
            percent: Some(f64::from(self.percent)),
            ms: takes_time(name).then_some(self.ms),
            point: self.point_of(name),
            for_ms: self.lasts.ms(),
            seed: Some(seed),
            ..SetFault::default()
        }
    }

    /// Which services are told.
    pub fn services(&self, name: FaultName) -> Vec<Service> {
        match self.place {
            Place::Usual => usual_services_of(name, self.point_of(name)).to_vec(),
            Place::All => services_of(name, self.point_of(name)).to_vec(),
            Place::One(service) => vec![service],
        }
    }

    /// `everywhere`, `orders, inventory, payments`, `payments`.
    pub fn place_words(&self, name: FaultName) -> String {
        services_words(&self.services(name))
    }

    /// Moves its slider: a time, a point, or a percentage.
    pub fn slide(&mut self, name: FaultName, up: bool) {
        if takes_time(name) {
            let steps = TIMES_MS;
            let next = if up {
                steps.into_iter().find(|ms| *ms > self.ms)
            } else {
                steps.into_iter().rev().find(|ms| *ms < self.ms)
            };
            self.ms = next.unwrap_or(self.ms);
        } else if name == FaultName::Crash {
            let at = CRASH_POINTS.iter().position(|point| *point == self.point).unwrap_or(0);
            let to = if up { (at + 1).min(CRASH_POINTS.len() - 1) } else { at.saturating_sub(1) };
            self.point = CRASH_POINTS[to];
            let places = places(name, self.point_of(name));
            if !places.contains(&self.place) {
                self.place = places.first().copied().unwrap_or(Place::All);
            }
        } else {
            self.likely(up);
        }
    }

    /// Makes it more likely, or less.
    pub fn likely(&mut self, up: bool) {
        let percent =
            if up { self.percent.saturating_add(PERCENT_STEP) } else { self.percent.saturating_sub(PERCENT_STEP) };
        self.percent = (percent / PERCENT_STEP * PERCENT_STEP).min(100);
    }

    /// Takes the next services.
    pub fn next_place(&mut self, name: FaultName) {
        let places = places(name, self.point_of(name));
        let at = places.iter().position(|place| *place == self.place).map_or(0, |at| at + 1);
        self.place = places.get(at).or(places.first()).copied().unwrap_or(Place::All);
    }

    /// Takes over how somebody has set it.
    pub fn adopt(&mut self, name: FaultName, set: &SetFault, services: &[Service]) {
        let percent = set.percent.unwrap_or(100.0).clamp(0.0, 100.0).round();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and 100")]
        let percent = percent as u8;
        self.percent = percent;
        self.ms = set.ms.unwrap_or(self.ms);
        self.point = set.point.unwrap_or(self.point);
        let same = |place: &Place| {
            let mut of = Self { place: *place, ..self.clone() }.services(name);
            of.sort_unstable();
            let mut there = services.to_vec();
            there.sort_unstable();
            of == there
        };
        if let Some(place) = places(name, self.point_of(name)).into_iter().find(same) {
            self.place = place;
        }
    }

    /// How far its slider is, of a hundred.
    pub fn position(&self, name: FaultName) -> usize {
        if takes_time(name) {
            let below = TIMES_MS.iter().filter(|ms| **ms < self.ms).count().min(TIMES_MS.len() - 1);
            return below * 100 / (TIMES_MS.len() - 1);
        }
        if name == FaultName::Crash {
            let at = CRASH_POINTS.iter().position(|point| *point == self.point).unwrap_or(0);
            return at * 100 / (CRASH_POINTS.len() - 1);
        }
        usize::from(self.percent)
    }

    /// `50%`, `200ms`, `after-commit`.
    pub fn value(&self, name: FaultName) -> String {
        if takes_time(name) {
            return span(self.ms);
        }
        if name == FaultName::Crash { word(self.point) } else { format!("{}%", self.percent) }
    }
}

/// Where a fault can be set, in the order in which one goes through it.
fn places(name: FaultName, point: Option<CrashPoint>) -> Vec<Place> {
    let (usual, all) = (usual_services_of(name, point), services_of(name, point));
    let each = all.iter().map(|service| Place::One(*service));
    if name == FaultName::Crash {
        return each.chain((all.len() > 1).then_some(Place::All)).collect();
    }
    let mut places = vec![Place::Usual];
    if usual != all {
        places.push(Place::All);
    }
    if all.len() > 1 {
        places.extend(each);
    }
    places
}

/// The names of services; all of them are `everywhere`.
pub fn services_words(services: &[Service]) -> String {
    if services.len() == Service::WITH_CLOCK.len() {
        return "everywhere".to_owned();
    }
    services.iter().map(|service| service.name()).collect::<Vec<_>>().join(", ")
}

/// A span of time in its largest whole unit: `200ms`, `1.5s`, `10m`, `2h`.
pub fn span(ms: u64) -> String {
    match ms {
        ms if ms >= 3_600_000 && ms % 3_600_000 == 0 => format!("{}h", ms / 3_600_000),
        ms if ms >= 60_000 && ms % 60_000 == 0 => format!("{}m", ms / 60_000),
        ms if ms >= 60_000 => format!("{}m{}s", ms / 60_000, ms % 60_000 / 1000),
        ms if ms >= 1_000 && ms % 1_000 == 0 => format!("{}s", ms / 1_000),
        ms if ms >= 1_000 => format!("{}.{}s", ms / 1_000, ms % 1_000 / 100),
        ms => format!("{ms}ms"),
    }
}

/// The same with a sign: `+5m`, `-90s`, `+0`.
pub fn signed(ms: i64) -> String {
    match ms {
        0 => "+0".to_owned(),
        ms => format!("{}{}", if ms < 0 { '-' } else { '+' }, span(ms.unsigned_abs())),
    }
}
