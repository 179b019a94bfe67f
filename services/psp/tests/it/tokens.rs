use orderflow_psp::test_cards::test_cards;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::{Psp, ask, card, logs};

#[tokio::test]
async fn a_card_becomes_a_token_that_can_be_charged_again_and_again() {
    let psp = Psp::start().await;
    let answer = psp.tokenise(&card("5555555555554444")).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.body["card"], json!({ "brand": "mastercard", "last4": "4444" }));
    let token = answer.text("id");
    assert!(token.starts_with("tok_") && token.len() == 36, "{token}");
    for key in ["one", "two"] {
        let charge = psp.charge(key, &token, 100).await;
        assert_eq!((charge.status, &charge.body["card"]), (201, &answer.body["card"]));
    }
    assert_ne!(psp.tokenise(&card("5555555555554444")).await.text("id"), token);
}

#[tokio::test]
async fn a_card_that_cannot_be_is_refused_by_field_and_never_shown() {
    let psp = Psp::start().await;
    let good = card("4242424242424242");
    let with = |name: &str, value: Value| {
        let mut card = good.clone();
        card[name] = value;
        card
    };
    for (bad, field) in [
        (card("4242424242424241"), "number"),
        (card("4242-4242-4242-4242"), "number"),
        (card("42424242426"), "number"),
        (with("number", json!(4_242_424_242_424_242_u64)), "number"),
        (with("exp_month", json!(13)), "exp_month"),
        (with("exp_month", json!("4242424242424242")), "exp_month"),
        (with("exp_year", json!(2020)), "exp_year"),
        (with("exp_year", json!(27)), "exp_year"),
        (with("exp_year", json!(-1)), "exp_year"),
        (with("cvc", json!("12")), "cvc"),
        (with("cvc", json!("9876")), "cvc"),
        (with("cvc", Value::Null), "cvc"),
        (json!({}), "number"),
    ] {
        let answer = psp.tokenise(&bad).await;
        answer.refuses(422, "validation_failed", field);
        assert_eq!(answer.body["field"], field);
        assert!(!without_request_id(&answer.body).contains("4242"), "{answer:?}");
        assert!(!without_request_id(&answer.body).contains("9876"), "{answer:?}");
    }
    psp.tokenise(&with("4242424242424242", json!(1))).await.refuses(422, "validation_failed", "a field besides number");
    psp.tokenise(&json!("4242424242424242")).await.refuses(422, "validation_failed", "an object");
}

#[tokio::test]
async fn a_card_expires_by_the_clock_of_the_service() {
    let psp = Psp::start().await;
    let mut database = psp.database().await;
    assert_eq!(psp.tokenise(&card("4242424242424242")).await.status, 201);
    let a_century = "update clock set offset_ms = 100 * 365.25 * 24 * 3600 * 1000";
    sqlx::query(a_century).execute(&mut database).await.unwrap();
    psp.tokenise(&card("4242424242424242")).await.refuses(422, "validation_failed", "exp_year: the card has expired");
}

#[tokio::test]
async fn the_list_of_test_cards_is_for_everybody_and_true() {
    let psp = Psp::start().await;
    let answer = ask(psp.client.get(format!("{}/v1/test-cards", psp.url))).await;
    assert_eq!(answer.body, serde_json::to_value(test_cards()).unwrap());
    for test in test_cards() {
        let answer = psp.tokenise(&card(test.number)).await;
        let token = answer.text("id");
        assert_eq!((answer.status, answer.body["card"]["brand"].as_str()), (201, Some(test.brand)));
        if test.outcome == "timeout_after_charge" {
            continue; // has tests of its own
        }
        for (key, token) in [(format!("own {}", test.token), token.as_str()), (test.token.to_owned(), test.token)] {
            let charge = psp.charge(&key, token, 100).await;
            let expected = match test.outcome {
                "succeeds" => (201, "succeeded".into(), Value::Null),
                "error_twice" => (500, 500.into(), Value::Null),
                code => (402, "declined".into(), code.into()),
            };
            let seen = (charge.status, charge.body["status"].clone(), charge.body["decline_code"].clone());
            assert_eq!(seen, expected, "{test:?}");
        }
    }
}

#[tokio::test]
async fn a_card_that_is_not_for_tests_is_declined() {
    let psp = Psp::start().await;
    let token = psp.tokenise(&card("4111111111111111")).await.text("id");
    let charge = psp.charge("k", &token, 100).await;
    assert_eq!((charge.status, charge.text("decline_code").as_str()), (402, "test_mode_live_card"));
}

#[tokio::test]
async fn whoever_tries_out_numbers_is_slowed_down() {
    let psp = Psp::start().await;
    let mut refused = None;
    // The burst, what is refilled in the seconds that this may take, and more.
    for _ in 0..100 {
        let asks: Vec<_> = (0..50)
            .map(|_| psp.client.post(format!("{}/v1/tokens", psp.url)).json(&card("4242424242424242")))
            .map(|request| tokio::spawn(ask(request)))
            .collect();
        for ask in asks {
            let answer = ask.await.unwrap();
            refused = if answer.status == 201 { refused } else { Some(answer) };
        }
        if refused.is_some() {
            break;
        }
    }
    refused.unwrap().refuses(429, "rate_limited", "too many cards");
}

#[tokio::test]
async fn no_number_is_kept_and_none_is_logged() {
    let psp = Psp::start().await;
    // Of no other test, so that what is found is ours.
    let numbers = ["6011000990139424", "4000056655665556"];
    for number in numbers {
        let answer = psp.tokenise(&card(number)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        psp.charge(number.get(..8).unwrap(), &answer.text("id"), 100).await;
        // Where it does not belong.
        psp.charge("wrong", number, 100).await.refuses(422, "validation_failed", "token: it is not known");
        let mut bad = card(number);
        bad["exp_month"] = json!(number);
        psp.tokenise(&bad).await.refuses(422, "validation_failed", "exp_month");
    }
    let dump = dump(&psp).await;
    assert!(dump.contains("test_mode_live_card") && dump.contains("9424"), "the dump has what is there");
    let logs = logs();
    assert!(logs.contains("a charge") && logs.contains("insert into tokens"), "the log has what is there");
    for number in numbers {
        let hex: String = number.bytes().map(|byte| format!("{byte:02x}")).collect();
        for secret in [number, hex.as_str()] {
            assert!(!dump.contains(secret), "{secret} is in the database");
            assert!(!logs.contains(secret), "{secret} is in the log");
        }
    }
    assert!(!dump.contains(crate::SECRET_KEY) && !logs.contains(crate::SECRET_KEY));
}

/// Every column of every row of every table, as text.
async fn dump(psp: &Psp) -> String {
    let mut database = psp.database().await;
    let tables: Vec<String> = sqlx::query_scalar("select tablename::text from pg_tables where schemaname = 'public'")
        .fetch_all(&mut database)
        .await
        .unwrap();
    assert!(tables.len() > 4, "{tables:?}");
    let mut dump = String::new();
    for table in tables {
        let rows = format!("select coalesce(string_agg(t::text, chr(10)), '') from {table} t");
        let text: String = sqlx::query_scalar(AssertSqlSafe(rows)).fetch_one(&mut database).await.unwrap();
        dump.push_str(&text);
    }
    dump
}

/// All that is said, but for the request's id: that is random, and may have any digits.
fn without_request_id(body: &Value) -> String {
    let mut body = body.clone();
    body["request_id"].take();
    body.to_string()
}
