//! What is known of cards' numbers by rule: whose they are, how long they are, and which last digit they have. Whoever
//! lets one be typed and whoever takes it go by the same.

use std::ops::RangeInclusive;

/// Fewest and most digits of a number of whatever brand: ISO/IEC 7812 allows up to 19.
pub const DIGITS: RangeInclusive<usize> = 12..=19;

/// Who stands behind a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brand {
    /// Visa.
    Visa,
    /// Mastercard.
    Mastercard,
    /// American Express.
    Amex,
    /// Discover.
    Discover,
    /// Somebody else, or not known yet.
    Unknown,
}

impl Brand {
    /// By a number's first digits, as soon as they say it.
    pub fn of(number: &[u8]) -> Self {
        let first = |count: usize| str::from_utf8(number.get(..count)?).ok()?.parse::<u32>().ok();
        match (first(1), first(2), first(3), first(4)) {
            (Some(4), ..) => Self::Visa,
            (_, Some(51..=55), ..) | (.., Some(2221..=2720)) => Self::Mastercard,
            (_, Some(34 | 37), ..) => Self::Amex,
            (_, Some(65), ..) | (_, _, Some(644..=649), _) | (.., Some(6011)) => Self::Discover,
            _ => Self::Unknown,
        }
    }

    /// As it stands in an answer.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Visa => "visa",
            Self::Mastercard => "mastercard",
            Self::Amex => "amex",
            Self::Discover => "discover",
            Self::Unknown => "unknown",
        }
    }

    /// As it is written on a card.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Visa => "VISA",
            Self::Mastercard => "Mastercard",
            Self::Amex => "AMEX",
            Self::Discover => "Discover",
            Self::Unknown => "",
        }
    }

    /// Most digits of its numbers.
    pub const fn digits_max(self) -> usize {
        match self {
            Self::Amex => 15,
            Self::Visa | Self::Mastercard | Self::Discover => 16,
            Self::Unknown => *DIGITS.end(),
        }
    }

    /// Before which digits a gap is left.
    pub const fn gaps(self) -> &'static [usize] {
        match self {
            Self::Amex => &[4, 10],
            _ => &[4, 8, 12, 16],
        }
    }

    /// Digits of its security code, on the back or in front.
    pub const fn cvc_digits(self) -> usize {
        match self {
            Self::Amex => 4,
            _ => 3,
        }
    }
}

/// Whether the last digit goes with the others (Luhn's formula: ISO/IEC 7812-1, annex B): every second digit from the
/// right is doubled, and the sum of all digits is a multiple of ten.
pub fn passes_luhn(number: &[u8]) -> bool {
    let weigh = |(place, byte): (usize, &u8)| {
        let digit = u32::from(byte.saturating_sub(b'0'));
        let doubled = digit * (1 + u32::from(place % 2 == 1));
        doubled / 10 + doubled % 10
    };
    number.iter().rev().enumerate().map(weigh).sum::<u32>().is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luhn_finds_a_wrong_digit_and_most_swapped_ones() {
        for good in ["4242424242424242", "378282246310005", "6011111111111117", "79927398713", "0"] {
            assert!(passes_luhn(good.as_bytes()), "{good}");
        }
        for bad in ["4242424242424241", "4242424242424224", "1234567812345678", "79927398710", "1"] {
            assert!(!passes_luhn(bad.as_bytes()), "{bad}");
        }
        let number = b"5555555555554444";
        for at in 0..number.len() {
            let mut other = *number;
            other[at] = b'0' + (other[at] - b'0' + 1) % 10;
            assert!(!passes_luhn(&other), "digit {at}");
        }
    }

    #[test]
    fn brands_are_known_as_soon_as_digits_say_them() {
        for (number, brand) in [
            ("4", Brand::Visa),
            ("4000000000000002", Brand::Visa),
            ("5", Brand::Unknown),
            ("55", Brand::Mastercard),
            ("5105105105105100", Brand::Mastercard),
            ("2220990000000000", Brand::Unknown),
            ("2221", Brand::Mastercard),
            ("2720990000000007", Brand::Mastercard),
            ("2721", Brand::Unknown),
            ("34", Brand::Amex),
            ("371111111111111", Brand::Amex),
            ("6011", Brand::Discover),
            ("6440000000000000", Brand::Discover),
            ("649", Brand::Discover),
            ("65", Brand::Discover),
            ("62", Brand::Unknown),
            ("3530111333300000", Brand::Unknown),
            ("", Brand::Unknown),
        ] {
            assert_eq!(Brand::of(number.as_bytes()), brand, "{number}");
        }
    }
}
