//! What can be said of a card while it is being typed: its brand, whether its number holds, whether it has expired.

use std::cmp::Ordering;

pub use orderflow_contracts::cards::Brand;
use orderflow_contracts::{
    cards::{DIGITS, passes_luhn},
    timestamp::Timestamp,
};

/// Digits as a number.
pub fn value(digits: &[u8]) -> u32 {
    digits.iter().fold(0, |value, digit| value * 10 + u32::from(digit.saturating_sub(b'0')))
}

/// What a field is so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// Not whole yet.
    Partial,
    /// It can be sent.
    Good,
    /// It cannot, and why.
    Bad(&'static str),
}

/// Whether so many digits are a number by themselves, mistyped or not.
pub fn is_whole(digits: &[u8]) -> bool {
    let brand = Brand::of(digits);
    digits.len() >= if brand == Brand::Unknown { *DIGITS.start() } else { brand.digits_max() }
}

/// A number so far.
pub fn number(digits: &[u8]) -> Check {
    let brand = Brand::of(digits);
    let is_long_enough = digits.len() >= *DIGITS.start();
    let is_full = digits.len() == brand.digits_max();
    match brand {
        Brand::Unknown if is_long_enough && passes_luhn(digits) => Check::Good,
        _ if is_full && passes_luhn(digits) => Check::Good,
        _ if is_full => Check::Bad("a digit of the number is mistyped"),
        // A digit at its begin was changed, and with it the brand: what is too much is for the person to see.
        _ if digits.len() > brand.digits_max() => Check::Bad("its numbers are not as long"),
        _ => Check::Partial,
    }
}

/// Month and year so far, as `MMYY`.
pub fn expiry(digits: &[u8], now: Timestamp) -> Check {
    let Some(month) = digits.get(..2).map(value) else { return Check::Partial };
    if !(1..=12).contains(&month) {
        return Check::Bad("no such month");
    }
    let Some(year) = digits.get(2..4).map(|year| 2000 + value(year)) else { return Check::Partial };
    // A card is good until its month ends.
    if (year, month) < month_of(now) { Check::Bad("it has expired") } else { Check::Good }
}

/// A security code so far.
pub fn cvc(digits: &[u8], brand: Brand) -> Check {
    match digits.len().cmp(&brand.cvc_digits()) {
        Ordering::Less => Check::Partial,
        Ordering::Equal => Check::Good,
        Ordering::Greater => Check::Bad("this card's code is shorter"),
    }
}

/// The year and the month, in UTC as the provider has it.
fn month_of(now: Timestamp) -> (u32, u32) {
    let text = now.to_string();
    let part = |range: std::ops::Range<usize>| text.get(range).and_then(|part| part.parse().ok()).unwrap_or(0);
    (part(0..4), part(5..7))
}

/// `MMYY`, from what people write: `5/30`, `05/2030`, `12 / 30`.
pub fn month_and_year(text: &str) -> String {
    let digits: Vec<&str> = text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty()).collect();
    match digits.as_slice() {
        [month, year] if month.len() <= 2 => {
            let year = year.strip_prefix("20").filter(|_| year.len() == 4).unwrap_or(year);
            format!("{month:0>2}{year}")
        }
        [all] if all.len() == 6 => format!("{}{}", &all[..2], &all[4..]),
        parts => parts.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::NOW_MS;

    #[test]
    fn a_mistyped_digit_is_found_once_the_number_is_whole() {
        assert_eq!(number(b"424242424242424"), Check::Partial);
        assert_eq!(number(b"4242424242424242"), Check::Good);
        assert_eq!(number(b"4242424242424241"), Check::Bad("a digit of the number is mistyped"));
        assert_eq!(number(b"378282246310005"), Check::Good);
        assert_eq!(number(b"378282246310006"), Check::Bad("a digit of the number is mistyped"));
        assert_eq!(number(b"3530111333300000"), Check::Good, "a brand that is not known");
        assert_eq!(number(b"35301113"), Check::Partial);
    }

    #[test]
    fn a_card_is_good_until_its_month_ends() {
        let now = Timestamp(NOW_MS);
        assert_eq!(expiry(b"0126", now), Check::Good, "it is January 2026");
        assert_eq!(expiry(b"1225", now), Check::Bad("it has expired"));
        assert_eq!(expiry(b"1330", now), Check::Bad("no such month"));
        assert_eq!(expiry(b"00", now), Check::Bad("no such month"));
        assert_eq!(expiry(b"123", now), Check::Partial);
        assert_eq!((cvc(b"123", Brand::Visa), cvc(b"123", Brand::Amex)), (Check::Good, Check::Partial));
    }

    #[test]
    fn people_write_months_in_many_ways() {
        for text in ["05/30", "5/30", "05/2030", "0530", "052030", " 05 / 30\n"] {
            assert_eq!(month_and_year(text), "0530", "{text}");
        }
        assert_eq!(month_and_year("1"), "1");
    }
}
