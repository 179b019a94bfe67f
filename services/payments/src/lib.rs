//! The payments service: owns payment intents, charges and refunds; talks to the payment provider.
//!
//! Today this is the domain: what is decided, without database, broker, provider or clock. The shell comes next.

pub mod domain;
