//! The command line: the flags that every command takes, and the tree of commands.

use std::{path::PathBuf, time::Duration};

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::{
    commands::{
        self, audit, chaos, clock, demo, dlq, events, lab, order, outbox, payment, product, reservation, serve,
    },
    output::Format,
    parse::{self, Role},
};

/// Examples first: they are what is looked for.
const TEMPLATE: &str = "{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}";

const EXAMPLES: &str = "\
Examples:
  orderflow demo                                      play all of it on a throwaway cluster
  orderflow up --detach                               bring up a cluster that stays
  orderflow --as seller product add --name \"Test Widget\" --price 29.99 --stock 10
  orderflow --as customer order create --item PRODUCT:2 --wait
  orderflow --as seller order confirm ORDER --wait
  orderflow --as customer order pay ORDER --token tok_visa --wait
  orderflow --as seller order fulfill ORDER --wait
  orderflow order watch ORDER --as customer
  orderflow down
";

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    error
  2    the command line cannot be understood
  3    what was waited for did not happen in time
  4    the cluster cannot be reached
  5    the saga has ended with the order cancelled, or the card declined
  6    the idempotency key was used for something else
  7    something that must always hold does not
  130  interrupted

Settings:
  Flags come first, then the environment, then ./orderflow.toml, then ~/.config/orderflow/config.toml. The names are the
  same everywhere: --console-url, ORDERFLOW_CONSOLE_URL, console_url; so it is with output, as, cluster, data-dir,
  timeout and the other URLs.
";

/// Distributed order processing on one machine: a saga over Kafka and PostgreSQL, from the key press to the last commit
#[derive(Parser)]
#[command(name = "orderflow", version, before_help = EXAMPLES, after_help = EXIT_CODES)]
pub struct Cli {
    /// The flags that every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The flags that every command takes.
#[derive(Args, Clone)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// How data are written
    #[arg(short, long, global = true, value_enum)]
    pub output: Option<Format>,
    /// Ask as a test account of a local cluster, without a login
    #[arg(long = "as", global = true, value_enum, value_name = "ROLE")]
    pub role: Option<Role>,
    /// Which cluster [default: default]
    #[arg(long, global = true, value_name = "NAME")]
    pub cluster: Option<String>,
    /// Which cluster: where it keeps everything
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// How long to wait, as 30s or 2m
    #[arg(long, global = true, value_name = "TIME", value_parser = parse::duration)]
    pub timeout: Option<Duration>,
    /// No colours; NO_COLOR says the same
    #[arg(long, global = true)]
    pub no_color: bool,
    /// Only data and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Where the services are, if they are not a local cluster's.
    #[command(flatten)]
    pub urls: Urls,
}

/// Where the services are.
#[derive(Args, Clone)]
#[command(next_help_heading = "Where the services are, if not the local cluster's")]
pub struct Urls {
    /// The console's URL, as http://127.0.0.1:3000
    #[arg(long, global = true, value_name = "URL", hide_short_help = true)]
    pub console_url: Option<String>,
    /// The orders service's
    #[arg(long, global = true, value_name = "URL", hide_short_help = true)]
    pub orders_url: Option<String>,
    /// The inventory service's
    #[arg(long, global = true, value_name = "URL", hide_short_help = true)]
    pub inventory_url: Option<String>,
    /// The payments service's
    #[arg(long, global = true, value_name = "URL", hide_short_help = true)]
    pub payments_url: Option<String>,
    /// The payment provider's
    #[arg(long, global = true, value_name = "URL", hide_short_help = true)]
    pub provider_url: Option<String>,
}

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Play every ending of an order on a throwaway cluster, and check each
    Demo(demo::Demo),
    /// Start a local cluster, or see that it runs
    Up(commands::up::Up),
    /// How the cluster is
    Status(commands::status::Status),
    /// What its processes have written
    Logs(commands::logs::Logs),
    /// Stop the cluster; its data stay
    Down(commands::down::Down),
    /// Stop the cluster and destroy its data
    Reset(commands::reset::Reset),
    /// Look at whether a cluster can run here, and what to do if not
    Doctor(commands::doctor::Doctor),
    /// Open an account
    Signup(commands::signup::Signup),
    /// Open a session
    Login(commands::login::Login),
    /// Whose session it is
    Whoami(commands::whoami::Whoami),
    /// End the session
    Logout(commands::logout::Logout),
    /// Products and their stock
    #[command(subcommand)]
    Product(product::Product),
    /// Orders
    #[command(subcommand)]
    Order(order::Order),
    /// Stock that is held for orders
    #[command(subcommand)]
    Reservation(reservation::Reservation),
    /// Payments
    #[command(subcommand)]
    Payment(payment::Payment),
    /// What has happened
    #[command(subcommand)]
    Events(events::Events),
    /// The cluster's clock, which can be moved
    #[command(subcommand)]
    Clock(clock::Clock),
    /// Break something on purpose, and mend it
    #[command(subcommand)]
    Chaos(chaos::Chaos),
    /// Keep orders coming, until stopped
    Load(commands::load::Load),
    /// Let many want the last pieces at once
    Stampede(commands::stampede::Stampede),
    /// Dead letters: what the services could not apply
    #[command(subcommand)]
    Dlq(dlq::Dlq),
    /// Who did what to what
    #[command(subcommand)]
    Audit(audit::Audit),
    /// What the services have committed to be published
    #[command(subcommand)]
    Outbox(outbox::Outbox),
    /// Take a pattern out of a laboratory, and see what it was for
    #[command(subcommand)]
    Lab(lab::Lab),
    /// Count every piece, every cent and every event, once the system has come to rest
    Verify(commands::verify::Verify),
    /// Where an order stands, whose turn it is, and what is in the way
    Why(commands::why::Why),
    /// Open the terminal console: customer, seller and admin, live and side by side
    Tui(commands::tui::Tui),
    /// Be one process of a cluster
    #[command(subcommand)]
    Serve(serve::Serve),
    /// Completions for a shell
    Completions(commands::completions::Completions),
    /// Write the manual's pages
    Man(commands::man::Man),
}

/// The cluster by its name, for commands that have no other name to give.
#[derive(Args, Clone)]
pub struct Named {
    /// Which cluster, as --cluster
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
}

/// The key of what is written.
#[derive(Args, Clone)]
pub struct Key {
    /// Makes it safe to repeat the command: the same key does it once [default: a fresh one]
    #[arg(long, value_name = "KEY", value_parser = parse::idempotency_key)]
    pub idempotency_key: Option<String>,
}

/// A part of a list.
#[derive(Args, Clone)]
pub struct Paging {
    /// At most so many, up to 200 [default: 50]
    #[arg(long, value_name = "N")]
    pub limit: Option<u32>,
    /// Where the page before has ended: its `next_cursor`
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<String>,
}

/// The command tree, with the examples first in every help.
pub fn command() -> clap::Command {
    examples_first(Cli::command())
}

fn examples_first(command: clap::Command) -> clap::Command {
    let names: Vec<String> = command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    let command = command.help_template(TEMPLATE);
    names.into_iter().fold(command, |command, name| command.mut_subcommand(name, examples_first))
}

/// Reads the command line. Help, and what cannot be understood, end the process here.
pub fn parse() -> Cli {
    let matches = command().get_matches();
    let mut cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    if let Some(name) = cli.command.named().and_then(|named| named.name.clone()) {
        cli.global.cluster = Some(name);
    }
    cli
}

impl Command {
    fn named(&self) -> Option<&Named> {
        match self {
            Self::Up(command) => Some(&command.named),
            Self::Status(command) => Some(&command.named),
            Self::Logs(command) => Some(&command.named),
            Self::Down(command) => Some(&command.named),
            Self::Reset(command) => Some(&command.named),
            Self::Doctor(command) => Some(&command.named),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Cli, clap::Error> {
        Cli::from_arg_matches(&command().try_get_matches_from(line.split(' '))?)
    }

    #[test]
    fn the_tree_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn a_products_name_is_not_the_clusters() {
        let cli = parsed("orderflow product add --name Widget --price 1 --stock 1 --cluster two").ok().unwrap();
        assert_eq!(cli.global.cluster.as_deref(), Some("two"));
    }

    #[test]
    fn what_is_no_id_is_a_usage_error() {
        for line in [
            "orderflow order show 7",
            "orderflow order create --item x:1",
            "orderflow order create",
            "orderflow product add --name x --price 1.999",
            "orderflow order pay 00000000-0000-0000-0000-000000000001",
            "orderflow clock advance soon",
        ] {
            assert_eq!(parsed(line).err().unwrap().exit_code(), 2, "{line}");
        }
    }

    fn leaves(command: &clap::Command, path: &str) -> Vec<String> {
        let path = format!("{path} {}", command.get_name()).trim().to_owned();
        let verbs: Vec<_> = command.get_subcommands().filter(|verb| verb.get_name() != "help").collect();
        // What `serve` can be is for supervisors and containers; the page has one line for all of it.
        if verbs.is_empty() || path == "orderflow serve" {
            return vec![path];
        }
        verbs.into_iter().flat_map(|verb| leaves(verb, &path)).collect()
    }

    #[test]
    fn every_command_is_on_the_page() {
        let page = include_str!("../../docs/cli.md");
        let leaves = leaves(&command(), "");
        for leaf in &leaves {
            assert!(page.contains(&format!("| `{leaf}` |")), "{leaf} is not in docs/cli.md");
        }
        assert_eq!(page.matches("\n| `orderflow ").count(), leaves.len(), "a command is explained that does not exist");
    }
}
