use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::Connection;

use crate::{Psp, ask, refund};

#[tokio::test]
async fn all_of_it_can_be_given_back_once() {
    let psp = Psp::start().await;
    let charge_id = psp.charged(1000).await;
    let first = psp.refund("r", &charge_id, 1000).await;
    assert_eq!((first.status, first.replayed), (201, false));
    assert!(first.text("id").starts_with("re_"));
    assert_eq!((first.text("charge_id"), first.text("reference")), (charge_id.clone(), "order-1".to_owned()));
    let again = psp.refund("r", &charge_id, 1000).await;
    assert_eq!((again.status, again.replayed, again.body), (201, true, first.body.clone()));
    psp.refund("r", &charge_id, 999).await.refuses(422, "idempotency_key_reused", "");
    let more = psp.refund("r2", &charge_id, 1).await;
    more.refuses(422, "validation_failed", "more than is left");
    assert_eq!(more.body["left_minor"], 0);
    assert_eq!(psp.list("/v1/refunds?reference=order-1").await, [first.body]);
}

#[tokio::test]
async fn parts_never_are_more_than_the_whole() {
    let psp = Psp::start().await;
    let charge_id = psp.charged(1000).await;
    assert_eq!(psp.refund("one", &charge_id, 600).await.status, 201);
    psp.refund("two", &charge_id, 401).await.refuses(422, "validation_failed", "more than is left");
    psp.refund("two", &charge_id, i64::MAX).await.refuses(422, "validation_failed", "more than is left");
    // It was refused, so the key is still good.
    assert_eq!(psp.refund("two", &charge_id, 400).await.status, 201);
    let charge = ask(psp.get(&format!("/v1/charges/{charge_id}"))).await;
    assert_eq!(charge.body["refunded_minor"], 1000);
}

#[tokio::test]
async fn what_was_not_taken_is_not_given_back() {
    let psp = Psp::start().await;
    let declined = psp.charge("k", "tok_chargeDeclined", 1000).await;
    psp.refund("r", &declined.text("id"), 1).await.refuses(422, "validation_failed", "declined");
    let charge_id = psp.charged(1000).await;
    for minor in [0, -1] {
        psp.refund("r", &charge_id, minor).await.refuses(422, "validation_failed", "amount");
    }
    let mut euros = refund(&charge_id, 1);
    euros["amount"]["currency"] = json!("EUR");
    ask(psp.post("/v1/refunds", "r", &euros)).await.refuses(422, "validation_failed", "another currency");
    for unknown in ["", "ch_1", "ch_0192f0c1a2b37c4d8e5f60718293a4b5", &charge_id.to_uppercase(), "ch_\0"] {
        psp.refund("r", unknown, 1).await.refuses(422, "validation_failed", "charge_id: there is no such charge");
    }
    assert!(psp.list("/v1/refunds").await.is_empty());
}

#[tokio::test]
async fn many_at_once_never_give_back_more_than_was_taken() {
    let psp = Psp::start().await;
    let charge_id = psp.charged(1000).await;
    let mut database = psp.database().await;
    // All are held back until many are in the midst of it.
    let mut held = database.begin().await.unwrap();
    sqlx::query("select from charges for update").execute(&mut *held).await.unwrap();
    let asks: Vec<_> = (0..20)
        .map(|at| tokio::spawn(ask(psp.post("/v1/refunds", &format!("r{at}"), &refund(&charge_id, 300)))))
        .collect();
    psp.wait_for_waiters(10).await;
    held.rollback().await.unwrap();
    let mut statuses = Vec::new();
    for ask in asks {
        statuses.push(ask.await.unwrap().status);
    }
    statuses.sort_unstable();
    assert_eq!((&statuses[..3], &statuses[3..]), (&[201; 3][..], &[422; 17][..]));
    assert_eq!(psp.list("/v1/refunds").await.len(), 3);
    let charge = ask(psp.get(&format!("/v1/charges/{charge_id}"))).await;
    assert_eq!(charge.body["refunded_minor"], 900);
}

#[tokio::test]
async fn many_at_once_with_one_key_give_back_once() {
    let psp = Psp::start().await;
    let charge_id = psp.charged(1000).await;
    let asks: Vec<_> =
        (0..20).map(|_| tokio::spawn(ask(psp.post("/v1/refunds", "r", &refund(&charge_id, 100))))).collect();
    for ask in asks {
        assert_eq!(ask.await.unwrap().status, 201);
    }
    assert_eq!(psp.list("/v1/refunds").await.len(), 1);
}

#[tokio::test]
async fn the_database_itself_refuses_to_give_back_too_much() {
    let psp = Psp::start().await;
    psp.charged(1000).await;
    let mut database = psp.database().await;
    let refused = sqlx::query("update charges set refunded_minor = 1001").execute(&mut database).await.unwrap_err();
    assert_eq!(refused.as_database_error().unwrap().constraint(), Some("charges_refunded_within_amount"));
    let declined = psp.charge("k", "tok_chargeDeclined", 1000).await;
    assert_eq!(declined.status, 402);
    let update = "update charges set refunded_minor = 1 where status = 'declined'";
    let refused = sqlx::query(update).execute(&mut database).await.unwrap_err();
    assert_eq!(refused.as_database_error().unwrap().constraint(), Some("charges_refunded_if_succeeded"));
}

#[tokio::test]
async fn a_refund_can_be_made_to_go_wrong_as_a_charge_can_and_is_made_once() {
    let psp = Psp::start().await;
    let charge_id = psp.charged(1000).await;
    let with = |fault: &str| psp.post("/v1/refunds", "r", &refund(&charge_id, 400)).header("test-fault", fault);
    ask(with("error")).await.refuses(500, "internal", "nothing was done");
    ask(with("decline=card_declined")).await.refuses(422, "validation_failed", "a refund is not declined");
    assert!(psp.list("/v1/refunds").await.is_empty());
    let withheld = with("hang").timeout(Duration::from_secs(2)).send().await;
    assert!(withheld.unwrap_err().is_timeout());
    let started = Instant::now();
    let again = ask(with("latency=200, hang")).await;
    assert!(started.elapsed() >= Duration::from_millis(200));
    assert_eq!((again.status, again.replayed), (201, true));
    assert_eq!(psp.list("/v1/refunds").await, [again.body]);
}
