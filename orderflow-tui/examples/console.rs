//! The console alone, for those who work on it: `cargo run -p orderflow-tui --example console -- DATA_DIR EXE [ROLE…]`,
//! against a cluster that EXE has started in DATA_DIR. It builds in a fraction of the time that all of it takes.

use std::path::PathBuf;

use orderflow_client::Endpoints;
use orderflow_cluster::attach;
use orderflow_contracts::api::console::{Login, Role};
use orderflow_tui::{Options, links::Place};

#[tokio::main]
async fn main() -> Result<(), orderflow_tui::Error> {
    let mut args = std::env::args().skip(1);
    let (data_dir, exe) =
        (PathBuf::from(args.next().unwrap_or_default()), PathBuf::from(args.next().unwrap_or_default()));
    let go_as = args.filter_map(|role| serde_json::from_value(role.into()).ok()).collect();
    let endpoints = attach::running(&data_dir).map(|cluster| Endpoints {
        console: cluster.endpoints.console,
        orders: cluster.endpoints.orders,
        inventory: cluster.endpoints.inventory,
        payments: cluster.endpoints.payments,
        provider: cluster.endpoints.provider,
    });
    let account = |email: &str, password: &str| Login { email: email.into(), password: password.into() };
    let place = Place {
        cluster: "default".into(),
        data_dir: data_dir.clone(),
        exe,
        scenarios: "examples/chaos".into(),
        test_accounts: vec![
            (Role::Customer, account("user@orderflow.io", "User1234!")),
            (Role::Seller, account("seller@orderflow.io", "Seller123!")),
            (Role::Admin, account("admin@orderflow.io", "Admin123!")),
        ],
    };
    let options = Options { place, endpoints, is_local: true, go_as, config_dir: data_dir, no_color: false };
    Box::pin(orderflow_tui::run(options)).await
}
