//! One inventory service, alone with a broker: the test plays the orders service.

use orderflow_contracts::{
    api::{
        console::Role,
        inventory::{CreateProduct, Product, Reservation, ReservationStatus},
    },
    events::{OrderEvent, OrderLine, topics},
    ids::{OrderId, ProductId},
    money::{Currency, Money},
};
use orderflow_inventory::{Config, Settings};
use orderflow_platform::auth::Principal;
use orderflow_testing::{Caller, Database, Kafka, Keys, Record, Running, config, eventually, new_account};
use serde_json::json;
use uuid::Uuid;

pub const PRICE: Money = Money::new(2999, Currency::Usd);
pub const MINUTE_MS: i64 = 60 * 1000;

/// The service and everybody who has to do with it.
pub struct World {
    pub database: Database,
    pub kafka: Kafka,
    pub keys: Keys,
    pub service: Running,
    pub customer: Principal,
    pub seller: Principal,
}

impl World {
    pub async fn start() -> Self {
        Self::start_with(Settings::default()).await
    }

    pub async fn start_with(settings: Settings) -> Self {
        let (database, kafka, keys) = (Database::new().await, Kafka::start().await, Keys::generate());
        let service = Self::serve(&database, &kafka, &keys, settings).await;
        let (customer, seller) = (new_account(Role::Customer), new_account(Role::Seller));
        Self { database, kafka, keys, service, customer, seller }
    }

    async fn serve(database: &Database, kafka: &Kafka, keys: &Keys, inventory: Settings) -> Running {
        let service = config(database, Some(kafka), Some(keys));
        Running::start(orderflow_inventory::build(Config { service, inventory }).await.expect("the service starts"))
    }

    /// One more service on the same database.
    pub async fn replica(&self) -> Running {
        Self::serve(&self.database, &self.kafka, &self.keys, Settings::default()).await
    }

    pub fn by(&self, principal: Principal) -> Caller {
        Caller::new(self.service.url(), Some(self.keys.token(principal)))
    }

    pub fn admin(&self) -> Caller {
        self.by(new_account(Role::Admin))
    }

    /// A product of which there are so many.
    pub async fn product(&self, stock: u32) -> ProductId {
        let new = CreateProduct { name: "Test Widget".to_owned(), price: PRICE, stock };
        self.by(self.seller).post("/v1/products", &new).await.into::<Product>().id
    }

    /// How many there are, and how many of them are promised.
    pub async fn level(&self, product: ProductId) -> (u32, u32) {
        let product: Product = self.by(self.customer).get(&format!("/v1/products/{product}")).await.into();
        assert_eq!(product.available, product.on_hand - product.reserved);
        (product.on_hand, product.reserved)
    }

    /// The orders service asks for stock.
    pub fn request(&self, lines: &[(ProductId, u32)]) -> OrderEvent {
        let line = |(product_id, quantity): &(ProductId, u32)| OrderLine {
            product_id: *product_id,
            name: "Test Widget".to_owned(),
            quantity: *quantity,
            unit_price: PRICE,
        };
        OrderEvent::ConfirmationRequested {
            customer_id: self.customer.account_id,
            seller_id: self.seller.account_id,
            lines: lines.iter().map(line).collect(),
        }
    }

    pub async fn tell(&self, order: OrderId, event: &OrderEvent) {
        self.kafka.tell(topics::ORDERS, order, 1, event).await;
    }

    /// An order that has asked for this, and what came of it.
    pub async fn asked(&self, lines: &[(ProductId, u32)], expected: ReservationStatus) -> OrderId {
        let order = new_order();
        self.tell(order, &self.request(lines)).await;
        self.wait_for(order, expected).await;
        order
    }

    /// An order that holds one piece.
    pub async fn held(&self, product: ProductId) -> OrderId {
        self.asked(&[(product, 1)], ReservationStatus::Held).await
    }

    pub async fn show(&self, order: OrderId) -> Option<Reservation> {
        let answer = self.admin().get(&format!("/v1/reservations/{order}")).await;
        answer.status.is_success().then(|| answer.into())
    }

    pub async fn wait_for(&self, order: OrderId, status: ReservationStatus) -> Reservation {
        let is_so = async || self.show(order).await.filter(|reservation| reservation.status == status);
        eventually(status.as_str(), is_so).await
    }

    /// Moves the service's clock to so far ahead of the machine's.
    pub async fn move_clock(&self, offset_ms: i64) {
        let moved = self.admin().put("/v1/clock", &json!({ "offset_ms": offset_ms })).await;
        assert_eq!(moved.status, 200, "{}", moved.body);
    }

    /// Waits until everything that was sent was handled. Not for what cannot be read: that does not come so far.
    pub async fn settled(&self) {
        let sent = self.kafka.read(topics::ORDERS).await.len();
        let handled = "select coalesce(sum(1 + duplicates), 0)::bigint from inbox";
        let all = async || {
            let handled = self.database.count(handled).await;
            usize::try_from(handled).is_ok_and(|handled| handled >= sent).then_some(())
        };
        eventually("every record was handled", all).await;
    }

    /// The events that the service has published about something, once there are so many.
    pub async fn published(&self, topic: &'static str, key: impl ToString, count: usize) -> Vec<Record> {
        let key = key.to_string();
        let of_it = async || {
            let records = self.kafka.read_once(topic).await;
            let records: Vec<_> = records.into_iter().filter(|record| record.key == key).collect();
            (records.len() >= count).then_some(records)
        };
        let records = eventually("the events are published", of_it).await;
        let sequences = records.iter().map(|record| record.headers["ce_sequence"].clone());
        assert!(sequences.eq((1..=count).map(|sequence| sequence.to_string())), "{records:?}");
        records
    }

    /// The types of the events about an order's stock, once there are so many.
    pub async fn told(&self, order: OrderId, count: usize) -> Vec<String> {
        let records = self.published(topics::INVENTORY, order, count).await;
        records.iter().map(|record| record.event_type().to_owned()).collect()
    }
}

pub fn new_order() -> OrderId {
    Uuid::now_v7().into()
}
