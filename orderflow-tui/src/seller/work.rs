//! Orders that something is being done with: a few at one time, each with its own end.
//!
//! ```text
//!   begin ─▶ Waiting ─▶ Asked ─▶ done, and forgotten
//!               ▲          ├───▶ Refused: the service's words stay until somebody has read them
//!               └─ again ──┴───▶ Unknown: the key stays, and the next try uses it
//! ```

use std::collections::{HashMap, VecDeque};

use orderflow_client::ClientError;
use orderflow_contracts::{
    api::orders::{Order, OrderStatus},
    ids::OrderId,
};

use super::effects::{Do, Verb, why};

/// Orders that are asked for at one time.
const AT_ONCE_MAX: usize = 4;

/// What is being done with an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// What.
    pub verb: Verb,
    /// How far it is.
    pub state: State,
    /// The key of the last try, while its outcome is not known.
    key: Option<String>,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Others come first.
    Waiting,
    /// The service was asked.
    Asked,
    /// The answer was lost, and why: it may have been done or not.
    Unknown(String),
    /// The service said no, and why.
    Refused(String),
}

/// What came of what was begun together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// What was done.
    pub verb: Verb,
    /// How many it is about.
    pub total: usize,
    /// How many have come to an end.
    pub ended: usize,
    /// How many were done.
    pub done: usize,
}

/// Everything that is under way.
#[derive(Default)]
pub struct Work {
    tasks: HashMap<OrderId, Task>,
    queue: VecDeque<OrderId>,
    asked: usize,
    tally: Option<Tally>,
}

impl Work {
    /// What is being done with an order.
    pub fn of(&self, id: OrderId) -> Option<&Task> {
        self.tasks.get(&id)
    }

    /// Whether a service was asked and has not answered.
    pub const fn waits(&self) -> bool {
        self.asked > 0
    }

    /// Whether an answer is waited for.
    pub fn is_busy(&self, id: OrderId) -> bool {
        self.of(id).is_some_and(|task| matches!(task.state, State::Waiting | State::Asked))
    }

    /// How far it is with what was begun together, while it goes on.
    pub fn progress(&self) -> Option<Tally> {
        self.tally.filter(|tally| tally.ended < tally.total)
    }

    /// How the last of what was begun together ended, if not all of it was done.
    pub fn ended(&self) -> Option<Tally> {
        self.tally.filter(|tally| tally.ended >= tally.total && tally.done < tally.total)
    }

    /// What went wrong, by order: refusals, and what is not known.
    pub fn troubles(&self) -> Vec<(OrderId, &Task)> {
        let wrong = self.tasks.iter().filter(|(_, task)| matches!(task.state, State::Unknown(_) | State::Refused(_)));
        let mut wrong: Vec<_> = wrong.map(|(id, task)| (*id, task)).collect();
        wrong.sort_by_key(|(id, _)| *id);
        wrong
    }

    /// Does the same with these, those that are under way left out.
    pub fn begin(&mut self, verb: Verb, ids: &[OrderId]) -> Vec<Do> {
        for id in ids {
            if self.is_busy(*id) {
                continue;
            }
            let known = self.tasks.remove(id).filter(|task| task.verb == verb);
            let key = known.and_then(|task| task.key);
            self.tasks.insert(*id, Task { verb, state: State::Waiting, key });
            self.queue.push_back(*id);
            let tally = self.tally.filter(|tally| tally.ended < tally.total);
            let mut tally = tally.unwrap_or(Tally { verb, total: 0, ended: 0, done: 0 });
            (tally.total, tally.verb) = (tally.total + 1, verb);
            self.tally = Some(tally);
        }
        self.next()
    }

    /// Asks again about what is not known. How many that are, and what is wanted.
    pub fn again(&mut self) -> (usize, Vec<Do>) {
        let mut wanted = Vec::new();
        let unknown: Vec<(OrderId, Verb)> = self.troubles().into_iter().filter_map(unknown).collect();
        for (id, verb) in &unknown {
            wanted.extend(self.begin(*verb, &[*id]));
        }
        (unknown.len(), wanted)
    }

    fn next(&mut self) -> Vec<Do> {
        let mut wanted = Vec::new();
        while self.asked < AT_ONCE_MAX
            && let Some(id) = self.queue.pop_front()
        {
            if let Some(task) = self.tasks.get_mut(&id) {
                task.state = State::Asked;
                self.asked += 1;
                wanted.push(Do::Tell(task.verb, id, task.key.clone()));
            }
        }
        wanted
    }

    /// An answer, or none. What is wanted next, and the tally if this was the last one.
    pub fn told(&mut self, id: OrderId, key: String, answer: Result<(), &ClientError>) -> (Vec<Do>, Option<Tally>) {
        self.asked = self.asked.saturating_sub(1);
        let is_done = answer.is_ok();
        match (answer, self.tasks.get_mut(&id)) {
            (Ok(()), _) => drop(self.tasks.remove(&id)),
            (Err(error), Some(task)) if error.is_outcome_unknown() => {
                (task.state, task.key) = (State::Unknown(why(error)), Some(key));
            }
            (Err(error), Some(task)) => (task.state, task.key) = (State::Refused(why(error)), None),
            (Err(_), None) => {}
        }
        if let Some(tally) = &mut self.tally {
            tally.ended += 1;
            tally.done += usize::from(is_done);
        }
        let ended = self.tally.filter(|tally| tally.ended >= tally.total);
        (self.next(), ended)
    }

    /// An order has come further: what was not known may be known now.
    pub fn heard(&mut self, order: &Order) {
        let is_over = matches!(order.status, OrderStatus::Fulfilled | OrderStatus::Cancelled);
        let is_known = |task: &Task| match task.verb {
            Verb::Confirm => order.status != OrderStatus::Pending,
            Verb::Fulfil | Verb::Cancel => is_over,
        };
        if self.of(order.id).is_some_and(|task| matches!(task.state, State::Unknown(_)) && is_known(task)) {
            self.tasks.remove(&order.id);
        }
    }

    /// The refusals were read. Whether there were any; what is not known stays.
    pub fn dismiss(&mut self) -> bool {
        let before = self.tasks.len();
        self.tasks.retain(|_, task| !matches!(task.state, State::Refused(_)));
        before != self.tasks.len()
    }
}

fn unknown((id, task): (OrderId, &Task)) -> Option<(OrderId, Verb)> {
    matches!(task.state, State::Unknown(_)).then_some((id, task.verb))
}

impl Verb {
    /// `confirm`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Fulfil => "fulfil",
            Self::Cancel => "cancel",
        }
    }

    /// `confirming`.
    pub const fn going_on(self) -> &'static str {
        match self {
            Self::Confirm => "confirming",
            Self::Fulfil => "fulfilling",
            Self::Cancel => "cancelling",
        }
    }

    /// What came of it so far, before how many orders: whether there is stock for one that the seller has confirmed,
    /// inventory decides.
    pub const fn done(self) -> &'static str {
        match self {
            Self::Confirm => "asked for the stock of",
            Self::Fulfil | Self::Cancel => self.past(),
        }
    }

    /// `confirmed`.
    pub const fn past(self) -> &'static str {
        match self {
            Self::Confirm => "confirmed",
            Self::Fulfil => "fulfilled",
            Self::Cancel => "cancelled",
        }
    }
}
