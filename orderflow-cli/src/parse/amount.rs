//! Amounts: `29.99`, read exactly, without a floating-point number.

use orderflow_contracts::money::{Currency, Money};

/// Minor units of a currency that has two decimals, as all of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount(i64);

impl Amount {
    /// In a currency.
    pub const fn of(self, currency: Currency) -> Money {
        Money::new(self.0, currency)
    }
}

/// Reads an amount: digits, and at most two of them behind a point.
pub fn amount(text: &str) -> Result<Amount, String> {
    let (whole, cents) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let has_point = text.contains('.');
    if whole.is_empty() || !digits(whole) || !digits(cents) || (has_point && cents.is_empty()) {
        return Err("an amount is written as 29.99".into());
    }
    if cents.len() > 2 {
        return Err("an amount has at most two decimals".into());
    }
    let too_large = || "the amount is too large".to_owned();
    let whole: i64 = whole.parse().map_err(|_| too_large())?;
    let cents: i64 = format!("{cents:0<2}").parse().map_err(|_| too_large())?;
    whole.checked_mul(100).and_then(|minor| minor.checked_add(cents)).map(Amount).ok_or_else(too_large)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        for (text, minor) in [
            ("29.99", 2999),
            ("0.1", 10),
            ("0.01", 1),
            ("7", 700),
            ("007.50", 750),
            ("0", 0),
            ("92233720368547758.07", i64::MAX),
        ] {
            assert_eq!(amount(text), Ok(Amount(minor)), "{text}");
        }
    }

    #[test]
    fn nonsense_and_too_much_are_refused() {
        for text in
            ["", ".", ".5", "5.", "-1", "+1", "1e3", "1,50", "29.999", " 1", "$5", "٣", "92233720368547758.08", "1.2.3"]
        {
            assert!(amount(text).is_err(), "{text:?}");
        }
        assert_eq!(amount("99999999999999999999").unwrap_err(), "the amount is too large");
    }
}
