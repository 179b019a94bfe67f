//! What the checker reads beside the business: inboxes, the stock ledger, the provider's books.

use orderflow_contracts::{
    api::{
        PAGE_SIZE_MAX, Page,
        ops::{InboxRow, LedgerSum},
        psp::{Charge, Refund},
    },
    ids::EventId,
};

use crate::{
    endpoints::Service,
    error::ClientError,
    http::{Call, Client, ListQuery},
};

impl Client {
    /// What a service has applied, in the order of the events' ids.
    pub async fn inbox(&self, service: Service, query: &ListQuery) -> Result<Page<InboxRow>, ClientError> {
        self.ask(Call::get(service, "/v1/inbox").query(query.pairs())).await
    }

    /// Which of these events a service has applied. At most 200 of them can be asked for at once.
    pub async fn inbox_of(&self, service: Service, events: &[EventId]) -> Result<Vec<InboxRow>, ClientError> {
        let ids: Vec<String> = events.iter().map(ToString::to_string).collect();
        let query = [("event_ids", ids.join(",")), ("limit", PAGE_SIZE_MAX.to_string())];
        let page: Page<InboxRow> = self.ask(Call::get(service, "/v1/inbox").query(query)).await?;
        Ok(page.items)
    }

    /// What has moved of each product, for each order.
    pub async fn ledger(&self, query: &ListQuery) -> Result<Page<LedgerSum>, ClientError> {
        self.ask(Call::get(Service::Inventory, "/v1/ledger").query(query.pairs())).await
    }

    /// The charges in the provider's own books, fetched by the payments service.
    pub async fn provider_charges(&self, query: &ListQuery) -> Result<Page<Charge>, ClientError> {
        self.ask(Call::get(Service::Payments, "/v1/provider/charges").query(query.pairs())).await
    }

    /// The refunds in the provider's own books, fetched by the payments service.
    pub async fn provider_refunds(&self, query: &ListQuery) -> Result<Page<Refund>, ClientError> {
        self.ask(Call::get(Service::Payments, "/v1/provider/refunds").query(query.pairs())).await
    }
}
