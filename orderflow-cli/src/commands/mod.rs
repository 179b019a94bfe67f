//! One file a verb; this one only leads there.

pub mod audit;
pub mod chaos;
pub mod clock;
pub mod completions;
pub mod demo;
pub mod dlq;
pub mod doctor;
pub mod down;
pub mod events;
pub mod lab;
pub mod load;
pub mod login;
pub mod logout;
pub mod logs;
pub mod man;
pub mod order;
pub mod outbox;
pub mod payment;
pub mod product;
pub mod reservation;
pub mod reset;
pub mod serve;
pub mod signup;
pub mod stampede;
pub mod status;
pub mod tui;
pub mod up;
pub mod verify;
pub mod whoami;
pub mod why;

use std::time::Duration;

use tokio::time::timeout;

use crate::{
    cli::{Cli, Command},
    context::Context,
    exit::{Exit, Failure, Outcome},
    interrupt::or_interrupted,
};

const LIMIT_GRACE: Duration = Duration::from_millis(300);

/// Does what was asked for.
pub async fn run(cli: Cli) -> Outcome {
    let global = cli.global;
    match cli.command {
        // What is one process of a cluster has a file of its own, and is told to end in its own way.
        Command::Serve(command) => Box::pin(command.run(&global)).await,
        Command::Completions(command) => command.run(),
        Command::Man(command) => command.run(),
        // These clean up when they are interrupted.
        Command::Demo(command) => Box::pin(command.run(&Context::new(&global)?)).await,
        Command::Up(command) => Box::pin(command.run(&Context::new(&global)?)).await,
        Command::Chaos(command) => Box::pin(command.run(&Context::new(&global)?)).await,
        Command::Load(command) => Box::pin(command.run(&Context::new(&global)?)).await,
        // It has the terminal, and looks after it itself.
        Command::Tui(command) => Box::pin(command.run(&Context::new(&global)?)).await,
        // Its `--timeout` is for what it waits for; what it has found by then is told.
        Command::Verify(command) => or_interrupted(Box::pin(command.run(&Context::new(&global)?))).await,
        command => {
            let context = Context::new(&global)?;
            or_interrupted(within(context.settings.timeout, Box::pin(run_to_the_end(command, &context)))).await
        }
    }
}

/// `--timeout` holds for all of a command. What waits by itself is a little faster, and knows for what.
async fn within(limit: Option<Duration>, work: impl Future<Output = Outcome>) -> Outcome {
    let Some(limit) = limit else { return work.await };
    match timeout(limit + LIMIT_GRACE, work).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Failure::with(Exit::TimedOut, format!("not done within {limit:?}"))),
    }
}

async fn run_to_the_end(command: Command, context: &Context) -> Outcome {
    match command {
        Command::Status(command) => command.run(context).await,
        Command::Logs(command) => command.run(context).await,
        Command::Down(command) => command.run(context).await,
        Command::Reset(command) => command.run(context).await,
        Command::Doctor(command) => command.run(context).await,
        Command::Signup(command) => command.run(context).await,
        Command::Login(command) => command.run(context).await,
        Command::Whoami(command) => command.run(context).await,
        Command::Logout(command) => command.run(context).await,
        Command::Product(command) => command.run(context).await,
        Command::Order(command) => command.run(context).await,
        Command::Reservation(command) => command.run(context).await,
        Command::Payment(command) => command.run(context).await,
        Command::Events(command) => command.run(context).await,
        Command::Clock(command) => command.run(context).await,
        Command::Stampede(command) => command.run(context).await,
        Command::Dlq(command) => command.run(context).await,
        Command::Audit(command) => command.run(context).await,
        Command::Outbox(command) => command.run(context).await,
        Command::Lab(command) => command.run(context).await,
        Command::Why(command) => command.run(context).await,
        Command::Demo(_) | Command::Up(_) | Command::Serve(_) | Command::Completions(_) | Command::Man(_) => Ok(()),
        Command::Chaos(_) | Command::Load(_) | Command::Tui(_) | Command::Verify(_) => Ok(()),
    }
}
