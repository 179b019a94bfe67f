//! A card from a file or from standard input: never from an argument, which other users could see.

use std::io::Read;

use orderflow_contracts::{
    api::psp::CreateToken,
    cards::{DIGITS, passes_luhn},
};

use crate::exit::{Failure, Outcome};

/// Longest description of a card, in bytes.
const CARD_BYTES_MAX: u64 = 4096;
/// Reads the card in a file, or on standard input for `-`.
pub fn read(file: &str) -> Outcome<CreateToken> {
    let mut text = String::new();
    let read = match file {
        "-" => std::io::stdin().lock().take(CARD_BYTES_MAX).read_to_string(&mut text),
        path => std::fs::File::open(path).and_then(|file| file.take(CARD_BYTES_MAX).read_to_string(&mut text)),
    };
    read.map_err(|error| Failure::new(format!("{file}: {error}")))?;
    let card = parse(&text).map_err(|what| {
        Failure::usage(format!("the card cannot be read: {what}"))
            .hint("JSON or lines: number=4242424242424242, exp_month=12, exp_year=2030, cvc=123")
    })?;
    if !passes_luhn(card.number.as_bytes()) {
        // Whatever was typed, its digits are not repeated here.
        return Err(Failure::new("the card's number is mistyped: its last digit does not fit (Luhn's check)"));
    }
    Ok(card)
}

/// Reads JSON, or lines of `name=value`. What is wrong is said without the values.
fn parse(text: &str) -> Result<CreateToken, String> {
    let card = if text.trim_start().starts_with('{') { of_json(text)? } else { of_lines(text)? };
    let number: String = card.number.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    if !number.bytes().all(|byte| byte.is_ascii_digit()) || !DIGITS.contains(&number.len()) {
        return Err(format!("a number has {} to {} digits", DIGITS.start(), DIGITS.end()));
    }
    Ok(CreateToken { number, ..card })
}

fn of_json(text: &str) -> Result<CreateToken, String> {
    // The library's message could have a value in it.
    serde_json::from_str(text).map_err(|error| format!("line {}, column {}", error.line(), error.column()))
}

fn of_lines(text: &str) -> Result<CreateToken, String> {
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    let fields: std::collections::BTreeMap<_, _> = pairs.map(|(name, value)| (name.trim(), value.trim())).collect();
    let field = |name: &str| fields.get(name).copied().ok_or_else(|| format!("{name} is missing"));
    Ok(CreateToken {
        number: field("number")?.to_owned(),
        exp_month: field("exp_month")?.parse().map_err(|_| "exp_month is no month")?,
        exp_year: field("exp_year")?.parse().map_err(|_| "exp_year is no year")?,
        cvc: field("cvc")?.to_owned(),
    })
}

/// Whether somebody has given a card's number for a token.
pub fn looks_like_a_number(token: &str) -> bool {
    let digits = token.chars().filter(char::is_ascii_digit).count();
    DIGITS.contains(&digits) && token.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_lines_say_the_same() {
        let json = r#"{ "number": "4242-4242 4242 4242", "exp_month": 12, "exp_year": 2030, "cvc": "123" }"#;
        let lines = "number = 4242 4242 4242 4242\nexp_month=12\nexp_year=2030\ncvc=123\n";
        let (json, lines) = (parse(json).ok().unwrap(), parse(lines).ok().unwrap());
        assert!(json == lines);
        assert_eq!(json.number, "4242424242424242");
    }

    #[test]
    fn what_is_wrong_is_said_without_the_card() {
        for text in [
            "",
            "number=4242424242424242",
            "number=42424242424242423\nexp_month=x\nexp_year=2030\ncvc=1",
            r#"{"number":"4242424242424242x","exp_month":1,"exp_year":2030,"cvc":"123"}"#,
            r#"{"number":4242424242424242}"#,
        ] {
            let error = parse(text).err().unwrap();
            assert!(!error.contains("4242"), "{error}");
        }
    }

    #[test]
    fn a_number_is_no_token() {
        assert!(looks_like_a_number("4242 4242 4242 4242"));
        assert!(!looks_like_a_number("tok_visa"));
        assert!(!looks_like_a_number("tok_4242424242424242"));
    }
}
