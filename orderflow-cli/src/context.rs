//! What every command has at hand.

use std::{sync::Arc, time::Duration};

use orderflow_client::Client;
use orderflow_cluster::Spec;
use uuid::Uuid;

use crate::{
    cli::Global,
    exit::{Exit, Failure, Outcome},
    output::Output,
    parse::Role,
    session::{SessionFile, Tokens, test_account},
    settings::Settings,
};

/// How long `--wait` waits where nothing is said.
const WAIT: Duration = Duration::from_secs(30);

/// Settings and output.
pub struct Context {
    /// Where to write.
    pub out: Output,
    /// What the user has set.
    pub settings: Settings,
    /// No colours, says the command line.
    pub no_color: bool,
}

impl Context {
    /// From the flags and everything that stands behind them.
    pub fn new(global: &Global) -> Outcome<Self> {
        let settings = Settings::load(global)?;
        let no_color = global.no_color;
        Ok(Self { out: Output::new(settings.format, no_color, global.quiet), settings, no_color })
    }

    /// A client without a token.
    pub fn anonymous(&self) -> Outcome<Client> {
        if self.settings.is_nowhere {
            let message = format!("there is no cluster in {}", self.settings.data_dir.display());
            return Err(Failure::with(Exit::Unreachable, message).hint("`orderflow up --detach` starts one"));
        }
        Ok(Client::anonymous(self.settings.endpoints.clone())?)
    }

    /// A client that asks as whoever `--as` says, else as whoever is logged in.
    pub fn client(&self) -> Outcome<Client> {
        match self.settings.role {
            Some(role) => self.client_as(role),
            None => {
                let anonymous = self.anonymous()?;
                let file = SessionFile::of_login(&self.settings.state_dir());
                Ok(anonymous.clone().with_tokens(Arc::new(Tokens::new(file, None, anonymous))))
            }
        }
    }

    /// A client that asks as a test account.
    pub fn client_as(&self, role: Role) -> Outcome<Client> {
        if !self.settings.endpoints.are_local() {
            return Err(Failure::usage("--as is for a cluster on this machine: the test accounts exist nowhere else")
                .hint("`orderflow login` opens a session of an account of your own"));
        }
        let anonymous = self.anonymous()?;
        let file = SessionFile::of_role(&self.settings.state_dir(), role);
        let tokens = Tokens::new(file, Some(test_account(role)), anonymous.clone());
        Ok(anonymous.with_tokens(Arc::new(tokens)))
    }

    /// A client for what only an admin may do: without `--as`, the test account of a local cluster.
    pub fn admin_client(&self) -> Outcome<Client> {
        if self.settings.role.is_none() && self.settings.endpoints.are_local() {
            return self.client_as(Role::Admin);
        }
        self.client()
    }

    /// How long `--wait` waits.
    pub fn wait_limit(&self) -> Duration {
        self.settings.timeout.unwrap_or(WAIT)
    }

    /// The local cluster that is meant.
    pub fn spec(&self) -> Outcome<Spec> {
        let exe = std::env::current_exe()?;
        Ok(Spec { data_dir: self.settings.data_dir.clone(), ..Spec::new(self.settings.cluster.as_str(), exe) })
    }
}

/// The key that was given, or a fresh one.
pub fn key_or_fresh(key: Option<String>) -> String {
    key.unwrap_or_else(|| Uuid::new_v4().to_string())
}
