//! What was asked for and has no certain outcome yet: orders that are being placed, and cancelled.

use std::collections::BTreeMap;

use orderflow_client::ClientError;
use orderflow_contracts::{ids::OrderId, money::Money, problem::Code, timestamp::Timestamp};
use uuid::Uuid;

use crate::customer::{cart, effects::Do, words::Fate};

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// The service is being asked.
    Asking,
    /// It may have been done or not.
    Unknown(String),
    /// It was not done.
    Refused(String),
}

/// An order that is being placed.
#[derive(Debug, Clone)]
pub struct Placing {
    /// Makes it safe to ask again, and is the order's correlation id.
    pub key: Uuid,
    /// What.
    pub lines: Vec<cart::Line>,
    /// For how much, as far as it was known when it was asked for.
    pub total: Option<Money>,
    /// When it was asked for first, by our clock.
    pub at: Timestamp,
    /// How far it is.
    pub asked: Asked,
    /// An earlier try has no certain outcome.
    pub in_doubt: bool,
}

impl Placing {
    /// Asks for it.
    pub fn wanted(&self) -> Do {
        Do::Order { key: self.key, lines: self.lines.clone(), total: self.total, at: self.at }
    }

    /// `2× Mug, Lamp`
    pub fn things(&self) -> String {
        cart::things(&self.lines)
    }
}

/// A cancellation that was asked for.
#[derive(Debug, Clone)]
pub struct Cancelling {
    /// Makes it safe to ask again.
    pub key: Uuid,
    /// How far it is.
    pub asked: Asked,
}

/// Everything that was asked for and is not certain.
#[derive(Debug, Default)]
pub struct Open {
    placings: Vec<Placing>,
    cancellings: BTreeMap<OrderId, Cancelling>,
    version: u64,
}

impl Open {
    /// Another number after each change.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Whether an answer is waited for.
    pub fn waits(&self) -> bool {
        let cancellings = self.cancellings.values().map(|cancelling| &cancelling.asked);
        self.placings.iter().map(|placing| &placing.asked).chain(cancellings).any(|asked| *asked == Asked::Asking)
    }

    /// The orders that are being placed, the newest first.
    pub fn newest(&self) -> impl Iterator<Item = &Placing> {
        self.placings.iter().rev()
    }

    /// One of them.
    pub fn placing(&self, key: Uuid) -> Option<&Placing> {
        self.placings.iter().find(|placing| placing.key == key)
    }

    /// The cancellation of an order.
    pub fn cancelling(&self, id: OrderId) -> Option<&Cancelling> {
        self.cancellings.get(&id)
    }

    /// An order is being placed.
    pub fn place(&mut self, placing: Placing) {
        self.version += 1;
        self.placings.push(placing);
    }

    /// It is asked for again, with the same key and the same content.
    pub fn place_again(&mut self, key: Uuid) -> Option<Do> {
        self.version += 1;
        let placing = self.placings.iter_mut().find(|placing| placing.key == key)?;
        if !matches!(placing.asked, Asked::Unknown(_)) {
            return None;
        }
        (placing.asked, placing.in_doubt) = (Asked::Asking, true);
        Some(placing.wanted())
    }

    /// It was asked for in an earlier session, and nobody knows what came of it. Whether that is news.
    pub fn recall(&mut self, placing: Placing) -> bool {
        let is_new = self.placing(placing.key).is_none();
        if is_new {
            self.version += 1;
            self.placings.push(placing);
        }
        is_new
    }

    /// It was placed, or is not shown any more.
    pub fn placed(&mut self, key: Uuid) -> Option<Placing> {
        let at = self.placings.iter().position(|placing| placing.key == key)?;
        self.version += 1;
        Some(self.placings.remove(at))
    }

    /// It was not, or not for certain. Whether that is certain.
    pub fn not_placed(&mut self, key: Uuid, error: &ClientError) -> bool {
        self.version += 1;
        let Some(placing) = self.placings.iter_mut().find(|placing| placing.key == key) else { return false };
        placing.asked = match Fate::of(error) {
            Fate::Unknown(words) => Asked::Unknown(words),
            // A request that nobody has looked at says nothing of the one before.
            Fate::No { words, .. } if placing.in_doubt && !was_looked_at(error) => Asked::Unknown(words),
            Fate::No { words, .. } => Asked::Refused(words),
        };
        matches!(placing.asked, Asked::Refused(_))
    }

    /// An order is being cancelled: with a new key, or with that of a try whose outcome is not known.
    pub fn cancel(&mut self, id: OrderId) -> Option<Uuid> {
        let fresh = || Cancelling { key: Uuid::new_v4(), asked: Asked::Unknown(String::new()) };
        let cancelling = self.cancellings.entry(id).or_insert_with(fresh);
        if cancelling.asked == Asked::Asking {
            return None;
        }
        cancelling.asked = Asked::Asking;
        Some(cancelling.key)
    }

    /// It is cancelled, or something else has happened to it.
    pub fn cancelled(&mut self, id: OrderId) {
        self.cancellings.remove(&id);
    }

    /// It is not, or not for certain. Why not, if that is certain.
    pub fn not_cancelled(&mut self, id: OrderId, error: &ClientError) -> Option<String> {
        match Fate::of(error) {
            Fate::Unknown(words) => {
                if let Some(cancelling) = self.cancellings.get_mut(&id) {
                    cancelling.asked = Asked::Unknown(words);
                }
                None
            }
            Fate::No { words, .. } => {
                self.cancellings.remove(&id);
                Some(words)
            }
        }
    }
}

/// Whether the service has judged a command, and not just whoever sent it.
fn was_looked_at(error: &ClientError) -> bool {
    error.code().is_some_and(|code| !matches!(code, Code::Unauthenticated | Code::TokenExpired))
}
