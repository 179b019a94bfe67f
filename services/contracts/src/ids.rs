//! Ids that cannot be taken for one another.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A text is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an id has 36 characters, as 01890a5d-ac96-774b-bcce-b302099a8057 has; where eight are shown, they are its last ones"
)]
pub struct NotAnId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        #[derive(utoipa::ToSchema)]
        #[schema(value_type = String, format = "uuid")]
        pub struct $name(Uuid);

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::from_str(text).map(Self).map_err(|_| NotAnId)
            }
        }
    };
}

id! {
    /// An order; the key of every event about it.
    OrderId
}
id! {
    /// A product of the catalogue.
    ProductId
}
id! {
    /// A person or a service that acts: customer, seller, admin.
    AccountId
}
id! {
    /// An event; what consumers recognise a duplicate by.
    EventId
}
