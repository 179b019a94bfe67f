//! The orders service.

use orderflow_contracts::{
    api::{
        Page,
        orders::{CatalogEntry, CreateOrder, Order},
    },
    ids::{OrderId, ProductId},
};

use crate::{
    endpoints::Service,
    error::ClientError,
    http::{Call, Client, ListQuery, Written},
};

impl Client {
    /// Orders, as a customer.
    pub async fn create_order(&self, order: &CreateOrder, key: &str) -> Result<Written<Order>, ClientError> {
        self.write(Call::post(Service::Orders, "/v1/orders").body(order)?.key(key)).await
    }

    /// One's orders, the newest first.
    pub async fn orders(&self, query: &ListQuery) -> Result<Page<Order>, ClientError> {
        self.ask(Call::get(Service::Orders, "/v1/orders").query(query.pairs())).await
    }

    /// An order.
    pub async fn order(&self, id: OrderId) -> Result<Order, ClientError> {
        self.ask(Call::get(Service::Orders, format!("/v1/orders/{id}"))).await
    }

    /// The seller will deliver.
    pub async fn confirm_order(&self, id: OrderId, key: &str) -> Result<Written<Order>, ClientError> {
        self.tell(id, "confirm", key).await
    }

    /// The seller has shipped.
    pub async fn fulfill_order(&self, id: OrderId, key: &str) -> Result<Written<Order>, ClientError> {
        self.tell(id, "fulfill", key).await
    }

    /// The customer or the seller calls it off.
    pub async fn cancel_order(&self, id: OrderId, key: &str) -> Result<Written<Order>, ClientError> {
        self.tell(id, "cancel", key).await
    }

    async fn tell(&self, id: OrderId, what: &str, key: &str) -> Result<Written<Order>, ClientError> {
        self.write(Call::post(Service::Orders, format!("/v1/orders/{id}/{what}")).key(key)).await
    }

    /// A product as the orders service knows it; `not_found` until it has heard of it.
    pub async fn catalog_entry(&self, id: ProductId) -> Result<CatalogEntry, ClientError> {
        self.ask(Call::get(Service::Orders, format!("/v1/catalog/{id}"))).await
    }
}
