//! Where the services are.

use std::net::IpAddr;

use reqwest::Url;
use serde::{Deserialize, Serialize};

/// A service that can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// Accounts, timelines, the stream.
    Console,
    /// Orders.
    Orders,
    /// Products and reservations.
    Inventory,
    /// Payments.
    Payments,
    /// The payment provider.
    Provider,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Console, Self::Orders, Self::Inventory, Self::Payments, Self::Provider];
    /// Those that have a clock which can be moved.
    pub const WITH_CLOCK: [Self; 4] = [Self::Orders, Self::Inventory, Self::Payments, Self::Console];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Orders => "orders",
            Self::Inventory => "inventory",
            Self::Payments => "payments",
            Self::Provider => "provider",
        }
    }
}

/// The services' URLs, as `http://127.0.0.1:3001`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// The console's.
    pub console: String,
    /// The orders service's.
    pub orders: String,
    /// The inventory service's.
    pub inventory: String,
    /// The payments service's.
    pub payments: String,
    /// The payment provider's.
    pub provider: String,
}

impl Default for Endpoints {
    /// The default ports of this machine.
    fn default() -> Self {
        let local = |port: u16| format!("http://127.0.0.1:{port}");
        Self {
            console: local(3000),
            orders: local(3001),
            inventory: local(3002),
            payments: local(3003),
            provider: local(3010),
        }
    }
}

impl Endpoints {
    /// The URL of a service.
    pub fn of(&self, service: Service) -> &str {
        match service {
            Service::Console => &self.console,
            Service::Orders => &self.orders,
            Service::Inventory => &self.inventory,
            Service::Payments => &self.payments,
            Service::Provider => &self.provider,
        }
    }

    /// Whether all of them are on this machine.
    pub fn are_local(&self) -> bool {
        Service::ALL.iter().all(|service| is_loopback(self.of(*service)))
    }
}

/// Whether a URL leads to this machine and nowhere else.
pub(crate) fn is_loopback(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_local() {
        for url in ["http://127.0.0.1:3000", "http://localhost", "http://[::1]:80/x"] {
            assert!(is_loopback(url), "{url}");
        }
        for url in ["http://127.0.0.1.example.com", "http://10.0.0.1", "http://localhost@example.com", "nonsense"] {
            assert!(!is_loopback(url), "{url}");
        }
        assert!(Endpoints::default().are_local());
        assert!(!Endpoints { provider: "https://pay.example.com".into(), ..Endpoints::default() }.are_local());
    }
}
