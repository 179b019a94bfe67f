//! Amounts of money: whole minor units and a currency, never a floating-point number.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// An ISO 4217 currency that OrderFlow deals in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Currency {
    /// US dollar, two decimals.
    Usd,
    /// Euro, two decimals.
    Eur,
}

/// An amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Money {
    /// In the currency's smallest unit: cents.
    pub minor: i64,
    /// What the amount is in.
    pub currency: Currency,
}

/// A sum that cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// More than an `i64` of minor units.
    #[error("the amount is too large")]
    Overflow,
    /// Euros do not add to dollars.
    #[error("amounts of different currencies")]
    Currencies,
}

impl Money {
    /// An amount of minor units.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// The sum of two amounts.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Currencies);
        }
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// So many times the amount.
    pub fn times(self, quantity: u32) -> Result<Self, MoneyError> {
        let minor = self.minor.checked_mul(quantity.into()).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }
}

impl Currency {
    /// Its three letters.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Usd => "USD",
            Self::Eur => "EUR",
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Three letters that are no currency of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a currency that OrderFlow deals in; USD and EUR are")]
pub struct UnknownCurrency(String);

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "USD" => Ok(Self::Usd),
            "EUR" => Ok(Self::Eur),
            _ => Err(UnknownCurrency(text.chars().take(10).collect())),
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, minor) = (if self.minor < 0 { "-" } else { "" }, self.minor.unsigned_abs());
        write!(f, "{sign}{}.{:02} {}", minor / 100, minor % 100, self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn usd(minor: i64) -> Money {
        Money::new(minor, Currency::Usd)
    }

    #[test]
    fn sums_and_products_are_exact_or_refused() {
        assert_eq!(usd(2999).times(2), Ok(usd(5998)));
        assert_eq!(usd(i64::MAX).plus(usd(1)), Err(MoneyError::Overflow));
        assert_eq!(usd(i64::MAX / 2).times(3), Err(MoneyError::Overflow));
        assert_eq!(usd(1).plus(Money::new(1, Currency::Eur)), Err(MoneyError::Currencies));
    }

    #[test]
    fn amounts_are_written_with_two_decimals() {
        assert_eq!(usd(2999).to_string(), "29.99 USD");
        assert_eq!(usd(-5).to_string(), "-0.05 USD");
        assert_eq!(usd(i64::MIN).to_string(), "-92233720368547758.08 USD");
        assert_eq!(serde_json::to_string(&usd(2999)).unwrap(), r#"{"minor":2999,"currency":"USD"}"#);
    }
}
