//! The settings of a topic: which there are, what they may be, what they mean for its logs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{config::Config, log::LogSettings};

/// Smallest segment, in bytes: each costs an open file.
const SEGMENT_BYTES_MIN: i64 = 64 << 10;

/// Settings that a topic was created with; what is not set follows the broker's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TopicConfig(BTreeMap<String, String>);

/// The settings a topic may have, as (name, Kafka's type code: 3 int, 5 long, 7 list).
pub(crate) const TOPIC_SETTINGS: [(&str, i8); 6] = [
    ("cleanup.policy", 7),
    ("max.message.bytes", 3),
    ("min.insync.replicas", 3),
    ("retention.bytes", 5),
    ("retention.ms", 5),
    ("segment.bytes", 3),
];

impl TopicConfig {
    /// Takes one setting of a request; the error says what is wrong with it.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let at_least = |min: i64| match value.parse::<i64>() {
            Ok(number) if number >= min => Ok(()),
            _ => Err(format!("Invalid value {value} for configuration {name}: a number from {min} on is needed")),
        };
        match name {
            "cleanup.policy" if ["delete", "compact", "compact,delete", "delete,compact"].contains(&value) => {}
            "cleanup.policy" => {
                return Err(format!("Invalid value {value} for configuration {name}: delete or compact"));
            }
            "max.message.bytes" => at_least(0)?,
            "min.insync.replicas" => at_least(1)?,
            "retention.bytes" | "retention.ms" => at_least(-1)?,
            "segment.bytes" => at_least(SEGMENT_BYTES_MIN)?,
            _ => return Err(format!("Unknown topic config name: {name}")),
        }
        self.0.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    /// The value in force, and whether the topic itself has set it.
    pub fn get(&self, name: &str, config: &Config) -> (String, bool) {
        if let Some(value) = self.0.get(name) {
            return (value.clone(), true);
        }
        let value = match name {
            "cleanup.policy" => "delete".to_owned(),
            "max.message.bytes" => config.message_bytes_max.to_string(),
            "min.insync.replicas" => "1".to_owned(),
            "retention.bytes" => config.retention_bytes.to_string(),
            "retention.ms" => config.retention_ms.to_string(),
            "segment.bytes" => config.segment_bytes.to_string(),
            _ => String::new(),
        };
        (value, false)
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.0.get(name)?.parse().ok()
    }

    /// Settings of the logs. A compacted topic is kept whole: nothing of it expires.
    pub fn log_settings(&self, config: &Config) -> LogSettings {
        let compacted = self.0.get("cleanup.policy").is_some_and(|policy| policy == "compact");
        let retention = |name: &str, default: i64| if compacted { -1 } else { self.number(name).unwrap_or(default) };
        LogSettings {
            segment_bytes: self.number("segment.bytes").and_then(|n| n.try_into().ok()).unwrap_or(config.segment_bytes),
            retention_ms: retention("retention.ms", config.retention_ms),
            retention_bytes: retention("retention.bytes", config.retention_bytes),
        }
    }

    /// Largest batch, in bytes.
    pub fn message_bytes_max(&self, config: &Config) -> usize {
        let bytes = self.number("max.message.bytes").unwrap_or(config.message_bytes_max.into());
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }
}
