//! What a lesson wants done, and doing it: always in the name of somebody who may, and bounded in time.
//!
//! ```text
//!   prepare: a product, how the cluster is before      people: order, confirm, pay, ship, and somebody else
//!   breaks:  faults, lines, the clock, a pattern       look: what no event tells of      check: the end, and verify
//! ```

mod breaks;
mod check;
mod look;
mod people;
mod prepare;

use orderflow_client::ClientError;
use orderflow_contracts::{
    api::{console::Role, inventory::Product},
    ids::OrderId,
};

pub use self::check::{Exam, Finding};
use super::course::{Break, Lesson, Look};
use crate::{
    links::Shared,
    msg::{Done as AnyDone, Msg},
};

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Do {
    /// Something for a step of a tour.
    For(Step, Task),
    /// To be mended when a tour is over, however it ends.
    Mend(Vec<Break>),
}

/// Which step of which tour it is for: what comes for another one is late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The tour's number.
    pub tour: u32,
    /// The step's.
    pub step: usize,
}

/// Something for a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Makes ready what the lesson needs.
    Prepare(&'static Lesson),
    /// The customer orders one.
    Order(Product, Key),
    /// Somebody else orders one.
    Rival(Product, Key),
    /// The seller confirms: all of them at the same moment.
    Confirm(Vec<OrderId>, Key),
    /// The customer pays, with this token.
    Pay(OrderId, &'static str, Key),
    /// The seller ships.
    Fulfil(OrderId, Key),
    /// Breaks something.
    Break(Vec<Break>),
    /// Mends it.
    Mend(Vec<Break>),
    /// Moves the clock of all services forward, by so many minutes.
    MoveClock(i64),
    /// Looks for something.
    Look(Look, OrderId, u32),
    /// Looks whether all is as it must be.
    Check(Box<Exam>),
}

/// What makes a command safe to repeat: a person who tries again means the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(
    /// The idempotency key.
    pub String,
);

/// What came of it.
#[derive(Debug)]
pub enum Done {
    /// How far it is.
    Said(Step, String),
    /// What came of a task.
    Of(Step, Result<Outcome, Trouble>),
    /// What was broken is whole again, or why not.
    Mended(Result<(), Trouble>),
}

impl Do {
    /// Whether it breaks something.
    pub const fn is_break(&self) -> bool {
        matches!(self, Self::For(_, Task::Break(_)))
    }

    /// Whether it mends what is broken.
    pub const fn is_mending(&self) -> bool {
        matches!(self, Self::Mend(_) | Self::For(_, Task::Mend(_)))
    }
}

impl Done {
    /// Why something is broken still, if it is.
    pub fn not_mended(&self) -> Option<String> {
        match self {
            Self::Mended(Err(trouble)) => {
                let why = &trouble.why;
                Some(format!(
                    "what the lesson has broken is not mended: {why}; `orderflow chaos clear` takes faults back"
                ))
            }
            _ => None,
        }
    }
}

/// What a task has come to.
#[derive(Debug)]
pub enum Outcome {
    /// Everything is ready.
    Ready(Box<Scene>),
    /// It is done.
    Done,
    /// The services have another time now.
    ClockMoved,
    /// An order was placed.
    Ordered(OrderId),
    /// It is broken, and the lesson has to mend it; orders was started again so often before.
    Broken(u32),
    /// It was seen, as this says; or not yet; or nobody could look.
    Looked(Result<Option<String>, Trouble>),
    /// What was found in the end.
    Found(Vec<Finding>),
}

/// What a lesson plays with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scene {
    /// The product, as it was at the begin.
    pub product: Product,
    /// Begins the keys of all commands.
    pub key: String,
    /// What was wrong in this cluster before.
    pub known: Vec<String>,
    /// What may make the lesson go another way.
    pub warnings: Vec<String>,
}

/// Why something came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// For people, in the service's words.
    pub why: String,
    /// It may have been done all the same.
    pub is_unknown: bool,
    /// The session that it was asked with is over.
    is_over: bool,
}

impl Trouble {
    fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), is_unknown: false, is_over: false }
    }

    #[cfg(test)]
    pub(super) fn made_up(why: &str, is_unknown: bool) -> Self {
        Self { is_unknown, ..Self::new(why) }
    }
}

impl From<ClientError> for Trouble {
    fn from(error: ClientError) -> Self {
        Self {
            is_unknown: error.is_outcome_unknown(),
            is_over: matches!(error, ClientError::NoToken(_)),
            why: error.to_string(),
        }
    }
}

/// Does it.
pub async fn carry_out(wanted: Do, shared: &Shared) -> Done {
    match wanted {
        Do::Mend(broken) => Done::Mended(breaks::mend(&broken, shared).await),
        Do::For(step, task) => {
            let done = Box::pin(perform(task, step, shared)).await;
            let trouble = match &done {
                Err(trouble) | Ok(Outcome::Looked(Err(trouble))) => Some(trouble),
                Ok(_) => None,
            };
            if trouble.is_some_and(|trouble| trouble.is_over) {
                // A cluster that was reset does not know our sessions any more.
                shared.forget_test_accounts();
            }
            Done::Of(step, done)
        }
    }
}

async fn perform(task: Task, step: Step, shared: &Shared) -> Result<Outcome, Trouble> {
    match task {
        Task::Prepare(lesson) => prepare::prepare(lesson, shared).await.map(|scene| Outcome::Ready(Box::new(scene))),
        Task::Order(product, key) => {
            let customer = shared.as_test_account(Role::Customer).await?;
            people::order(&customer, &product, &key).await.map(Outcome::Ordered)
        }
        Task::Rival(product, key) => people::rival(shared, &product, &key).await.map(Outcome::Ordered),
        Task::Confirm(orders, key) => people::confirm(shared, &orders, &key).await,
        Task::Pay(order, token, key) => people::pay(shared, order, token, &key).await,
        Task::Fulfil(order, key) => people::fulfil(shared, order, &key).await,
        Task::Break(what) => breaks::break_all(&what, shared).await.map(Outcome::Broken),
        Task::Mend(broken) => breaks::mend(&broken, shared).await.map(|()| Outcome::Done),
        Task::MoveClock(minutes) => breaks::move_clock(minutes, shared).await,
        Task::Look(what, order, restarts) => Ok(Outcome::Looked(look::look(what, order, restarts, shared).await)),
        Task::Check(exam) => {
            let messages = shared.messages().clone();
            let say = move |text: &str| {
                // Beside the point, so that a full queue may swallow it.
                let _ = messages.try_send(Msg::Done(AnyDone::Lessons(Done::Said(step, text.to_owned()))));
            };
            check::check(&exam, shared, say).await.map(Outcome::Found)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_the_services_own_does_not_say_that_nothing_was_done() {
        let bad = ClientError::BadAnswer { url: "http://a".into(), what: "502".into() };
        assert!(Trouble::from(bad).is_unknown);
        assert!(!Trouble::from(ClientError::BadRequest("no".into())).is_unknown);
    }
}
