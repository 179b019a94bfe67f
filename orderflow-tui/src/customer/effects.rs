//! What the customer wants done.

use std::time::Duration;

use orderflow_client::{ClientError, Service};
use orderflow_contracts::{
    api::{
        inventory::Product,
        orders::{CreateOrder, Order},
        payments::{Pay, Payment},
        psp::CreateToken,
    },
    ids::{OrderId, ProductId},
    money::Money,
    timestamp::Timestamp,
};
use tokio::sync::watch;
use uuid::Uuid;
use zeroize::Zeroize as _;

use super::{
    cart,
    kept::{Recalled, What},
};
use crate::{
    books::effects::in_time,
    links::Kit,
    login::Secret,
    msg::{Done as AnyDone, Msg},
};

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
    /// Looks what has no certain outcome since an earlier session; by our clock it is now.
    Recall(Timestamp),
    /// Keeps something no longer: its outcome is certain.
    Forget(Uuid),
    /// Orders. It is kept before it is asked for.
    Order {
        /// Makes it safe to repeat.
        key: Uuid,
        /// What.
        lines: Vec<cart::Line>,
        /// For how much, as far as it is known.
        total: Option<Money>,
        /// When it was asked for first, by our clock.
        at: Timestamp,
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
    /// Pays. It is kept before it is asked for, but for the token.
    Pay {
        /// Which order.
        id: OrderId,
        /// Makes it safe to repeat.
        key: Uuid,
        /// What stands for the card.
        token: Secret,
        /// With which key it was asked for.
        token_key: Uuid,
        /// When it was asked for first, by our clock.
        at: Timestamp,
    },
    /// Reads an order's payment.
    Payment(OrderId),
}

/// What came of it.
pub enum Done {
    /// It was waited.
    Rested,
    /// What has no certain outcome since an earlier session.
    Recalled(Recalled),
    /// It was looked after what is kept; if that failed, why.
    Kept(Result<(), String>),
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
        Do::Look(id) => Done::Looked(id, in_time(Service::Inventory, client, client.product(id)).await.map(Box::new)),
        Do::Agree(agreed) => Done::Agreed(agreed),
        Do::Recall(now) => Done::Recalled(kit.kept.recall(kit.me.id, now).await),
        Do::Forget(key) => {
            let why = |error| format!("what is known now is still kept as not known: {error}");
            Done::Kept(kit.kept.forget(key).await.map_err(why))
        }
        Do::Order { key, lines, total, at } => {
            let order = CreateOrder { lines: cart::wanted(&lines) };
            keep(kit, key, at, What::Order { lines, total }).await;
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
        Do::Pay { id, key, token, token_key, at } => {
            let pay = Pay { token: token.0 };
            keep(kit, key, at, What::Payment { order: id, token_key }).await;
            let outcome = client.pay_order(id, &pay, &key.to_string()).await.map(|written| Box::new(written.value));
            Done::Paying { id, key, outcome }
        }
        Do::Payment(id) => {
            Done::Payment(id, in_time(Service::Payments, client, client.payment(id)).await.map(Box::new))
        }
    }
}

/// Keeps what is about to be asked for. That this fails is told, and is no reason not to ask.
async fn keep(kit: &Kit, key: Uuid, at: Timestamp, what: What) {
    if let Err(error) = kit.kept.keep(kit.me.id, key, at, what).await {
        let why = format!("not kept ({error}): if the console ends before the answer, its key is lost");
        let _ = kit.messages.send(Msg::Done(AnyDone::Customer(Done::Kept(Err(why))))).await;
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
