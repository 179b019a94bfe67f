//! The cards that there are: no other is ever charged. Each does one thing, always.

use std::sync::Arc;

use axum::Json;
use orderflow_contracts::{api::payments::Card, cards::Brand};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::Psp;

/// How often a card answers with an error that does so at first.
pub(crate) const ERRORS: i32 = 2;

/// What becomes of a card's charges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// The money is taken.
    Succeeds,
    /// It is not, for this reason.
    Declines(&'static str),
    /// It is taken, and the first answer comes too late.
    TimesOutAfterCharge,
    /// The first [`ERRORS`] answers are errors and nothing is taken; then it is.
    FailsAtFirst,
}

/// What becomes of a card that is none of those here, as with a real provider's test mode.
pub(crate) const OTHER_CARDS: Behaviour = Behaviour::Declines("test_mode_live_card");

/// A card for tests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TestCard {
    /// Its number. Any month to come and any three digits (American Express: four) go with it.
    pub number: &'static str,
    /// A token that stands for it without being asked for.
    pub token: &'static str,
    /// Its brand.
    pub brand: &'static str,
    /// What becomes of its charges: `succeeds`, `timeout_after_charge`, `error_twice`, or why they are declined.
    pub outcome: &'static str,
}

/// Number, token, behaviour.
const CARDS: [(&str, &str, Behaviour); 10] = [
    ("4242424242424242", "tok_visa", Behaviour::Succeeds),
    ("5555555555554444", "tok_mastercard", Behaviour::Succeeds),
    ("378282246310005", "tok_amex", Behaviour::Succeeds),
    ("4000000000000002", "tok_chargeDeclined", Behaviour::Declines("card_declined")),
    ("4000000000009995", "tok_chargeDeclinedInsufficientFunds", Behaviour::Declines("insufficient_funds")),
    ("4000000000000069", "tok_chargeDeclinedExpiredCard", Behaviour::Declines("expired_card")),
    ("4000000000000127", "tok_chargeDeclinedIncorrectCvc", Behaviour::Declines("incorrect_cvc")),
    ("4000000000000119", "tok_chargeDeclinedProcessingError", Behaviour::Declines("processing_error")),
    // Ours, and easy to remember: 504 is "gateway timeout", 500 "internal server error".
    ("4000000000005043", "tok_timeoutAfterCharge", Behaviour::TimesOutAfterCharge),
    ("4000000000005001", "tok_errorTwice", Behaviour::FailsAtFirst),
];

/// All of them.
pub fn test_cards() -> Vec<TestCard> {
    let shown = |(number, token, behaviour): &(&'static str, &'static str, Behaviour)| TestCard {
        number,
        token,
        brand: Brand::of(number.as_bytes()).as_str(),
        outcome: behaviour.as_str(),
    };
    CARDS.iter().map(shown).collect()
}

/// What may be known of a card with this number.
pub(crate) fn card_of(number: &str) -> Card {
    let last4 = number.get(number.len().saturating_sub(4)..).unwrap_or_default();
    Card { brand: Brand::of(number.as_bytes()).as_str().to_owned(), last4: last4.to_owned() }
}

/// What becomes of the charges of the card with this number.
pub(crate) fn by_number(number: &str) -> Behaviour {
    CARDS.iter().find(|card| card.0 == number).map_or(OTHER_CARDS, |card| card.2)
}

/// The card of a token that needs no row.
pub(crate) fn by_token(token: &str) -> Option<(Card, Behaviour)> {
    CARDS.iter().find(|card| card.1 == token).map(|card| (card_of(card.0), card.2))
}

impl Behaviour {
    /// As it stands in the database, and in the list of test cards.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeds => "succeeds",
            Self::Declines(code) => code,
            Self::TimesOutAfterCharge => "timeout_after_charge",
            Self::FailsAtFirst => "error_twice",
        }
    }

    /// Reads it.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut all = CARDS.iter().map(|card| card.2).chain([OTHER_CARDS]);
        all.find(|behaviour| behaviour.as_str() == text)
    }
}

/// The route of the list.
pub(crate) fn routes() -> OpenApiRouter<Arc<Psp>> {
    OpenApiRouter::new().routes(routes!(list))
}

/// The cards to test with, and what each does.
#[utoipa::path(get, path = "/v1/test-cards", tag = "tokens", responses((status = OK, body = Vec<TestCard>)))]
async fn list() -> Json<Vec<TestCard>> {
    Json(test_cards())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use orderflow_contracts::cards::passes_luhn;

    #[test]
    fn cards_are_well_formed_and_told_apart() {
        assert!(CARDS.iter().all(|card| passes_luhn(card.0.as_bytes()) && card.1.starts_with("tok_")));
        assert_eq!(CARDS.iter().map(|card| card.0).collect::<HashSet<_>>().len(), CARDS.len());
        assert_eq!(CARDS.iter().map(|card| card.1).collect::<HashSet<_>>().len(), CARDS.len());
        assert_eq!(CARDS.iter().map(|card| card_of(card.0).last4).collect::<HashSet<_>>().len(), CARDS.len());
    }

    #[test]
    fn a_behaviour_reads_as_it_is_written() {
        for behaviour in CARDS.iter().map(|card| card.2).chain([OTHER_CARDS]) {
            assert_eq!(Behaviour::read(behaviour.as_str()), Some(behaviour));
        }
        assert_eq!(Behaviour::read("from_the_future"), None);
    }
}
