//! The payments service.

use orderflow_contracts::{
    api::{
        Page,
        payments::{Pay, Payment},
    },
    ids::OrderId,
};

use crate::{
    endpoints::Service,
    error::ClientError,
    http::{Call, Client, ListQuery, Written},
};

impl Client {
    /// One's payments.
    pub async fn payments(&self, query: &ListQuery) -> Result<Page<Payment>, ClientError> {
        self.ask(Call::get(Service::Payments, "/v1/payments").query(query.pairs())).await
    }

    /// An order's payment.
    pub async fn payment(&self, order_id: OrderId) -> Result<Payment, ClientError> {
        self.ask(Call::get(Service::Payments, format!("/v1/payments/{order_id}"))).await
    }

    /// Pays an order, as its customer.
    pub async fn pay_order(&self, order_id: OrderId, pay: &Pay, key: &str) -> Result<Written<Payment>, ClientError> {
        self.write(Call::post(Service::Payments, format!("/v1/payments/{order_id}/pay")).body(pay)?.key(key)).await
    }
}
