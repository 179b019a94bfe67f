//! The end of a lesson: its own order is looked at, and then everything is counted.

use std::time::Duration;

use orderflow_client::{
    Client, ListQuery,
    saga::{Goal, Verdict, judge},
    verify::{self, Report},
    why,
};
use orderflow_contracts::{
    api::{
        PAGE_SIZE_MAX,
        console::Role,
        inventory::Product,
        orders::{Order, OrderStatus},
        psp::ChargeStatus,
    },
    events::CancelReason,
    ids::OrderId,
    words::word,
};
use tokio::time::{Instant, sleep};

use super::{Trouble, breaks};
use crate::{lessons::course::Expect, links::Shared};

/// How long an order may take to come to where it belongs.
const GOAL_MAX: Duration = Duration::from_secs(40);
const GOAL_PAUSE: Duration = Duration::from_millis(250);
/// How long the system may take to come to rest.
const REST_MAX: Duration = Duration::from_secs(60);
/// The same where something is broken for good: it never does.
const REST_BROKEN_MAX: Duration = Duration::from_secs(12);
/// Violations that are told; a panel has little room.
const TOLD_MAX: usize = 3;
/// Pages of the provider's charges that are searched.
const CHARGE_PAGES_MAX: usize = 100;

/// What is looked at in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exam {
    /// What must have come of it.
    pub expects: Expect,
    /// The person's order.
    pub order: OrderId,
    /// Somebody else's.
    pub rival: Option<OrderId>,
    /// The product, as it was at the begin.
    pub product: Product,
    /// How often orders was started again before it was broken.
    pub restarts: u32,
    /// What was wrong before.
    pub known: Vec<String>,
}

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// It is as it must be.
    pub ok: bool,
    /// What is.
    pub text: String,
}

fn finding(ok: bool, text: impl Into<String>) -> Finding {
    Finding { ok, text: text.into() }
}

/// All that there is to find.
pub(super) async fn check(exam: &Exam, shared: &Shared, say: impl Fn(&str)) -> Result<Vec<Finding>, Trouble> {
    let admin = shared.as_test_account(Role::Admin).await?;
    say("looking at the order");
    let order = Box::pin(arrived(&admin, exam)).await?;
    let mut found = vec![of_order(exam.expects, &order)];
    found.extend(Box::pin(beside(exam, &admin, shared)).await?);
    say("verify: counting every piece, cent and event");
    let is_broken = exam.expects == Expect::Lost || !exam.known.is_empty();
    let limit = if is_broken { REST_BROKEN_MAX } else { REST_MAX };
    let report = Box::pin(verify::settle(&admin, limit, |waits| say(&format!("verify waits: {waits}")))).await?;
    found.extend(of_report(&report, exam));
    Ok(found)
}

/// The order, when it has come to where it belongs, or at the latest after a while.
async fn arrived(admin: &Client, exam: &Exam) -> Result<Order, Trouble> {
    let until = Instant::now() + GOAL_MAX;
    loop {
        let order = admin.order(exam.order).await?;
        if is_there(exam.expects, &order) || Instant::now() > until {
            return Ok(order);
        }
        sleep(GOAL_PAUSE).await;
    }
}

fn is_there(expects: Expect, order: &Order) -> bool {
    let given_back = |reason| {
        order.cancel_reason == Some(reason) && judge(Goal::Cancelled { with_payment: true }, order) == Verdict::Reached
    };
    match expects {
        Expect::Sold => judge(Goal::Fulfilled, order) == Verdict::Reached,
        Expect::Declined => given_back(CancelReason::PaymentFailed),
        Expect::Refunded => given_back(CancelReason::Expired) && word(order.payment.status) == "REFUNDED",
        Expect::OnlyOnce => judge(Goal::Paid, order) == Verdict::Reached,
        Expect::Survived | Expect::Waited => judge(Goal::Confirmed, order) == Verdict::Reached,
        Expect::OneOfTwo => {
            judge(Goal::Confirmed, order) == Verdict::Reached || order.cancel_reason == Some(CancelReason::OutOfStock)
        }
        Expect::Lost => order.status == OrderStatus::Confirming,
    }
}

fn of_order(expects: Expect, order: &Order) -> Finding {
    let reason = order.cancel_reason.map(|reason| format!(" ({})", word(reason))).unwrap_or_default();
    let (stock, money) = (word(order.reservation.status), word(order.payment.status));
    let text = format!("the order is {}{reason}, its stock {stock}, its money {money}", order.status.as_str());
    finding(is_there(expects, order), text)
}

/// What a lesson expects beside its order.
async fn beside(exam: &Exam, admin: &Client, shared: &Shared) -> Result<Vec<Finding>, Trouble> {
    let mut found = Vec::new();
    match exam.expects {
        Expect::Sold | Expect::Waited => {}
        Expect::Declined | Expect::Refunded => found.push(stock_is_back(exam, admin).await?),
        Expect::OneOfTwo => found.extend(one_of_two(exam, admin).await?),
        Expect::Survived | Expect::Lost => {
            let restarts = breaks::restarts_of_orders(shared).await?.saturating_sub(exam.restarts);
            found.push(finding(restarts > 0, format!("orders has died and was started again: {}", times(restarts))));
        }
        Expect::OnlyOnce => {
            let hops = why::explain(&Box::pin(why::gather(admin, exam.order)).await?).hops;
            let again: u32 = hops.iter().map(|hop| hop.duplicates).sum();
            found.push(finding(again > 0, format!("its events came again and were passed over: {}", times(again))));
            let charges = charges(exam.order, admin).await?;
            found.push(finding(charges == 1, format!("the provider has charged it {}", times(charges))));
        }
    }
    Ok(found)
}

async fn stock_is_back(exam: &Exam, admin: &Client) -> Result<Finding, Trouble> {
    let (now, before) = (admin.product(exam.product.id).await?, &exam.product);
    // Other orders of it may have expired meanwhile: then more can be had than before, and never less.
    let text = format!("{} can be had; it was {} before", now.available, before.available);
    Ok(finding(now.available >= before.available && now.on_hand == before.on_hand, text))
}

async fn one_of_two(exam: &Exam, admin: &Client) -> Result<Vec<Finding>, Trouble> {
    let Some(rival) = exam.rival else { return Ok(vec![finding(false, "nobody else has ordered")]) };
    let orders = [admin.order(exam.order).await?, admin.order(rival).await?];
    let mine = orders[0].status != OrderStatus::Cancelled;
    let has_it = orders.iter().filter(|order| order.status != OrderStatus::Cancelled).count();
    let has_none = orders.iter().filter(|order| order.cancel_reason == Some(CancelReason::OutOfStock)).count();
    let who = if mine { "yours" } else { "the other one" };
    let product = admin.product(exam.product.id).await?;
    Ok(vec![
        finding(has_it == 1 && has_none == 1, format!("of two orders {has_it} has the piece: {who}")),
        finding(product.available == 0, format!("{} on hand, {} reserved", product.on_hand, product.reserved)),
    ])
}

/// How often, in words.
fn times(count: u32) -> String {
    match count {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        count => format!("{count} times"),
    }
}

async fn charges(order: OrderId, admin: &Client) -> Result<u32, Trouble> {
    let (mut query, mut count) = (ListQuery { limit: Some(PAGE_SIZE_MAX), ..ListQuery::default() }, 0);
    let reference = order.to_string();
    for _ in 0..CHARGE_PAGES_MAX {
        let page = admin.provider_charges(&query).await?;
        let is_its = |status, of: &str| status == ChargeStatus::Succeeded && *of == reference;
        let its = page.items.iter().filter(|charge| is_its(charge.status, &charge.reference)).count();
        count += u32::try_from(its).unwrap_or(u32::MAX);
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            break;
        }
    }
    Ok(count)
}

/// The violations of a report, one a sentence.
pub(super) fn told(report: &Report) -> Vec<String> {
    let violations = report.checks.iter().flat_map(|check| &check.violations);
    violations.map(|violation| format!("{}: {}", violation.subject, violation.is)).collect()
}

/// What verify says, in the light of what was wrong before, and of what the lesson was about.
fn of_report(report: &Report, exam: &Exam) -> Vec<Finding> {
    let new: Vec<String> = told(report).into_iter().filter(|violation| !exam.known.contains(violation)).collect();
    if exam.expects == Expect::Lost {
        let order = exam.order.to_string();
        let lost = |text: &&String| text.contains(&order) && text.contains("order.confirmation_requested");
        let named = new.iter().find(|text| lost(text) && text.contains("not applied by"));
        let named = named.or_else(|| new.iter().find(lost));
        return vec![match named {
            Some(text) => finding(true, format!("verify FAILS, as it must: {text}")),
            None => finding(false, "verify does not name the lost event"),
        }];
    }
    if report.ok {
        return vec![finding(true, format!("verify: all {} checks hold", report.checks.len()))];
    }
    if new.is_empty() {
        let text = "verify: nothing is wrong that was not so before this lesson";
        return vec![finding(true, text)];
    }
    let more = new.len().saturating_sub(TOLD_MAX);
    let mut found: Vec<Finding> =
        new.into_iter().take(TOLD_MAX).map(|text| finding(false, format!("verify: {text}"))).collect();
    if more > 0 {
        found.push(finding(false, format!("and {more} more; `orderflow verify` tells all")));
    }
    found
}
