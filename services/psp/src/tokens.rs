//! What stands for a card, so that its number never reaches the merchant. Whoever has the card asks for it.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use axum::{
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode},
};
use orderflow_contracts::{
    api::{
        IDEMPOTENCY_KEY,
        payments::Card,
        psp::{CardToken, CreateToken},
    },
    problem::{Code, Problem},
};
use orderflow_platform::{
    clock,
    http::{ApiError, Json, RateLimiter},
};
use sqlx::PgConnection;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Psp,
    cards::{self, CardBody},
    ids::TokenId,
    test_cards::{self, Behaviour},
};

/// Tokens of one address: in the long run, and at once. Nobody has to say who they are, and trying out numbers is what
/// such an address is used for.
const PER_SECOND: f64 = 50.0;
const BURST: f64 = 100.0;

/// How many tokens an address may ask for.
pub struct TokenLimit(RateLimiter<IpAddr>);

impl Default for TokenLimit {
    fn default() -> Self {
        Self(RateLimiter::new(PER_SECOND, BURST))
    }
}

impl TokenLimit {
    fn admit(&self, address: IpAddr) -> Result<(), ApiError> {
        if self.0.allows(address, Instant::now()) {
            return Ok(());
        }
        Err(ApiError::new(Code::RateLimited, "too many cards from this address"))
    }
}

/// The routes of tokens.
pub fn routes() -> OpenApiRouter<Arc<Psp>> {
    OpenApiRouter::new().routes(routes!(create))
}

/// Takes a card, gives a token. It can be charged as often as one likes.
#[utoipa::path(
    post,
    path = "/v1/tokens",
    tag = "tokens",
    request_body = CreateToken,
    responses(
        (status = CREATED, body = CardToken),
        (status = UNPROCESSABLE_ENTITY, description = "No card looks like this; `field` says why", body = Problem),
        (status = TOO_MANY_REQUESTS, description = "Too many from this address", body = Problem),
    )
)]
async fn create(
    State(psp): State<Arc<Psp>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    CardBody(asked): CardBody,
) -> Result<(StatusCode, Json<CardToken>), ApiError> {
    psp.token_limit.admit(peer.ip())?;
    let mut conn = psp.db.acquire().await?;
    cards::check(&asked, clock::now_ms(&mut conn).await?)?;
    let card = test_cards::card_of(&asked.number);
    // The same key and the same card are the same token, so that a payment that is repeated as a whole is the same one.
    // What the id is derived with is secret, so it says nothing about the card.
    let key = headers.get(IDEMPOTENCY_KEY).and_then(|key| key.to_str().ok());
    let id = key.map_or_else(TokenId::next, |key| TokenId(psp.secret_key.derive(&[key, &asked.number])));
    sqlx::query("insert into tokens (id, brand, last4, behaviour) values ($1, $2, $3, $4) on conflict (id) do nothing")
        .bind(id.0)
        .bind(&card.brand)
        .bind(&card.last4)
        .bind(test_cards::by_number(&asked.number).as_str())
        .execute(&mut *conn)
        .await?;
    Ok((StatusCode::CREATED, Json(CardToken { id: id.to_string(), card })))
}

/// The card of a token, and what becomes of its charges.
pub async fn find(conn: &mut PgConnection, token: &str) -> Result<(Card, Behaviour), ApiError> {
    if let Some(known) = test_cards::by_token(token) {
        return Ok(known);
    }
    let unknown = || ApiError::new(Code::ValidationFailed, "token: it is not known").with("field", "token");
    let id: TokenId = token.parse().map_err(|_| unknown())?;
    let row: Option<(String, String, String)> =
        sqlx::query_as("select brand, last4, behaviour from tokens where id = $1")
            .bind(id.0)
            .fetch_optional(conn)
            .await?;
    let (brand, last4, behaviour) = row.ok_or_else(unknown)?;
    let newer = || ApiError::internal("the token does what is not known here", behaviour.clone());
    Ok((Card { brand, last4 }, Behaviour::read(&behaviour).ok_or_else(newer)?))
}
