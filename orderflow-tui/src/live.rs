//! A desk's live events: read from the console's stream, taken up again where they broke off.

use std::time::Duration;

use orderflow_client::{Client, ClientError, Next};
use orderflow_contracts::{
    api::console::{EventRecord, Role},
    timestamp::Timestamp,
};
use tokio::{sync::mpsc::Sender, time::sleep};

use crate::msg::Msg;

/// Pauses before the stream is opened again.
const BACKOFF: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_millis(300),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

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
    Broken(String),
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
    /// It will not come back.
    Over(String),
}

/// Reads the stream until its receiver is gone, or the session is over.
pub async fn follow(role: Role, client: Client, messages: Sender<Msg>) {
    let (mut position, mut failures) = (None, 0_usize);
    loop {
        match client.stream(None, position).await {
            Ok(mut stream) => {
                failures = 0;
                if messages.send(Msg::Live(role, Heard::Open { whole: position.is_some() })).await.is_err() {
                    return;
                }
                let broken = loop {
                    match stream.next().await {
                        Ok(Next::Event(record)) => {
                            position = Some(record.position);
                            if messages.send(Msg::Live(role, Heard::Event(record))).await.is_err() {
                                return;
                            }
                        }
                        // The server ends each stream when its token does; that is no news to anybody.
                        Ok(Next::End) => break None,
                        Err(error) => break Some(error),
                    }
                };
                if let Some(error) = broken
                    && messages.send(Msg::Live(role, Heard::Broken(error.to_string()))).await.is_err()
                {
                    return;
                }
            }
            Err(error @ ClientError::NoToken(_)) => {
                let _ = messages.send(Msg::Live(role, Heard::Over(error.to_string()))).await;
                return;
            }
            Err(error) => {
                if messages.send(Msg::Live(role, Heard::Broken(error.to_string()))).await.is_err() {
                    return;
                }
            }
        }
        sleep(BACKOFF[failures.min(BACKOFF.len() - 1)]).await;
        failures += 1;
    }
}
