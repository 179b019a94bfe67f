//! What a step of a scenario does: the verbs of the command line, written as there.

use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use orderflow_cluster::Action;
use tokio::time::sleep;

use super::{
    clear::Clear,
    cut::Cut,
    hand::Hand,
    process::{Kill, Pause, Restart, Resume},
    words::{Name, Place, Wanted, Words, milliseconds},
};
use crate::{
    exit::{Failure, Outcome},
    parse,
};

/// One of the verbs.
#[derive(Subcommand, Debug, Clone, PartialEq)]
pub enum Act {
    /// As `orderflow chaos set`.
    Set(Words),
    /// As `orderflow chaos clear`.
    Clear(Clear),
    /// As `orderflow chaos kill`.
    Kill(Kill),
    /// As `orderflow chaos pause`.
    Pause(Pause),
    /// As `orderflow chaos resume`.
    Resume(Resume),
    /// As `orderflow chaos restart`.
    Restart(Restart),
    /// As `orderflow chaos cut`.
    Cut(Cut),
    /// As `orderflow clock advance`.
    Advance(Advance),
}

/// Moves the clocks of all services.
#[derive(Args, Debug, Clone, PartialEq)]
pub struct Advance {
    /// By how much.
    #[arg(value_parser = parse::duration)]
    pub by: Duration,
}

#[derive(Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
struct Line {
    #[command(subcommand)]
    act: Act,
}

impl Act {
    /// Reads a verb and what stands behind it; random faults that have no seed of their own get this one.
    pub fn read(verb: &str, rest: &str, seed: u64) -> Result<Self, String> {
        let line = Line::try_parse_from(std::iter::once(verb).chain(rest.split_whitespace()));
        // The first line says what is wrong; the others are about a command line.
        let first = |error: clap::Error| {
            let text = error.to_string();
            text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
        };
        let mut act = line.map_err(first)?.act;
        match &mut act {
            Self::Set(words) => {
                words.seed = words.seed.or_else(|| matches!(words.name, Name::Fault(_)).then_some(seed));
                words.clone().read().map_err(|failure| failure.message)?;
            }
            Self::Cut(cut) => cut.check().map_err(|failure| failure.message)?,
            _ => {}
        }
        Ok(act)
    }

    /// How long it goes on after it has begun.
    pub fn lasts(&self) -> Duration {
        let lasts = match self {
            Self::Set(words) => words.lasts,
            Self::Kill(kill) => kill.lasts,
            Self::Pause(pause) => pause.lasts,
            Self::Cut(cut) => cut.lasts,
            Self::Clear(_) | Self::Resume(_) | Self::Restart(_) | Self::Advance(_) => None,
        };
        lasts.unwrap_or_default()
    }

    /// Does it, and what ends it if it has an end.
    pub async fn perform(self, hand: Hand) -> Outcome {
        match self {
            Self::Set(words) => match words.read()? {
                Wanted::ClockSkew { service, by_ms, lasts: Some(lasts) } => {
                    hand.set(&Wanted::ClockSkew { service, by_ms, lasts: None }).await?;
                    sleep(lasts).await;
                    hand.clear(Some(Name::ClockSkew), Place::One(service)).await
                }
                wanted => hand.set(&wanted).await.map(drop),
            },
            Self::Clear(clear) => hand.clear(clear.name, clear.service).await,
            Self::Kill(Kill { process, lasts }) => hand.act(&process, Action::Kill, lasts).await,
            Self::Pause(Pause { process, lasts }) => hand.act(&process, Action::Pause, lasts).await,
            Self::Resume(Resume { process }) => hand.act(&process, Action::Resume, None).await,
            Self::Restart(Restart { process }) => hand.act(&process, Action::Restart, None).await,
            Self::Cut(Cut { service, from, lasts }) => hand.cut(&service, from, lasts).await,
            Self::Advance(Advance { by }) => {
                let by_ms = i64::try_from(milliseconds(by)?).map_err(|_| Failure::usage("that is too far"))?;
                hand.advance(by_ms).await
            }
        }
    }
}
