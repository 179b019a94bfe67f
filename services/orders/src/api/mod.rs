//! HTTP in, inputs out; decisions in, HTTP out.

mod commands;
#[expect(unused_qualifications, reason = "the derive of IntoParams qualifies what it need not")]
mod queries;

use axum::Router;
use orderflow_contracts::{
    api::orders::{Order as ApiOrder, OrderPayment, OrderReservation},
    problem::Code,
    timestamp::Timestamp,
};
use orderflow_platform::db::Db;
use orderflow_platform::{auth::Principal, http::ApiError, outbox::Outbox};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    domain::{Payment, Rejection, Reservation},
    handle::Refused,
    store::{self, Row},
};

/// What the handlers need.
#[derive(Debug, Clone)]
pub struct Api {
    db: Db,
    outbox: Outbox,
    payment_link: String,
}

impl Api {
    /// With `payment_link` as in the settings.
    pub const fn new(db: Db, outbox: Outbox, payment_link: String) -> Self {
        Self { db, outbox, payment_link }
    }

    /// An order as people see it.
    fn show(&self, row: &Row) -> ApiOrder {
        let order = &row.order;
        let (status, pay_until, cancel_reason) = store::parts_of(order.status);
        let due = order.payment != Payment::None;
        ApiOrder {
            id: order.id,
            status,
            customer_id: order.customer_id,
            seller_id: order.seller_id,
            lines: order.lines.clone(),
            total: order.total,
            cancel_reason,
            reservation: OrderReservation {
                status: order.reservation,
                expires_at: pay_until.filter(|_| order.reservation == Reservation::Held).map(Timestamp),
            },
            payment: OrderPayment {
                status: order.payment,
                link: due.then(|| self.payment_link.replace("{order_id}", &order.id.to_string())),
            },
            version: row.version,
            created_at: Timestamp(row.created_ms),
            updated_at: Timestamp(row.updated_ms),
        }
    }
}

/// The routes and their OpenAPI document.
pub fn router(api: Api) -> (Router, String) {
    let (router, openapi) = OpenApiRouter::new()
        .routes(routes!(commands::create, queries::list))
        .routes(routes!(queries::show))
        .routes(routes!(commands::confirm))
        .routes(routes!(commands::fulfill))
        .routes(routes!(commands::cancel))
        .routes(routes!(queries::catalog))
        .with_state(api)
        .split_for_parts();
    (router, orderflow_platform::http::describe(openapi, "OrderFlow orders", "The life of an order"))
}

fn is_visible_to(row: &Row, principal: &Principal) -> bool {
    principal.may_see(Some(row.order.customer_id), Some(row.order.seller_id))
}

fn refuse(refused: Refused) -> ApiError {
    match refused {
        Refused::Database(error) => error.into(),
        Refused::Rejected(rejection) => reject(rejection),
    }
}

fn reject(rejection: Rejection) -> ApiError {
    match rejection {
        Rejection::IllegalTransition(status) => {
            let (status, ..) = store::parts_of(status);
            let detail = format!("this cannot be done while the order is {}", status.as_str());
            ApiError::new(Code::IllegalTransition, detail).with("order_status", status.as_str())
        }
        Rejection::NotAllocated => {
            let detail = "the order is paid; inventory has not said yet that the stock is its. Try again in a moment";
            ApiError::new(Code::NotAllocated, detail).with("order_status", "PAID")
        }
        Rejection::Lines(_) | Rejection::Quantity(_) | Rejection::RepeatedProduct | Rejection::Money(_) => {
            ApiError::new(Code::ValidationFailed, rejection.to_string())
        }
    }
}
