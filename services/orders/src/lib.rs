//! The orders service: owns the life of an order, from creation to its explained end.
//!
//! Today this is the domain: what is decided, without database, broker or clock. The shell around it comes next.

pub mod domain;
