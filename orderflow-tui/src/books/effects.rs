//! Reading what the books want.

use std::time::Duration;

use orderflow_client::{Client, ClientError, ListQuery, ProductQuery, Service};
use orderflow_contracts::{
    api::{
        PAGE_SIZE_MAX, Page,
        console::{Account, Role},
        inventory::{Product, Reservation},
        orders::Order,
        payments::Payment,
    },
    ids::{AccountId, OrderId, ProductId},
};

use tokio::time::timeout;

use super::{ORDERS_MAX, OTHERS_MAX, PRODUCTS_MAX};

/// How long a read may take, tries again included. One that was given up has changed nothing, so nobody has to wait
/// for it as for a command.
const READ_MAX: Duration = Duration::from_secs(10);

/// Something to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Do {
    /// What time it is at the services.
    Clock,
    /// All orders.
    Orders,
    /// All products, or the seller's own.
    Products,
    /// All reservations.
    Reservations,
    /// All payments.
    Payments,
    /// One order.
    Order(OrderId),
    /// One product.
    Product(ProductId),
}

/// A list that was read.
#[derive(Debug)]
pub struct Read<T> {
    /// The items.
    pub items: Vec<T>,
    /// Whether there are more than are kept; or why it could not be read to its end.
    pub end: Result<bool, String>,
}

/// Something was read.
#[derive(Debug)]
pub enum Done {
    /// By how much the services' clock is ahead, in milliseconds.
    Clock(Result<i64, ClientError>),
    /// Orders.
    Orders(Read<Order>),
    /// Products.
    Products(Read<Product>),
    /// Reservations.
    Reservations(Read<Reservation>),
    /// Payments.
    Payments(Read<Payment>),
    /// One order.
    Order(OrderId, Result<Order, ClientError>),
    /// One product.
    Product(ProductId, Result<Product, ClientError>),
}

impl Done {
    /// The list that this is of, if it is of one.
    pub const fn list(&self) -> Option<Do> {
        match self {
            Self::Orders(_) => Some(Do::Orders),
            Self::Products(_) => Some(Do::Products),
            Self::Reservations(_) => Some(Do::Reservations),
            Self::Payments(_) => Some(Do::Payments),
            Self::Clock(_) | Self::Order(..) | Self::Product(..) => None,
        }
    }
}

/// Reads it.
pub async fn carry_out(what: Do, client: &Client, me: &Account) -> Done {
    match what {
        Do::Clock => {
            let read = in_time(Service::Inventory, client, client.clock(Service::Inventory)).await;
            Done::Clock(read.map(|clock| clock.offset_ms))
        }
        Do::Orders => Done::Orders(all(ORDERS_MAX, |query| orders(client, query)).await),
        Do::Products => {
            let seller_id = (me.role == Role::Seller).then_some(me.id);
            Done::Products(all(PRODUCTS_MAX, |query| products(client, seller_id, query)).await)
        }
        Do::Reservations => Done::Reservations(all(OTHERS_MAX, |query| reservations(client, query)).await),
        Do::Payments => Done::Payments(all(OTHERS_MAX, |query| payments(client, query)).await),
        Do::Order(id) => Done::Order(id, in_time(Service::Orders, client, client.order(id)).await),
        Do::Product(id) => Done::Product(id, in_time(Service::Inventory, client, client.product(id)).await),
    }
}

/// What is read, or that it could not be in time.
pub async fn in_time<T>(
    service: Service,
    client: &Client,
    read: impl Future<Output = Result<T, ClientError>>,
) -> Result<T, ClientError> {
    let late = || ClientError::Timeout { url: client.endpoints().of(service).to_owned() };
    timeout(READ_MAX, read).await.unwrap_or_else(|_| Err(late()))
}

async fn orders(client: &Client, query: ListQuery) -> Result<Page<Order>, ClientError> {
    in_time(Service::Orders, client, client.orders(&query)).await
}

async fn products(
    client: &Client,
    seller_id: Option<AccountId>,
    page: ListQuery,
) -> Result<Page<Product>, ClientError> {
    let query = ProductQuery { seller_id, page, ..ProductQuery::default() };
    in_time(Service::Inventory, client, client.products(&query)).await
}

async fn reservations(client: &Client, query: ListQuery) -> Result<Page<Reservation>, ClientError> {
    in_time(Service::Inventory, client, client.reservations(&query)).await
}

async fn payments(client: &Client, query: ListQuery) -> Result<Page<Payment>, ClientError> {
    in_time(Service::Payments, client, client.payments(&query)).await
}

/// Page after page, up to what is kept.
async fn all<T, F>(most: usize, page: impl Fn(ListQuery) -> F) -> Read<T>
where
    F: Future<Output = Result<Page<T>, ClientError>>,
{
    let mut items = Vec::new();
    let mut query = ListQuery { limit: Some(PAGE_SIZE_MAX), ..ListQuery::default() };
    loop {
        match page(query.clone()).await {
            Ok(read) => {
                items.extend(read.items);
                let more = read.next_cursor.is_some();
                if !more || items.len() >= most {
                    items.truncate(most);
                    return Read { items, end: Ok(more) };
                }
                query.cursor = read.next_cursor;
            }
            Err(error) => return Read { items, end: Err(error.to_string()) },
        }
    }
}
