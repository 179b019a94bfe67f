//! The inventory service: owns the catalogue, the stock and what is held for whom.
//!
//! Today this is the domain: what is decided, without database, broker or clock. The shell around it comes next.

pub mod domain;
