use std::time::{Duration, Instant};

use orderflow_testing::eventually;
use serde_json::{Value, json};
use sqlx::Connection;

use crate::{Psp, ask, charge, database_url, refund};

#[tokio::test]
async fn the_same_key_gets_the_same_answer() {
    let psp = Psp::start().await;
    for (key, token, status) in [("taken", "tok_visa", 201), ("not taken", "tok_chargeDeclined", 402)] {
        let first = psp.charge(key, token, 2999).await;
        let again = psp.charge(key, token, 2999).await;
        assert_eq!((first.status, first.replayed), (status, false));
        assert_eq!((again.status, again.replayed), (status, true));
        assert_eq!(first.body, again.body);
        assert_eq!(ask(psp.get(&format!("/v1/charges/{}", first.text("id")))).await.body, first.body);
    }
    assert_eq!(psp.list("/v1/charges").await.len(), 2);
}

#[tokio::test]
async fn an_answer_that_is_given_again_is_what_it_was() {
    let psp = Psp::start().await;
    let first = psp.charge("k", "tok_visa", 100).await;
    assert_eq!(psp.refund("r", &first.text("id"), 100).await.status, 201);
    assert_eq!(psp.charge("k", "tok_visa", 100).await.body, first.body);
    let now = ask(psp.get(&format!("/v1/charges/{}", first.text("id")))).await;
    assert_eq!(now.body["refunded_minor"], 100);
}

#[tokio::test]
async fn a_key_with_other_content_is_refused() {
    let psp = Psp::start().await;
    let first = psp.charge("k", "tok_visa", 100).await;
    let mut elsewhere = charge("tok_visa", 100);
    elsewhere["reference"] = json!("order-2");
    let mut in_euros = charge("tok_visa", 100);
    in_euros["amount"]["currency"] = json!("EUR");
    for other in [charge("tok_visa", 101), charge("tok_amex", 100), elsewhere, in_euros] {
        ask(psp.post("/v1/charges", "k", &other)).await.refuses(422, "idempotency_key_reused", "take a new one");
    }
    let crossed = ask(psp.post("/v1/refunds", "k", &refund(&first.text("id"), 100))).await;
    crossed.refuses(422, "idempotency_key_reused", "take a new one");
    assert_eq!(psp.list("/v1/charges").await.len(), 1);
    // The content counts, not how it is written.
    let text = r#" {"reference":"order-1", "token":"tok_visa", "amount":{"currency":"USD","minor":100}}"#;
    let written = psp.post("/v1/charges", "k", &Value::Null).body(text);
    assert_eq!(ask(written).await.body, first.body);
}

#[tokio::test]
async fn many_at_once_with_one_key_make_one_charge() {
    let psp = Psp::start().await;
    let asks: Vec<_> =
        (0..20).map(|_| tokio::spawn(ask(psp.post("/v1/charges", "k", &charge("tok_visa", 500))))).collect();
    let (mut ids, mut new) = (Vec::new(), 0);
    for ask in asks {
        let answer = ask.await.unwrap();
        assert_eq!(answer.status, 201, "{answer:?}");
        new += u32::from(!answer.replayed);
        ids.push(answer.text("id"));
    }
    ids.dedup();
    assert_eq!((ids.len(), new), (1, 1));
    assert_eq!(psp.list("/v1/charges").await.len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_too_late_does_not_hide_a_charge() {
    let psp = Psp::start().await;
    let asked = || psp.post("/v1/charges", "k", &charge("tok_timeoutAfterCharge", 500));
    let first = asked().timeout(Duration::from_secs(2)).send().await;
    assert!(first.unwrap_err().is_timeout());
    let second = ask(asked()).await;
    assert_eq!((second.status, second.replayed), (201, true));
    let charges = psp.list("/v1/charges?reference=order-1").await;
    assert_eq!(charges, [second.body]);
}

#[tokio::test]
async fn whoever_waits_gets_the_answer_after_all() {
    let psp = Psp::on(database_url().await, 300).await;
    // Each key has a first answer of its own.
    for key in ["one", "other"] {
        let started = Instant::now();
        let answer = psp.charge(key, "tok_timeoutAfterCharge", 500).await;
        assert_eq!((answer.status, answer.replayed), (201, false));
        assert!(started.elapsed() >= Duration::from_millis(300));
    }
}

#[tokio::test]
async fn a_service_that_stops_withholds_nothing() {
    let psp = Psp::start().await;
    let waiting = tokio::spawn(ask(psp.post("/v1/charges", "k", &charge("tok_timeoutAfterCharge", 500))));
    eventually("the charge is there", async || psp.list("/v1/charges").await.pop()).await;
    psp.stop().await;
    assert_eq!(waiting.await.unwrap().status, 201);
}

#[tokio::test]
async fn two_errors_and_then_a_charge_even_over_restarts() {
    let psp = Psp::start().await;
    psp.charge("k", "tok_errorTwice", 500).await.refuses(500, "internal", "on purpose");
    // Another key has a count of its own, and other content is still another request.
    psp.charge("other", "tok_errorTwice", 500).await.refuses(500, "internal", "on purpose");
    psp.charge("k", "tok_errorTwice", 501).await.refuses(422, "idempotency_key_reused", "");
    let psp = Psp::on(psp.stop().await, 0).await;
    psp.charge("k", "tok_errorTwice", 500).await.refuses(500, "internal", "nothing was taken");
    assert!(psp.list("/v1/charges").await.is_empty());
    let charged = psp.charge("k", "tok_errorTwice", 500).await;
    assert_eq!((charged.status, charged.replayed), (201, false));
    let again = psp.charge("k", "tok_errorTwice", 500).await;
    assert_eq!((again.status, again.body, again.replayed), (201, charged.body, true));
    assert_eq!(psp.list("/v1/charges").await.len(), 1);
}

#[tokio::test]
async fn two_errors_and_then_one_charge_when_all_ask_at_once() {
    let psp = Psp::start().await;
    let asks: Vec<_> =
        (0..10).map(|_| tokio::spawn(ask(psp.post("/v1/charges", "k", &charge("tok_errorTwice", 500))))).collect();
    let mut statuses = Vec::new();
    for ask in asks {
        statuses.push(ask.await.unwrap().status);
    }
    statuses.sort_unstable();
    assert_eq!((&statuses[..8], &statuses[8..]), (&[201; 8][..], &[500; 2][..]));
    assert_eq!(psp.list("/v1/charges").await.len(), 1);
}

#[tokio::test]
async fn many_at_once_after_the_errors_make_one_charge() {
    let psp = Psp::start().await;
    for _ in 0..2 {
        assert_eq!(psp.charge("k", "tok_errorTwice", 500).await.status, 500);
    }
    let mut database = psp.database().await;
    let mut held = database.begin().await.unwrap();
    sqlx::query("select from request_keys for update").execute(&mut *held).await.unwrap();
    let asks: Vec<_> =
        (0..10).map(|_| tokio::spawn(ask(psp.post("/v1/charges", "k", &charge("tok_errorTwice", 500))))).collect();
    psp.wait_for_waiters(10).await;
    held.rollback().await.unwrap();
    for ask in asks {
        assert_eq!(ask.await.unwrap().status, 201);
    }
    assert_eq!(psp.list("/v1/charges").await.len(), 1);
}

#[tokio::test]
async fn what_is_refused_does_not_use_up_the_key() {
    let psp = Psp::start().await;
    let unknown = "tok_0192f0c1a2b37c4d8e5f60718293a4b5";
    for (token, minor, reason) in [
        ("tok_visa", 0, "amount"),
        ("tok_visa", -1, "amount"),
        (unknown, 100, "token: it is not known"),
        ("tok_VISA", 100, "token: it is not known"),
        ("", 100, "token: it is not known"),
        ("tok_\0", 100, "token: it is not known"),
    ] {
        psp.charge("k", token, minor).await.refuses(422, "validation_failed", reason);
    }
    for reference in ["", "a\0b", "a\nb", &"x".repeat(201)] {
        let mut bad = charge("tok_visa", 100);
        bad["reference"] = json!(reference);
        ask(psp.post("/v1/charges", "k", &bad)).await.refuses(422, "validation_failed", "reference");
    }
    assert!(psp.list("/v1/charges").await.is_empty());
    assert_eq!(psp.charge("k", "tok_visa", i64::MAX).await.status, 201);
}
