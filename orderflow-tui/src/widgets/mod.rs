//! Parts of screens that know nothing of orders.

pub mod chart;
pub mod field;
pub mod form;
pub mod frames;
pub mod list;
pub mod pick;
pub mod picture;
pub mod search;
mod sprites;

pub use self::{
    field::Field,
    list::{Column, ListState},
    pick::Pick,
    search::Search,
};
