//! What the chaos board wants done.

use std::{path::PathBuf, time::Duration};

use orderflow_chaos::{Hand, There, Troubles, ask_services};
use orderflow_client::{
    Service,
    verify::{Report, settle},
};
use orderflow_cluster::{
    Action, Need,
    control::{self, Status},
};
use orderflow_contracts::api::{
    chaos::{FaultName, SetFault},
    ops::Pattern,
};
use serde::Deserialize;
use tokio::{process::Command, time::sleep};

use super::{
    children::{Ending, Part},
    situation::Counts,
};
use crate::{
    blocking::blocking,
    links::Kit,
    msg::{Done as AnyDone, Msg},
};

/// How long verify may wait for rest. It reads everything each time it looks, so it is not to look for ever.
const REST_MAX: Duration = Duration::from_secs(60);
/// Most scenarios that are shown, and how large a file of them may be, in bytes.
const SCENARIOS_MAX: usize = 100;
const FILE_BYTES_MAX: u64 = 256 << 10;

/// A change of what is broken.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Sets a fault in some services.
    Set {
        /// Which.
        name: FaultName,
        /// How.
        set: SetFault,
        /// Where.
        services: Vec<Service>,
    },
    /// Takes a fault back.
    Unset {
        /// Which.
        name: FaultName,
        /// Where.
        services: Vec<Service>,
    },
    /// Does something to a process.
    Signal {
        /// Which.
        process: &'static str,
        /// What.
        action: Action,
        /// For how long, for a pause.
        for_ms: Option<u64>,
    },
    /// Cuts a line.
    Cut {
        /// Whose.
        service: Service,
        /// From what.
        from: Need,
        /// For how long.
        for_ms: Option<u64>,
    },
    /// Makes a line whole.
    Heal {
        /// Whose.
        service: Service,
        /// From what.
        from: Need,
    },
    /// All clocks jump.
    Advance {
        /// By how much, in milliseconds.
        by_ms: i64,
    },
    /// Sets clocks so far ahead of the machine's.
    Clocks {
        /// Whose.
        services: Vec<Service>,
        /// By how much, in milliseconds.
        offset_ms: i64,
    },
    /// Takes a pattern out, or puts it back.
    Pattern {
        /// Which.
        pattern: Pattern,
        /// Out or back.
        out: bool,
    },
}

/// What is wanted.
#[derive(Debug, Clone, PartialEq)]
pub enum Do {
    /// Asks the services what is broken in them.
    Look,
    /// Asks the supervisor, who has nothing to wait for.
    Supervisor,
    /// Reads which scenarios there are.
    Scenarios,
    /// Changes what is broken; what it belongs to on the board comes back with the outcome.
    Change(super::Row, Change),
    /// Takes everything back.
    Clear,
    /// Waits for whoever moves a slider to let it rest.
    Rest(FaultName, u64),
    /// Plays a scenario.
    Play(PathBuf),
    /// Keeps orders coming, so many a second.
    Load(u32),
    /// Ends what is played.
    Stop(Part),
    /// Waits until nothing is heard any more: so many events were heard when it began.
    Quiet {
        /// So many.
        events: u64,
        /// For how long, in milliseconds.
        ms: u64,
    },
    /// Waits for rest, and counts everything.
    Verify,
}

/// What came of it.
#[derive(Debug)]
pub enum Done {
    /// What the services say, or why they say nothing.
    Looked(Vec<(Service, Result<There, String>)>),
    /// What the supervisor says, or why it says nothing.
    Supervised(Box<Result<Status, String>>),
    /// The scenarios there are.
    Scenarios(Result<Vec<Scenario>, String>),
    /// Something was changed, or why not.
    Changed(super::Row, Result<(), String>),
    /// Something is done, and the audit log does not have it.
    NotNoted(String),
    /// Everything was taken back: how much it was, and who could not be told.
    Cleared(Counts, Vec<String>),
    /// A slider rests.
    Rested(FaultName, u64),
    /// What is played says something.
    Said(Part, String),
    /// What was played has ended.
    Ended(Part, Ending),
    /// It was quiet for so long; so many events were heard when it began.
    Quiet(u64),
    /// Verify waits for something.
    Waits(String),
    /// Everything was counted.
    Verified(Result<Box<Report>, String>),
}

/// A scenario's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    /// Where it is.
    pub path: PathBuf,
    /// Its name: the file's, without its ending.
    pub name: String,
    /// What it shows, or why it cannot be read.
    pub about: Result<String, String>,
    /// Of everything in it that is random.
    pub seed: u64,
}

/// Does it. Nothing, if what comes of it is told later.
pub async fn carry_out(wanted: Do, kit: &Kit) -> Option<Done> {
    Some(match wanted {
        Do::Look => Done::Looked(ask_services(&kit.client).await),
        Do::Supervisor => {
            let status = control::status(&kit.place.data_dir).await;
            Done::Supervised(Box::new(status.map_err(|error| error.to_string())))
        }
        Do::Scenarios => {
            let dir = kit.place.scenarios.clone();
            Done::Scenarios(blocking(move || scenarios(&dir)).await)
        }
        Do::Change(row, change) => Done::Changed(row, Box::pin(make(change, kit)).await),
        Do::Clear => {
            let (counts, failed) = Box::pin(clear(kit)).await;
            Done::Cleared(counts, failed)
        }
        Do::Rest(name, number) => {
            sleep(SLIDER_RESTS).await;
            Done::Rested(name, number)
        }
        Do::Play(file) => {
            let mut command = orderflow(kit);
            command.args(["chaos", "run"]).arg(file);
            return begin(Part::Scenario, command, kit);
        }
        Do::Load(rate) => {
            let mut command = orderflow(kit);
            command.args(["load", "--rate", &rate.to_string()]);
            return begin(Part::Load, command, kit);
        }
        Do::Stop(part) => {
            kit.children.stop(part);
            return None;
        }
        Do::Quiet { events, ms } => {
            sleep(Duration::from_millis(ms)).await;
            Done::Quiet(events)
        }
        Do::Verify => Done::Verified(Box::pin(verify(kit)).await),
    })
}

fn hand(kit: &Kit) -> Hand {
    Hand::new(kit.client.clone(), kit.place.data_dir.clone())
}

/// Changes something; the error is for people.
async fn make(change: Change, kit: &Kit) -> Result<(), String> {
    let hand = hand(kit);
    let made = match change {
        Change::Set { name, set, services } => hand.set(name, &set, &services).await.map(drop),
        Change::Unset { name, services } => hand.clear(Some(name), &services).await,
        Change::Signal { process, action, for_ms } => hand.signal(process, action, for_ms).await,
        Change::Cut { service, from, for_ms } => hand.cut(service.name(), from, for_ms).await,
        Change::Heal { service, from } => hand.heal(service.name(), from).await,
        Change::Advance { by_ms } => hand.advance(by_ms).await,
        Change::Clocks { services, offset_ms } => hand.set_clocks(&services, offset_ms).await,
        Change::Pattern { pattern, out } => hand.set_pattern(pattern, out).await,
    };
    failed(made, kit).await.map_err(|troubles| troubles.to_string())
}

/// What has failed. What is done, and only not in the audit log, is told beside it.
async fn failed(made: Result<(), Troubles>, kit: &Kit) -> Result<(), Troubles> {
    let Err(troubles) = made else { return Ok(()) };
    let (not_noted, failed) = troubles.apart();
    for trouble in not_noted {
        let _ = kit.messages.send(Msg::Done(AnyDone::Chaos(Done::NotNoted(trouble.to_string())))).await;
    }
    failed
}

/// Takes everything back. How much it was, and what failed.
async fn clear(kit: &Kit) -> (Counts, Vec<String>) {
    let hand = hand(kit);
    let before = Counts::of(&hand.look().await);
    let failed = failed(hand.clear_all().await, kit).await.err().into_iter().flatten();
    (before, failed.map(|trouble| trouble.to_string()).collect())
}

/// So long after the last key a slider rests: what it says then is set.
const SLIDER_RESTS: Duration = Duration::from_millis(600);

fn begin(part: Part, command: Command, kit: &Kit) -> Option<Done> {
    let begun = kit.children.begin(part, command, kit.messages.clone());
    begun.err().map(|why| Done::Ended(part, Ending::NotStarted(why)))
}

/// The program itself, for this cluster, as a script would call it.
fn orderflow(kit: &Kit) -> Command {
    let place = &kit.place;
    let mut command = Command::new(&place.exe);
    command.arg("--cluster").arg(&place.cluster).arg("--data-dir").arg(&place.data_dir);
    command.args(["--no-color", "--output", "text"]);
    command
}

async fn verify(kit: &Kit) -> Result<Box<Report>, String> {
    let messages = &kit.messages;
    let report = settle(&kit.client, REST_MAX, |what| {
        // Whoever has no room for this will hear the next one.
        let _ = messages.try_send(Msg::Done(AnyDone::Chaos(Done::Waits(what.to_owned()))));
    });
    report.await.map(Box::new).map_err(|error| error.to_string())
}

#[derive(Deserialize)]
struct File {
    about: String,
    #[serde(default)]
    seed: u64,
}

/// The scenarios of a directory, by their names.
fn scenarios(dir: &std::path::Path) -> Result<Vec<Scenario>, String> {
    let entries = std::fs::read_dir(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    paths.sort();
    paths.truncate(SCENARIOS_MAX);
    Ok(paths.into_iter().map(scenario).collect())
}

fn scenario(path: PathBuf) -> Scenario {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let read = || {
        let size = std::fs::metadata(&path).map_err(|error| error.to_string())?.len();
        if size > FILE_BYTES_MAX {
            return Err("it is too large".to_owned());
        }
        let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
        toml::from_str::<File>(&text).map_err(|error| error.message().to_owned())
    };
    match read() {
        Ok(File { about, seed }) => Scenario { about: Ok(about), seed, name, path },
        Err(why) => Scenario { about: Err(why), seed: 0, name, path },
    }
}
