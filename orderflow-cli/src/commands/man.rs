//! `orderflow man DIR`

use std::path::PathBuf;

use clap::Args;

use crate::{cli, exit::Outcome};

/// Write the manual's pages
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow man ~/.local/share/man/man1\n")]
pub struct Man {
    /// Where to
    dir: PathBuf,
}

impl Man {
    /// Writes a page for each command.
    pub fn run(self) -> Outcome {
        std::fs::create_dir_all(&self.dir)?;
        clap_mangen::generate_to(cli::command(), &self.dir)?;
        Ok(())
    }
}
