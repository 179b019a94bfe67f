//! `orderflow login`

use clap::Args;
use orderflow_contracts::api::console;

use crate::{
    context::Context,
    exit::{Failure, Outcome},
    prompt, render,
    session::{SessionFile, Stored},
};

/// Open a session
#[derive(Args)]
#[command(before_help = "\
Examples:
  orderflow login --email user@orderflow.io
  echo \"$PASSWORD\" | orderflow login --email user@orderflow.io --password-stdin
")]
pub struct Login {
    #[command(flatten)]
    credentials: Credentials,
}

/// Who, and how they prove it. A password is never an argument: other users of the machine could read it.
#[derive(Args)]
pub struct Credentials {
    /// E-mail address; asked for if it is not given
    #[arg(long)]
    email: Option<String>,
    /// Read the password from standard input instead of asking for it
    #[arg(long)]
    password_stdin: bool,
}

impl Login {
    /// Opens a session, and remembers it.
    pub async fn run(self, context: &Context) -> Outcome {
        let (email, password) = self.credentials.get(context).await?;
        let session = context.anonymous()?.login(&console::Login { email, password }).await?;
        remember(context, session)
    }
}

impl Credentials {
    /// What was given, and what a person says when asked.
    pub async fn get(self, context: &Context) -> Outcome<(String, String)> {
        let may_ask = prompt::can_ask() && context.out.format == crate::output::Format::Text;
        let missing =
            |what: &str, flag: &str| Failure::usage(format!("the {what} is missing")).hint(format!("give {flag}"));
        let email = match self.email {
            Some(email) => email,
            None if may_ask => prompt::line("E-mail: ").await?,
            None => return Err(missing("e-mail address", "--email")),
        };
        let password = match self.password_stdin {
            true => prompt::stdin_line().await?,
            false if may_ask => prompt::secret("Password: ").await?,
            false => return Err(missing("password", "--password-stdin and write it to standard input")),
        };
        Ok((email, password))
    }
}

/// Keeps a session for the commands that follow, and says whose it is.
pub fn remember(context: &Context, session: console::Session) -> Outcome {
    let account = session.account.clone();
    let file = SessionFile::of_login(&context.settings.state_dir());
    let stored = Stored { session, endpoints: context.settings.endpoints.clone() };
    file.write(&stored).map_err(|error| Failure::new(format!("the session cannot be saved: {error}")))?;
    context.out.document(&account, |paint| render::account(&account, paint))
}
