//! `orderflow tui`: the terminal console.

use std::{io::IsTerminal as _, time::Duration};

use clap::Args;
use orderflow_client::{Client, ClientError, Service};
use orderflow_contracts::api::console;
use orderflow_tui::{Error, Options, links::Place, runtime::LoopError};
use tokio::time::timeout;

use crate::{
    context::Context,
    exit::{Exit, Failure, Outcome},
    parse::Role,
    session::test_account,
    settings,
};

/// Longest time until the console is seen. A place where nobody listens is known by then, its retries included.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// Open the terminal console: customer, seller and admin, live and side by side
///
/// With --as it goes straight to a desk; with --split to all three. Without a cluster it offers to start one.
#[derive(Args)]
#[command(before_help = "Examples:
  orderflow tui
  orderflow tui --as customer
  orderflow tui --split
")]
pub struct Tui {
    /// All three desks side by side, with the test accounts
    #[arg(long)]
    split: bool,
    /// Where scenarios of the chaos board are looked for
    #[arg(long, value_name = "DIR", default_value = "examples/chaos")]
    scenarios: std::path::PathBuf,
}

impl Tui {
    /// Runs it until it is left.
    pub async fn run(self, context: &Context) -> Outcome {
        if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
            return Err(Failure::usage("the console needs a terminal")
                .hint("in scripts, the other commands do the same: `orderflow --help`"));
        }
        let settings = &context.settings;
        let is_local = settings.endpoints.are_local();
        let is_running = match context.anonymous() {
            // One that takes its time is there: nobody looks at an empty screen until it has answered.
            Ok(client) => !is_local || timeout(ANSWER_MAX, is_there(&client)).await.unwrap_or(true),
            Err(_) => false,
        };
        let go_as = match (self.split, settings.role) {
            (true, _) => [Role::Customer, Role::Seller, Role::Admin].map(Into::into).to_vec(),
            (false, Some(role)) => vec![role.into()],
            (false, None) => Vec::new(),
        };
        let no_color = context.no_color || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let config_dir = settings::user_dir().unwrap_or_else(|| settings.data_dir.clone());
        let place = Place {
            cluster: settings.cluster.clone(),
            data_dir: settings.data_dir.clone(),
            exe: std::env::current_exe()?,
            scenarios: self.scenarios,
            test_accounts: if is_local { test_accounts() } else { Vec::new() },
        };
        let endpoints = is_running.then(|| settings.endpoints.clone());
        let options = Options { place, endpoints, is_local, go_as, config_dir, no_color };
        Ok(Box::pin(orderflow_tui::run(options)).await?)
    }
}

/// Whether a cluster answers, be it that it is not ready.
async fn is_there(client: &Client) -> bool {
    let answer = client.readiness(Service::Console).await;
    matches!(answer, Ok(_) | Err(ClientError::Problem(_) | ClientError::Timeout { .. }))
}

fn test_accounts() -> Vec<(console::Role, console::Login)> {
    [Role::Customer, Role::Seller, Role::Admin].map(|role| (role.into(), test_account(role))).into()
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let text = crate::exit::chain(&error);
        match error {
            Error::Config(_) => Self::usage(text).hint("docs/CONSOLE.md tells what the file may say"),
            Error::Terminal(_) | Error::Loop(LoopError::Draw(_)) => Self::new(text),
            Error::Loop(LoopError::Panicked | LoopError::Task(_)) => {
                Self::with(Exit::Error, text).hint("this is a mistake of OrderFlow's")
            }
        }
    }
}
