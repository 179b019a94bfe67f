//! What the customer wants done.

use std::time::Duration;

use orderflow_client::ClientError;
use orderflow_contracts::{
    api::{
        inventory::Product,
        orders::{CreateLine, CreateOrder, Order},
        payments::{Pay, Payment},
        psp::CreateToken,
    },
    ids::{OrderId, ProductId},
};
use tokio::sync::watch;
use uuid::Uuid;
use zeroize::Zeroize as _;

use crate::{links::Kit, login::Secret};

/// Whoever stays so long on a row wants to see it.
const REST: Duration = Duration::from_millis(300);

/// A card on its way to the provider. It has no `Debug`, and is wiped when it is dropped.
#[derive(Clone)]
pub struct CardData {
    /// The card.
    pub card: CreateToken,
    /// Closed with the form that has sent it.
    form: watch::Receiver<()>,
}

/// Whoever drops it does not want the card sent any more.
pub type Sending = watch::Sender<()>;

impl CardData {
    /// A card, and what keeps it being sent.
    pub fn new(card: CreateToken) -> (Self, Sending) {
        let (sending, form) = watch::channel(());
        (Self { card, form }, sending)
    }

    /// Whether nobody wants it sent any more.
    #[cfg(test)]
    pub fn is_given_up(&self) -> bool {
        self.form.has_changed().is_err()
    }

    /// What comes of the work, unless nobody wants it any more: then it ends where it is.
    async fn while_wanted<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut form = self.form.clone();
        tokio::select! {
            biased;
            _ = form.changed() => None,
            done = work => Some(done),
        }
    }
}

impl Drop for CardData {
    fn drop(&mut self) {
        self.card.number.zeroize();
        self.card.cvc.zeroize();
        self.card.exp_month.zeroize();
        self.card.exp_year.zeroize();
    }
}

/// What a person has said yes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agreed {
    /// A new cart, with this in it.
    NewCart(ProductId),
    /// A new cart with what an order had.
    Reorder(OrderId),
    /// Cancelling an order.
    Cancel(OrderId),
}

/// What is wanted.
#[derive(Clone)]
pub enum Do {
    /// Waits until somebody has settled on a row.
    Rest,
    /// Looks at a product again.
    Look(ProductId),
    /// Comes back at once: a question was answered with yes.
    Agree(Agreed),
    /// Orders.
    Order {
        /// Makes it safe to repeat.
        key: Uuid,
        /// What.
        lines: Vec<CreateLine>,
    },
    /// Cancels an order.
    Cancel {
        /// Which.
        id: OrderId,
        /// Makes it safe to repeat.
        key: Uuid,
    },
    /// Asks the provider for what stands for a card.
    Token {
        /// For which order.
        id: OrderId,
        /// Makes it safe to repeat.
        key: Uuid,
        /// The card.
        card: CardData,
    },
    /// Pays.
    Pay {
        /// Which order.
        id: OrderId,
        /// Makes it safe to repeat.
        key: Uuid,
        /// What stands for the card.
        token: Secret,
    },
    /// Reads an order's payment.
    Payment(OrderId),
}

/// What came of it.
pub enum Done {
    /// It was waited.
    Rested,
    /// A product was looked at.
    Looked(ProductId, Result<Box<Product>, ClientError>),
    /// Somebody has said yes.
    Agreed(Agreed),
    /// It was ordered, or not.
    Ordered {
        /// With which key.
        key: Uuid,
        /// The order.
        outcome: Result<Box<Order>, ClientError>,
    },
    /// It was cancelled, or not.
    Cancelled {
        /// Which order.
        id: OrderId,
        /// With which key.
        key: Uuid,
        /// The order.
        outcome: Result<Box<Order>, ClientError>,
    },
    /// There is a token, or not.
    Token {
        /// For which order.
        id: OrderId,
        /// With which key.
        key: Uuid,
        /// The token.
        outcome: Result<Secret, ClientError>,
    },
    /// The payment was begun, or not.
    Paying {
        /// Of which order.
        id: OrderId,
        /// With which key.
        key: Uuid,
        /// The payment.
        outcome: Result<Box<Payment>, ClientError>,
    },
    /// A payment was read.
    Payment(OrderId, Result<Box<Payment>, ClientError>),
}

/// Does it.
pub async fn carry_out(wanted: Do, kit: &Kit) -> Done {
    let client = &kit.client;
    match wanted {
        Do::Rest => {
            tokio::time::sleep(REST).await;
            Done::Rested
        }
        Do::Look(id) => Done::Looked(id, client.product(id).await.map(Box::new)),
        Do::Agree(agreed) => Done::Agreed(agreed),
        Do::Order { key, lines } => {
            let order = CreateOrder { lines };
            // The key is the correlation id as well: the stream tells of the order even if the answer is lost.
            let client = client.clone().with_correlation_id(key.to_string());
            let outcome = client.create_order(&order, &key.to_string()).await.map(|written| Box::new(written.value));
            Done::Ordered { key, outcome }
        }
        Do::Cancel { id, key } => {
            let outcome = client.cancel_order(id, &key.to_string()).await.map(|written| Box::new(written.value));
            Done::Cancelled { id, key, outcome }
        }
        Do::Token { id, key, card } => {
            let key_text = key.to_string();
            let outcome = card.while_wanted(client.tokenise_card(&card.card, &key_text)).await;
            let outcome = outcome.unwrap_or_else(|| Err(ClientError::BadRequest("the form was closed".to_owned())));
            Done::Token { id, key, outcome: outcome.map(|written| Secret(written.value.id)) }
        }
        Do::Pay { id, key, token } => {
            let pay = Pay { token: token.0 };
            let outcome = client.pay_order(id, &pay, &key.to_string()).await.map(|written| Box::new(written.value));
            Done::Paying { id, key, outcome }
        }
        Do::Payment(id) => Done::Payment(id, client.payment(id).await.map(Box::new)),
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    fn card() -> (CardData, Sending) {
        let (number, cvc) = ("4242424242424242".to_owned(), "123".to_owned());
        CardData::new(CreateToken { number, exp_month: 12, exp_year: 2030, cvc })
    }

    #[tokio::test]
    async fn a_card_whose_form_is_closed_is_not_sent_any_more() {
        let (card, sending) = card();
        assert_eq!(card.while_wanted(ready(1)).await, Some(1));
        let sent = tokio::spawn(async move { card.while_wanted(pending::<u8>()).await });
        tokio::task::yield_now().await;
        drop(sending);
        assert_eq!(sent.await.unwrap(), None);
    }
}
