//! `orderflow chaos kill|pause|resume|restart`

use std::time::Duration;

use clap::{Args, builder::PossibleValuesParser};
use orderflow_cluster::{Action, BROKER, POSTGRES, SERVICES};

use super::Hand;
use crate::{context::Context, exit::Outcome, interrupt::or_interrupted, parse};

/// The processes of a cluster. The provider is known under two names.
fn process() -> PossibleValuesParser {
    PossibleValuesParser::new(SERVICES.into_iter().chain([BROKER, POSTGRES, "provider"]))
}

/// Kill a process; it is started again
///
/// As `kill -9` does. With `--for` it is not started again before that; the command returns at once, and
/// `chaos resume` or `chaos clear` brings it back sooner.
#[derive(Args, Debug, Clone, PartialEq)]
#[command(before_help = "Examples:\n  orderflow chaos kill orders\n  orderflow chaos kill broker --for 10s\n")]
pub struct Kill {
    /// Which process
    #[arg(value_name = "PROCESS", value_parser = process())]
    pub process: String,
    /// Keep it down for so long, as 10s
    #[arg(long = "for", value_name = "TIME", value_parser = parse::duration)]
    pub lasts: Option<Duration>,
}

/// Stop a process in its tracks; its connections stay
///
/// With SIGSTOP: to others it looks like one that is very slow. With `--for` it goes on after so long.
#[derive(Args, Debug, Clone, PartialEq)]
#[command(before_help = "Examples:\n  orderflow chaos pause inventory\n  orderflow chaos pause postgres --for 5s\n")]
pub struct Pause {
    /// Which process
    #[arg(value_name = "PROCESS", value_parser = process())]
    pub process: String,
    /// Let it go on after so long, as 10s
    #[arg(long = "for", value_name = "TIME", value_parser = parse::duration)]
    pub lasts: Option<Duration>,
}

/// Let a paused process go on, or start one again that is held down
#[derive(Args, Debug, Clone, PartialEq)]
#[command(before_help = "Examples:\n  orderflow chaos resume inventory\n")]
pub struct Resume {
    /// Which process
    #[arg(value_name = "PROCESS", value_parser = process())]
    pub process: String,
}

/// Stop a process gently; it is started again
#[derive(Args, Debug, Clone, PartialEq)]
#[command(before_help = "Examples:\n  orderflow chaos restart payments\n")]
pub struct Restart {
    /// Which process
    #[arg(value_name = "PROCESS", value_parser = process())]
    pub process: String,
}

impl Kill {
    /// Kills it.
    pub async fn run(self, context: &Context) -> Outcome {
        let hand = Hand::new(context)?;
        or_interrupted(hand.act(&self.process, Action::Kill, self.lasts)).await?;
        context.out.note(&match self.lasts {
            Some(lasts) => format!("{} is killed, and held down for {lasts:?}", self.process),
            None => format!("{} is killed; `orderflow status` shows its restart", self.process),
        });
        Ok(())
    }
}

impl Pause {
    /// Pauses it.
    pub async fn run(self, context: &Context) -> Outcome {
        let hand = Hand::new(context)?;
        or_interrupted(hand.act(&self.process, Action::Pause, self.lasts)).await?;
        context.out.note(&match self.lasts {
            Some(lasts) => format!("{} is paused for {lasts:?}", self.process),
            None => format!("{0} is paused; `orderflow chaos resume {0}` lets it go on", self.process),
        });
        Ok(())
    }
}

impl Resume {
    /// Resumes it.
    pub async fn run(self, context: &Context) -> Outcome {
        Hand::new(context)?.act(&self.process, Action::Resume, None).await?;
        context.out.note(&format!("{} goes on", self.process));
        Ok(())
    }
}

impl Restart {
    /// Restarts it.
    pub async fn run(self, context: &Context) -> Outcome {
        Hand::new(context)?.act(&self.process, Action::Restart, None).await?;
        context.out.note(&format!("{} is restarted; `orderflow status` says when it is ready", self.process));
        Ok(())
    }
}
