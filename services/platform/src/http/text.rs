//! Texts that clients choose: short, and without what no table and no header can keep.

use orderflow_contracts::problem::Code;
use serde_json::Value;

use super::ApiError;

/// Longest text that a client chooses, in characters: the longest of our ids, with much room.
pub const TEXT_CHARS_MAX: usize = 200;

/// The text, if it has 1 to 200 characters and no control character among them. The refusal names the field.
pub fn checked_text<T: AsRef<str>>(field: &str, text: T) -> Result<T, ApiError> {
    let chars = || text.as_ref().chars();
    // No more of it is looked at than one character too many.
    let length = chars().take(TEXT_CHARS_MAX + 1).count();
    if (1..=TEXT_CHARS_MAX).contains(&length) && !chars().any(char::is_control) {
        return Ok(text);
    }
    Err(refused(field, &format!("has 1 to {TEXT_CHARS_MAX} characters, and no control characters")))
}

/// An error if there is a NUL in it, or in any text of it: Postgres has none in its texts.
pub fn without_nul(field: &str, value: &Value) -> Result<(), ApiError> {
    if has_nul(value) { Err(refused(field, "has no NUL in it")) } else { Ok(()) }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn refused(field: &str, rule: &str) -> ApiError {
    ApiError::new(Code::ValidationFailed, format!("{field} {rule}")).with("field", field)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_is_neither_empty_nor_long_nor_full_of_control_characters() {
        for good in ["a", "é ü", &"好".repeat(TEXT_CHARS_MAX)] {
            assert_eq!(checked_text("subject", good).unwrap(), good);
        }
        for bad in ["", "\0", "a\nb", "\u{7f}", "\u{85}", &"x".repeat(TEXT_CHARS_MAX + 1)] {
            assert_eq!(checked_text("subject", bad).unwrap_err().code(), Code::ValidationFailed, "{bad:?}");
        }
    }

    #[test]
    fn a_nul_is_found_wherever_it_stands() {
        for bad in [json!("\0"), json!([1, ["\0"]]), json!({ "a": { "b": "x\0" } }), json!({ "\0": null })] {
            assert!(without_nul("payload", &bad).is_err(), "{bad}");
        }
        assert!(without_nul("payload", &json!({ "a": ["\n", 0, null, true] })).is_ok());
    }
}
