//! Faults that the merchant asks for in a test, by the header `Test-Fault`: `latency=200, decline=card_declined`, `hang`,
//! `error`. As with a real provider's test mode, only whoever has the secret key can. Charges and refunds have them alike,
//! but that a refund is not declined.

use std::time::Duration;

use axum::{extract::FromRequestParts, http::request::Parts};
use orderflow_contracts::problem::Code;
use orderflow_platform::{chaos::is_decline_code, http::ApiError, tasks::Stop};

/// Longest latency, in milliseconds.
const LATENCY_MS_MAX: u64 = 600_000;

/// What a request asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TestFaults {
    /// The answer takes so long, in milliseconds.
    pub latency_ms: u64,
    /// The charge is declined as this.
    pub decline: Option<String>,
    /// It is done, and the answer withheld.
    pub hang: bool,
    /// Nothing is done, and 500 is the answer.
    pub error: bool,
}

impl TestFaults {
    /// What comes before anything is done.
    pub async fn strike_before(&self, stop: &Stop) -> Result<(), ApiError> {
        stop.clone().sleep(Duration::from_millis(self.latency_ms)).await;
        if self.error {
            return Err(ApiError::new(Code::Internal, "an error, as was asked for; nothing was done"));
        }
        Ok(())
    }

    /// The same, of a refund.
    pub async fn strike_before_refund(&self, stop: &Stop) -> Result<(), ApiError> {
        if self.decline.is_some() {
            return Err(ApiError::new(Code::ValidationFailed, "test-fault: a refund is not declined"));
        }
        self.strike_before(stop).await
    }

    fn read(header: &str) -> Option<Self> {
        let mut faults = Self::default();
        for fault in header.split(',').map(str::trim) {
            match fault.split_once('=').unwrap_or((fault, "")) {
                ("latency", ms) => faults.latency_ms = ms.parse().ok().filter(|ms| *ms <= LATENCY_MS_MAX)?,
                ("decline", code) if is_decline_code(code) => faults.decline = Some(code.to_owned()),
                ("hang", "") => faults.hang = true,
                ("error", "") => faults.error = true,
                _ => return None,
            }
        }
        Some(faults)
    }
}

impl<S: Sync> FromRequestParts<S> for TestFaults {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Some(header) = parts.headers.get("test-fault") else { return Ok(Self::default()) };
        let refused = || ApiError::new(Code::ValidationFailed, "test-fault is latency=MS, decline=CODE, hang or error");
        header.to_str().ok().and_then(Self::read).ok_or_else(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_or_refused() {
        let faults = TestFaults { latency_ms: 20, decline: Some("card_declined".into()), hang: false, error: false };
        assert_eq!(TestFaults::read("latency=20, decline=card_declined"), Some(faults));
        assert_eq!(TestFaults::read("hang"), Some(TestFaults { hang: true, ..TestFaults::default() }));
        for bad in ["", "burn", "latency=x", "latency=600001", "decline=", "decline=A B", "hang=1"] {
            assert_eq!(TestFaults::read(bad), None, "{bad}");
        }
    }
}
