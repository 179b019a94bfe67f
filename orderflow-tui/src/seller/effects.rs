//! What the seller wants done.

use crate::links::Kit;

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Do {}

/// What came of it.
#[derive(Debug)]
pub enum Done {}

/// Does it.
pub async fn carry_out(wanted: Do, kit: &Kit) -> Done {
    let _ = kit;
    match wanted {}
}
