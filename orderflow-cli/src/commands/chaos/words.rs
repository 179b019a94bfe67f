//! What people write about a fault, made into what the services take.

use std::time::Duration;

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use orderflow_client::{
    Service,
    chaos::{CRASH_POINTS, PERCENT, services_of, takes_time, usual_services_of},
};
use orderflow_contracts::{
    api::chaos::{CrashPoint, FaultName, SetFault},
    words::{read, word},
};

use crate::{
    exit::{Failure, Outcome},
    parse,
};

/// The word for a clock that goes wrong; unlike the others it is set through the clock.
const CLOCK_SKEW: &str = "clock-skew";
/// The word for every service.
const ALL: &str = "all";

/// What can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// A fault.
    Fault(FaultName),
    /// One service's clock is ahead of the others'.
    ClockSkew,
}

/// Where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Wherever it can strike.
    All,
    /// In this service.
    One(Service),
}

/// A fault as it stands on the command line.
#[derive(Args, Debug, Clone, PartialEq)]
pub struct Words {
    /// Which fault
    #[arg(value_name = "FAULT", value_parser = name_parser())]
    pub name: Name,
    /// How likely (50%), how long (200ms), or where to crash (after-commit)
    #[arg(allow_hyphen_values = true)]
    pub value: Option<String>,
    /// In which service [default: wherever it strikes]
    #[arg(long, value_parser = place_parser())]
    pub service: Option<Place>,
    /// How likely it strikes each time, from 0 to 100 [default: always]
    #[arg(long, value_name = "P", value_parser = percent)]
    pub percent: Option<f64>,
    /// How long, for what takes its time, in milliseconds
    #[arg(long, value_name = "N")]
    pub ms: Option<u64>,
    /// Where, for a crash
    #[arg(long, value_parser = point_parser())]
    pub point: Option<CrashPoint>,
    /// As what, for payment-failure [default: card_declined]
    #[arg(long, value_name = "CODE")]
    pub decline: Option<String>,
    /// It strikes so often and no more; a crash once, if nothing is said
    #[arg(long, value_name = "N")]
    pub times: Option<u64>,
    /// It ends by itself after so long, as 30s
    #[arg(long = "for", value_name = "TIME", value_parser = parse::duration)]
    pub lasts: Option<Duration>,
    /// Of its random numbers: the same seed makes the same decisions
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

/// What is to be set, and where.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// A fault of some services.
    Fault {
        /// Which.
        name: FaultName,
        /// How.
        set: SetFault,
        /// In which services.
        services: Vec<Service>,
    },
    /// A clock that is ahead by so much, or behind.
    ClockSkew {
        /// Whose.
        service: Service,
        /// By how much, in milliseconds.
        by_ms: i64,
        /// For how long, if not for good.
        lasts: Option<Duration>,
    },
}

/// Reads the name of a fault.
pub fn name_parser() -> impl TypedValueParser<Value = Name> {
    let words: Vec<&'static str> = FaultName::ALL.iter().map(|name| leaked(word(name))).chain([CLOCK_SKEW]).collect();
    PossibleValuesParser::new(words).try_map(|text| match read(&text) {
        Some(name) => Ok(Name::Fault(name)),
        None if text == CLOCK_SKEW => Ok(Name::ClockSkew),
        None => Err(format!("{text:?} is no fault")),
    })
}

/// Reads the name of a service that can be broken.
pub fn place_parser() -> impl TypedValueParser<Value = Place> {
    let words: Vec<&'static str> = Service::WITH_CLOCK.iter().map(|service| service.name()).chain([ALL]).collect();
    PossibleValuesParser::new(words).try_map(|text| {
        let service = Service::WITH_CLOCK.into_iter().find(|service| service.name() == text);
        match service {
            Some(service) => Ok(Place::One(service)),
            None if text == ALL => Ok(Place::All),
            None => Err(format!("{text:?} is no service")),
        }
    })
}

fn point_parser() -> impl TypedValueParser<Value = CrashPoint> {
    let words: Vec<&'static str> = CRASH_POINTS.iter().map(|point| leaked(word(point))).collect();
    PossibleValuesParser::new(words)
        .try_map(|text| read::<CrashPoint>(&text).ok_or_else(|| format!("{text:?} is no point")))
}

/// Clap keeps possible values for as long as the process lives. There are some twenty of them.
fn leaked(word: String) -> &'static str {
    word.leak()
}

/// `50`, `50%`, `12.5`.
fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).parse::<f64>().ok();
    number.filter(|percent| PERCENT.contains(percent)).ok_or_else(|| "a percentage is between 0% and 100%".to_owned())
}

impl Words {
    /// What is meant; an error says what would be.
    pub fn read(self) -> Outcome<Wanted> {
        match self.name {
            Name::Fault(name) => self.fault(name),
            Name::ClockSkew => self.clock_skew(),
        }
    }

    fn fault(mut self, name: FaultName) -> Outcome<Wanted> {
        let fault = word(name);
        if let Some(value) = self.value.take() {
            self.take_value(name, &value)?;
        }
        if takes_time(name) && self.ms.is_none() {
            return Err(Failure::usage(format!("{fault} has to be told how long it takes, as 200ms")));
        }
        if !takes_time(name) && self.ms.is_some() {
            return Err(Failure::usage(format!("{fault} takes no time")));
        }
        if name == FaultName::Crash && self.point.is_none() {
            let points: Vec<_> = CRASH_POINTS.iter().map(word).collect();
            return Err(Failure::usage(format!("a crash is at {}", points.join(", "))));
        }
        if name != FaultName::Crash && self.point.is_some() {
            return Err(Failure::usage(format!("{fault} has no point")));
        }
        if name != FaultName::PaymentFailure && self.decline.is_some() {
            return Err(Failure::usage("--decline is for payment-failure"));
        }
        let services = self.services(name)?;
        let set = SetFault {
            percent: self.percent,
            ms: self.ms,
            point: self.point,
            decline: self.decline,
            times: self.times,
            for_ms: self.lasts.map(milliseconds).transpose()?,
            seed: self.seed,
        };
        Ok(Wanted::Fault { name, set, services })
    }

    /// The short form: what the value is, is seen from how it is written.
    fn take_value(&mut self, name: FaultName, value: &str) -> Outcome {
        let twice = |what: &str| Err(Failure::usage(format!("the {what} is given twice")));
        if value.ends_with('%') {
            let percent = percent(value).map_err(Failure::usage)?;
            return if self.percent.replace(percent).is_some() { twice("percentage") } else { Ok(()) };
        }
        if name == FaultName::Crash {
            let points: Vec<_> = CRASH_POINTS.iter().map(word).collect();
            let wrong = || Failure::usage(format!("{value:?} is no point: there are {}", points.join(", ")));
            let point = read(value).ok_or_else(wrong)?;
            return if self.point.replace(point).is_some() { twice("point") } else { Ok(()) };
        }
        if takes_time(name) {
            let ms = milliseconds(with_unit(value)?)?;
            return if self.ms.replace(ms).is_some() { twice("time") } else { Ok(()) };
        }
        Err(Failure::usage(format!("{} takes a percentage, as 50%, and not {value:?}", word(name))))
    }

    fn services(&self, name: FaultName) -> Outcome<Vec<Service>> {
        let possible = services_of(name, self.point);
        match self.service {
            Some(Place::One(service)) if possible.contains(&service) => Ok(vec![service]),
            Some(Place::One(service)) => {
                let names: Vec<_> = possible.iter().map(|service| service.name()).collect();
                let what = self.point.map_or_else(|| word(name), |point| format!("crash {}", word(point)));
                let message = format!("{what} never strikes in {}, but in {}", service.name(), names.join(", "));
                Err(Failure::usage(message))
            }
            // Everything down at once is seldom what is meant.
            None if name == FaultName::Crash && possible.len() > 1 => {
                Err(Failure::usage("which service is to crash? --service orders, or --service all"))
            }
            Some(Place::All) => Ok(possible.to_vec()),
            None => Ok(usual_services_of(name, self.point).to_vec()),
        }
    }

    fn clock_skew(self) -> Outcome<Wanted> {
        let others = self.percent.is_some() || self.point.is_some() || self.decline.is_some() || self.times.is_some();
        if others || self.seed.is_some() || self.ms.is_some() {
            return Err(Failure::usage("clock-skew takes a time, --service and --for, and nothing else"));
        }
        let Some(Place::One(service)) = self.service else {
            return Err(Failure::usage("whose clock? --service inventory")
                .hint("`orderflow clock advance` moves the clocks of all services"));
        };
        let value = self.value.ok_or_else(|| Failure::usage("by how much? as 5m, or -5m"))?;
        let (sign, size) = value.strip_prefix('-').map_or((1, value.as_str()), |size| (-1, size));
        let by_ms = milliseconds(with_unit(size)?)?;
        let by_ms = i64::try_from(by_ms).map_err(|_| Failure::usage("that is too far"))?;
        Ok(Wanted::ClockSkew { service, by_ms: sign * by_ms, lasts: self.lasts })
    }
}

/// A time with its unit: whether 200 is seconds or milliseconds is not for us to guess.
fn with_unit(text: &str) -> Outcome<Duration> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Failure::usage(format!("{text:?} has no unit: 200ms, 2s or 5m")));
    }
    parse::duration(text).map_err(Failure::usage)
}

/// A time as the services take it.
pub fn milliseconds(time: Duration) -> Outcome<u64> {
    u64::try_from(time.as_millis()).map_err(|_| Failure::usage("that is too long"))
}

/// How a fault was set, as it would be written.
pub fn text(set: &SetFault) -> String {
    let mut words = Vec::new();
    words.extend(set.point.map(word));
    words.extend(set.percent.map(|percent| format!("{percent}%")));
    words.extend(set.ms.map(parse::duration_text));
    words.extend(set.decline.clone());
    words.extend(set.times.map(so_often));
    words.extend(set.seed.map(|seed| format!("seed {seed}")));
    if words.is_empty() { "always".to_owned() } else { words.join(", ") }
}

/// `once`, `7 times`.
pub fn so_often(times: u64) -> String {
    if times == 1 { "once".to_owned() } else { format!("{times} times") }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    #[command(no_binary_name = true)]
    struct Line {
        #[command(flatten)]
        words: Words,
    }

    fn wanted(line: &str) -> Result<Wanted, String> {
        let line = Line::try_parse_from(line.split_whitespace()).map_err(|error| error.to_string())?;
        line.words.read().map_err(|failure| failure.message)
    }

    fn fault(line: &str) -> (FaultName, SetFault, Vec<Service>) {
        match wanted(line) {
            Ok(Wanted::Fault { name, set, services }) => (name, set, services),
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn the_short_form_says_how_likely_how_long_and_where() {
        let (name, set, services) = fault("payment-failure 50%");
        assert_eq!((name, set.percent, services), (FaultName::PaymentFailure, Some(50.0), vec![Service::Payments]));
        let (_, set, services) = fault("db-slow 200ms --service inventory");
        assert_eq!((set.ms, set.percent, services), (Some(200), None, vec![Service::Inventory]));
        let (_, set, services) = fault("crash after-commit --service orders");
        assert_eq!((set.point, services), (Some(CrashPoint::AfterCommit), vec![Service::Orders]));
        assert_eq!(fault("http-latency 1s").1.ms, Some(1000));
    }

    #[test]
    fn the_long_form_says_the_same() {
        assert_eq!(fault("payment-failure --percent 12.5").1.percent, Some(12.5));
        assert_eq!(fault("db-slow 10% --ms 200").1, fault("db-slow 200ms --percent 10").1);
        let (_, set, _) = fault("provider-error 30% --times 5 --for 1m30s --seed 7");
        assert_eq!((set.times, set.for_ms, set.seed), (Some(5), Some(90_000), Some(7)));
        assert_eq!(fault("payment-failure --decline insufficient_funds").1.decline.unwrap(), "insufficient_funds");
    }

    #[test]
    fn a_fault_is_set_where_it_can_strike() {
        assert_eq!(fault("commit-lost 5%").2.len(), 4);
        assert_eq!(fault("relay-twice").2, [Service::Orders, Service::Inventory, Service::Payments]);
        assert_eq!(fault("relay-twice --service all").2.len(), 4);
        assert_eq!(fault("crash after-answer").2, [Service::Payments]);
        assert!(wanted("provider-error --service console").unwrap_err().contains("never strikes in console"));
        assert_eq!(fault("crash after-publish --service all").2.len(), 4);
        assert!(wanted("crash after-commit").unwrap_err().contains("which service"));
        assert!(wanted("payment-failure --service orders").is_err());
    }

    #[test]
    fn what_makes_no_sense_says_what_would() {
        for (line, word) in [
            ("payment-failure 101%", "between"),
            ("payment-failure -1%", "between"),
            ("payment-failure NaN%", "between"),
            ("payment-failure 200ms", "percentage"),
            ("db-slow", "how long"),
            ("db-slow 200", "unit"),
            ("db-slow 200ms --ms 5", "twice"),
            ("crash before-lunch --service orders", "before-commit"),
            ("crash --service orders", "before-commit"),
            ("relay-twice --ms 5", "no time"),
            ("relay-twice --point after-commit", "no point"),
            ("db-refused --decline x", "payment-failure"),
            ("nonsense 5%", "payment-failure"),
            ("db-refused --service provider", "inventory"),
            ("clock-skew 5m", "whose"),
            ("clock-skew --service orders", "how much"),
            ("clock-skew 5m --service orders --percent 5", "nothing else"),
        ] {
            let error = wanted(line).unwrap_err();
            assert!(error.contains(word), "{line}: {error}");
        }
    }

    #[test]
    fn clocks_go_ahead_and_behind() {
        let skew = |by_ms, lasts| Ok(Wanted::ClockSkew { service: Service::Inventory, by_ms, lasts });
        assert_eq!(wanted("clock-skew 5m --service inventory"), skew(300_000, None));
        let ten = Some(Duration::from_secs(10));
        assert_eq!(wanted("clock-skew -90s --service inventory --for 10s"), skew(-90_000, ten));
    }
}
