//! The console: sessions, timelines, events.

use orderflow_contracts::{
    api::{
        Page,
        console::{Account, EventRecord, Login, Refresh, Session, SignUp, Timeline},
    },
    ids::OrderId,
};
use uuid::Uuid;

use crate::{
    endpoints::Service,
    error::ClientError,
    http::{Call, Client},
};

impl Client {
    /// Opens an account and a session. With a key of its own, so that it is sent again where no answer comes.
    pub async fn sign_up(&self, account: &SignUp) -> Result<Session, ClientError> {
        let key = Uuid::new_v4().to_string();
        self.ask(Call::post(Service::Console, "/v1/accounts").body(account)?.key(&key).without_token()).await
    }

    /// Opens a session.
    pub async fn login(&self, login: &Login) -> Result<Session, ClientError> {
        self.ask(Call::post(Service::Console, "/v1/sessions").body(login)?.without_token()).await
    }

    /// The session's next token. Not to be repeated: a refresh token is good once.
    pub async fn refresh_session(&self, refresh: &Refresh) -> Result<Session, ClientError> {
        self.ask(Call::post(Service::Console, "/v1/sessions/refresh").body(refresh)?.without_token()).await
    }

    /// Ends a session.
    pub async fn logout(&self, refresh: &Refresh) -> Result<(), ClientError> {
        self.ask(Call::post(Service::Console, "/v1/sessions/logout").body(refresh)?.without_token()).await
    }

    /// Whose token it is.
    pub async fn me(&self) -> Result<Account, ClientError> {
        self.ask(Call::get(Service::Console, "/v1/accounts/me")).await
    }

    /// The life of an order.
    pub async fn timeline(&self, id: OrderId) -> Result<Timeline, ClientError> {
        self.ask(Call::get(Service::Console, format!("/v1/orders/{id}/timeline"))).await
    }

    /// Events: of an order the oldest first, of everything the newest first.
    pub async fn events(
        &self,
        order_id: Option<OrderId>,
        limit: Option<u32>,
        cursor: Option<String>,
    ) -> Result<Page<EventRecord>, ClientError> {
        let mut query = Vec::new();
        query.extend(order_id.map(|id| ("order_id", id.to_string())));
        query.extend(limit.map(|limit| ("limit", limit.to_string())));
        query.extend(cursor.map(|cursor| ("cursor", cursor)));
        self.ask(Call::get(Service::Console, "/v1/events").query(query)).await
    }
}
