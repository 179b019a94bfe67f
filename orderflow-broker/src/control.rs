//! The control endpoint: faults from outside the process, over a Unix socket that only this machine can reach.
//!
//! One JSON document a line, one answer a line:
//! ```text
//! {"do":"set","fault":{"kind":"drop_after_append"},"topic":"orders","percent":10,"times":3,"seed":7}
//!   -> {"id":1}
//! {"do":"list"}                  -> {"faults":[{"id":1,"fault":{…},…,"asked":12,"struck":1}]}
//! {"do":"clear"}, {"do":"clear","id":1}    -> {"cleared":[…]}
//! {"do":"rebalance","group":"g"} -> {"rebalanced":true}
//! anything else                  -> {"error":"…"}
//! ```

use std::{path::Path, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{
    io::{self, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    task::JoinSet,
};

use crate::{State, faults::Rule, groups::Group};

/// Connections at one time; a further one waits.
const CONNECTIONS_MAX: usize = 16;
/// Longest line, in bytes.
const LINE_BYTES_MAX: u64 = 16 << 10;
/// How long to wait after an accept that failed.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);
/// A connection that sends nothing for this long is closed.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// A request of the control endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Command {
    /// Sets a fault.
    Set(Rule),
    /// Lists the faults that are set, with their counters.
    List,
    /// Removes one fault, or all.
    Clear {
        /// The fault's id; all without it.
        id: Option<u64>,
    },
    /// Makes every member of a group join again.
    Rebalance {
        /// The group's id.
        group: String,
    },
}

/// Sends one command to a broker's control socket and returns its answer.
pub async fn send(socket: &Path, command: &Command) -> io::Result<Value> {
    let exchange = async {
        let mut stream = UnixStream::connect(socket).await?;
        let mut line = serde_json::to_vec(command)?;
        line.push(b'\n');
        stream.write_all(&line).await?;
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).await?;
        Ok(serde_json::from_str(&answer)?)
    };
    tokio::time::timeout(IDLE_MAX, exchange).await?
}

/// Serves the socket until the future is dropped.
pub(crate) async fn serve(listener: UnixListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < CONNECTIONS_MAX => match accepted {
                Ok((stream, _)) => drop(connections.spawn(converse(stream, Arc::clone(&state)))),
                Err(error) => {
                    tracing::warn!(%error, "a control connection could not be accepted");
                    tokio::time::sleep(ACCEPT_BACKOFF).await;
                }
            },
            Some(ended) = connections.join_next() => {
                if let Ok(Err(error)) = ended {
                    tracing::debug!(%error, "a control connection broke");
                }
            }
        }
    }
}

async fn converse(mut stream: UnixStream, state: Arc<State>) -> io::Result<()> {
    let (read, mut write) = stream.split();
    let mut read = BufReader::new(read);
    loop {
        let mut line = String::new();
        let read = tokio::time::timeout(IDLE_MAX, (&mut read).take(LINE_BYTES_MAX).read_line(&mut line)).await?;
        if read? == 0 {
            return Ok(());
        }
        let answer = match serde_json::from_str(&line) {
            Ok(command) => carry_out(&state, command),
            Err(error) => json!({ "error": format!("not a command: {error}") }),
        };
        write.write_all(format!("{answer}\n").as_bytes()).await?;
    }
}

fn carry_out(state: &State, command: Command) -> Value {
    match command {
        Command::Set(rule) => match state.faults.set(rule.clone()) {
            Ok(id) => {
                tracing::warn!(id, ?rule, "a fault was set");
                json!({ "id": id })
            }
            Err(error) => json!({ "error": error.to_string() }),
        },
        Command::List => json!({ "faults": state.faults.list() }),
        Command::Clear { id } => json!({ "cleared": state.faults.clear(id) }),
        Command::Rebalance { group } => {
            let found = state.groups.with(state, &group, Group::force_rebalance).is_some();
            json!({ "rebalanced": found })
        }
    }
}
