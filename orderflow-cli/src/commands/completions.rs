//! `orderflow completions SHELL`

use clap::Args;
use clap_complete::Shell;

use crate::{cli, exit::Outcome};

/// Completions for a shell
#[derive(Args)]
#[command(
    before_help = "Examples:\n  orderflow completions bash > ~/.local/share/bash-completion/completions/orderflow\n"
)]
pub struct Completions {
    /// For which shell
    shell: Shell,
}

impl Completions {
    /// Writes them.
    pub fn run(self) -> Outcome {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut cli::command(), "orderflow", &mut script);
        std::io::Write::write_all(&mut std::io::stdout().lock(), &script)?;
        Ok(())
    }
}
