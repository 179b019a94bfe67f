//! A desk's live events: read from the console's stream, taken up again where they broke off.
//!
//! ```text
//!   opening ──▶ open ──▶ events ──▶ broken, or ended ──(pause)──▶ opening again
//! ```
//!
//! A stream that the server has ended is opened again at once, and nobody needs to know; unless that takes longer than
//! a moment: then what is shown is not live, whatever the reason. It begins after the last event that there is, so that
//! it can be taken up again even if none has come: nothing is read anew for a line that is bad.

#[cfg(test)]
mod tests;

use std::{pin::pin, time::Duration};

use orderflow_client::{Client, ClientError, EventStream, Next};
use orderflow_contracts::{
    api::console::{EventRecord, Role},
    timestamp::Timestamp,
};
use tokio::{
    sync::mpsc::Sender,
    time::{sleep, timeout},
};

use crate::msg::Msg;

/// How long things may take.
#[derive(Clone, Copy)]
struct Pace {
    /// Pauses before the stream is opened again.
    pauses: [Duration; 5],
    /// A stream that has ended and is not open again after so long is broken for whoever looks at it.
    unseen_max: Duration,
    /// A stream that has lasted so long is well, even if nothing has happened.
    well_after: Duration,
}

const PACE: Pace = Pace {
    pauses: [
        Duration::from_millis(100),
        Duration::from_millis(300),
        Duration::from_secs(1),
        Duration::from_secs(2),
        Duration::from_secs(5),
    ],
    unseen_max: Duration::from_secs(1),
    well_after: Duration::from_secs(5),
};

/// What came of a desk's stream.
#[derive(Debug)]
pub enum Heard {
    /// It is open; what comes from now on is live.
    Open {
        /// It goes on where it broke off; otherwise something may have happened in between.
        whole: bool,
    },
    /// An event.
    Event(Box<EventRecord>),
    /// It broke; it is opened again by itself.
    Broken {
        /// Why.
        why: String,
        /// For so long nothing had come from it.
        quiet: Duration,
    },
    /// It will not come back: the session is over.
    Over(String),
}

/// How a desk's stream is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Live {
    /// It is being opened for the first time.
    #[default]
    Opening,
    /// It is open.
    Open,
    /// It is being opened again.
    Broken {
        /// Why.
        why: String,
        /// Since when what is shown is not live, by our clock.
        since: Timestamp,
    },
}

/// Reads the stream until its receiver is gone, or the session is over.
pub async fn follow(role: Role, client: Client, messages: Sender<Msg>) {
    // Whichever it is, there is nobody to tell more to.
    let _ = Follower::new(role, client, messages, PACE).run().await;
}

/// Nothing more is to be read: nobody listens, or the session is over.
struct Finished;

/// Reads one desk's stream.
struct Follower {
    role: Role,
    client: Client,
    messages: Sender<Msg>,
    pace: Pace,
    /// Of the last event: where to go on.
    position: Option<i64>,
    /// In a row: it was not opened, or has broken before it was well.
    failures: usize,
    /// Whoever looks takes what is shown for live.
    is_shown_open: bool,
}

impl Follower {
    const fn new(role: Role, client: Client, messages: Sender<Msg>, pace: Pace) -> Self {
        Self { role, client, messages, pace, position: None, failures: 0, is_shown_open: false }
    }

    async fn run(mut self) -> Result<(), Finished> {
        loop {
            match self.open().await? {
                Ok(stream) => {
                    let whole = self.position.is_some();
                    self.position = stream.position();
                    self.tell(Heard::Open { whole }).await?;
                    self.read(stream).await?;
                }
                Err(error @ ClientError::NoToken(_)) => {
                    self.tell(Heard::Over(error.to_string())).await?;
                    return Err(Finished);
                }
                Err(error) => self.broken(error.to_string(), Duration::ZERO).await?,
            }
            sleep(self.pace.pauses[self.failures.min(self.pace.pauses.len() - 1)]).await;
            self.failures += 1;
        }
    }

    /// Opens it. If that takes its time it is told.
    async fn open(&mut self) -> Result<Result<EventStream, ClientError>, Finished> {
        let (client, known) = (self.client.clone(), self.position);
        let mut opening = pin!(async move {
            let after = match known {
                Some(position) => position,
                None => last_position(&client).await?,
            };
            client.stream(None, Some(after)).await
        });
        if self.is_shown_open {
            match timeout(self.pace.unseen_max, &mut opening).await {
                Ok(opened) => return Ok(opened),
                Err(_) => {
                    let why = "it has ended, and is not open again yet".to_owned();
                    self.broken(why, self.pace.unseen_max).await?;
                }
            }
        }
        Ok(opening.await)
    }

    /// Reads it to its end.
    async fn read(&mut self, mut stream: EventStream) -> Result<(), Finished> {
        let mut well = pin!(sleep(self.pace.well_after));
        loop {
            let next = tokio::select! {
                next = stream.next() => next,
                () = &mut well, if self.failures > 0 => {
                    self.failures = 0;
                    continue;
                }
            };
            match next {
                Ok(Next::Event(record)) => {
                    (self.position, self.failures) = (Some(record.position), 0);
                    self.tell(Heard::Event(record)).await?;
                }
                // The server ends each stream when its token does; that is no news to anybody.
                Ok(Next::End) => return Ok(()),
                Err(error) => {
                    let is_silent = matches!(error, ClientError::Timeout { .. });
                    let quiet = if is_silent { stream.silence_max() } else { Duration::ZERO };
                    return self.broken(error.to_string(), quiet).await;
                }
            }
        }
    }

    async fn broken(&mut self, why: String, quiet: Duration) -> Result<(), Finished> {
        self.tell(Heard::Broken { why, quiet }).await
    }

    async fn tell(&mut self, heard: Heard) -> Result<(), Finished> {
        match heard {
            Heard::Open { .. } => self.is_shown_open = true,
            Heard::Broken { .. } | Heard::Over(_) => self.is_shown_open = false,
            Heard::Event(_) => {}
        }
        self.messages.send(Msg::Live(self.role, heard)).await.map_err(|_| Finished)
    }
}

/// The position of the last event that there is.
async fn last_position(client: &Client) -> Result<i64, ClientError> {
    let newest = client.events(None, Some(1), None).await?;
    Ok(newest.items.first().map_or(0, |record| record.position))
}
