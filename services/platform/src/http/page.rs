//! Lists in pages. Ids are in the order of time (UUID version 7), so the last id of a page says where the next begins.

use orderflow_contracts::{
    api::{PAGE_SIZE, PAGE_SIZE_MAX, Page},
    problem::Code,
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::ApiError;

/// Which part of a list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Most items of the page; 50 if nothing is said, at most 200.
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// Where a page begins.
pub trait Cursor: Sized {
    /// Reads it; nothing if it is none of ours.
    fn read(text: &str) -> Option<Self>;
}

impl<T: std::str::FromStr> Cursor for T {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl PageQuery {
    /// How many items.
    pub fn limit(&self) -> Result<i64, ApiError> {
        let limit = self.limit.unwrap_or(PAGE_SIZE);
        if (1..=PAGE_SIZE_MAX).contains(&limit) {
            return Ok(limit.into());
        }
        Err(ApiError::new(Code::ValidationFailed, format!("limit is between 1 and {PAGE_SIZE_MAX}, not {limit}")))
    }

    /// After which item.
    pub fn cursor<C: Cursor>(&self) -> Result<Option<C>, ApiError> {
        let read = |text: &String| {
            C::read(text).ok_or_else(|| ApiError::new(Code::ValidationFailed, "the cursor is not one of ours"))
        };
        self.cursor.as_ref().map(read).transpose()
    }
}

/// A page of what was found. `items` has one more than the limit if there is more to come.
pub fn page_of<T>(mut items: Vec<T>, limit: i64, cursor: impl Fn(&T) -> String) -> Page<T> {
    let limit = usize::try_from(limit).unwrap_or(0);
    let more = items.len() > limit;
    items.truncate(limit);
    let next_cursor = if more { items.last().map(cursor) } else { None };
    Page { items, next_cursor }
}
