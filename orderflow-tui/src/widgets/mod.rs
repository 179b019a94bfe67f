//! Parts of screens that know nothing of orders.

pub mod field;
pub mod frames;
pub mod graph;
pub mod list;

pub use self::{
    field::Field,
    list::{Column, ListState},
};
