//! What a card must look like. A refusal names the field and never shows what was in it, which is why the body is not
//! read by serde's derived code: its messages quote what they do not like.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
};
use orderflow_contracts::{api::psp::CreateToken, events::TimestampMs, problem::Code};
use orderflow_platform::http::{ApiError, is_json, parse_json};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use time::OffsetDateTime;

/// Digits of a number: ISO/IEC 7812 allows up to 19.
const DIGITS: std::ops::RangeInclusive<usize> = 12..=19;

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
    /// Somebody else.
    Unknown,
}

impl Brand {
    /// By the number's first digits.
    pub fn of(number: &str) -> Self {
        let prefix = |digits: usize| number.get(..digits).and_then(|prefix| prefix.parse::<u32>().ok()).unwrap_or(0);
        match (prefix(1), prefix(2), prefix(3), prefix(4)) {
            (4, ..) => Self::Visa,
            (_, 51..=55, ..) | (_, _, _, 2221..=2720) => Self::Mastercard,
            (_, 34 | 37, ..) => Self::Amex,
            (_, 65, ..) | (_, _, 644..=649, _) | (_, _, _, 6011) => Self::Discover,
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

    /// Digits of the number on the back, or in front.
    const fn cvc_digits(self) -> usize {
        match self {
            Self::Amex => 4,
            _ => 3,
        }
    }
}

/// The body of a request for a token.
pub struct CardBody(pub CreateToken);

impl<S: Send + Sync> FromRequest<S> for CardBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        is_json(request.headers())?;
        let bytes = Bytes::from_request(request, state).await.map_err(|error| ApiError::of_body(error.status()))?;
        read(&bytes).map(Self)
    }
}

fn read(bytes: &[u8]) -> Result<CreateToken, ApiError> {
    let Value::Object(mut fields) = parse_json(bytes)? else {
        return Err(ApiError::new(Code::ValidationFailed, "the body is to be an object"));
    };
    let card = CreateToken {
        number: take(&mut fields, "number", "a string of digits")?,
        exp_month: take(&mut fields, "exp_month", "a number from 1 to 12")?,
        exp_year: take(&mut fields, "exp_year", "a number of four digits")?,
        cvc: take(&mut fields, "cvc", "a string of digits")?,
    };
    if fields.is_empty() {
        return Ok(card);
    }
    // Its name is the client's, and could be anything.
    Err(ApiError::new(Code::ValidationFailed, "there is a field besides number, exp_month, exp_year and cvc"))
}

fn take<T: DeserializeOwned>(fields: &mut Map<String, Value>, name: &str, needed: &str) -> Result<T, ApiError> {
    let value = fields.remove(name).and_then(|value| serde_json::from_value(value).ok());
    value.ok_or_else(|| refused(name, needed))
}

fn refused(field: &str, needed: &str) -> ApiError {
    ApiError::new(Code::ValidationFailed, format!("{field}: {needed}")).with("field", field)
}

/// An error unless a card can look like this, now.
pub fn check(card: &CreateToken, now_ms: TimestampMs) -> Result<(), ApiError> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !DIGITS.contains(&card.number.len()) || !digits(&card.number) {
        return Err(refused("number", "12 to 19 digits, without blanks"));
    }
    if !luhn(&card.number) {
        return Err(refused("number", "the last digit does not go with the others"));
    }
    if !(1..=12).contains(&card.exp_month) {
        return Err(refused("exp_month", "a number from 1 to 12"));
    }
    if !(1000..=9999).contains(&card.exp_year) {
        return Err(refused("exp_year", "a number of four digits"));
    }
    if expired(card.exp_year, card.exp_month, now_ms) {
        return Err(refused("exp_year", "the card has expired"));
    }
    let cvc_digits = Brand::of(&card.number).cvc_digits();
    if card.cvc.len() != cvc_digits || !digits(&card.cvc) {
        return Err(refused("cvc", &format!("{cvc_digits} digits")));
    }
    Ok(())
}

/// Whether the last digit goes with the others (ISO/IEC 7812-1, annex B): every second digit from the right is doubled,
/// and the sum of all digits is a multiple of ten.
pub fn luhn(digits: &str) -> bool {
    let weigh = |(at, byte): (usize, u8)| {
        let digit = u32::from(byte.wrapping_sub(b'0'));
        let doubled = if at % 2 == 1 { digit * 2 } else { digit };
        doubled / 10 + doubled % 10
    };
    digits.bytes().rev().enumerate().map(weigh).sum::<u32>().is_multiple_of(10)
}

/// Whether the month is over. A card is good until the end of it; here, by UTC.
fn expired(year: u16, month: u8, now_ms: TimestampMs) -> bool {
    let now = OffsetDateTime::from_unix_timestamp(now_ms.div_euclid(1000)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    (i32::from(year), month) < (now.year(), now.month().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-30T23:59:59.999Z
    const NOVEMBER_ENDS: TimestampMs = 1_796_083_199_999;

    fn card(number: &str, cvc: &str) -> CreateToken {
        CreateToken { number: number.into(), exp_month: 11, exp_year: 2026, cvc: cvc.into() }
    }

    #[test]
    fn luhn_finds_a_wrong_digit_and_most_swapped_ones() {
        for good in ["4242424242424242", "378282246310005", "6011111111111117", "79927398713", "0"] {
            assert!(luhn(good), "{good}");
        }
        for bad in ["4242424242424241", "4242424242424224", "79927398710", "1"] {
            assert!(!luhn(bad), "{bad}");
        }
        let number = "5555555555554444";
        for at in 0..number.len() {
            let mut other = number.as_bytes().to_vec();
            other[at] = b'0' + (other[at] - b'0' + 1) % 10;
            assert!(!luhn(std::str::from_utf8(&other).unwrap()), "digit {at}");
        }
    }

    #[test]
    fn brands_are_known_by_their_first_digits() {
        for (number, brand) in [
            ("4000000000000002", Brand::Visa),
            ("5105105105105100", Brand::Mastercard),
            ("2221000000000009", Brand::Mastercard),
            ("2720990000000007", Brand::Mastercard),
            ("2220990000000000", Brand::Unknown),
            ("2721000000000000", Brand::Unknown),
            ("341111111111111", Brand::Amex),
            ("371111111111111", Brand::Amex),
            ("6011000990139424", Brand::Discover),
            ("6440000000000000", Brand::Discover),
            ("6500000000000000", Brand::Discover),
            ("6200000000000000", Brand::Unknown),
            ("3530111333300000", Brand::Unknown),
            ("", Brand::Unknown),
        ] {
            assert_eq!(Brand::of(number), brand, "{number}");
        }
    }

    #[test]
    fn a_card_is_good_until_its_month_ends() {
        assert!(!expired(2026, 11, NOVEMBER_ENDS));
        assert!(expired(2026, 11, NOVEMBER_ENDS + 1));
        assert!(!expired(2026, 12, NOVEMBER_ENDS + 1));
        assert!(!expired(2027, 1, NOVEMBER_ENDS));
        assert!(expired(2025, 12, NOVEMBER_ENDS));
    }

    #[test]
    fn each_field_is_checked_and_named() {
        let now = NOVEMBER_ENDS;
        let good = card("4242424242424242", "123");
        assert!(check(&good, now).is_ok());
        assert!(check(&card("378282246310005", "1234"), now).is_ok());
        for (bad, field) in [
            (card("4242 4242 4242 4242", "123"), "number"),
            (card("42424242424", "123"), "number"),
            (card("42424242424242424242", "123"), "number"),
            (card("4242424242424241", "123"), "number"),
            (card("４２４２４２４２４２４２４２４２", "123"), "number"),
            (card("4242424242424242", "1234"), "cvc"),
            (card("4242424242424242", "12a"), "cvc"),
            (card("378282246310005", "123"), "cvc"),
            (CreateToken { exp_month: 0, ..good.clone() }, "exp_month"),
            (CreateToken { exp_month: 13, ..good.clone() }, "exp_month"),
            (CreateToken { exp_year: 27, ..good.clone() }, "exp_year"),
            (CreateToken { exp_month: 10, ..good.clone() }, "exp_year"),
        ] {
            let refusal = format!("{:?}", check(&bad, now).unwrap_err());
            assert!(refusal.contains(&format!("\"{field}: ")), "{refusal}");
            assert!(!refusal.contains(&bad.number) && !refusal.contains("12a"), "{refusal}");
        }
    }

    #[test]
    fn a_body_is_refused_without_a_word_of_it() {
        let number = "4242424242424242";
        for body in [
            format!(r#"{{"number":{number},"exp_month":1,"exp_year":2030,"cvc":"123"}}"#),
            format!(r#"{{"number":"{number}","exp_month":"{number}","exp_year":2030,"cvc":"123"}}"#),
            format!(r#"{{"number":"{number}","exp_month":{number},"exp_year":2030,"cvc":"123"}}"#),
            format!(r#"{{"number":"{number}","exp_month":1,"exp_year":2030,"cvc":{number}}}"#),
            format!(r#"{{"number":"{number}","exp_month":1,"exp_year":2030,"cvc":"123","{number}":1}}"#),
            format!(r#"{{"number":"{number}""#),
            format!(r#"{{"{number}":1}}"#),
            number.to_owned(),
            format!(r#""{number}""#),
            format!(r#"[{number}]"#),
        ] {
            let refusal = read(&body.into_bytes()).err().map(|error| format!("{error:?}")).unwrap();
            assert!(!refusal.contains(number), "{refusal}");
        }
        assert!(
            read(format!(r#"{{"number":"{number}","exp_month":1,"exp_year":2030,"cvc":"123"}}"#).as_bytes()).is_ok()
        );
    }
}
