//! HTTP: requests within limits, answers that are JSON, errors that are problem documents.

mod error;
mod extract;
mod limits;
#[expect(unused_qualifications, reason = "the derive of IntoParams qualifies what it need not")]
mod ops;
mod page;
mod server;
mod status;
mod text;

pub use self::{
    error::{ApiError, commit},
    extract::{Json, Path, Query, RequestContext, is_json, parse_json},
    limits::RateLimiter,
    ops::Ops,
    page::{Cursor, PageQuery, page_of},
    server::{BODY_BYTES_MAX, Server, harden},
    status::{Health, Status, describe},
    text::{TEXT_CHARS_MAX, checked_text, without_nul},
};
