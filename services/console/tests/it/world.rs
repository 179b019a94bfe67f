//! One console, alone with a broker: the test plays all the other services.

use orderflow_console::{Config, Settings};
use orderflow_contracts::{
    api::{
        Page,
        console::{EventRecord, Role},
    },
    envelope::Envelope,
    events::{CatalogEvent, OrderEvent, OrderLine, encode, topics},
    ids::{EventId, OrderId, ProductId},
    money::{Currency, Money},
};
use orderflow_platform::auth::Principal;
use orderflow_testing::{Caller, Database, Kafka, Keys, Running, config, eventually, new_account};
use serde::Serialize;
use uuid::Uuid;

pub const TOTAL: Money = Money::new(5998, Currency::Usd);

/// The service and everybody who has to do with it.
pub struct World {
    pub database: Database,
    pub kafka: Kafka,
    pub keys: Keys,
    pub service: Running,
    pub customer: Principal,
    pub seller: Principal,
    pub admin: Principal,
}

impl World {
    pub async fn start() -> Self {
        Self::start_with(false).await
    }

    pub async fn start_with(seed_test_accounts: bool) -> Self {
        let (database, kafka, keys) = (Database::new().await, Kafka::start().await, Keys::generate());
        let service = Self::serve(&database, &kafka, &keys, seed_test_accounts).await;
        let [customer, seller, admin] = [Role::Customer, Role::Seller, Role::Admin].map(new_account);
        Self { database, kafka, keys, service, customer, seller, admin }
    }

    pub async fn serve(database: &Database, kafka: &Kafka, keys: &Keys, seed_test_accounts: bool) -> Running {
        let console = Settings { token_private_key: keys.private().to_owned(), seed_test_accounts };
        let service = config(database, Some(kafka), Some(keys));
        Running::start(orderflow_console::build(Config { service, console }).await.expect("the service starts"))
    }

    pub fn by(&self, principal: Principal) -> Caller {
        Caller::new(self.service.url(), Some(self.keys.token(principal)))
    }

    pub fn nobody(&self) -> Caller {
        Caller::new(self.service.url(), None)
    }

    /// The customer has ordered from the seller.
    pub fn created(&self) -> OrderEvent {
        let line = OrderLine {
            product_id: Uuid::nil().into(),
            name: "Test Widget".to_owned(),
            quantity: 2,
            unit_price: Money::new(2999, Currency::Usd),
        };
        let (customer_id, seller_id) = (self.customer.account_id, self.seller.account_id);
        OrderEvent::Created { customer_id, seller_id, lines: vec![line], total: TOTAL }
    }

    /// Somebody has ordered from someone.
    pub fn others(&self) -> OrderEvent {
        let (customer, seller) = (new_account(Role::Customer), new_account(Role::Seller));
        let (customer_id, seller_id) = (customer.account_id, seller.account_id);
        OrderEvent::Created { customer_id, seller_id, lines: vec![], total: TOTAL }
    }

    /// An event of the service of this topic, and then the console knows it.
    pub async fn heard<E: Serialize>(&self, topic: &str, subject: impl ToString, event: &E) {
        let before = self.heard_of().await;
        self.kafka.tell(topic, subject, 1, event).await;
        self.wait_for(before + 1).await;
    }

    /// A new order of the customer's.
    pub async fn order(&self) -> OrderId {
        let order = new_order();
        self.heard(topics::ORDERS, order, &self.created()).await;
        order
    }

    /// A product of this seller.
    pub async fn product_of(&self, seller: Principal) -> ProductId {
        let product = ProductId::from(Uuid::now_v7());
        let (seller_id, name, price) = (seller.account_id, "Test Widget".to_owned(), TOTAL);
        self.heard(topics::CATALOG, product, &CatalogEvent::ProductChanged { seller_id, name, price }).await;
        product
    }

    async fn heard_of(&self) -> i64 {
        self.database.count("select count(*) from events").await
    }

    /// Waits until the console knows so many events.
    pub async fn wait_for(&self, count: i64) {
        eventually("the console knows it", async || (self.heard_of().await >= count).then_some(())).await;
    }

    /// An event that happened at this time, because of another one.
    pub async fn tell_at<E: Serialize>(
        &self,
        topic: &str,
        order: OrderId,
        (id, cause, time_ms): (EventId, Option<EventId>, i64),
        event: &E,
    ) {
        let (event_type, data) = encode(event);
        let envelope = Envelope {
            id,
            source: format!("/orderflow/{topic}"),
            event_type,
            subject: order.to_string(),
            time_ms,
            correlation_id: "test".to_owned(),
            causation_id: cause,
            sequence: 1,
            traceparent: None,
            actor: None,
        };
        let headers = envelope.to_headers();
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.kafka.send(topic, &envelope.subject, &headers, &data).await;
    }

    pub async fn events(&self, principal: Principal, query: &str) -> Page<EventRecord> {
        self.by(principal).get(&format!("/v1/events?{query}")).await.into()
    }
}

pub fn new_order() -> OrderId {
    Uuid::now_v7().into()
}
