use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::{Psp, SECRET_KEY, ask, card, charge};

#[tokio::test]
async fn without_the_secret_key_there_is_no_money_and_no_ledger() {
    let psp = Psp::start().await;
    let id = psp.charged(100).await;
    let url = |path: &str| format!("{}{path}", psp.url);
    let requests = || {
        [
            psp.client.post(url("/v1/charges")).header("idempotency-key", "k").json(&charge("tok_visa", 100)),
            // Who asks comes before what is asked for.
            psp.client.post(url("/v1/charges")).body("{"),
            psp.client.post(url("/v1/refunds")),
            psp.client.get(url("/v1/charges")),
            psp.client.get(url("/v1/refunds")),
            psp.client.get(url(&format!("/v1/charges/{id}"))),
        ]
    };
    for request in requests() {
        ask(request).await.refuses(401, "unauthenticated", "Bearer");
    }
    for request in requests() {
        ask(request.bearer_auth("sk_test_of_another")).await.refuses(401, "unauthenticated", "secret key");
    }
    for request in requests() {
        ask(request.basic_auth("", Some(SECRET_KEY))).await.refuses(401, "unauthenticated", "Bearer");
    }
    assert_eq!(psp.list("/v1/charges").await.len(), 1);
}

#[tokio::test]
async fn money_needs_a_key_that_can_be_read() {
    let psp = Psp::start().await;
    let id = psp.charged(100).await;
    let long = "x".repeat(101);
    for (path, body) in [("/v1/charges", charge("tok_visa", 100)), ("/v1/refunds", crate::refund(&id, 100))] {
        let request = || psp.client.post(format!("{}{path}", psp.url)).bearer_auth(SECRET_KEY).json(&body);
        ask(request()).await.refuses(422, "validation_failed", "Idempotency-Key");
        for bad in [b"".as_slice(), long.as_bytes(), "é".as_bytes(), b"a\tb"] {
            ask(request().header("idempotency-key", bad)).await.refuses(422, "validation_failed", "Idempotency-Key");
        }
    }
    assert_eq!(psp.list("/v1/charges").await.len(), 1);
    assert!(psp.list("/v1/refunds").await.is_empty());
}

#[tokio::test]
async fn bodies_that_are_none_are_refused() {
    let psp = Psp::start().await;
    let paths = [
        ("/v1/tokens", card("4242424242424242")),
        ("/v1/charges", charge("tok_visa", 100)),
        ("/v1/refunds", crate::refund("ch_1", 100)),
    ];
    for (path, good) in paths {
        let text = |text: String| ask(psp.post(path, "k", &Value::Null).body(text));
        text(String::new()).await.refuses(400, "malformed_request", "");
        text(good.to_string().replace('}', "")).await.refuses(400, "malformed_request", "");
        let mut more = good.clone();
        more["more"] = json!(1);
        text(more.to_string()).await.refuses(422, "validation_failed", "field");
        text("[]".to_owned()).await.refuses(422, "validation_failed", "");
        text(format!("{}{good}", " ".repeat(64 * 1024))).await.refuses(413, "body_too_large", "65536");
        let plain = psp.client.post(format!("{}{path}", psp.url)).bearer_auth(SECRET_KEY);
        let plain = plain.header("idempotency-key", "k").header(CONTENT_TYPE, "text/plain").body(good.to_string());
        ask(plain).await.refuses(415, "unsupported_media_type", "");
    }
    assert!(psp.list("/v1/charges").await.is_empty());
}

#[tokio::test]
async fn the_document_has_every_route() {
    let psp = Psp::start().await;
    let document = ask(psp.client.get(format!("{}/openapi.json", psp.url))).await.body;
    let paths: Vec<_> = document["paths"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        paths,
        ["/v1/charges", "/v1/charges/{id}", "/v1/refunds", "/v1/test-cards", "/v1/tokens", "/v1/tokens/{id}"]
    );
    assert_eq!(document["components"]["securitySchemes"]["secret_key"]["scheme"], "bearer");
    assert_eq!(document["paths"]["/v1/charges"]["post"]["security"], json!([{ "secret_key": [] }]));
    assert!(document["paths"]["/v1/tokens"]["post"]["security"].is_null());
}

#[test]
fn settings_are_read_strictly() {
    let read = |psp: &str| {
        let text = format!(r#"{{"service":{{"listen":"127.0.0.1:0","database_url":""}},"psp":{psp}}}"#);
        serde_json::from_str::<orderflow_psp::Config>(&text)
    };
    assert_eq!(read(r#"{"secret_key":"k"}"#).ok().unwrap().psp.hang_ms, 30_000);
    assert_eq!(read(r#"{"secret_key":"k","hang_ms":5}"#).ok().unwrap().psp.hang_ms, 5);
    assert!(read("{}").is_err() && read(r#"{"secret_key":"k","other":1}"#).is_err());
}

#[tokio::test]
async fn there_is_no_service_without_a_key() {
    let service = json!({ "listen": "127.0.0.1:0", "database_url": "postgres://127.0.0.1:1/none" });
    let psp = orderflow_psp::Settings { secret_key: String::new(), hang_ms: 0 };
    let config = orderflow_psp::Config { service: serde_json::from_value(service).unwrap(), psp };
    assert!(orderflow_psp::build(config).await.err().unwrap().to_string().contains("psp.secret_key"));
}
