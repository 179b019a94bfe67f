//! The words that enums without data have in JSON, for places that are no JSON: a column, a query.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// The word of a value.
pub fn word<T: Serialize>(value: T) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        other => unreachable!("only enums without data have a word: {other:?}"),
    }
}

/// The value of a word.
pub fn read<T: DeserializeOwned>(word: &str) -> Option<T> {
    serde_json::from_value(Value::from(word)).ok()
}
