//! Parts of screens that know nothing of orders.

pub mod field;
pub mod frames;
pub mod list;
pub mod picture;
mod sprites;

pub use self::{
    field::Field,
    list::{Column, ListState},
};
