//! What every service has: its clock, its health.

use orderflow_contracts::api::{Clock, Readiness, SetClock};

use crate::{
    endpoints::Service,
    error::ClientError,
    http::{Call, Client},
};

impl Client {
    /// What time it is at a service.
    pub async fn clock(&self, service: Service) -> Result<Clock, ClientError> {
        self.ask(Call::get(service, "/v1/clock")).await
    }

    /// Moves a service's clock, as an admin of a local cluster.
    pub async fn set_clock(&self, service: Service, offset_ms: i64) -> Result<Clock, ClientError> {
        self.ask(Call::put(service, "/v1/clock").body(&SetClock { offset_ms })?).await
    }

    /// Whether a service can work. One that cannot answers this too, so it is not asked again.
    pub async fn readiness(&self, service: Service) -> Result<Readiness, ClientError> {
        let url = format!("{}/health/ready", self.endpoints().of(service).trim_end_matches('/'));
        let sent = self.http.get(&url).timeout(READINESS_MAX).send().await;
        let response = sent.map_err(|error| crate::http::failed(&url, error))?;
        let bad = |error: reqwest::Error| ClientError::BadAnswer { url: url.clone(), what: error.to_string() };
        response.json().await.map_err(bad)
    }
}

/// Longest time for the answer about health.
const READINESS_MAX: std::time::Duration = std::time::Duration::from_secs(2);
