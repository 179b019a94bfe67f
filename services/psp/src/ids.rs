//! Ids: a prefix that says what it is, and a UUID of version 7, so that they are in the order of time. Each has exactly
//! one spelling.

use std::{fmt, str::FromStr};

use uuid::Uuid;

/// A text that is no id of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such id")]
pub struct NoSuchId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name(pub Uuid);

        impl $name {
            /// One that is later than those before.
            pub fn next() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0.simple())
            }
        }

        impl FromStr for $name {
            type Err = NoSuchId;

            fn from_str(text: &str) -> Result<Self, NoSuchId> {
                let uuid = text.strip_prefix($prefix).and_then(|uuid| Uuid::try_parse(uuid).ok());
                uuid.map(Self).filter(|id| id.to_string() == text).ok_or(NoSuchId)
            }
        }
    };
}

id! {
    /// What stands for a card.
    TokenId, "tok_"
}
id! {
    /// Money that was taken, or not.
    ChargeId, "ch_"
}
id! {
    /// Money that was given back.
    RefundId, "re_"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_one_spelling() {
        let (one, two) = (ChargeId::next(), ChargeId::next());
        let text = one.to_string();
        assert_eq!((text.len(), text.parse()), (35, Ok(one)));
        assert!(text < two.to_string());
        for other in [text.to_uppercase(), text.replace("ch_", "re_"), format!("ch_{}", one.0), "ch_".into(), "".into()]
        {
            assert_eq!(other.parse::<ChargeId>(), Err(NoSuchId), "{other}");
        }
    }
}
