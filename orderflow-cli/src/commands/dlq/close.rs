//! `orderflow dlq replay|discard`

use clap::Args;
use orderflow_client::{Client, ClientError};
use orderflow_contracts::{
    api::ops::{DeadLetter, LetterStatus},
    problem::Code,
};
use uuid::Uuid;

use super::pile::{LETTERS_MAX, There, Which, one, table};
use crate::{
    commands::load::Live,
    context::Context,
    exit::{Failure, Outcome},
};

/// Apply dead letters after all, each once
///
/// Through the normal path: what was applied meanwhile is passed over. One that still cannot be applied stays open, with
/// its new reason, and the exit code is 1.
#[derive(Args)]
#[command(before_help = "\
Examples:
  orderflow dlq replay LETTER
  orderflow dlq replay --all --service inventory --reason schema --dry-run
")]
pub struct Replay {
    #[command(flatten)]
    chosen: Chosen,
}

/// Give dead letters up
#[derive(Args)]
#[command(
    before_help = "Examples:\n  orderflow dlq discard LETTER\n  orderflow dlq discard --all --reason schema --dry-run\n"
)]
pub struct Discard {
    #[command(flatten)]
    chosen: Chosen,
}

/// Which of them, and whether in earnest.
#[derive(Args)]
struct Chosen {
    /// Which
    #[arg(value_name = "LETTER", required_unless_present = "all", conflicts_with = "all")]
    letters: Vec<Uuid>,
    /// All that are open, or those that --service and --reason leave
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    which: Which,
    /// Show which, and change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Replay {
    /// Applies them.
    pub async fn run(self, context: &Context) -> Outcome {
        let client = context.admin_client()?;
        let replay = async |there: &There| client.replay_dead_letter(there.service, there.letter.id).await;
        let letters = self.chosen.each(context, &client, "replayed", replay).await?;
        let open = letters.iter().filter(|there| there.letter.status == LetterStatus::Open).count();
        if open == 0 || self.chosen.dry_run {
            return Ok(());
        }
        Err(Failure::new(format!("{open} of {} still cannot be applied", letters.len()))
            .hint("`orderflow dlq show LETTER` says why, `orderflow dlq edit LETTER` mends it"))
    }
}

impl Discard {
    /// Gives them up.
    pub async fn run(self, context: &Context) -> Outcome {
        let client = context.admin_client()?;
        let discard = async |there: &There| client.discard_dead_letter(there.service, there.letter.id).await;
        self.chosen.each(context, &client, "discarded", discard).await.map(drop)
    }
}

impl Chosen {
    /// Does it with each of them; what they are then.
    async fn each(
        &self,
        context: &Context,
        client: &Client,
        done: &str,
        act: impl AsyncFn(&There) -> Result<DeadLetter, ClientError>,
    ) -> Outcome<Vec<There>> {
        let mut letters = self.find(client).await?;
        if self.dry_run {
            context.out.document(&letters, |paint| table(&letters, paint))?;
            context.out.note(&format!("a dry run: {} would be {done}", letters.len()));
            return Ok(letters);
        }
        let (count, mut live) = (letters.len(), Live::new(context.out));
        for (index, there) in letters.iter_mut().enumerate() {
            live.show(&format!("{index} of {count} {done}"));
            there.letter = match act(there).await {
                Ok(letter) => letter,
                // Somebody was faster, or the answer to our first try was lost.
                Err(error) if error.code() == Some(Code::IllegalTransition) => {
                    client.dead_letter(there.service, there.letter.id).await?
                }
                Err(error) => return Err(error.into()),
            };
        }
        live.clear();
        context.out.document(&letters, |paint| table(&letters, paint))?;
        let closed = letters.iter().filter(|there| there.letter.status != LetterStatus::Open).count();
        context.out.note(&format!("{closed} of {count} {done}"));
        Ok(letters)
    }

    async fn find(&self, client: &Client) -> Outcome<Vec<There>> {
        if self.all {
            let (letters, more) = self.which.find(client, LetterStatus::Open, LETTERS_MAX).await?;
            if more {
                let message = format!("there are more than {LETTERS_MAX}: take some with --service or --reason");
                return Err(Failure::usage(message));
            }
            return Ok(letters);
        }
        let mut letters = Vec::with_capacity(self.letters.len());
        for id in &self.letters {
            letters.push(one(client, *id).await?);
        }
        Ok(letters)
    }
}
