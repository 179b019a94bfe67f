//! A payment-provider simulator: tokens, charges, refunds, idempotency keys, its own ledger.
//!
//! ```text
//!   card ──▶ tokens ──▶ token
//!   token + key ──▶ charges ──┐
//!                             ├──▶ one transaction: the key, and what was done with it
//!   charge + key ─▶ refunds ──┘
//! ```
//!
//! It knows neither orders nor events: whoever charges says what for in a `reference`, and reads the ledger by it.
//!
//! - [`test_cards`]: which card does what. `cards`: what a card must look like. `tokens`: what stands for it.
//! - `charges`, `refunds`: money out and back. `keys`: each request once. `access`: who may. `ids`: how things are named.

mod access;
mod cards;
mod charges;
mod faults;
mod ids;
mod keys;
mod refunds;
pub mod test_cards;
mod tokens;

use std::{sync::Arc, time::Duration};

use axum::Router;
use orderflow_contracts::problem::Code;
use orderflow_platform::db::Db;
use orderflow_platform::{
    app::{App, AppBuilder, BuildError},
    config::ServiceConfig,
    db::MigrationFile,
    http::ApiError,
    tasks::Stop,
};
use serde::Deserialize;
use utoipa::{
    IntoParams, Modify, OpenApi,
    openapi::security::{Http, HttpAuthScheme, SecurityScheme},
};
use utoipa_axum::router::OpenApiRouter;

use crate::{access::SecretKey, tokens::TokenLimit};

const MIGRATIONS: &[MigrationFile] =
    &[(20_261_122_091_000, "create ledger", include_str!("../../../migrations/psp/20261122091000_create_ledger.sql"))];

/// Longest reference, in bytes.
const REFERENCE_BYTES_MAX: usize = 200;

/// The settings of the process. No `Debug`: secrets are in them.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What every service is told.
    pub service: ServiceConfig,
    /// What this one is told.
    pub psp: Settings,
}

/// The simulator's own settings. No `Debug`: the key is in them.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// What the merchant shows to charge, to refund, and to read the ledger.
    pub secret_key: String,
    /// How long an answer is withheld that is to time out, in milliseconds. The server gives up every request after
    /// 30 s and answers `timeout`: if this is less, whoever waits so long gets the answer after all.
    #[serde(default = "hang_ms")]
    pub hang_ms: u64,
}

const fn hang_ms() -> u64 {
    30_000
}

/// What the handlers share.
struct Psp {
    db: Db,
    secret_key: SecretKey,
    hang: Duration,
    token_limit: TokenLimit,
    stop: Stop,
}

impl Psp {
    /// Waits, so that an answer comes too late. Nothing is held meanwhile but the connection; when the service stops, the
    /// answer goes out at once.
    async fn withhold(&self) {
        self.stop.clone().sleep(self.hang).await;
    }
}

/// Opens the database, binds the port.
pub async fn build(config: Config) -> Result<App, BuildError> {
    if config.psp.secret_key.is_empty() {
        return Err(BuildError::Missing("psp.secret_key"));
    }
    let app = AppBuilder::new("psp", config.service, MIGRATIONS, &[]).await?;
    let psp = Psp {
        db: app.db.clone(),
        secret_key: SecretKey::new(&config.psp.secret_key),
        hang: Duration::from_millis(config.psp.hang_ms),
        token_limit: TokenLimit::default(),
        stop: app.tasks.stop(),
    };
    let (router, openapi) = router(Arc::new(psp));
    let openapi = openapi.to_json().map_err(|error| BuildError::Other(error.to_string()))?;
    app.serve(router, openapi).await
}

fn router(psp: Arc<Psp>) -> (Router, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(tokens::routes())
        .merge(charges::routes())
        .merge(refunds::routes())
        .merge(test_cards::routes())
        .with_state(psp)
        .split_for_parts()
}

#[derive(OpenApi)]
#[openapi(info(title = "OrderFlow payment-provider simulator"), modifiers(&SecretKeyScheme))]
struct Document;

/// Says in the document what `security(("secret_key" = []))` means.
struct SecretKeyScheme;

impl Modify for SecretKeyScheme {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        openapi.components.get_or_insert_default().add_security_scheme("secret_key", scheme);
    }
}

/// Which entries of the ledger.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only those with this reference.
    reference: Option<String>,
}

impl Filter {
    /// The reference to look for. One that no charge can have is refused, since the database cannot read some.
    fn reference(self) -> Result<Option<String>, ApiError> {
        self.reference.as_deref().map(check_reference).transpose()?;
        Ok(self.reference)
    }
}

fn check_reference(reference: &str) -> Result<(), ApiError> {
    if (1..=REFERENCE_BYTES_MAX).contains(&reference.len()) && !reference.contains(char::is_control) {
        return Ok(());
    }
    let detail = format!("reference: 1 to {REFERENCE_BYTES_MAX} bytes without control characters");
    Err(ApiError::new(Code::ValidationFailed, detail))
}

fn check_amount(minor: i64) -> Result<(), ApiError> {
    if minor > 0 {
        return Ok(());
    }
    Err(ApiError::new(Code::ValidationFailed, format!("amount: more than nothing, not {minor}")))
}

/// A value in the database that this program does not know: a newer one wrote it.
fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> ApiError {
    ApiError::internal("the ledger has a value that is not known here", error)
}
