//! What a lesson wants done.

use crate::links::Shared;

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Do {}

/// What came of it.
#[derive(Debug)]
pub enum Done {}

/// Does it.
pub async fn carry_out(wanted: Do, shared: &Shared) -> Done {
    let _ = shared;
    match wanted {}
}
