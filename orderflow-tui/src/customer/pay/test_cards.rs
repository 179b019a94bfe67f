//! The cards that the provider has for tests: no other is ever charged.

/// A card, and what becomes of it.
#[derive(Debug, Clone, Copy)]
pub struct TestCard {
    /// Its number.
    pub number: &'static str,
    /// Whose it is.
    pub brand: &'static str,
    /// What becomes of it.
    pub outcome: &'static str,
}

const fn card(number: &'static str, brand: &'static str, outcome: &'static str) -> TestCard {
    TestCard { number, brand, outcome }
}

/// Those of services/psp, in its order.
pub const TEST_CARDS: [TestCard; 10] = [
    card("4242424242424242", "visa", "is paid"),
    card("5555555555554444", "mastercard", "is paid"),
    card("378282246310005", "amex", "is paid"),
    card("4000000000000002", "visa", "declined without a reason"),
    card("4000000000009995", "visa", "declined: not enough money"),
    card("4000000000000069", "visa", "declined: expired"),
    card("4000000000000127", "visa", "declined: wrong CVC"),
    card("4000000000000119", "visa", "declined: a mistake of the bank"),
    card("4000000000005043", "visa", "is paid; the first answer is lost"),
    card("4000000000005001", "visa", "two errors, then it is paid"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customer::pay::card;

    #[test]
    fn they_are_the_providers() {
        let providers = include_str!("../../../../services/psp/src/test_cards.rs");
        for known in TEST_CARDS {
            assert!(providers.contains(&format!("(\"{}\"", known.number)), "{known:?}");
            assert_eq!(card::number(known.number.as_bytes()), card::Check::Good);
        }
        assert_eq!(providers.matches("\", \"tok_").count(), TEST_CARDS.len());
    }
}
