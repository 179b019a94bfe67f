//! The program's own processes that are started from the board: a scenario, and load. One of each at a time.
//!
//! ```text
//!   begin ──▶ child ──▶ its lines, as messages ──▶ Ended
//!                └── stop, or the end of the console ──▶ SIGINT: it takes its faults back ──(10 s)──▶ SIGKILL
//! ```
//!
//! They are in a process group of their own, so that what is pressed in the console's terminal does not reach them.

use std::{
    collections::HashMap,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, Command},
    sync::{Notify, mpsc::Sender},
    task::{JoinError, JoinSet},
    time::timeout,
};

use super::effects::Done;
use crate::msg::{Done as AnyDone, Msg};

/// How long one may take to end after it was told to: load lets what is under way come to its end for as long.
const END_MAX: Duration = Duration::from_secs(12);

/// What can be played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// A scenario.
    Scenario,
    /// Orders that keep coming.
    Load,
}

impl Part {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scenario => "the scenario",
            Self::Load => "the load",
        }
    }
}

/// How a process has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this exit code.
    Exit(i32),
    /// It was told to, and has taken back what it had set.
    Stopped,
    /// It did not end when it was told to, or somebody else has killed it: what it has set is set.
    Killed,
    /// It has not even begun.
    NotStarted(String),
}

/// The processes that run.
#[derive(Clone)]
pub struct Children(Arc<Inner>);

struct Inner {
    end_max: Duration,
    stops: Mutex<HashMap<Part, Arc<Notify>>>,
    tasks: Mutex<JoinSet<Option<String>>>,
}

impl Default for Children {
    fn default() -> Self {
        Self::with_end_max(END_MAX)
    }
}

impl Children {
    /// With so long to end before they are killed.
    pub(super) fn with_end_max(end_max: Duration) -> Self {
        Self(Arc::new(Inner { end_max, stops: Mutex::default(), tasks: Mutex::default() }))
    }

    fn stops(&self) -> MutexGuard<'_, HashMap<Part, Arc<Notify>>> {
        self.0.stops.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tasks(&self) -> MutexGuard<'_, JoinSet<Option<String>>> {
        self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether any of them runs.
    pub fn any(&self) -> bool {
        !self.stops().is_empty()
    }

    /// Whether one runs.
    pub fn plays(&self, part: Part) -> bool {
        self.stops().contains_key(&part)
    }

    /// Starts one. What it says and how it ends come as messages.
    pub fn begin(&self, part: Part, mut command: Command, messages: Sender<Msg>) -> Result<(), String> {
        let mut stops = self.stops();
        if stops.contains_key(&part) {
            return Err(format!("{} runs already", part.name()));
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0).kill_on_drop(true);
        let child = command.spawn().map_err(|error| format!("orderflow cannot be started: {error}"))?;
        let stop = Arc::new(Notify::new());
        stops.insert(part, Arc::clone(&stop));
        drop(stops);
        let (children, mut tasks) = (self.clone(), self.tasks());
        while let Some(ended) = tasks.try_join_next() {
            drop(ended.unwrap_or_else(resume));
        }
        tasks.spawn(async move {
            let ending = follow(part, child, &stop, &messages, children.0.end_max).await;
            children.stops().remove(&part);
            let left = (ending == Ending::Killed).then(|| {
                format!("{} had to be killed; `orderflow chaos clear` takes back what it has left", part.name())
            });
            let _ = messages.send(Msg::Done(AnyDone::Chaos(Done::Ended(part, ending)))).await;
            left
        });
        Ok(())
    }

    /// Tells one to end. Whether there was one.
    pub fn stop(&self, part: Part) -> bool {
        let stops = self.stops();
        let stop = stops.get(&part);
        // One that is told before it waits finds it told.
        stop.inspect(|stop| stop.notify_one()).is_some()
    }

    /// Tells all of them.
    pub fn stop_all(&self) {
        self.stops().values().for_each(|stop| stop.notify_one());
    }

    /// Tells all of them, and waits until they are gone. What they have left is told.
    pub async fn end(&self) -> Vec<String> {
        self.stop_all();
        let mut tasks = std::mem::take(&mut *self.tasks());
        let mut left = Vec::new();
        while let Some(ended) = tasks.join_next().await {
            left.extend(ended.unwrap_or_else(resume));
        }
        left
    }
}

/// Nobody ends these tasks: one that has not come to its end has panicked, and whoever waits for it does too.
fn resume(error: JoinError) -> Option<String> {
    match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => None,
    }
}

/// Passes on what it says until it ends, or until it is told to.
async fn follow(part: Part, mut child: Child, stop: &Notify, messages: &Sender<Msg>, end_max: Duration) -> Ending {
    let (out, err, pid) = (child.stdout.take(), child.stderr.take(), child.id());
    let mut ends = std::pin::pin!(async {
        tokio::join!(say(part, out, messages), say(part, err, messages));
        child.wait().await
    });
    tokio::select! {
        status = &mut ends => return ended(status.ok()),
        () = stop.notified() => {}
    }
    // It is not reaped before `ends` has said so: until then the id is its own.
    let pid = pid.and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    let tell = |signal| pid.is_some_and(|pid| kill_process(pid, signal).is_ok());
    if tell(Signal::INT) && timeout(end_max, &mut ends).await.is_ok() {
        return Ending::Stopped;
    }
    tell(Signal::KILL);
    let _ = timeout(end_max, ends).await;
    Ending::Killed
}

fn ended(status: Option<ExitStatus>) -> Ending {
    status.and_then(|status| status.code()).map_or(Ending::Killed, Ending::Exit)
}

/// Passes on each line.
async fn say(part: Part, output: Option<impl AsyncRead + Unpin>, messages: &Sender<Msg>) {
    let Some(output) = output else { return };
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let line = crate::text::plain(&line);
        let _ = messages.send(Msg::Done(AnyDone::Chaos(Done::Said(part, line)))).await;
    }
}
