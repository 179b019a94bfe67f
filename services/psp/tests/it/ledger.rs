use serde_json::{Value, json};

use crate::{Psp, ask, charge};

fn ids(items: &[Value]) -> Vec<String> {
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// All items, and how many pages they came in.
async fn pages(psp: &Psp, path: &str) -> (Vec<Value>, usize) {
    let (mut items, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let page = ask(psp.get(&format!("{path}{cursor}"))).await;
        assert_eq!(page.status, 200, "{page:?}");
        items.extend(page.body["items"].as_array().unwrap().iter().cloned());
        pages += 1;
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (items, pages),
        }
    }
}

#[tokio::test]
async fn charges_come_in_pages_the_newest_first() {
    let psp = Psp::start().await;
    let mut made = Vec::new();
    for at in 0..7 {
        let mut body = charge("tok_visa", 100 + at);
        body["reference"] = json!(if at % 2 == 0 { "even" } else { "odd & more" });
        made.push(ask(psp.post("/v1/charges", &format!("k{at}"), &body)).await.body);
    }
    made.reverse();
    let (all, count) = pages(&psp, "/v1/charges?limit=3").await;
    assert_eq!((&all, count), (&made, 3));
    let (all, count) = pages(&psp, "/v1/charges?limit=7").await;
    assert_eq!((all.len(), count), (7, 1));
    let (odd, count) = pages(&psp, "/v1/charges?reference=odd+%26+more&limit=2").await;
    assert_eq!((ids(&odd), count), (ids(&[made[1].clone(), made[3].clone(), made[5].clone()]), 2));
    assert!(psp.list("/v1/charges?reference=none").await.is_empty());
}

#[tokio::test]
async fn refunds_come_in_pages_too() {
    let psp = Psp::start().await;
    let charge_id = psp.charged(1000).await;
    let mut made = Vec::new();
    for at in 0..3 {
        made.push(psp.refund(&format!("r{at}"), &charge_id, 10).await.body);
    }
    made.reverse();
    let (all, count) = pages(&psp, "/v1/refunds?reference=order-1&limit=2").await;
    assert_eq!((all, count), (made, 2));
    assert!(psp.list("/v1/refunds?reference=order-2").await.is_empty());
}

#[tokio::test]
async fn a_charge_is_found_by_its_id_and_nothing_else() {
    let psp = Psp::start().await;
    let id = psp.charged(1000).await;
    let charge = ask(psp.get(&format!("/v1/charges/{id}"))).await;
    assert_eq!((charge.status, charge.text("id")), (200, id.clone()));
    for other in ["ch_0192f0c1a2b37c4d8e5f60718293a4b5", "ch_", "x", &id[3..], "%00"] {
        ask(psp.get(&format!("/v1/charges/{other}"))).await.refuses(404, "not_found", "");
    }
}

#[tokio::test]
async fn what_is_no_page_is_refused() {
    let psp = Psp::start().await;
    for query in ["limit=0", "limit=201", "limit=many", "cursor=x", "cursor=re_0192f0c1a2b37c4d8e5f60718293a4b5"] {
        ask(psp.get(&format!("/v1/charges?{query}"))).await.refuses(422, "validation_failed", "");
    }
    for query in ["reference=", "reference=%00"] {
        ask(psp.get(&format!("/v1/refunds?{query}"))).await.refuses(422, "validation_failed", "reference");
    }
}
