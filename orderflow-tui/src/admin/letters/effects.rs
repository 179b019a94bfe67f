//! Reading dead letters, and doing something to several of them.

use orderflow_client::{Client, ClientError, ListQuery, Service};
use orderflow_contracts::{
    api::{PAGE_SIZE_MAX, ops::DeadLetter},
    problem::Code,
};
use uuid::Uuid;

use crate::{
    admin::Done,
    links::Kit,
    msg::{self, Msg},
};

/// Dead letters that are kept of each service.
pub const LETTERS_MAX: usize = 1_000;

/// What can be done to dead letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Applied after all.
    Replay,
    /// Given up.
    Discard,
}

/// Something was done to one of several.
#[derive(Debug)]
pub struct Acted {
    /// What.
    pub act: Act,
    /// Which one it was, from 1 on.
    pub number: usize,
    /// Of how many.
    pub of: usize,
    /// Whose.
    pub service: Service,
    /// Which letter.
    pub id: Uuid,
    /// What it is now, or why that is not known.
    pub letter: Result<DeadLetter, ClientError>,
}

/// The dead letters of a service.
#[derive(Debug)]
pub struct Found {
    /// They, the newest first.
    pub letters: Vec<DeadLetter>,
    /// There are more than are kept.
    pub more: bool,
}

/// Reads a service's dead letters.
pub async fn read(client: &Client, service: Service) -> Result<Found, ClientError> {
    let mut query = ListQuery { limit: Some(PAGE_SIZE_MAX), ..ListQuery::default() };
    let mut letters = Vec::new();
    loop {
        let page = client.dead_letters(service, &query).await?;
        letters.extend(page.items);
        query.cursor = page.next_cursor;
        if query.cursor.is_none() || letters.len() >= LETTERS_MAX {
            letters.truncate(LETTERS_MAX);
            return Ok(Found { letters, more: query.cursor.is_some() });
        }
    }
}

/// Does it to one after the other, and tells of each: what one of them leads to may be what the next one needs.
pub async fn act(act: Act, which: Vec<(Service, Uuid)>, kit: &Kit) -> Done {
    let of = which.len();
    for (index, (service, id)) in which.into_iter().enumerate() {
        let letter = one(act, service, id, &kit.client).await;
        // Whoever wanted it has logged out: the rest is not done in their name, and nobody is told.
        if kit.is_left() {
            break;
        }
        let acted = Acted { act, number: index + 1, of, service, id, letter };
        if kit.messages.send(Msg::Done(msg::Done::Admin(Done::Acted(acted)))).await.is_err() {
            break;
        }
    }
    Done::ActedAll(act)
}

async fn one(act: Act, service: Service, id: Uuid, client: &Client) -> Result<DeadLetter, ClientError> {
    let done = match act {
        Act::Replay => client.replay_dead_letter(service, id).await,
        Act::Discard => client.discard_dead_letter(service, id).await,
    };
    match done {
        // Somebody was faster, or the answer to our first try was lost: it is as it is.
        Err(error) if error.code() == Some(Code::IllegalTransition) => client.dead_letter(service, id).await,
        done => done,
    }
}
