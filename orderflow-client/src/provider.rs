//! The payment provider: the only place that a card's number is sent to.

use orderflow_contracts::api::psp::{CardToken, CreateToken};

use crate::{
    endpoints::Service,
    error::ClientError,
    http::{Call, Client, Written},
};

impl Client {
    /// A token for a card.
    pub async fn tokenise_card(&self, card: &CreateToken, key: &str) -> Result<Written<CardToken>, ClientError> {
        self.write(Call::post(Service::Provider, "/v1/tokens").body(card)?.key(key).without_token()).await
    }
}
