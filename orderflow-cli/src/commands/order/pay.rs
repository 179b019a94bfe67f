//! `orderflow order pay`

use clap::Args;
use orderflow_client::{Client, Written, saga::Goal};
use orderflow_contracts::{
    api::{
        orders::OrderStatus,
        payments::{self, PaymentStatus},
    },
    ids::OrderId,
    problem::Code,
};
use uuid::Uuid;

use super::{judged, note_key, report};
use crate::{
    card,
    cli::Key,
    context::{Context, key_or_fresh},
    exit::{Exit, Failure, Outcome},
    wait::{self, Waiter},
};

/// Pay an order, as its customer
///
/// A card's number is never an argument, where other users of the machine could read it. It goes from the file, or
/// from standard input, to the payment provider alone, which gives a token for it.
///
/// Test tokens: tok_visa, tok_chargeDeclined, and more: see the provider's /v1/test-cards.
#[derive(Args)]
#[command(before_help = "\
Examples:
  orderflow --as customer order pay ORDER --token tok_visa --wait
  orderflow --as customer order pay ORDER --card-file card.json
  printf 'number=4242424242424242\\nexp_month=12\\nexp_year=2030\\ncvc=123\\n' |
    orderflow --as customer order pay ORDER --card-file - --wait
")]
pub struct Pay {
    /// Which order
    order: OrderId,
    #[command(flatten)]
    means: Means,
    /// Return when the order is paid and its stock allocated, or was cancelled (exit code 5)
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    key: Key,
}

/// What to pay with.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Means {
    /// What the provider gave for a card, or a test token
    #[arg(long)]
    token: Option<String>,
    /// The card in a file, or `-` for standard input: JSON or lines with number, exp_month, exp_year, cvc
    #[arg(long, value_name = "FILE")]
    card_file: Option<String>,
}

impl Pay {
    /// Pays it.
    pub async fn run(self, context: &Context) -> Outcome {
        let (client, key) = (context.client()?, key_or_fresh(self.key.idempotency_key));
        let token = self.means.token(&client, &key).await?;
        let mut waiter = Waiter::new(context.wait_limit(), context.out);
        let paid = pay_when_due(&client, self.order, token, &key, &mut waiter).await?;
        if !self.wait {
            let order = client.order(self.order).await?;
            report(context, &order, &key, paid.replayed)?;
            return told(context, &paid.value);
        }
        let waited = wait::for_order(&client, self.order, Goal::Paid, &mut waiter).await;
        let (order, verdict) = waited.inspect_err(|_| note_key(context, &key, paid.replayed))?;
        report(context, &order, &key, paid.replayed)?;
        judged(&order, verdict)
    }
}

impl Means {
    /// The token, from the provider if a card was given.
    async fn token(self, client: &Client, key: &str) -> Outcome<String> {
        match (self.token, self.card_file) {
            (Some(token), _) if card::looks_like_a_number(&token) => {
                Err(Failure::usage("that is a card's number and no token; nothing was sent")
                    .hint("--card-file - reads the card from standard input"))
            }
            (Some(token), _) => Ok(token),
            (None, Some(file)) => {
                let card = tokio::task::spawn_blocking(move || card::read(&file)).await;
                let card = card.map_err(|error| Failure::new(error.to_string()))??;
                // Derived from the command's key: the command repeated has the same token, and so the same request.
                let card_key = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("card {key}").as_bytes()).to_string();
                Ok(client.tokenise_card(&card, &card_key).await?.value.id)
            }
            (None, None) => Err(Failure::usage("--token or --card-file is needed")),
        }
    }
}

/// Pays; waits for the payment to be opened where the order is confirmed and payments has not heard of it yet.
async fn pay_when_due(
    client: &Client,
    id: OrderId,
    token: String,
    key: &str,
    waiter: &mut Waiter,
) -> Outcome<Written<payments::Payment>> {
    let pay = payments::Pay { token };
    loop {
        let error = match client.pay_order(id, &pay, key).await {
            Ok(paid) => return Ok(paid),
            Err(error) => error,
        };
        let is_confirmed = async {
            let order = client.order(id).await;
            order.is_ok_and(|order| order.status == OrderStatus::Confirmed)
        };
        let not_heard_yet = matches!(error.code(), Some(Code::NothingDue | Code::NotFound));
        if !not_heard_yet || !is_confirmed.await {
            return Err(error.into());
        }
        waiter.pause(|| format!("payments has not heard of order {id} yet")).await?;
    }
}

/// What is known of the payment without waiting.
fn told(context: &Context, payment: &payments::Payment) -> Outcome {
    match payment.status {
        PaymentStatus::Failed => {
            let why = payment.decline_code.as_deref().unwrap_or("no reason is known");
            Err(Failure::with(Exit::Compensated, format!("the card was declined: {why}")))
        }
        status => {
            context.out.note(&format!("the payment is {}", status.as_str()));
            Ok(())
        }
    }
}
