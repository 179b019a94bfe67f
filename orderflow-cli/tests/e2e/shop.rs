//! What customers and sellers do, as one step of a test.

use orderflow_testing::eventually;
use serde_json::Value;

use crate::cluster::Cluster;

/// What one piece costs, in cents.
pub const PRICE: i64 = 2999;

/// How far an order is brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Pending,
    Confirmed,
    Paid,
    Fulfilled,
}

impl Cluster {
    /// A new product with so many pieces; its id.
    pub async fn product(&self, stock: u32) -> String {
        let product = self.seller().json(&format!("product add --name Widget --price 29.99 --stock {stock}")).await;
        assert_eq!((&product["on_hand"], product["price"]["minor"].as_i64()), (&stock.into(), Some(PRICE)));
        id(&product)
    }

    /// A new order of a product; its id.
    pub async fn order(&self, product: &str, quantity: u32) -> String {
        let order = self.customer().json(&format!("order create --item {product}:{quantity}")).await;
        assert_eq!(
            (&order["status"], order["lines"][0]["quantity"].as_u64()),
            (&"PENDING".into(), Some(quantity.into()))
        );
        id(&order)
    }

    /// A new order, brought so far; its id.
    pub async fn order_at(&self, stage: Stage, product: &str, quantity: u32) -> String {
        let order = self.order(product, quantity).await;
        self.bring(&order, Stage::Pending, stage).await;
        order
    }

    /// Brings an order from one stage to another.
    pub async fn bring(&self, order: &str, from: Stage, to: Stage) {
        let mut steps = vec![];
        if from < Stage::Confirmed && to >= Stage::Confirmed {
            steps.push((self.seller(), "confirm", "", "CONFIRMED"));
        }
        if from < Stage::Paid && to >= Stage::Paid {
            steps.push((self.customer(), "pay", "--token tok_visa", "PAID"));
        }
        if from < Stage::Fulfilled && to >= Stage::Fulfilled {
            steps.push((self.seller(), "fulfill", "", "FULFILLED"));
        }
        for (who, verb, more, status) in steps {
            let after = who.json(&format!("order {verb} {order} {more} --wait")).await;
            assert_eq!((&after["id"], &after["status"]), (&order.into(), &status.into()), "{verb}: {after:#}");
        }
    }

    /// An order as it is now.
    pub async fn show(&self, order: &str) -> Value {
        self.customer().json(&format!("order show {order}")).await
    }

    /// Status, stock and money of an order, as the orders service knows them.
    pub async fn state(&self, order: &str) -> [String; 3] {
        let order = self.show(order).await;
        [&order["status"], &order["reservation"]["status"], &order["payment"]["status"]].map(text)
    }

    /// Waits until an order is so.
    pub async fn is_at_last(&self, order: &str, state: [&str; 3]) {
        let mut last = None;
        let is_so = async || {
            let now = self.state(order).await;
            let is_so = (now == state).then_some(());
            last = Some(now);
            is_so
        };
        eventually(&format!("order {order} is {state:?}"), is_so).await;
    }

    /// How much of a product is on hand, reserved and available.
    pub async fn stock(&self, product: &str) -> [i64; 3] {
        let product = self.customer().json(&format!("product show {product}")).await;
        [&product["on_hand"], &product["reserved"], &product["available"]].map(|number| number.as_i64().unwrap())
    }

    /// Waits until the stock of a product is so.
    pub async fn has_stock_at_last(&self, product: &str, stock: [i64; 3]) {
        let is_so = async || (self.stock(product).await == stock).then_some(());
        eventually(&format!("product {product} has {stock:?}"), is_so).await;
    }

    /// The status of an order's reservation, as the inventory service knows it.
    pub async fn reservation(&self, order: &str) -> String {
        text(&self.admin().json(&format!("reservation show {order}")).await["status"])
    }

    /// An order's payment.
    pub async fn payment(&self, order: &str) -> Value {
        self.customer().json(&format!("payment show {order}")).await
    }

    /// The provider's charges for an order: whether each was taken, and how much was given back.
    pub async fn charges(&self, order: &str) -> Vec<(String, i64, i64)> {
        let page = self.provider().await.get(&format!("/v1/charges?reference={order}")).await.body;
        let charge = |charge: &Value| {
            let minor = |value: &Value| value.as_i64().unwrap();
            (text(&charge["status"]), minor(&charge["amount"]["minor"]), minor(&charge["refunded_minor"]))
        };
        page["items"].as_array().unwrap().iter().map(charge).collect()
    }

    /// The types of the events in an order's timeline.
    pub async fn timeline(&self, order: &str) -> Vec<String> {
        let timeline = self.customer().json(&format!("order timeline {order}")).await;
        timeline["steps"].as_array().unwrap().iter().map(|step| text(&step["event"])).collect()
    }
}

/// The id of something.
pub fn id(thing: &Value) -> String {
    text(&thing["id"])
}

/// A text, and nothing else.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}")).to_owned()
}

/// What somebody writes on standard input for `--card-file -`.
pub fn card(number: &str) -> String {
    let cvc = if number.len() == 15 { "1234" } else { "123" };
    format!("number={number}\nexp_month=12\nexp_year=2034\ncvc={cvc}\n")
}
