//! Whether stock and money are right, counted from what the services and the provider say.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    cluster::Cluster,
    shop::{id, text},
};

/// Everything that can be read from outside, to be compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Books {
    pub orders: BTreeMap<String, Value>,
    pub products: BTreeMap<String, Value>,
    pub reservations: BTreeMap<String, Value>,
    pub payments: BTreeMap<String, Value>,
    pub charges: BTreeMap<String, Value>,
    pub refunds: BTreeMap<String, Value>,
}

impl Books {
    /// As they are now.
    pub async fn read(shop: &Cluster) -> Self {
        Self {
            orders: listed(shop, "order", "id").await,
            products: listed(shop, "product", "id").await,
            reservations: listed(shop, "reservation", "order_id").await,
            payments: listed(shop, "payment", "order_id").await,
            charges: at_provider(shop, "charges").await,
            refunds: at_provider(shop, "refunds").await,
        }
    }

    /// Whether every order has come to rest: nothing is on its way any more.
    pub fn are_at_rest(&self) -> bool {
        self.orders.values().all(|order| {
            let part = |name: &str| text(&order[name]["status"]);
            // What payments says itself, which the orders service may not have heard yet.
            let payment = self.payments.get(&id(order)).map_or_else(|| "NONE".to_owned(), |it| text(&it["status"]));
            let is_over = ["NONE", "FAILED", "VOIDED", "REFUNDED"].contains(&payment.as_str());
            match (text(&order["status"]).as_str(), part("reservation").as_str(), part("payment").as_str()) {
                ("PENDING", "NONE", "NONE") => true,
                ("CONFIRMED", "HELD", "OPEN") => payment == "OPEN",
                ("PAID", "ALLOCATED", "SUCCEEDED") | ("FULFILLED", "COMMITTED", "SUCCEEDED") => true,
                // Before it was confirmed, nothing had been held, and nothing was due.
                ("CANCELLED", "NONE" | "FAILED", "NONE" | "VOIDED") => is_over,
                ("CANCELLED", "RELEASED", "NONE" | "FAILED" | "VOIDED" | "REFUNDED") => is_over,
                _ => false,
            }
        })
    }

    /// Every piece and every cent is where it has to be. `stock` is how many pieces of each product there ever were.
    pub fn balance(&self, stock: &BTreeMap<String, i64>) {
        let sum = |statuses: &[&str], of: &dyn Fn(&Value) -> i64| -> i64 {
            let counted = |order: &&Value| statuses.contains(&text(&order["status"]).as_str());
            self.orders.values().filter(counted).map(of).sum()
        };
        for (product, there_were) in stock {
            let pieces = |order: &Value| -> i64 {
                let lines = order["lines"].as_array().unwrap().iter();
                lines.filter(|line| line["product_id"] == **product).map(|line| number(&line["quantity"])).sum()
            };
            let now = &self.products[product];
            let (on_hand, reserved) = (number(&now["on_hand"]), number(&now["reserved"]));
            assert_eq!(on_hand, there_were - sum(&["FULFILLED"], &pieces), "{now:#}");
            assert_eq!(reserved, sum(&["CONFIRMED", "PAID"], &pieces), "{now:#}");
            assert_eq!(number(&now["available"]), on_hand - reserved, "{now:#}");
        }
        let total = |order: &Value| number(&order["total"]["minor"]);
        let taken = |charge: &Value| match charge["status"].as_str() {
            Some("succeeded") => number(&charge["amount"]["minor"]) - number(&charge["refunded_minor"]),
            _ => 0,
        };
        assert_eq!(self.charges.values().map(taken).sum::<i64>(), sum(&["PAID", "FULFILLED"], &total), "the money");
        let given_back = |charge: &Value| number(&charge["refunded_minor"]);
        let refunded: i64 = self.refunds.values().map(|refund| number(&refund["amount"]["minor"])).sum();
        assert_eq!(self.charges.values().map(given_back).sum::<i64>(), refunded, "the refunds");
        let mut once = BTreeMap::new();
        for charge in self.charges.values().filter(|charge| charge["status"] == "succeeded") {
            let twice = once.insert(text(&charge["reference"]), charge);
            assert!(twice.is_none(), "charged twice: {twice:?} {charge:?}");
        }
    }
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("not a number: {value}"))
}

async fn listed(shop: &Cluster, noun: &str, key: &str) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let page = shop.admin().json(&format!("{noun} list --limit 200 {cursor}")).await;
        let items = page["items"].as_array().unwrap().iter();
        all.extend(items.map(|item| (text(&item[key]), item.clone())));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("--cursor {next}"),
            None => return all,
        }
    }
}

async fn at_provider(shop: &Cluster, what: &str) -> BTreeMap<String, Value> {
    let provider = shop.provider().await;
    let mut all = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let page = provider.get(&format!("/v1/{what}?limit=200{cursor}")).await.body;
        all.extend(page["items"].as_array().unwrap().iter().map(|item| (id(item), item.clone())));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}
