//! `orderflow audit verify`

use clap::Args;

use crate::{
    context::Context,
    exit::{Exit, Failure, Outcome},
};

/// Whether an entry was altered or is missing
///
/// Each entry has a hash over itself and the one before. Exit code 7 if they do not fit.
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow audit verify\n  orderflow audit verify -o json\n")]
pub struct Verify {}

impl Verify {
    /// Looks.
    pub async fn run(self, context: &Context) -> Outcome {
        let check = context.admin_client()?.check_audit().await?;
        context.out.document(&check, |paint| match check.intact {
            true => paint.good(&format!("✓ {} entries, each fits to the one before", check.entries)),
            false => paint.bad(&format!("✗ {} entries, and they do not fit", check.entries)),
        })?;
        if check.intact {
            return Ok(());
        }
        let place = check.first_broken.map(|number| format!(" at entry {number}")).unwrap_or_default();
        Err(Failure::with(Exit::Violation, format!("the audit log was altered, or something is missing,{place}")))
    }
}
