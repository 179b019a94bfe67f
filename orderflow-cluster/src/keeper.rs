//! Keeps one process running: starts it, asks whether it is ready, starts it again when it ends.
//!
//! ```text
//!   starting ──▶ ready ◀──▶ unhealthy
//!      ▲           │ pause/resume ◀──▶ paused (for a while, or until resumed)
//!      │           ▼ it ends
//!      └──── restarting ──▶ stopped (told to stop)
//!      └──── held down (killed for a while; or until brought back)
//! ```

use std::{path::PathBuf, sync::Arc, time::Duration};

use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{Notify, mpsc, oneshot, watch},
    time::{Instant, sleep},
};

use crate::{
    process::{Program, Running},
    proxy::Until,
    report,
    tallies::OfProcess,
};

/// Before a process is started again, at first and at most; the wait doubles.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));
/// One that has run for so long is started again as if it were the first time.
const STEADY_AFTER: Duration = Duration::from_secs(30);
/// Between two questions to one that starts, to one that is unhealthy, and to one that is ready.
const PROBE_STARTING: Duration = Duration::from_millis(50);
const PROBE_UNHEALTHY: Duration = Duration::from_millis(500);
const PROBE_READY: Duration = Duration::from_secs(2);
/// Orders that wait for a keeper.
const ORDERS_MAX: usize = 8;

/// How a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Started, and not ready yet.
    Starting,
    /// It says so itself.
    Ready,
    /// It runs, was ready, and is not now.
    Unhealthy,
    /// It has ended, and is going to be started again.
    Restarting,
    /// Somebody stopped it with a signal; it runs on when resumed.
    Paused,
    /// Somebody killed it for a while; it is started again after that, or when resumed.
    HeldDown,
    /// It was told to stop.
    Stopped,
}

/// What can be done to a process, to see what others make of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// SIGKILL. It is started again, at once or after a while.
    Kill,
    /// SIGSTOP: it keeps its connections, and does nothing.
    Pause,
    /// SIGCONT, and the end of being held down.
    Resume,
    /// Stopped gently and started again.
    Restart,
}

/// What is known of a process from outside.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) state: State,
    pub(crate) pid: Option<u32>,
    pub(crate) restarts: u32,
    /// Why it is not ready, if it is not.
    pub(crate) unready: Option<String>,
    /// Why it ended the last time.
    pub(crate) last_exit: Option<String>,
    pub(crate) since: Option<Instant>,
    /// When it is resumed, while it is paused or held down.
    pub(crate) paused: Until,
}

impl View {
    /// Whether it does nothing because somebody wants it so.
    pub(crate) fn is_kept(&self) -> bool {
        matches!(self.state, State::Paused | State::HeldDown)
    }
}

struct Order {
    action: Action,
    /// How long a pause is to last, or how long one that is killed is to stay away.
    time: Option<Duration>,
    answer: oneshot::Sender<Result<(), String>>,
}

/// What comes of waiting for the next start.
enum Waited {
    /// It is to be started.
    Over,
    /// It is not to be started before this.
    HeldDown(Until),
    Stopped,
}

/// The owner of a process, to be run as a task.
pub(crate) struct Keeper {
    program: Program,
    view: watch::Sender<View>,
    /// Until when it is not to be started again, once it has ended.
    hold: Option<Until>,
    struck: OfProcess,
    changed: Arc<Notify>,
    orders: mpsc::Receiver<Order>,
    stop: watch::Receiver<bool>,
}

/// How others see and reach a keeper.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) name: &'static str,
    pub(crate) address: String,
    pub(crate) log: PathBuf,
    pub(crate) struck: OfProcess,
    view: watch::Receiver<View>,
    orders: mpsc::Sender<Order>,
    stop: watch::Sender<bool>,
}

enum Ended {
    ByItself(String),
    ToRestart,
    ToStop,
}

impl Handle {
    pub(crate) fn view(&self) -> View {
        self.view.borrow().clone()
    }

    pub(crate) fn ask_to_stop(&self) {
        self.stop.send_replace(true);
    }

    /// Returns when the keeper has stopped its process, or is no more.
    pub(crate) async fn stopped(&self) {
        let _ = self.view.clone().wait_for(|view| view.state == State::Stopped).await;
    }

    /// Does something to the process; a pause may end by itself, and one that is killed may stay away for a while.
    pub(crate) async fn act(&self, action: Action, time: Option<Duration>) -> Result<(), String> {
        let (answer, answered) = oneshot::channel();
        let busy = |_| format!("{} has other things to do", self.name);
        self.orders.try_send(Order { action, time, answer }).map_err(busy)?;
        answered.await.unwrap_or_else(|_| Err(format!("{} is not running", self.name)))
    }
}

impl Keeper {
    /// `struck` counts what is done to the process; `changed` is notified at every change of the view.
    pub(crate) fn new(program: Program, struck: OfProcess, changed: Arc<Notify>) -> (Self, Handle) {
        let nothing = View {
            state: State::Starting,
            pid: None,
            restarts: 0,
            unready: None,
            last_exit: None,
            since: None,
            paused: Until::after(None),
        };
        let (view, seen) = watch::channel(nothing);
        let (order, orders) = mpsc::channel(ORDERS_MAX);
        let (stop, stopping) = watch::channel(false);
        let handle = Handle {
            name: program.name,
            address: program.address.to_string(),
            log: program.log.clone(),
            struck: struck.clone(),
            view: seen,
            orders: order,
            stop,
        };
        (Self { program, view, hold: None, struck, changed, orders, stop: stopping }, handle)
    }

    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    /// Runs until told to stop. A process that was started already is taken over.
    pub(crate) async fn keep(mut self, mut started: Option<Running>) {
        let mut backoff = BACKOFF.0;
        loop {
            let since = Instant::now();
            let ended = match started.take() {
                Some(running) => self.watch_over(running).await,
                None => self.run_once().await,
            };
            let pause = match ended {
                Ended::ToStop => break,
                Ended::ToRestart => Duration::ZERO,
                Ended::ByItself(reason) => {
                    if since.elapsed() > STEADY_AFTER {
                        backoff = BACKOFF.0;
                    }
                    let process = self.program.name;
                    tracing::warn!(process, reason, ?backoff, "a process ended; it is started again");
                    self.update(|view| view.last_exit = Some(reason));
                    let doubled = (backoff * 2).min(BACKOFF.1);
                    std::mem::replace(&mut backoff, doubled)
                }
            };
            if self.stay_away(pause).await {
                break;
            }
            self.update(|view| view.restarts += 1);
        }
        self.update(|view| (view.state, view.pid, view.since) = (State::Stopped, None, None));
    }

    async fn run_once(&mut self) -> Ended {
        self.update(|view| view.state = State::Starting);
        let started = tokio::select! {
            started = self.program.start() => started,
            () = told(&mut self.stop) => return Ended::ToStop,
        };
        match started {
            Ok(running) => self.watch_over(running).await,
            Err(error) => Ended::ByItself(report(&error)),
        }
    }

    async fn watch_over(&mut self, mut running: Running) -> Ended {
        let pid = running.pid();
        self.update(|view| (view.state, view.pid, view.since) = (State::Starting, Some(pid), Some(Instant::now())));
        let mut pause = Duration::ZERO;
        loop {
            let View { state, paused: until, .. } = *self.view.borrow();
            let (paused, kept) = (state == State::Paused, matches!(state, State::Paused | State::HeldDown));
            tokio::select! {
                reason = running.exited() => return Ended::ByItself(reason),
                () = told(&mut self.stop) => {
                    running.stop().await;
                    return Ended::ToStop;
                }
                Some(order) = self.orders.recv() => {
                    // Answered first: a gentle stop takes longer than whoever asks wants to wait.
                    let _ = order.answer.send(Ok(()));
                    match order.action {
                        Action::Kill => {
                            // Before it ends, so that whoever wants it back from now on is heard.
                            if let Some(time) = order.time {
                                let until = Until::after(Some(time));
                                self.hold = Some(until);
                                self.update(|view| (view.state, view.paused) = (State::HeldDown, until));
                            }
                            if running.signal(Signal::KILL).await {
                                self.struck.kills.add();
                            }
                        }
                        Action::Pause => {
                            if running.signal(Signal::STOP).await {
                                self.struck.pauses.add();
                            }
                            let until = Until::after(order.time);
                            self.update(|view| (view.state, view.paused) = (State::Paused, until));
                        }
                        Action::Resume => pause = self.resume(&running).await,
                        Action::Restart => {
                            self.struck.restarts.add();
                            running.stop().await;
                            return Ended::ToRestart;
                        }
                    }
                }
                () = until.reached(), if paused => pause = self.resume(&running).await,
                probed = probe_after(pause, &self.program), if !kept => pause = self.note(probed),
            }
        }
    }

    /// Lets a process run on, and returns when to ask it.
    async fn resume(&mut self, running: &Running) -> Duration {
        self.hold = None;
        running.signal(Signal::CONT).await;
        self.update(|view| {
            if view.is_kept() {
                view.state = State::Unhealthy;
                view.unready = Some("it was paused until now".into());
            }
        });
        Duration::ZERO
    }

    /// Notes an answer, and returns when to ask again.
    fn note(&self, probed: Result<(), String>) -> Duration {
        let before = self.view.borrow().clone();
        let state = match (&probed, before.state) {
            (Ok(()), _) => State::Ready,
            (Err(_), State::Starting) => State::Starting,
            (Err(_), _) => State::Unhealthy,
        };
        let unready = probed.err();
        if state != before.state || unready != before.unready {
            self.update(|view| (view.state, view.unready) = (state, unready));
        }
        match state {
            State::Ready => PROBE_READY,
            State::Starting => PROBE_STARTING,
            _ => PROBE_UNHEALTHY,
        }
    }

    /// Waits for the next start, for as long as it is held down; returns whether it is told to stop.
    async fn stay_away(&mut self, pause: Duration) -> bool {
        self.update(|view| (view.state, view.pid, view.since) = (State::Restarting, None, None));
        let mut waited = match self.hold.take() {
            Some(until) => Waited::HeldDown(until),
            None => self.wait(pause).await,
        };
        while let Waited::HeldDown(until) = waited {
            waited = self.hold_down(until).await;
        }
        matches!(waited, Waited::Stopped)
    }

    /// Waits for the next start. Other orders than those about the start find nothing to do meanwhile.
    async fn wait(&mut self, pause: Duration) -> Waited {
        let until = Instant::now() + pause;
        loop {
            tokio::select! {
                biased;
                () = told(&mut self.stop) => return Waited::Stopped,
                Some(order) = self.orders.recv() => match (order.action, order.time) {
                    (Action::Restart, _) => {
                        let _ = order.answer.send(Ok(()));
                        return Waited::Over;
                    }
                    (Action::Kill, Some(time)) => {
                        let _ = order.answer.send(Ok(()));
                        return Waited::HeldDown(Until::after(Some(time)));
                    }
                    _ => {
                        let nothing = format!("{} is not running at the moment", self.program.name);
                        let _ = order.answer.send(Err(nothing));
                    }
                },
                () = tokio::time::sleep_until(until) => return Waited::Over,
            }
        }
    }

    /// Waits until the process may be started again: when its time is over, or somebody wants it back.
    async fn hold_down(&mut self, until: Until) -> Waited {
        self.update(|view| (view.state, view.paused) = (State::HeldDown, until));
        let waited = loop {
            tokio::select! {
                biased;
                () = told(&mut self.stop) => break Waited::Stopped,
                Some(order) = self.orders.recv() => {
                    let (answer, waited) = match (order.action, order.time) {
                        (Action::Resume | Action::Restart, _) => (Ok(()), Some(Waited::Over)),
                        (Action::Kill, Some(time)) => (Ok(()), Some(Waited::HeldDown(Until::after(Some(time))))),
                        _ => (Err(format!("{} is held down", self.program.name)), None),
                    };
                    let _ = order.answer.send(answer);
                    if let Some(waited) = waited {
                        break waited;
                    }
                }
                () = until.reached() => break Waited::Over,
            }
        };
        self.update(|view| view.state = State::Restarting);
        waited
    }

    fn update(&self, change: impl FnOnce(&mut View)) {
        self.view.send_modify(change);
        self.changed.notify_one();
    }
}

/// Returns when told to stop, or when nobody is left to tell.
async fn told(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn probe_after(pause: Duration, program: &Program) -> Result<(), String> {
    sleep(pause).await;
    program.probe().await
}
