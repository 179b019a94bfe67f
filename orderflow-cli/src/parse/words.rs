//! Words of a closed set, and pairs.

use clap::ValueEnum;
use orderflow_contracts::{
    api::{
        self, IDEMPOTENCY_KEY_BYTES_MAX,
        inventory::{ProductSort, ReservationStatus},
        orders::{CreateLine, OrderStatus},
        payments::PaymentStatus,
    },
    words,
};
use serde::{Deserialize, de::DeserializeOwned};

/// Who somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Orders and pays
    Customer,
    /// Sells
    Seller,
    /// Sees everything, moves the clock
    Admin,
}

impl From<Role> for api::console::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Customer => Self::Customer,
            Role::Seller => Self::Seller,
            Role::Admin => Self::Admin,
        }
    }
}

/// How products are sorted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Sort {
    /// The newest first
    #[default]
    Newest,
    /// By name
    Name,
    /// The cheapest first
    Price,
    /// The least available first
    Available,
}

impl From<Sort> for ProductSort {
    fn from(sort: Sort) -> Self {
        match sort {
            Sort::Newest => Self::Newest,
            Sort::Name => Self::Name,
            Sort::Price => Self::Price,
            Sort::Available => Self::Available,
        }
    }
}

/// An order's status, in capitals or not.
pub fn order_status(text: &str) -> Result<String, String> {
    const ALL: [OrderStatus; 6] = [
        OrderStatus::Pending,
        OrderStatus::Confirming,
        OrderStatus::Confirmed,
        OrderStatus::Paid,
        OrderStatus::Fulfilled,
        OrderStatus::Cancelled,
    ];
    status::<OrderStatus>(text, &ALL.map(OrderStatus::as_str))
}

/// A reservation's status, in capitals or not.
pub fn reservation_status(text: &str) -> Result<String, String> {
    const ALL: [ReservationStatus; 7] = [
        ReservationStatus::Held,
        ReservationStatus::Refused,
        ReservationStatus::Expired,
        ReservationStatus::Allocated,
        ReservationStatus::Lost,
        ReservationStatus::Committed,
        ReservationStatus::Released,
    ];
    status::<ReservationStatus>(text, &ALL.map(ReservationStatus::as_str))
}

/// A payment's status, in capitals or not.
pub fn payment_status(text: &str) -> Result<String, String> {
    const ALL: [PaymentStatus; 7] = [
        PaymentStatus::Open,
        PaymentStatus::Processing,
        PaymentStatus::Succeeded,
        PaymentStatus::Failed,
        PaymentStatus::Voided,
        PaymentStatus::Refunding,
        PaymentStatus::Refunded,
    ];
    status::<PaymentStatus>(text, &ALL.map(PaymentStatus::as_str))
}

fn status<T: DeserializeOwned>(text: &str, all: &[&str]) -> Result<String, String> {
    let word = text.to_ascii_uppercase();
    match words::read::<T>(&word) {
        Some(_) => Ok(word),
        None => Err(format!("one of {}", all.join(", "))),
    }
}

/// `PRODUCT:QTY`. Whether the quantity is allowed is the service's to say.
pub fn item(text: &str) -> Result<CreateLine, String> {
    let (product, quantity) = text.split_once(':').ok_or("an item is written as PRODUCT:QTY")?;
    let product_id = product.parse().map_err(|_| format!("{product:?} is no product's id"))?;
    let quantity = quantity.parse().map_err(|_| format!("{quantity:?} is no quantity"))?;
    Ok(CreateLine { product_id, quantity })
}

/// A key that fits into a header.
pub fn idempotency_key(text: &str) -> Result<String, String> {
    let fits = (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&text.len());
    if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(text.to_owned());
    }
    Err(format!("a key has 1 to {IDEMPOTENCY_KEY_BYTES_MAX} characters of ASCII, without blanks"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_read_in_any_case() {
        assert_eq!(order_status("paid"), Ok("PAID".into()));
        assert_eq!(reservation_status("Held"), Ok("HELD".into()));
        assert_eq!(payment_status("REFUNDED"), Ok("REFUNDED".into()));
        assert!(order_status("eaten").unwrap_err().contains("FULFILLED"));
    }

    #[test]
    fn items_are_a_product_and_a_quantity() {
        let id = "00000000-0000-0000-0000-000000000001";
        assert_eq!(item(&format!("{id}:2")).unwrap().quantity, 2);
        for text in [id.to_owned(), format!("{id}:"), format!("{id}:-1"), format!("{id}:4294967296"), "x:1".into()] {
            assert!(item(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn keys_fit_into_a_header() {
        assert!(idempotency_key("order-7").is_ok());
        for text in ["", "a b", "ü", "a\nb", &"x".repeat(101)] {
            assert!(idempotency_key(text).is_err(), "{text:?}");
        }
    }
}
