//! `orderflow logout`

use clap::Args;
use orderflow_contracts::api::console::Refresh;

use crate::{context::Context, exit::Outcome, session::SessionFile};

/// End the session
#[derive(Args)]
pub struct Logout {}

impl Logout {
    /// Ends it there and forgets it here.
    pub async fn run(self, context: &Context) -> Outcome {
        let state_dir = context.settings.state_dir();
        let file = match context.settings.role {
            Some(role) => SessionFile::of_role(&state_dir, role),
            None => SessionFile::of_login(&state_dir),
        };
        let Some(stored) = file.read() else {
            context.out.note("nobody is logged in");
            return Ok(());
        };
        // Forgotten here in any case: a console that is down is no reason to keep a secret.
        file.remove()?;
        let refresh = Refresh { refresh_token: stored.session.refresh_token };
        if context.settings.endpoints == stored.endpoints
            && let Err(error) = context.anonymous()?.logout(&refresh).await
        {
            context.out.note(&format!("the session is forgotten here, but the console was not told: {error}"));
            return Ok(());
        }
        context.out.note(&format!("{} is logged out", stored.session.account.email));
        Ok(())
    }
}
