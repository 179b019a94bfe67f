//! One orders service, alone with a broker: the test plays the other services.

use orderflow_contracts::{
    api::{
        console::Role,
        orders::{CreateLine, CreateOrder, Order},
    },
    events::{CatalogEvent, topics},
    ids::{OrderId, ProductId},
    money::{Currency, Money},
};
use orderflow_orders::{Config, Settings};
use orderflow_platform::auth::Principal;
use orderflow_testing::{Caller, Database, Kafka, Keys, Record, Running, config, eventually, new_account};
use uuid::Uuid;

pub const PRICE: Money = Money::new(2999, Currency::Usd);

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
        let (database, kafka, keys) = (Database::new().await, Kafka::start().await, Keys::generate());
        let service = Self::serve(&database, &kafka, &keys).await;
        let (customer, seller) = (new_account(Role::Customer), new_account(Role::Seller));
        Self { database, kafka, keys, service, customer, seller }
    }

    pub async fn serve(database: &Database, kafka: &Kafka, keys: &Keys) -> Running {
        let orders = Settings { payment_link: "http://payments/v1/payments/{order_id}".to_owned() };
        let service = config(database, Some(kafka), Some(keys));
        Running::start(orderflow_orders::build(Config { service, orders }).await.expect("the service starts"))
    }

    pub fn by(&self, principal: Principal) -> Caller {
        Caller::new(self.service.url(), Some(self.keys.token(principal)))
    }

    /// A product of this seller that the service knows.
    pub async fn product_of(&self, seller: Principal, price: Money) -> ProductId {
        let id = ProductId::from(Uuid::now_v7());
        let changed =
            CatalogEvent::ProductChanged { seller_id: seller.account_id, name: "Test Widget".to_owned(), price };
        self.kafka.tell(topics::CATALOG, id, 1, &changed).await;
        let customer = self.by(self.customer);
        let path = format!("/v1/catalog/{id}");
        eventually("the product is known", async || customer.get(&path).await.status.is_success().then_some(())).await;
        id
    }

    pub async fn product(&self) -> ProductId {
        self.product_of(self.seller, PRICE).await
    }

    /// An order of two pieces.
    pub async fn order(&self) -> Order {
        let lines = vec![CreateLine { product_id: self.product().await, quantity: 2 }];
        self.by(self.customer).post("/v1/orders", &CreateOrder { lines }).await.into()
    }

    pub async fn show(&self, id: OrderId) -> Order {
        self.by(self.customer).get(&format!("/v1/orders/{id}")).await.into()
    }

    pub async fn wait_for(&self, id: OrderId, what: &str, is_so: impl Fn(&Order) -> bool) -> Order {
        eventually(what, async || Some(self.show(id).await).filter(|order| is_so(order))).await
    }

    /// The events that the service has published about an order, once there are so many.
    pub async fn published(&self, id: OrderId, count: usize) -> Vec<Record> {
        let id = id.to_string();
        let of_order = async || {
            let records = self.kafka.read_once(topics::ORDERS).await;
            let records: Vec<_> = records.into_iter().filter(|record| record.key == id).collect();
            (records.len() >= count).then_some(records)
        };
        let records = eventually("the events are published", of_order).await;
        assert_eq!(records.len(), count, "{records:?}");
        records
    }
}
