//! Who plays, and what is seen of it: each command of a person, and the events that follow, as the console streams
//! them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use orderflow_client::{
    Client, EventStream, FixedToken, Next,
    saga::{Goal, Verdict},
    view,
};
use orderflow_contracts::{
    api::{console::EventRecord, inventory::Product, orders::Order, payments::Payment},
    ids::{OrderId, ProductId},
    timestamp::Timestamp,
};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::{
    exit::{Exit, Failure, Outcome},
    output::{Format, Output},
    parse::Role,
    render,
    session::test_account,
    wait::{self, Waiter},
};

/// The people, the stream of what happens, and what was not as expected.
pub struct Stage {
    /// Who orders and pays.
    pub customer: Client,
    /// Who sells.
    pub seller: Client,
    /// Where to write.
    pub out: Output,
    /// What was not as expected.
    pub wrong: Vec<String>,
    stream: EventStream,
    limit: Duration,
    /// When each order's life began.
    begun: BTreeMap<String, Timestamp>,
    /// What was heard of each order or product.
    heard: BTreeMap<String, Vec<String>>,
}

impl Stage {
    /// Logs everybody in, and opens the stream.
    pub async fn open(anonymous: Client, limit: Duration, out: Output) -> Outcome<Self> {
        let [customer, seller, admin] =
            [Role::Customer, Role::Seller, Role::Admin].map(|role| logged_in(&anonymous, role));
        let (customer, seller, admin) = (customer.await?, seller.await?, admin.await?);
        let stream = admin.stream(None, Some(0)).await?;
        let (begun, heard, wrong) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        Ok(Self { customer, seller, out, wrong, stream, limit, begun, heard })
    }

    /// Says which play comes now.
    pub fn heading(&self, text: &str) {
        say(self.out, &format!("\n{}", self.out.paint.strong(text)));
    }

    /// Says what a person does.
    pub fn act(&self, who: &str, what: &str) {
        say(self.out, &format!("{} {what}", self.out.paint.strong(&format!("→ {who:<9}"))));
    }

    /// Something that has to be so.
    pub fn expect<T: PartialEq + std::fmt::Display>(&mut self, what: &str, found: T, expected: T) {
        if found == expected {
            say(self.out, &self.out.paint.good(&format!("  ✓ {what}: {found}")));
        } else {
            say(self.out, &self.out.paint.bad(&format!("  ✗ {what}: {found}, and not {expected}")));
            self.wrong.push(format!("{what}: {found}, and not {expected}"));
        }
    }

    /// Shows what happens until all these events of an order or product were heard.
    pub async fn hear(&mut self, subject: impl ToString, events: &[&str]) -> Outcome {
        let (subject, until) = (subject.to_string(), Instant::now() + self.limit);
        loop {
            let heard = self.heard.get(&subject).map(Vec::as_slice).unwrap_or_default();
            let missing = events.iter().find(|event| !heard.iter().any(|heard| heard == *event));
            let Some(missing) = missing else { return Ok(()) };
            match timeout_at(until, self.stream.next()).await {
                Ok(Ok(Next::Event(record))) => self.show(&record),
                Ok(Ok(Next::End)) => return Err(Failure::new("the console has ended its stream")),
                Ok(Err(error)) => return Err(error.into()),
                Err(_) => {
                    let message = format!("{missing} was not heard of {subject} within {:?}", self.limit);
                    return Err(Failure::with(Exit::TimedOut, message));
                }
            }
        }
    }

    fn show(&mut self, record: &EventRecord) {
        let begun = *self.begun.entry(record.subject.clone()).or_insert(record.at);
        self.heard.entry(record.subject.clone()).or_default().push(record.event_type.clone());
        say(self.out, &render::life_line(&view::line_of_event(record, begun), self.out.paint));
    }

    /// The order, once it has reached the goal or ended otherwise.
    pub async fn reached(&self, id: OrderId, goal: Goal) -> Outcome<(Order, Verdict)> {
        wait::for_order(&self.customer, id, goal, &mut self.waiter()).await
    }

    /// A limit for one step.
    pub fn waiter(&self) -> Waiter {
        Waiter::new(self.limit, self.out)
    }

    /// The product's stock: on hand, reserved, available.
    pub async fn stock(&self, id: ProductId) -> Outcome<String> {
        let Product { on_hand, reserved, available, .. } = self.seller.product(id).await?;
        Ok(format!("{on_hand} on hand, {reserved} reserved, {available} available"))
    }

    /// An order's payment.
    pub async fn payment(&self, id: OrderId) -> Outcome<Payment> {
        Ok(self.customer.payment(id).await?)
    }
}

async fn logged_in(anonymous: &Client, role: Role) -> Outcome<Client> {
    let session = anonymous.login(&test_account(role)).await?;
    Ok(anonymous.clone().with_tokens(Arc::new(FixedToken(session.token))))
}

/// A fresh idempotency key.
pub fn key() -> String {
    Uuid::new_v4().to_string()
}

/// Tells the play: with the data where they are for people, beside them where they are for programs.
pub fn say(out: Output, text: &str) {
    match out.format {
        // A reader that has gone away ends the play at the summary.
        Format::Text => drop(out.text(text)),
        Format::Json | Format::Jsonl => out.note(text),
    }
}
