//! The configuration of each service, written anew at every start.

use std::io;

use serde::Serialize;

use crate::{
    files::write_private,
    layout::{Endpoints, Layout},
    lines::{self, LinePorts, Need},
    ports::Ports,
    postgres::url_for,
    secrets::Secrets,
    spec::{SERVICES, Spec},
};

#[derive(Serialize)]
struct File<'a> {
    service: Service<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    orders: Option<Orders>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inventory: Option<Inventory>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payments: Option<Payments<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    console: Option<Console<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    psp: Option<Psp<'a>>,
}

#[derive(Serialize)]
struct Service<'a> {
    listen: String,
    database_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kafka: Option<String>,
    /// Its name in its consumer group: one that was killed has its partitions back at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_public_key: Option<&'a str>,
    /// The clock can be moved.
    local: bool,
    /// Patterns can be taken out.
    #[serde(skip_serializing_if = "Option::is_none")]
    lab: Option<bool>,
}

#[derive(Serialize)]
struct Orders {
    payment_link: String,
}

#[derive(Serialize)]
struct Inventory {}

#[derive(Serialize)]
struct Payments<'a> {
    provider_url: String,
    provider_key: &'a str,
}

#[derive(Serialize)]
struct Console<'a> {
    token_private_key: &'a str,
    seed_test_accounts: bool,
}

#[derive(Serialize)]
struct Psp<'a> {
    secret_key: &'a str,
}

/// What the files are made from.
pub(crate) struct Sources<'a> {
    pub(crate) spec: &'a Spec,
    pub(crate) ports: &'a Ports,
    pub(crate) lines: &'a [LinePorts],
    pub(crate) endpoints: &'a Endpoints,
    pub(crate) secrets: &'a Secrets,
    pub(crate) admin_url: &'a str,
}

/// Writes a file for each service.
pub(crate) fn write_all(layout: &Layout, sources: &Sources<'_>) -> io::Result<()> {
    for service in SERVICES {
        write_private(&layout.config(service), render(service, sources)?.as_bytes())?;
    }
    Ok(())
}

fn render(service: &str, sources: &Sources<'_>) -> io::Result<String> {
    let Sources { spec, ports, lines, endpoints, secrets, admin_url } = *sources;
    let role = spec.database(service);
    let proxy = |to| lines::proxy(lines, service, to);
    let database_url = url_for(admin_url, &role, secrets.password(service), &role, proxy(Need::Postgres));
    let kafka = proxy(Need::Broker).map_or_else(|| endpoints.broker.clone(), |port| format!("127.0.0.1:{port}"));
    let provider = proxy(Need::Provider).map(|port| format!("http://127.0.0.1:{port}"));
    // The provider is somebody else: it knows neither our events nor our users.
    let inside = service != "psp";
    let file = File {
        service: Service {
            listen: format!("127.0.0.1:{}", ports.of(service).unwrap_or_default()),
            database_url: database_url.map_err(io::Error::other)?,
            kafka: inside.then_some(kafka),
            instance: inside.then(|| format!("{}-{service}", spec.name)),
            token_public_key: inside.then_some(secrets.token_public_key.as_str()),
            local: true,
            lab: spec.lab.then_some(true),
        },
        orders: (service == "orders")
            .then(|| Orders { payment_link: format!("{}/v1/payments/{{order_id}}", endpoints.payments) }),
        inventory: (service == "inventory").then_some(Inventory {}),
        payments: (service == "payments").then(|| Payments {
            provider_url: provider.unwrap_or_else(|| endpoints.provider.clone()),
            provider_key: &secrets.provider_key,
        }),
        console: (service == "console")
            .then_some(Console { token_private_key: &secrets.token_private_key, seed_test_accounts: true }),
        psp: (service == "psp").then_some(Psp { secret_key: &secrets.provider_key }),
    };
    toml::to_string(&file).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn each_file_has_what_its_service_asks_for() {
        let spec = Spec::new("default", "x");
        let ports = Ports::default();
        let endpoints = Endpoints::new(&spec, &ports);
        let names = SERVICES.map(|service| (service.to_owned(), format!("{service}-pw")));
        let secrets = Secrets {
            postgres_passwords: BTreeMap::from(names),
            provider_key: "shared".into(),
            token_private_key: "private".into(),
            token_public_key: "public".into(),
            external_postgres: None,
        };
        let admin_url = "postgres://postgres:admin@127.0.0.1:5433/postgres";
        let (spec, ports, endpoints, secrets) = (&spec, &ports, &endpoints, &secrets);
        let sources = Sources { spec, ports, lines: &[], endpoints, secrets, admin_url };
        let service = |name: &str, port: u16| {
            format!(
                "[service]\nlisten = \"127.0.0.1:{port}\"\ndatabase_url = \
                 \"postgres://orderflow_{name}:{name}-pw@127.0.0.1:5433/orderflow_{name}\"\nkafka = \
                 \"127.0.0.1:9092\"\ninstance = \"default-{name}\"\ntoken_public_key = \"public\"\nlocal = true\n\n"
            )
        };
        let own = [
            ("orders", 3001, "[orders]\npayment_link = \"http://127.0.0.1:3003/v1/payments/{order_id}\"\n"),
            ("inventory", 3002, "[inventory]\n"),
            ("payments", 3003, "[payments]\nprovider_url = \"http://127.0.0.1:3010\"\nprovider_key = \"shared\"\n"),
            ("console", 3000, "[console]\ntoken_private_key = \"private\"\nseed_test_accounts = true\n"),
        ];
        for (name, port, table) in own {
            assert_eq!(render(name, &sources).unwrap(), service(name, port) + table);
        }
        assert_eq!(
            render("psp", &sources).unwrap(),
            "[service]\nlisten = \"127.0.0.1:3010\"\ndatabase_url = \
             \"postgres://orderflow_psp:psp-pw@127.0.0.1:5433/orderflow_psp\"\nlocal = true\n\n[psp]\nsecret_key = \
             \"shared\"\n"
        );

        let spec = &Spec { lab: true, ..spec.clone() };
        let line = |to, proxy, listener| LinePorts { service: "payments".into(), to, proxy, listener };
        let lines =
            [line(Need::Broker, 4001, Some(4002)), line(Need::Postgres, 4003, None), line(Need::Provider, 4004, None)];
        let sources = Sources { spec, lines: &lines, ..sources };
        let straight = service("payments", 3003).replace("local = true\n", "local = true\nlab = true\n") + own[2].2;
        let through = [("127.0.0.1:9092", 4001), ("127.0.0.1:5433", 4003), ("127.0.0.1:3010", 4004)];
        let expected = through.iter().fold(straight, |file, (from, to)| file.replace(from, &format!("127.0.0.1:{to}")));
        assert_eq!(render("payments", &sources).unwrap(), expected);
        let orders = render("orders", &sources).unwrap();
        assert!(orders.contains("9092") && orders.contains("5433") && orders.contains("lab = true"), "{orders}");
    }
}
