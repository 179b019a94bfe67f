//! Events that were received, as what a service makes of them.

use std::str::FromStr;

use orderflow_contracts::events::decode;
use serde::de::DeserializeOwned;

use crate::consumer::{Poison, Received};

impl Received {
    /// Its data, as one of these events; or why it is none of them.
    pub fn event<E: DeserializeOwned>(&self) -> Result<E, String> {
        decode(&self.envelope.event_type, &self.data).map_err(|error| error.to_string())
    }

    /// The id of what it is about: of `an order`; or that it is none.
    pub fn subject<I: FromStr>(&self, of: &str) -> Result<I, String> {
        self.envelope.subject.parse().map_err(|_| format!("the subject is not the id of {of}"))
    }
}

/// Reads events, each with which one it is. What cannot be read is poison.
pub fn read_each<'a, T>(
    events: &'a [Received],
    read: impl Fn(&'a Received) -> Result<T, String>,
) -> (Vec<(usize, T)>, Vec<Poison>) {
    let (mut known, mut poisons) = (Vec::with_capacity(events.len()), vec![]);
    for (index, event) in events.iter().enumerate() {
        match read(event) {
            Ok(event) => known.push((index, event)),
            Err(reason) => poisons.push(Poison { index, reason }),
        }
    }
    (known, poisons)
}
