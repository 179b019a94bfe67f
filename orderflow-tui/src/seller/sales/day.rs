//! What was sold on a day, by the services' clock (UTC), from the orders that are known.

use std::collections::BTreeMap;

use orderflow_contracts::{
    api::orders::{Order, OrderStatus},
    events::CancelReason,
    ids::ProductId,
    money::{Currency, Money},
    timestamp::Timestamp,
};

use crate::books::OrderBook;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// What was sold of one product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sold {
    /// Its name, when it was ordered last.
    pub name: String,
    /// How many.
    pub pieces: u64,
    /// For how much, by currency.
    pub revenue: BTreeMap<Currency, i64>,
}

/// A day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Day {
    /// Orders that were placed.
    pub placed: u64,
    /// Those of them that are paid.
    pub sold: u64,
    /// For how much, by currency.
    pub revenue: BTreeMap<Currency, i64>,
    /// Paid orders by the hour in which they were placed.
    pub orders_by_hour: [u64; 24],
    /// Their amounts in minor units.
    pub revenue_by_hour: BTreeMap<Currency, [u64; 24]>,
    /// Those that are cancelled, by their reason, the most frequent first.
    pub cancelled: Vec<(CancelReason, u64)>,
    /// What was sold, the most pieces first.
    pub top: Vec<Sold>,
}

/// The day of a moment, counted from 1970.
pub const fn day_of(at: Timestamp) -> i64 {
    at.0.div_euclid(DAY_MS)
}

/// The hour of a moment, from 0 to 23.
pub fn hour_of(at: Timestamp) -> usize {
    usize::try_from(at.0.rem_euclid(DAY_MS) / HOUR_MS).unwrap_or(0)
}

/// `2026-01-01`, from a day.
pub fn date(day: i64) -> String {
    Timestamp(day.saturating_mul(DAY_MS)).to_string().chars().take(10).collect()
}

/// Whether an order's money stays with the seller, as far as is known.
pub const fn is_sold(order: &Order) -> bool {
    matches!(order.status, OrderStatus::Paid | OrderStatus::Fulfilled)
}

impl Day {
    /// What the orders of a day come to.
    pub fn of(day: i64, orders: &OrderBook) -> Self {
        let mut this = Self::default();
        let mut sold: BTreeMap<ProductId, Sold> = BTreeMap::new();
        for entry in orders.newest().filter(|entry| day_of(entry.order.created_at) == day) {
            this.add(&entry.order, &mut sold);
        }
        this.cancelled.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        this.top = sold.into_values().collect();
        this.top.sort_by_key(|sold| std::cmp::Reverse(sold.pieces));
        this
    }

    fn add(&mut self, order: &Order, sold: &mut BTreeMap<ProductId, Sold>) {
        self.placed += 1;
        if let Some(reason) = order.cancel_reason {
            match self.cancelled.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, count)) => *count += 1,
                None => self.cancelled.push((reason, 1)),
            }
        }
        if !is_sold(order) {
            return;
        }
        let Money { minor, currency } = order.total;
        let hour = hour_of(order.created_at);
        self.sold += 1;
        add(self.revenue.entry(currency).or_default(), minor);
        self.orders_by_hour[hour] += 1;
        let amounts = self.revenue_by_hour.entry(currency).or_default();
        amounts[hour] = amounts[hour].saturating_add(u64::try_from(minor).unwrap_or(0));
        for line in &order.lines {
            let new = || Sold { name: line.name.clone(), pieces: 0, revenue: BTreeMap::new() };
            let of_product = sold.entry(line.product_id).or_insert_with(new);
            of_product.pieces += u64::from(line.quantity);
            let minor = line.unit_price.minor.saturating_mul(i64::from(line.quantity));
            add(of_product.revenue.entry(line.unit_price.currency).or_default(), minor);
        }
    }
}

fn add(sum: &mut i64, minor: i64) {
    *sum = sum.saturating_add(minor);
}

/// `59.98 USD, 12.00 EUR`.
pub fn amounts(sums: &BTreeMap<Currency, i64>) -> String {
    let amounts: Vec<String> = sums.iter().map(|(currency, minor)| Money::new(*minor, *currency).to_string()).collect();
    amounts.join(", ")
}
