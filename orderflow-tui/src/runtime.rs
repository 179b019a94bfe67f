//! The loop: messages, the person's input, and what goes on by itself. It draws when something has changed and nothing
//! more waits, and does nothing at all while nothing happens.

#[cfg(test)]
mod tests;

use std::{
    future, io,
    task::Poll,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crossterm::event::Event;
use futures_util::{Stream, StreamExt as _};
use orderflow_contracts::timestamp::Timestamp;
use ratatui::{
    Terminal,
    backend::Backend,
    layout::{Position, Rect},
};
use tokio::sync::{mpsc::Receiver, watch};

use crate::{
    app::{App, Moment},
    config::Remembered,
    input::Input,
    links::Links,
    msg::{Effect, Msg},
};

/// Events alone are drawn no more often than this: a frame for each of hundreds a second is for nobody.
const FRAME_MIN: Duration = Duration::from_millis(33);
/// Messages that are looked at before the frame is drawn all the same.
const BURST_MAX: usize = 256;
/// The same of what a person does: more than anybody can type in a frame.
const INPUT_MAX: usize = 256;

/// What the loop does to the terminal beside drawing.
pub trait Tty {
    /// Becomes true when something has panicked: then the terminal is given back already, and nothing can be drawn.
    fn panicked(&self) -> watch::Receiver<bool>;
    /// Puts text on the clipboard.
    fn copy(&mut self, text: &str) -> io::Result<()>;
    /// Switches the mouse on or off.
    fn mouse(&mut self, on: bool) -> io::Result<()>;
    /// Stops the program in its shell, until it is brought back.
    fn suspend(&mut self) -> io::Result<()>;
    /// What is drawn next is one frame, shown at once.
    fn begin_frame(&mut self) -> io::Result<()>;
    /// The frame is whole.
    fn end_frame(&mut self) -> io::Result<()>;
    /// Remembers the layout.
    fn save(&mut self, remembered: &Remembered) -> io::Result<()>;
}

/// Why the loop has ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum LoopError {
    /// The terminal cannot be written to.
    #[error("the terminal cannot be drawn on")]
    Draw(#[source] io::Error),
    /// Something of ours has panicked; what, it has told itself.
    #[error("a part of the console has panicked")]
    Panicked,
    /// A task of ours has died.
    #[error("a task has died")]
    Task(#[source] tokio::task::JoinError),
}

/// What time it is.
#[expect(clippy::disallowed_methods, reason = "the console's one clock; everything else is told")]
pub fn now() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let wall = Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    Moment { instant: Instant::now(), wall }
}

/// Runs the console until it is left. However that comes, what must not be left undone is begun: whoever has given the
/// terminal back waits for it ([`Links::finish`]).
pub async fn run<B: Backend<Error: Send + Sync + 'static>>(
    terminal: &mut Terminal<B>,
    tty: &mut impl Tty,
    events: impl Stream<Item = io::Result<Event>> + Unpin,
    messages: Receiver<Msg>,
    app: &mut App,
    links: &mut Links,
    first: Vec<Effect>,
) -> Result<(), LoopError> {
    let ended = turn(terminal, tty, events, messages, app, links, first).await;
    if ended.is_err() {
        // Nobody has left it, and nothing can be drawn any more: of what leaving wants, that is left out.
        for effect in app.update(Msg::End, now()) {
            match effect {
                Effect::Save(remembered) => save(&remembered, tty, app),
                effect @ Effect::Lessons(_) => links.carry_out(effect),
                _ => {}
            }
        }
    }
    ended
}

/// The loop itself.
async fn turn<B: Backend<Error: Send + Sync + 'static>>(
    terminal: &mut Terminal<B>,
    tty: &mut impl Tty,
    mut events: impl Stream<Item = io::Result<Event>> + Unpin,
    mut messages: Receiver<Msg>,
    app: &mut App,
    links: &mut Links,
    first: Vec<Effect>,
) -> Result<(), LoopError> {
    let mut panicked = tty.panicked();
    let mut wanted = first;
    let mut frames = Frames::default();
    loop {
        for effect in wanted.drain(..) {
            frames.at_once |= perform(effect, terminal, tty, app, links)?;
        }
        if app.is_over() {
            return Ok(());
        }
        let now = now();
        if frames.is_due(now) {
            draw(terminal, tty, app, now)?;
            frames.drawn(now);
        }
        let wake = frames.wake(app.next_tick(now));
        tokio::select! {
            biased;
            () = has_panicked(&mut panicked) => return Err(LoopError::Panicked),
            event = events.next() => {
                let has_meant_something = input(event, &mut events, app, &mut wanted).await;
                frames.is_dirty |= has_meant_something;
                frames.at_once |= has_meant_something;
            }
            died = links.died() => return Err(LoopError::Task(died)),
            Some(message) = messages.recv() => {
                read(message, &mut messages, app, &mut wanted);
                links.follow();
                frames.is_dirty = true;
            }
            () = sleep_until(wake) => {
                wanted.extend(app.tick(self::now()));
                frames.is_dirty = true;
            }
        }
    }
}

/// What a person has done, and what they have done since: all of it before the next frame, so that a key that is held,
/// or text that is pasted as keys, does not run ahead of what is seen. Whether any of it meant something.
async fn input(
    first: Option<io::Result<Event>>,
    events: &mut (impl Stream<Item = io::Result<Event>> + Unpin),
    app: &mut App,
    wanted: &mut Vec<Effect>,
) -> bool {
    let mut has_meant_something = false;
    let mut next = Some(first);
    let mut left = INPUT_MAX;
    while let Some(event) = next {
        let message = match event {
            Some(Ok(event)) => Input::of(event).map(Msg::Input),
            // The terminal is gone.
            Some(Err(_)) | None => Some(Msg::End),
        };
        if let Some(message) = message {
            wanted.extend(app.update(message, now()));
            has_meant_something = true;
        }
        left -= 1;
        next = if left > 0 && !app.is_over() { ready(events).await } else { None };
    }
    has_meant_something
}

/// The next one, if it is there already. It is asked in the loop's name, which is woken when one comes: whoever asked
/// in nobody's, as `now_or_never` does, would have nobody woken.
async fn ready<S: Stream + Unpin>(events: &mut S) -> Option<Option<S::Item>> {
    future::poll_fn(|cx| match events.poll_next_unpin(cx) {
        Poll::Ready(event) => Poll::Ready(Some(event)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// A message, and those that wait behind it.
fn read(first: Msg, messages: &mut Receiver<Msg>, app: &mut App, wanted: &mut Vec<Effect>) {
    let mut next = Some(first);
    let mut left = BURST_MAX;
    while let Some(message) = next {
        wanted.extend(app.update(message, now()));
        left -= 1;
        next = if left > 0 { messages.try_recv().ok() } else { None };
    }
}

/// When the next frame is drawn.
struct Frames {
    drawn_at: Option<Instant>,
    /// Something has changed since.
    is_dirty: bool,
    /// A person waits for it.
    at_once: bool,
}

impl Default for Frames {
    fn default() -> Self {
        Self { drawn_at: None, is_dirty: true, at_once: true }
    }
}

impl Frames {
    fn next(&self) -> Option<Instant> {
        self.drawn_at.map(|at| at + FRAME_MIN)
    }

    fn is_due(&self, now: Moment) -> bool {
        self.is_dirty && (self.at_once || self.next().is_none_or(|at| at <= now.instant))
    }

    fn drawn(&mut self, now: Moment) {
        *self = Self { drawn_at: Some(now.instant), is_dirty: false, at_once: false };
    }

    /// When the loop has to wake: at the next tick, or to draw what was not due yet.
    fn wake(&self, tick: Option<Instant>) -> Option<Instant> {
        let draw = self.next().filter(|_| self.is_dirty);
        tick.into_iter().chain(draw).min()
    }
}

async fn has_panicked(panicked: &mut watch::Receiver<bool>) {
    if panicked.wait_for(|panicked| *panicked).await.is_err() {
        // Nobody will tell any more.
        future::pending::<()>().await;
    }
}

async fn sleep_until(wake: Option<Instant>) {
    match wake {
        Some(wake) => tokio::time::sleep_until(wake.into()).await,
        None => future::pending().await,
    }
}

fn draw<B: Backend<Error: Send + Sync + 'static>>(
    terminal: &mut Terminal<B>,
    tty: &mut impl Tty,
    app: &mut App,
    now: Moment,
) -> Result<(), LoopError> {
    tty.begin_frame().map_err(LoopError::Draw)?;
    terminal.draw(|frame| app.draw(frame, now)).map_err(|error| LoopError::Draw(io::Error::other(error)))?;
    tty.end_frame().map_err(LoopError::Draw)
}

/// Does what is the terminal's; everything else is the links'. Whether the next frame is to be drawn at once.
fn perform<B: Backend<Error: Send + Sync + 'static>>(
    effect: Effect,
    terminal: &mut Terminal<B>,
    tty: &mut impl Tty,
    app: &mut App,
    links: &mut Links,
) -> Result<bool, LoopError> {
    match effect {
        Effect::Quit => {}
        Effect::Copy(text) => tty.copy(&text).map_err(LoopError::Draw)?,
        Effect::Mouse(on) => tty.mouse(on).map_err(LoopError::Draw)?,
        Effect::Save(remembered) => save(&remembered, tty, app),
        Effect::Redraw => clear(terminal)?,
        Effect::Suspend => {
            tty.suspend().map_err(LoopError::Draw)?;
            clear(terminal)?;
        }
        effect => {
            links.carry_out(effect);
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whoever finds everything anew the next time is to know why.
fn save(remembered: &Remembered, tty: &mut impl Tty, app: &mut App) {
    if let Err(error) = tty.save(remembered) {
        app.not_remembered(&error, now());
    }
}

/// Empties the screen, so that all of it is drawn anew. A new size does that; `Terminal::clear` would ask the terminal
/// where its cursor is, and wait for an answer that not every terminal gives.
fn clear<B: Backend<Error: Send + Sync + 'static>>(terminal: &mut Terminal<B>) -> Result<(), LoopError> {
    let cleared = terminal.size().and_then(|size| terminal.resize(Rect::from((Position::ORIGIN, size))));
    cleared.map_err(|error| LoopError::Draw(io::Error::other(error)))
}
