//! Making ready: a product with so much stock as the lesson needs, and how the cluster is before anything happens.

use std::time::Duration;

use orderflow_client::{Client, ListQuery, ProductQuery, Service, verify};
use orderflow_contracts::{
    api::{
        PAGE_SIZE_MAX,
        console::Role,
        inventory::{CreateProduct, Product, Restock},
    },
    money::{Currency, Money},
    problem::Code,
    words::word,
};
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use super::{Scene, Trouble, breaks};
use crate::{
    lessons::course::{Lesson, Piece, Stock},
    links::Shared,
};

/// How long orders may take to hear of a new product.
const CATALOG_MAX: Duration = Duration::from_secs(20);
const CATALOG_PAUSE: Duration = Duration::from_millis(100);
/// How long the look at the cluster may take that comes before.
const BEFORE_MAX: Duration = Duration::from_secs(20);
/// Products of one name; a lesson that is done so often takes no new one.
const NUMBERS_MAX: u32 = 50;

pub(super) async fn prepare(lesson: &Lesson, shared: &Shared) -> Result<Scene, Trouble> {
    if lesson.lab && !breaks::status(shared).await?.lab {
        return Err(Trouble::new(format!(
            "cluster {} is no laboratory. Start one beside it, in a shell: orderflow --cluster lab up --detach \
             --any-port --lab, then: orderflow --cluster lab tui",
            shared.place.cluster
        )));
    }
    let seller = shared.as_test_account(Role::Seller).await?;
    let admin = shared.as_test_account(Role::Admin).await?;
    let product = stocked(&seller, lesson.piece).await?;
    known_to_orders(&seller, &product).await?;
    let key = Uuid::new_v4().simple().to_string();
    let (known, warnings) = tokio::join!(wrong_before(&admin), warnings(&admin));
    Ok(Scene { product, key, known, warnings })
}

/// One that is there already is taken again, so that the catalogue does not fill up with lessons.
async fn stocked(seller: &Client, piece: Piece) -> Result<Product, Trouble> {
    let me = seller.me().await?;
    for number in 1..=NUMBERS_MAX {
        let name = if number == 1 { piece.name.to_owned() } else { format!("{} {number}", piece.name) };
        let page = ListQuery { limit: Some(PAGE_SIZE_MAX), ..ListQuery::default() };
        let query =
            ProductQuery { search: Some(name.clone()), seller_id: Some(me.id), page, ..ProductQuery::default() };
        let found = seller.products(&query).await?.items.into_iter().find(|product| product.name == name);
        let (available, wanted) = match (&found, piece.stock) {
            (Some(found), Stock::One) if found.available > 1 => continue,
            (Some(found), Stock::One) => (found.available, 1),
            (Some(found), Stock::AtLeast(wanted)) => (found.available, wanted),
            (None, Stock::One) => (0, 1),
            (None, Stock::AtLeast(wanted)) => (0, wanted),
        };
        let key = Uuid::new_v4().to_string();
        return Ok(match found {
            Some(found) if available >= wanted => found,
            Some(found) => {
                seller.restock_product(found.id, Restock { quantity: wanted - available }, &key).await?.value
            }
            None => {
                let price = Money::new(piece.cents, Currency::Usd);
                seller.create_product(&CreateProduct { name, price, stock: wanted }, &key).await?.value
            }
        });
    }
    Err(Trouble::new(format!("there are {NUMBERS_MAX} products called {}, all of them sold twice over", piece.name)))
}

/// Orders prices from its own copy of the catalogue, which comes to it by an event.
async fn known_to_orders(client: &Client, product: &Product) -> Result<(), Trouble> {
    let until = Instant::now() + CATALOG_MAX;
    loop {
        match client.catalog_entry(product.id).await {
            Ok(_) => return Ok(()),
            Err(error) if error.code() != Some(Code::NotFound) => return Err(error.into()),
            Err(_) if Instant::now() > until => {
                return Err(Trouble::new(format!("orders has not heard of {} within {CATALOG_MAX:?}", product.name)));
            }
            Err(_) => sleep(CATALOG_PAUSE).await,
        }
    }
}

/// What is wrong already: that is none of this lesson's doing.
async fn wrong_before(admin: &Client) -> Vec<String> {
    let Ok((snapshot, _)) = timeout(BEFORE_MAX, verify::take(admin)).await else { return Vec::new() };
    let rest = verify::unrest(&snapshot);
    let report = verify::check(&snapshot).with_rest(rest);
    super::check::told(&report)
}

/// Faults and missing patterns of somebody else.
async fn warnings(admin: &Client) -> Vec<String> {
    let mut warnings = Vec::new();
    for service in Service::WITH_CLOCK {
        let faults = admin.faults(service).await.unwrap_or_default();
        let is_live =
            |fault: &&orderflow_contracts::api::chaos::Fault| fault.set.times.is_none_or(|times| fault.struck < times);
        warnings.extend(
            faults
                .iter()
                .filter(is_live)
                .map(|fault| format!("fault {} is set in {}", word(fault.name), service.name())),
        );
        let out = admin.patterns_out(service).await.unwrap_or_default();
        warnings.extend(out.into_iter().map(|pattern| format!("{} is out in {}", word(pattern), service.name())));
    }
    warnings
}
