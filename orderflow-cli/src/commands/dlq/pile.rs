//! The dead letters of all services on one pile.

use clap::Args;
use orderflow_client::{Client, ListQuery, Service};
use orderflow_contracts::{
    api::{
        PAGE_SIZE_MAX,
        ops::{DeadLetter, LetterStatus},
    },
    problem::Code,
    words::word,
};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    commands::outbox::{service_parser, services},
    exit::{Failure, Outcome},
    output::{Align::Left, Paint, Table},
};

/// Most that are taken from the pile at once.
pub const LETTERS_MAX: usize = 10_000;
/// Of a reason in a table, in characters.
const REASON_MAX: usize = 60;

/// Which of them.
#[derive(Args, Debug, Clone, Default)]
pub struct Which {
    /// Only this service's
    #[arg(long, value_parser = service_parser())]
    pub service: Option<Service>,
    /// Only those with this in their reason
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// A dead letter, and whose it is.
#[derive(Debug, Clone, Serialize)]
pub struct There {
    /// Whose.
    #[serde(serialize_with = "by_name")]
    pub service: Service,
    /// What.
    #[serde(flatten)]
    pub letter: DeadLetter,
}

fn by_name<S: serde::Serializer>(service: &Service, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(service.name())
}

impl Which {
    /// Those with this status, the newest of each service first; at most so many, and whether there are more.
    pub async fn find(&self, client: &Client, status: LetterStatus, max: usize) -> Outcome<(Vec<There>, bool)> {
        let mut found = Vec::new();
        for service in services(self.service) {
            let mut query = ListQuery { status: Some(word(status)), limit: Some(PAGE_SIZE_MAX), cursor: None };
            loop {
                let page = client.dead_letters(service, &query).await?;
                let fits = |letter: &DeadLetter| self.reason.as_ref().is_none_or(|text| letter.reason.contains(text));
                found.extend(page.items.into_iter().filter(fits).map(|letter| There { service, letter }));
                query.cursor = page.next_cursor;
                if found.len() > max || query.cursor.is_none() {
                    break;
                }
            }
        }
        found.sort_by_key(|there| std::cmp::Reverse(there.letter.created_at));
        let more = found.len() > max;
        found.truncate(max);
        Ok((found, more))
    }
}

/// The dead letter with this id, whosever it is.
pub async fn one(client: &Client, id: Uuid) -> Outcome<There> {
    for service in Service::WITH_CLOCK {
        match client.dead_letter(service, id).await {
            Ok(letter) => return Ok(There { service, letter }),
            Err(error) if error.code() == Some(Code::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::new(format!("no service has a dead letter {id}")).hint("`orderflow dlq list` shows all that are open"))
}

/// The table of them.
pub fn table(letters: &[There], paint: Paint) -> String {
    let columns =
        [("LETTER", Left), ("SERVICE", Left), ("STATUS", Left), ("TOPIC", Left), ("CREATED", Left), ("REASON", Left)];
    let mut table = Table::new(columns);
    for There { service, letter } in letters {
        let reason: String = letter.reason.chars().take(REASON_MAX).collect();
        table.row([
            letter.id.to_string(),
            service.name().to_owned(),
            word(letter.status),
            letter.topic.clone(),
            letter.created_at.to_string(),
            reason,
        ]);
    }
    table.render(paint)
}
