//! `orderflow stampede`: many want the last pieces at once, and exactly as many get one as there are.

mod race;

use clap::Args;
use orderflow_client::saga::{Goal, Verdict};
use orderflow_contracts::{
    api::{
        inventory::Product,
        orders::{Order, OrderStatus},
    },
    events::CancelReason,
};
use serde::Serialize;

use self::race::Race;
use super::load::{GaveUp, Live, Shop};
use crate::{
    context::Context,
    exit::{Exit, Failure, Outcome},
    interrupt::or_interrupted,
    output::{
        Align::{Left, Right},
        Paint, Table,
    },
};

/// Most buyers.
const BUYERS_MAX: u32 = 10_000;

/// Let many want the last pieces at once
///
/// A new product with so many pieces; every buyer orders one; the seller confirms all orders at the same time. As many
/// as there are pieces get one, all others are told that it is out of stock: exit code 7 if it is not exactly so.
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow stampede\n  orderflow stampede --buyers 500 --stock 10 -o json\n")]
pub struct Stampede {
    /// How many want a piece
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=i64::from(BUYERS_MAX)))]
    buyers: u32,
    /// How many pieces there are
    #[arg(long, value_name = "N", default_value_t = 10)]
    stock: u32,
    /// Requests at once
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=400))]
    concurrency: u32,
}

/// What came of it.
#[derive(Debug, Serialize)]
struct Report {
    buyers: u32,
    stock: u32,
    /// Orders that are confirmed.
    winners: usize,
    /// Orders that were cancelled as out of stock.
    losers: usize,
    seconds: f64,
    product: Product,
    /// What is not as it has to be.
    wrong: Vec<String>,
}

impl Stampede {
    /// Lets them run.
    pub async fn run(self, context: &Context) -> Outcome {
        let report = or_interrupted(Box::pin(self.play(context))).await?;
        context.out.document(&report, |paint| report.text(paint))?;
        if !report.wrong.is_empty() {
            return Err(Failure::with(Exit::Violation, report.wrong.join("\n")));
        }
        super::chaos::verified(context).await
    }

    async fn play(&self, context: &Context) -> Outcome<Report> {
        let shop = Shop::open(context)?;
        let product = shop.list(context, "The last ones", self.stock).await?;
        let race = Race::new(shop, product, self.concurrency);
        let mut live = Live::new(context.out);
        let orders = race.order(self.buyers, &mut live).await?;
        let began = tokio::time::Instant::now();
        let ended = race.confirm(orders, &mut live).await?;
        let seconds = began.elapsed().as_secs_f64();
        live.clear();
        let product = race.shop().insist(|| race.shop().seller.product(product)).await?;
        Ok(Report::new(self, &ended, seconds, product))
    }
}

impl Report {
    fn new(asked: &Stampede, ended: &[Order], seconds: f64, product: Product) -> Self {
        let is_winner = |order: &&Order| order.status == OrderStatus::Confirmed;
        let is_loser = |order: &&Order| {
            order.status == OrderStatus::Cancelled && order.cancel_reason == Some(CancelReason::OutOfStock)
        };
        let (winners, losers) = (ended.iter().filter(is_winner).count(), ended.iter().filter(is_loser).count());
        let mut wrong = Vec::new();
        let mut expect = |what: &str, found: u64, expected: u32| {
            if found != u64::from(expected) {
                wrong.push(format!("{what}: {found}, and not {expected}"));
            }
        };
        let lucky = asked.buyers.min(asked.stock);
        expect("orders that are confirmed", winners as u64, lucky);
        expect("orders that are out of stock", losers as u64, asked.buyers - lucky);
        expect("pieces reserved", product.reserved.into(), lucky);
        expect("pieces available", product.available.into(), asked.stock - lucky);
        let (buyers, stock) = (asked.buyers, asked.stock);
        Self { buyers, stock, winners, losers, seconds, product, wrong }
    }

    fn text(&self, paint: Paint) -> String {
        let mut table = Table::new([("", Left), ("ORDERS", Right)]);
        table.row(["CONFIRMED".to_owned(), self.winners.to_string()]);
        table.row(["CANCELLED out_of_stock".to_owned(), self.losers.to_string()]);
        let (product, seconds) = (&self.product, self.seconds);
        let sentence = format!("{} buyers, {} pieces: {} got one", self.buyers, self.stock, self.winners);
        let verdict = if self.wrong.is_empty() {
            paint.good(&format!("✓ {sentence}, in {seconds:.1} s"))
        } else {
            paint.bad(&format!("✗ {sentence}"))
        };
        let stock =
            format!("{} on hand, {} reserved, {} available", product.on_hand, product.reserved, product.available);
        format!("{}\nstock  {stock}\n{verdict}\n", table.render(paint))
    }
}

/// What an order has come to: payable, or over.
async fn decided(shop: &Shop, order: &Order) -> Result<Order, GaveUp> {
    match shop.reached(order.id, Goal::Confirmed).await? {
        (order, Verdict::Compensated) => shop.given_back(&order).await,
        (order, _) => Ok(order),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "00000000-0000-0000-0000-000000000001";

    fn order(status: &str, reason: Option<&str>) -> Order {
        serde_json::from_value(json!({
            "id": ID, "status": status, "customer_id": ID, "seller_id": ID, "lines": [],
            "total": { "minor": 1, "currency": "USD" }, "cancel_reason": reason,
            "reservation": { "status": "HELD", "expires_at": null },
            "payment": { "status": "OPEN", "link": null },
            "version": 1, "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
        }))
        .unwrap()
    }

    fn wrong(winners: usize, losers: usize, reserved: u32) -> Vec<String> {
        let stampede = Stampede { buyers: 5, stock: 2, concurrency: 1 };
        let mut ended = vec![order("CONFIRMED", None); winners];
        ended.extend(vec![order("CANCELLED", Some("out_of_stock")); losers]);
        let product = serde_json::from_value(json!({
            "id": ID, "seller_id": ID, "name": "x", "price": { "minor": 1, "currency": "USD" }, "on_hand": 2,
            "reserved": reserved, "available": 2 - reserved, "version": 1, "created_at": "2026-01-01T00:00:00Z",
        }))
        .unwrap();
        Report::new(&stampede, &ended, 1.0, product).wrong
    }

    #[test]
    fn exactly_as_many_win_as_there_are_pieces() {
        assert_eq!(wrong(2, 3, 2), Vec::<String>::new());
        assert!(wrong(3, 2, 2).iter().any(|line| line.contains("confirmed: 3, and not 2")));
        assert!(wrong(1, 4, 1).iter().any(|line| line.contains("available: 1, and not 0")));
        assert!(wrong(2, 2, 2).iter().any(|line| line.contains("out of stock: 2, and not 3")));
    }
}
