//! `orderflow signup`

use clap::Args;
use orderflow_contracts::api::console::SignUp;

use super::login::{Credentials, remember};
use crate::{context::Context, exit::Outcome, parse::Role};

/// Open an account, and a session with it
#[derive(Args)]
#[command(before_help = "\
Examples:
  orderflow signup --email me@example.com --role customer
  echo \"$PASSWORD\" | orderflow signup --email me@example.com --role seller --password-stdin
")]
pub struct Signup {
    #[command(flatten)]
    credentials: Credentials,
    /// What the account may do
    #[arg(long, value_enum, default_value = "customer")]
    role: Role,
}

impl Signup {
    /// Opens both.
    pub async fn run(self, context: &Context) -> Outcome {
        let (email, password) = self.credentials.get(context).await?;
        let sign_up = SignUp { email, password, role: self.role.into() };
        remember(context, context.anonymous()?.sign_up(&sign_up).await?)
    }
}
