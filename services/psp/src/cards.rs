//! What a card must look like. A refusal names the field and never shows what was in it, which is why the body is not
//! read by serde's derived code: its messages quote what they do not like.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
};
use orderflow_contracts::{
    api::psp::CreateToken,
    cards::{Brand, DIGITS, passes_luhn},
    events::TimestampMs,
    problem::Code,
};
use orderflow_platform::http::{ApiError, is_json, parse_json};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use time::OffsetDateTime;

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
    if !passes_luhn(card.number.as_bytes()) {
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
    let cvc_digits = Brand::of(card.number.as_bytes()).cvc_digits();
    if card.cvc.len() != cvc_digits || !digits(&card.cvc) {
        return Err(refused("cvc", &format!("{cvc_digits} digits")));
    }
    Ok(())
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
