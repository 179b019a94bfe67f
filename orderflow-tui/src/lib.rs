//! OrderFlow's terminal console: customer, seller and admin, live and side by side.
//!
//! ```text
//!   terminal ──▶ input ─┐                            ┌─▶ draw: desks, overlays, widgets
//!   streams ───▶ live ──┼──▶ Msg ──▶ app (the core) ─┤
//!   outcomes ──▶ links ─┘                            └─▶ Effect ──▶ links: clients, processes ──▶ Msg
//! ```
//!
//! - [`app`] is a function of messages; nothing in it waits, and time is told to it.
//! - A *desk* is one role at work ([`desk`]): what it knows ([`books`]), its stream ([`live`]), and its screens
//!   ([`customer`], [`seller`], [`admin`] with the [`chaos`] board), over which an order's [`timeline`] can lie. All of them are an
//!   [`area::Area`].
//! - [`keys`] is the one registry of what keys do. [`theme`] is the one place with colours.
//! - [`lessons`] are guided tours beside the desks.
//!
//! Each part has its own effects (`Do`), carried out by its `carry_out`, and their outcomes (`Done`).

pub mod admin;
pub mod app;
pub mod area;
mod blocking;
pub mod books;
pub mod chaos;
pub mod config;
pub mod customer;
pub mod cx;
pub mod desk;
pub mod input;
pub mod keys;
pub mod lessons;
pub mod links;
pub mod live;
pub mod login;
pub mod msg;
pub mod overlay;
pub mod runtime;
pub mod seller;
pub mod session;
pub mod terminal;
#[cfg(test)]
mod testing;
pub mod text;
pub mod theme;
pub mod timeline;
mod unread;
pub mod widgets;

use std::{
    io::{self, Write as _},
    path::PathBuf,
};

use orderflow_client::Endpoints;
use orderflow_contracts::api::console::Role;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};

use self::{
    app::{App, Setup},
    config::{Config, ConfigError, Remembered},
    links::{Links, Place},
    msg::Msg,
    runtime::LoopError,
    terminal::Guard,
    theme::ThemeName,
};

/// Messages that may wait; whoever has more waits with them.
const MESSAGES_MAX: usize = 1024;

/// What the console is started with.
pub struct Options {
    /// The cluster.
    pub place: Place,
    /// Where the services are; nothing if no cluster runs.
    pub endpoints: Option<Endpoints>,
    /// The cluster is on this machine.
    pub is_local: bool,
    /// Desks to go straight to.
    pub go_as: Vec<Role>,
    /// Where the configuration is: `console.toml`, `console.state.toml`, and `console.open` with what is not known.
    pub config_dir: PathBuf,
    /// No colours, whatever the configuration says.
    pub no_color: bool,
}

/// Why the console could not run, or has ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The terminal.
    #[error("there is no terminal to draw on")]
    Terminal(#[source] io::Error),
    /// The loop.
    #[error(transparent)]
    Loop(#[from] LoopError),
}

/// Runs the console until it is left. The terminal is as it was when this returns, whatever comes of it.
pub async fn run(options: Options) -> Result<(), Error> {
    let (config, keys) = Config::load(&options.config_dir.join("console.toml"))?;
    let state_file = options.config_dir.join("console.state.toml");
    let theme = if options.no_color { Some(ThemeName::None) } else { config.theme };
    let setup = Setup {
        cluster: options.place.cluster.clone(),
        is_running: options.endpoints.is_some(),
        is_local: options.is_local,
        go_as: options.go_as,
        keys,
        remembered: Remembered::load(&state_file),
        theme,
        mouse: config.mouse,
    };
    let (sender, receiver) = mpsc::channel(MESSAGES_MAX);
    let links = Links::new(options.place, options.endpoints, sender.clone());
    let mut links = links.keeping(options.config_dir.join("console.open"));
    let children = links.children();
    let (mut app, first) = App::new(setup);
    // Only what ends the program is told by it, so it dies with the program.
    let signals = tokio::spawn(end_on_signals(sender));
    let mut guard = Guard::take(state_file).map_err(Error::Terminal)?;
    let mut terminal = Guard::terminal().map_err(Error::Terminal)?;
    let events = terminal::events();
    let ended = Box::pin(runtime::run(&mut terminal, &mut guard, events, receiver, &mut app, &mut links, first)).await;
    signals.abort();
    let not_saved = guard.not_saved().map(|why| format!("the layout is not remembered: {why}"));
    drop(guard);
    // The screen on which a notice would stand is gone.
    not_saved.iter().for_each(|text| say(text));
    // A lesson mends what it has broken, and that is among what is seen.
    let stays = app.board().and_then(|board| board.stays(links.is_mending()));
    stays.iter().for_each(|text| say(text));
    leave(&children, &mut links).await;
    Ok(ended?)
}

/// Says something beside the screen. The terminal may be gone, and that is no reason to leave anything behind.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Does what must not be left undone: what was played is ended, what a lesson has broken is mended, and
/// sessions are ended. Whoever does not want to wait for that presses Ctrl-C once more.
async fn leave(children: &chaos::Children, links: &mut Links) {
    if children.plays(chaos::Part::Load) {
        say("ending the load; what is under way may come to its end (Ctrl-C does not wait for it)");
    }
    if children.plays(chaos::Part::Scenario) {
        say("ending the scenario; its own faults are taken back (Ctrl-C leaves them)");
    }
    if links.is_mending() {
        say("mending what the lesson has broken (Ctrl-C leaves it)");
    }
    let all = async { tokio::join!(children.end(), links.finish()) };
    tokio::select! {
        (left, undone) = all => left.iter().chain(&undone).for_each(|left| say(left)),
        () = interrupted() => say("killed; `orderflow chaos clear` takes back what it has left"),
    }
}

/// SIGTERM, SIGINT and a terminal that was closed end the console as its own key does.
async fn end_on_signals(messages: mpsc::Sender<Msg>) {
    let signals = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(signal);
    let [Ok(mut terminate), Ok(mut interrupt), Ok(mut hangup)] = signals else { return };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = hangup.recv() => {}
    }
    let _ = messages.send(Msg::End).await;
}

/// Until somebody presses Ctrl-C. A terminal that is closed may send several other signals, and nobody means them.
async fn interrupted() {
    match signal(SignalKind::interrupt()) {
        Ok(mut interrupt) => drop(interrupt.recv().await),
        Err(_) => std::future::pending().await,
    }
}
