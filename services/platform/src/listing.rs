//! Lists of what stands between a customer and a seller: each sees what is theirs, an admin sees all.

use orderflow_contracts::{
    api::{Page, console::Role},
    ids::AccountId,
};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use crate::{
    auth::Principal,
    http::{ApiError, PageQuery, page_of},
};

/// What somebody gets to see of a list, and which part of it they want.
#[derive(Debug)]
pub struct Listing {
    /// Only this customer's.
    customer_id: Option<AccountId>,
    /// Only this seller's.
    seller_id: Option<AccountId>,
    /// Only those in this state.
    status: Option<&'static str>,
    /// Only those that are older than this one.
    after: Option<Uuid>,
    limit: i64,
}

impl Listing {
    /// What this one may see, in this state if one is said, in this part.
    pub fn new(principal: &Principal, status: Option<&'static str>, page: &PageQuery) -> Result<Self, ApiError> {
        let own = |role| (principal.role == role).then_some(principal.account_id);
        let (customer_id, seller_id) = (own(Role::Customer), own(Role::Seller));
        Ok(Self { customer_id, seller_id, status, after: page.cursor()?, limit: page.limit()? })
    }

    /// Ends a query that has a `where`: the newest first, by the column `id`; one more than the part has, if there are
    /// more. The table has the columns `customer_id`, `seller_id` and `status`.
    pub fn end(&self, query: &mut QueryBuilder<Postgres>, id: &'static str) {
        if let Some(customer_id) = self.customer_id {
            query.push(" and customer_id = ").push_bind(Uuid::from(customer_id));
        }
        if let Some(seller_id) = self.seller_id {
            query.push(" and seller_id = ").push_bind(Uuid::from(seller_id));
        }
        if let Some(status) = self.status {
            query.push(" and status = ").push_bind(status);
        }
        if let Some(after) = self.after {
            query.push(" and ").push(id).push(" < ").push_bind(after);
        }
        query.push(" order by ").push(id).push(" desc limit ").push_bind(self.limit + 1);
    }

    /// The page, of what such a query has found; `id` is what it is sorted by.
    pub fn page<T, I: ToString>(&self, found: Vec<T>, id: impl Fn(&T) -> I) -> Page<T> {
        page_of(found, self.limit, |item| id(item).to_string())
    }
}
