//! What may be set at all.

use orderflow_contracts::{
    api::chaos::{FaultName, SetFault},
    problem::Code,
};

use crate::http::ApiError;

/// Longest that something can be made to take, in milliseconds.
const MS_MAX: u64 = 600_000;
/// Longest code that a charge can be declined with, in bytes.
const DECLINE_CODE_BYTES_MAX: usize = 50;
/// Longest that a fault can last, in milliseconds: a day.
const FOR_MS_MAX: u64 = 24 * 3600 * 1000;

pub(super) fn check(name: FaultName, set: &SetFault) -> Result<(), ApiError> {
    let refused = |detail: &str| Err(ApiError::new(Code::ValidationFailed, detail));
    if set.percent.is_some_and(|percent| !(0.0..=100.0).contains(&percent)) {
        return refused("percent is between 0 and 100");
    }
    if set.ms.is_some_and(|ms| ms > MS_MAX) || set.for_ms.is_some_and(|ms| ms > FOR_MS_MAX) {
        return refused("ms is at most 600000, for_ms at most a day");
    }
    let takes_time = matches!(
        name,
        FaultName::HttpLatency
            | FaultName::DbSlow
            | FaultName::ConsumerSlow
            | FaultName::DeliverLate
            | FaultName::ProviderLatency
    );
    if takes_time != set.ms.is_some() {
        return refused("ms says how long it takes, for what takes its time, and for nothing else");
    }
    if (name == FaultName::Crash) != set.point.is_some() {
        return refused("point says where to crash, for a crash and for nothing else");
    }
    if set.decline.is_some() && name != FaultName::PaymentFailure {
        return refused("decline is for payment-failure");
    }
    if set.decline.as_deref().is_some_and(|code| !is_decline_code(code)) {
        return refused("decline is 1 to 50 small letters and underscores, as insufficient_funds");
    }
    Ok(())
}

/// Whether a provider could decline with this code.
pub fn is_decline_code(code: &str) -> bool {
    (1..=DECLINE_CODE_BYTES_MAX).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_refused() {
        let ms = SetFault { ms: Some(5), ..SetFault::default() };
        assert!(check(FaultName::DbSlow, &ms).is_ok() && check(FaultName::DbSlow, &SetFault::default()).is_err());
        assert!(check(FaultName::RelayTwice, &ms).is_err());
        assert!(check(FaultName::Crash, &SetFault::default()).is_err());
        assert!(check(FaultName::RelayTwice, &SetFault { percent: Some(101.0), ..SetFault::default() }).is_err());
        assert!(check(FaultName::RelayTwice, &SetFault { percent: Some(f64::NAN), ..SetFault::default() }).is_err());
        let decline = |code: &str| SetFault { decline: Some(code.to_owned()), ..SetFault::default() };
        assert!(check(FaultName::PaymentFailure, &decline("insufficient_funds")).is_ok());
        for code in ["", "Card declined", "card-declined", "card_declined, hang", "ü", &"x".repeat(51)] {
            assert!(check(FaultName::PaymentFailure, &decline(code)).is_err(), "{code}");
        }
    }
}
