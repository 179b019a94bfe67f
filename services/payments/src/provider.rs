//! The payment provider, over HTTP. An answer is definite or it is none: a time-out, a lost connection or a server's
//! error say nothing about whether the money was taken.

use std::time::Duration;

use orderflow_contracts::{
    api::{
        IDEMPOTENCY_KEY, PAGE_SIZE_MAX, Page,
        chaos::{FaultName, SetFault},
        ops::Pattern,
        payments::Card,
        psp::{Charge, ChargeStatus, CreateCharge, CreateRefund, Refund},
    },
    ids::OrderId,
    problem::{Code, Problem},
};
use orderflow_platform::chaos::Chaos;
use reqwest::{Client, Response, StatusCode, redirect::Policy};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Settings, domain::Answer, store::Due};

/// How long connecting may take.
const CONNECT_MAX: Duration = Duration::from_secs(2);
/// How long the provider may take to say whether it knows a token, while a customer waits.
const TOKEN_MAX: Duration = Duration::from_secs(1);
/// For so long all tries have to be refused before nothing in the provider's ledger means that nothing was charged: one
/// before them whose answer was not heard is not under way there any more. The provider ends every request after 30 s.
const UNDER_WAY_MAX: Duration = Duration::from_secs(60);
/// Longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// The provider.
#[derive(Clone)]
pub struct Provider {
    client: Client,
    url: String,
    key: String,
    timeout: Duration,
    chaos: Chaos,
}

/// Nothing definite. Ask again with the same key.
#[derive(Debug, thiserror::Error)]
pub enum Unknown {
    /// It could not be reached, or the answer did not come.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// It answered something that decides nothing.
    #[error("the provider answered {status}: {text}")]
    Undecided {
        /// The HTTP status.
        status: u16,
        /// The beginning of what it said.
        text: String,
    },
    /// It refused the request: this try has done nothing. What became of the tries before it is another question.
    #[error("the provider refuses the request: {0}")]
    Refused(String),
}

/// A definite answer, and what it says about the card.
#[derive(Debug)]
pub struct Definite {
    /// The answer.
    pub answer: Answer,
    /// The card that was charged or declined.
    pub card: Option<Card>,
}

impl Provider {
    /// As the settings have it.
    pub fn new(settings: &Settings, chaos: Chaos) -> Result<Self, reqwest::Error> {
        // An error means that it was installed before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let timeout = Duration::from_millis(settings.provider_timeout_ms);
        let client = Client::builder()
            .connect_timeout(CONNECT_MAX)
            .timeout(timeout)
            .redirect(Policy::none())
            .no_proxy()
            .build()?;
        let (url, key) = (settings.provider_url.trim_end_matches('/').to_owned(), settings.provider_key.clone());
        Ok(Self { client, url, key, timeout, chaos })
    }

    /// How long it may take to answer.
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Asks for what is due, with its key.
    pub async fn ask(&self, due: &Due) -> Result<Definite, Unknown> {
        let key = match self.chaos.is_out(Pattern::IdempotencyKey) {
            true => format!("{}-{}", due.key, due.tries),
            false => due.key.clone(),
        };
        match (&due.token, &due.charge_id) {
            (Some(token), _) => {
                let (amount, token) = (due.amount, token.clone());
                let charge = CreateCharge { amount, token, reference: due.order_id.to_string() };
                match self.charge(&key, &charge).await {
                    Err(Unknown::Refused(detail)) => self.of_refused(due, detail).await,
                    answer => answer,
                }
            }
            (None, Some(charge_id)) => {
                let (charge_id, amount) = (charge_id.clone(), due.amount);
                self.refund(&key, &CreateRefund { charge_id, amount }).await
            }
            (None, None) => Err(Unknown::NoAnswer("the call has neither token nor charge".to_owned())),
        }
    }

    async fn charge(&self, key: &str, charge: &CreateCharge) -> Result<Definite, Unknown> {
        let (status, body) = self.post("/v1/charges", key, self.charge_faults(), charge).await?;
        if status.is_success() || status == StatusCode::PAYMENT_REQUIRED {
            return read(status, &body).map(charged);
        }
        Err(undecided(status, &body))
    }

    /// What a charge came to that is refused. The first try has done nothing, and nobody else has tried. Later, a try whose
    /// answer was not heard may have charged the card, and the provider need not look at the key of a request that it
    /// refuses: its ledger knows. That it has nothing there is definite once nothing can be under way any more.
    async fn of_refused(&self, due: &Due, detail: String) -> Result<Definite, Unknown> {
        let is_over = due.refused_for.is_some_and(|time| time >= UNDER_WAY_MAX);
        let found = if due.tries > 1 { self.charge_for(due.order_id).await? } else { None };
        match found {
            Some(charge) => Ok(charged(charge)),
            None if due.tries <= 1 || is_over => {
                let answer = Answer::Declined { decline_code: "invalid_request".to_owned() };
                Ok(Definite { answer, card: None })
            }
            None => Err(Unknown::Refused(detail)),
        }
    }

    /// The charge for an order in the provider's ledger; the one that has taken money, should there be several.
    async fn charge_for(&self, order_id: OrderId) -> Result<Option<Charge>, Unknown> {
        let query = [("reference", order_id.to_string()), ("limit", PAGE_SIZE_MAX.to_string())];
        let body = self.ledger("charges", &query).await?;
        let mut charges = read::<Page<Charge>>(StatusCode::OK, &body)?.items;
        charges.sort_by_key(|charge| charge.status == ChargeStatus::Succeeded);
        Ok(charges.pop())
    }

    async fn refund(&self, key: &str, refund: &CreateRefund) -> Result<Definite, Unknown> {
        let (status, body) = self.post("/v1/refunds", key, self.faults(), refund).await?;
        if status.is_success() {
            let refund: Refund = read(status, &body)?;
            return Ok(Definite { answer: Answer::Refunded { refund_id: refund.id }, card: None });
        }
        Err(undecided(status, &body))
    }

    async fn post<T: Serialize>(
        &self,
        path: &str,
        key: &str,
        faults: Vec<String>,
        body: &T,
    ) -> Result<(StatusCode, Vec<u8>), Unknown> {
        let mut request = self.client.post(format!("{}{path}", self.url)).bearer_auth(&self.key);
        if !faults.is_empty() {
            request = request.header("test-fault", faults.join(", "));
        }
        let response = request.header(IDEMPOTENCY_KEY, key).json(body).send().await.map_err(no_answer)?;
        let status = response.status();
        Ok((status, bounded(response).await?))
    }
}

impl Provider {
    /// What the provider is asked to do wrong this time, by those faults of this service that strike.
    fn faults(&self) -> Vec<String> {
        let faults = [
            self.chaos.strikes(FaultName::ProviderLatency).map(|set| format!("latency={}", set.ms.unwrap_or(0))),
            self.chaos.strikes(FaultName::ProviderTimeout).map(|_| "hang".to_owned()),
            self.chaos.strikes(FaultName::ProviderError).map(|_| "error".to_owned()),
        ];
        faults.into_iter().flatten().collect()
    }

    /// The same, with what only a charge can meet: a refund is not declined, and must not use up a fault that is not its.
    fn charge_faults(&self) -> Vec<String> {
        let decline = |set: SetFault| format!("decline={}", set.decline.as_deref().unwrap_or("card_declined"));
        let declined = self.chaos.strikes(FaultName::PaymentFailure).map(decline);
        declined.into_iter().chain(self.faults()).collect()
    }

    /// Whether the provider knows a token. Without an answer it may: then the charge will say so.
    pub async fn may_know(&self, token: &str) -> bool {
        let request = self.client.get(format!("{}/v1/tokens/{token}", self.url)).bearer_auth(&self.key);
        let answer = request.timeout(TOKEN_MAX).send().await;
        answer.map_or(true, |response| response.status() != StatusCode::NOT_FOUND)
    }

    /// A page of the provider's own ledger, as it is: `charges` or `refunds`.
    pub async fn ledger(&self, what: &'static str, query: &[(&str, String)]) -> Result<Vec<u8>, Unknown> {
        let request = self.client.get(format!("{}/v1/{what}", self.url)).bearer_auth(&self.key).query(query);
        let response = request.send().await.map_err(no_answer)?;
        let (status, body) = (response.status(), bounded(response).await?);
        if status.is_success() { Ok(body) } else { Err(undecided(status, &body)) }
    }
}

/// What a charge says.
fn charged(charge: Charge) -> Definite {
    let answer = match charge.status {
        ChargeStatus::Succeeded => Answer::Charged { charge_id: charge.id, amount: charge.amount },
        ChargeStatus::Declined => {
            Answer::Declined { decline_code: charge.decline_code.unwrap_or_else(|| "declined".to_owned()) }
        }
    };
    Definite { answer, card: Some(charge.card) }
}

async fn bounded(mut response: Response) -> Result<Vec<u8>, Unknown> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(no_answer)? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(Unknown::NoAnswer("the answer is too long".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn read<T: DeserializeOwned>(status: StatusCode, body: &[u8]) -> Result<T, Unknown> {
    serde_json::from_slice(body).map_err(|_| undecided(status, body))
}

/// An answer that is no success: a value that is not allowed is refused, anything else decides nothing.
fn undecided(status: StatusCode, body: &[u8]) -> Unknown {
    if status == StatusCode::UNPROCESSABLE_ENTITY
        && let Ok(problem) = serde_json::from_slice::<Problem>(body)
        && problem.code == Code::ValidationFailed
    {
        return Unknown::Refused(problem.detail);
    }
    let text = String::from_utf8_lossy(body).chars().take(200).collect();
    Unknown::Undecided { status: status.as_u16(), text }
}

/// The error and its causes, without the URL.
fn no_answer(error: reqwest::Error) -> Unknown {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    Unknown::NoAnswer(text)
}
