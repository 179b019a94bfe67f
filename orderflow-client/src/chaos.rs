//! Faults that are made on purpose, as an admin of a local cluster.

use std::ops::RangeInclusive;

use orderflow_contracts::{
    api::chaos::{Bites, CrashPoint, Fault, FaultName, SetFault},
    words::word,
};
use serde_json::Value;

use crate::{
    endpoints::Service,
    error::ClientError,
    http::{Call, Client},
};

/// Where a process can be made to kill itself.
pub const CRASH_POINTS: [CrashPoint; 5] = [
    CrashPoint::BeforeCommit,
    CrashPoint::AfterCommit,
    CrashPoint::AfterPublish,
    CrashPoint::AfterHandling,
    CrashPoint::AfterAnswer,
];

/// What a percentage can be.
pub const PERCENT: RangeInclusive<f64> = 0.0..=100.0;

const ALL: &[Service] = &[Service::Orders, Service::Inventory, Service::Payments, Service::Console];
const WITH_BUSY_RELAY: &[Service] = &[Service::Orders, Service::Inventory, Service::Payments];
const WITH_PROVIDER: &[Service] = &[Service::Payments];

/// The services in which a fault can strike.
pub const fn services_of(fault: FaultName, point: Option<CrashPoint>) -> &'static [Service] {
    match (fault, point) {
        (
            FaultName::PaymentFailure
            | FaultName::ProviderLatency
            | FaultName::ProviderTimeout
            | FaultName::ProviderError,
            _,
        )
        | (FaultName::Crash, Some(CrashPoint::AfterAnswer)) => WITH_PROVIDER,
        _ => ALL,
    }
}

/// The services in which a fault is set where nobody says where: the console's relay has dead letters to publish, and
/// seldom one of those.
pub const fn usual_services_of(fault: FaultName, point: Option<CrashPoint>) -> &'static [Service] {
    match (fault, point) {
        (FaultName::RelayPaused | FaultName::RelayTwice, _) | (FaultName::Crash, Some(CrashPoint::AfterPublish)) => {
            WITH_BUSY_RELAY
        }
        _ => services_of(fault, point),
    }
}

/// Whether a fault has to be told how long something takes.
pub const fn takes_time(fault: FaultName) -> bool {
    matches!(
        fault,
        FaultName::HttpLatency
            | FaultName::DbSlow
            | FaultName::ConsumerSlow
            | FaultName::DeliverLate
            | FaultName::ProviderLatency
    )
}

/// The faults of a service that may be newer than we are.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Faults {
    /// Those that are known here.
    pub known: Vec<Fault>,
    /// The names of the others.
    pub unknown: Vec<String>,
}

impl From<Vec<Value>> for Faults {
    fn from(told: Vec<Value>) -> Self {
        let mut faults = Self::default();
        for fault in told {
            let name = fault.get("name").and_then(Value::as_str).unwrap_or("without a name").to_owned();
            match serde_json::from_value(fault) {
                Ok(fault) => faults.known.push(fault),
                Err(_) => faults.unknown.push(name),
            }
        }
        faults
    }
}

impl Client {
    /// The faults that are set in a service; one that is not known here does not hide the others.
    pub async fn faults_of_any_version(&self, service: Service) -> Result<Faults, ClientError> {
        self.ask::<Vec<Value>>(Call::get(service, "/v1/chaos")).await.map(Faults::from)
    }

    /// The faults that are set in a service.
    pub async fn faults(&self, service: Service) -> Result<Vec<Fault>, ClientError> {
        self.ask(Call::get(service, "/v1/chaos")).await
    }

    /// How often each fault has struck in a service since its data began: also what has ended or was taken back.
    pub async fn bites(&self, service: Service) -> Result<Vec<Bites>, ClientError> {
        self.ask(Call::get(service, "/v1/chaos/bites")).await
    }

    /// Sets a fault in a service, in place of one of the same name.
    pub async fn set_fault(&self, service: Service, name: FaultName, set: &SetFault) -> Result<Fault, ClientError> {
        self.ask(Call::put(service, format!("/v1/chaos/{}", word(name))).body(set)?).await
    }

    /// Takes a fault of a service back.
    pub async fn clear_fault(&self, service: Service, name: FaultName) -> Result<(), ClientError> {
        self.ask(Call::delete(service, format!("/v1/chaos/{}", word(name)))).await
    }

    /// Takes all faults of a service back.
    pub async fn clear_faults(&self, service: Service) -> Result<(), ClientError> {
        self.ask(Call::delete(service, "/v1/chaos")).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_fault_of_a_newer_service_does_not_hide_the_others() {
        let told = vec![
            json!({ "name": "disk-full", "percent": 5, "struck": 1, "ends_at": null }),
            json!({ "name": "relay-twice", "percent": 50.0, "struck": 7, "ends_at": null }),
        ];
        let faults = Faults::from(told);
        assert_eq!(faults.unknown, ["disk-full"]);
        let [known] = &faults.known[..] else { panic!("{faults:?}") };
        assert_eq!((known.name, known.struck, known.set.percent), (FaultName::RelayTwice, 7, Some(50.0)));
    }
}
