//! One payments service with a broker and a provider: the test plays the orders service.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use orderflow_contracts::{
    api::{
        Page,
        console::Role,
        payments::{Pay, Payment, PaymentStatus},
        psp::{Charge, Refund},
    },
    events::{CancelReason, OrderEvent, topics},
    ids::OrderId,
    money::{Currency, Money},
};
use orderflow_payments::{Config, Settings};
use orderflow_platform::auth::Principal;
use orderflow_testing::{Answer, Caller, Database, Kafka, Keys, Record, Running, config, eventually, new_account};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use uuid::Uuid;

pub const AMOUNT: Money = Money::new(5998, Currency::Usd);
pub const CANCELLED: OrderEvent = OrderEvent::Cancelled { reason: CancelReason::ByCustomer };
/// A deadline that no test reaches.
pub const LATER_MS: i64 = 4_000_000_000_000;
/// So long that no test waits for it.
const FOREVER_MS: u64 = 600_000;
const PROVIDER_KEY: &str = "sk_test_of_the_tests";

/// The service and everybody who has to do with it.
pub struct World {
    pub database: Database,
    pub kafka: Kafka,
    pub keys: Keys,
    service: Option<Running>,
    pub customer: Principal,
    pub seller: Principal,
    pub provider: Provider,
    timeout_ms: u64,
    /// The name of the service's instance.
    instance: Option<&'static str>,
}

/// The provider, and the way to it.
pub struct Provider {
    service: Running,
    _database: Database,
    way: SocketAddr,
    open: Arc<AtomicBool>,
}

impl Provider {
    async fn start() -> Self {
        let database = Database::new().await;
        let psp = orderflow_psp::Settings { secret_key: PROVIDER_KEY.to_owned(), hang_ms: FOREVER_MS };
        let service = config(&database, None, None);
        let app = orderflow_psp::build(orderflow_psp::Config { service, psp }).await.expect("the provider starts");
        let (address, service) = (app.address(), Running::start(app));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let way = listener.local_addr().expect("an address");
        let open = Arc::new(AtomicBool::new(true));
        tokio::spawn(lead(listener, address, Arc::clone(&open)));
        Self { service, _database: database, way, open }
    }

    /// From now on, whoever connects is hung up on.
    pub fn shut(&self) {
        self.open.store(false, Ordering::SeqCst);
    }

    /// It can be reached again.
    pub fn open(&self) {
        self.open.store(true, Ordering::SeqCst);
    }

    fn merchant(&self) -> Caller {
        Caller::new(self.service.url(), Some(PROVIDER_KEY.to_owned()))
    }

    /// What stands in its ledger for an order.
    pub async fn charges(&self, order: OrderId) -> Vec<Charge> {
        let page: Page<Charge> = self.merchant().get(&format!("/v1/charges?reference={order}")).await.into();
        page.items
    }

    /// What it has given back for an order.
    pub async fn refunds(&self, order: OrderId) -> Vec<Refund> {
        let page: Page<Refund> = self.merchant().get(&format!("/v1/refunds?reference={order}")).await.into();
        page.items
    }
}

async fn lead(listener: TcpListener, to: SocketAddr, open: Arc<AtomicBool>) {
    while let Ok((mut near, _)) = listener.accept().await {
        if open.load(Ordering::SeqCst) {
            tokio::spawn(async move {
                let mut far = TcpStream::connect(to).await?;
                copy_bidirectional(&mut near, &mut far).await
            });
        }
    }
}

impl World {
    pub async fn start() -> Self {
        Self::start_with(2_000).await
    }

    /// Where the provider may take so long to answer.
    pub async fn start_with(timeout_ms: u64) -> Self {
        Self::start_as(None, timeout_ms).await
    }

    /// Where the service has a name, under which it is started again.
    pub async fn start_as(instance: Option<&'static str>, timeout_ms: u64) -> Self {
        let (database, kafka, keys) = (Database::new().await, Kafka::start().await, Keys::generate());
        let provider = Provider::start().await;
        let service = Some(Self::serve(&database, &kafka, &keys, &provider, timeout_ms, instance).await);
        let (customer, seller) = (new_account(Role::Customer), new_account(Role::Seller));
        Self { database, kafka, keys, service, customer, seller, provider, timeout_ms, instance }
    }

    async fn serve(
        database: &Database,
        kafka: &Kafka,
        keys: &Keys,
        provider: &Provider,
        timeout_ms: u64,
        instance: Option<&str>,
    ) -> Running {
        let payments = Settings {
            provider_url: format!("http://{}", provider.way),
            provider_key: PROVIDER_KEY.to_owned(),
            provider_timeout_ms: timeout_ms,
        };
        let mut service = config(database, Some(kafka), Some(keys));
        service.instance = instance.map(str::to_owned);
        Running::start(orderflow_payments::build(Config { service, payments }).await.expect("the service starts"))
    }

    /// One more service on the same database.
    pub async fn replica(&self) -> Running {
        Self::serve(&self.database, &self.kafka, &self.keys, &self.provider, self.timeout_ms, None).await
    }

    /// Kills the service; whatever it was doing stays as it is until the next one is started.
    pub async fn kill(&mut self) {
        self.service.take().expect("it runs").kill().await;
    }

    pub async fn start_again(&mut self) {
        let Self { database, kafka, keys, provider, timeout_ms, instance, .. } = self;
        self.service = Some(Self::serve(database, kafka, keys, provider, *timeout_ms, *instance).await);
    }

    pub fn url(&self) -> String {
        self.service.as_ref().expect("it runs").url()
    }

    pub fn by(&self, principal: Principal) -> Caller {
        Caller::new(self.url(), Some(self.keys.token(principal)))
    }

    pub async fn tell(&self, order: OrderId, event: &OrderEvent) {
        self.kafka.tell(topics::ORDERS, order, 1, event).await;
    }

    pub fn confirmed(&self, pay_until: i64) -> OrderEvent {
        let (customer_id, seller_id) = (self.customer.account_id, self.seller.account_id);
        OrderEvent::Confirmed { customer_id, seller_id, total: AMOUNT, pay_until }
    }

    /// An order that can be paid.
    pub async fn open(&self) -> OrderId {
        let order = new_order();
        self.tell(order, &self.confirmed(LATER_MS)).await;
        self.wait_for(order, PaymentStatus::Open).await;
        order
    }

    /// The customer pays.
    pub async fn pay(&self, order: OrderId, token: &str) -> Answer {
        let pay = Pay { token: token.to_owned() };
        self.by(self.customer).post(&format!("/v1/payments/{order}/pay"), &pay).await
    }

    /// An order that the customer has begun to pay.
    pub async fn paying(&self, token: &str) -> OrderId {
        let order = self.open().await;
        let answer = self.pay(order, token).await;
        assert_eq!((answer.status.as_u16(), &answer.body["status"]), (202, &"PROCESSING".into()), "{}", answer.body);
        order
    }

    pub async fn show(&self, order: OrderId) -> Option<Payment> {
        let answer = self.by(new_account(Role::Admin)).get(&format!("/v1/payments/{order}")).await;
        answer.status.is_success().then(|| answer.into())
    }

    pub async fn wait_for(&self, order: OrderId, status: PaymentStatus) -> Payment {
        let is_so = async || self.show(order).await.filter(|payment| payment.status == status);
        eventually(status.as_str(), is_so).await
    }

    /// Waits until the provider could not be asked.
    pub async fn wait_for_trouble(&self, order: OrderId) -> Payment {
        let has = |payment: &Payment| payment.call.as_ref().is_some_and(|call| call.last_error.is_some());
        eventually("the provider could not be asked", async || self.show(order).await.filter(has)).await
    }

    /// Waits until everything that was sent was handled.
    pub async fn settled(&self) {
        let sent = self.kafka.read(topics::ORDERS).await.len();
        let handled = "select coalesce(sum(1 + duplicates), 0)::bigint from inbox";
        let all = async || {
            let handled = self.database.count(handled).await;
            usize::try_from(handled).is_ok_and(|handled| handled >= sent).then_some(())
        };
        eventually("every record was handled", all).await;
    }

    /// The events that the service has published about an order, once there are so many.
    pub async fn published(&self, order: OrderId, count: usize) -> Vec<Record> {
        let key = order.to_string();
        let of_order = async || {
            let records = self.kafka.read_once(topics::PAYMENTS).await;
            let records: Vec<_> = records.into_iter().filter(|record| record.key == key).collect();
            (records.len() >= count).then_some(records)
        };
        let records = eventually("the events are published", of_order).await;
        let sequences = records.iter().map(|record| record.headers["ce_sequence"].clone());
        assert!(sequences.eq((1..=count).map(|sequence| sequence.to_string())), "{records:?}");
        records
    }

    /// What the service has said about an order, once it has said so many things.
    pub async fn told(&self, order: OrderId, count: usize) -> Vec<String> {
        self.published(order, count).await.iter().map(|record| record.event_type().to_owned()).collect()
    }
}

pub fn new_order() -> OrderId {
    Uuid::now_v7().into()
}
