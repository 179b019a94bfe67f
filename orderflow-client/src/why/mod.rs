//! Why an order stands where it stands.

pub mod turn;
