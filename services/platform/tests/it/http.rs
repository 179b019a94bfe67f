//! What an admin does by HTTP: all of it together with its entry in the audit log, or nothing.

use std::sync::Arc;

use axum::http::Method;
use orderflow_contracts::{api::console::Role, problem::Code};
use orderflow_platform::{
    auth::Verifier,
    consumer::{Consumer, TryAgain},
    http::{Health, Ops, Server, Status, harden},
    metrics::Metrics,
    outbox::Outbox,
    tasks::Tasks,
    unreadable::Unreadable,
};
use orderflow_testing::{Answer, Caller, Keys, new_account};
use serde_json::json;
use uuid::Uuid;

use crate::toy::{DEAD_LETTERS, Listener, ToyEvent, World, record};

struct Fixture {
    world: World,
    consumer: Arc<Consumer<Listener>>,
    admin: Caller,
    _tasks: Tasks,
}

impl Fixture {
    /// The toy service with the routes that every service has.
    async fn start() -> Self {
        let (world, keys) = (World::start().await, Keys::generate());
        let (db, outbox, metrics) = (world.db.clone(), Outbox::default(), Metrics::default());
        let listener = Arc::new(Listener::default());
        let consumer = Consumer::new(db.clone(), outbox.clone(), metrics.clone(), "toy", DEAD_LETTERS, listener);
        let consumer = Arc::new(consumer);
        let ops = Ops {
            service: "toy",
            db: db.clone(),
            outbox: outbox.clone(),
            unreadable: Unreadable::default(),
            consumer: Some(Arc::clone(&consumer) as Arc<dyn TryAgain>),
            local: true,
            lab: true,
        };
        let status = Status {
            service: "toy",
            outbox,
            db: db.clone(),
            metrics: metrics.clone(),
            unreadable: Unreadable::default(),
            lag: None,
            health: Health::default(),
            local: true,
            clock_moved: Arc::default(),
            openapi: String::new(),
        };
        let verifier = Verifier::new(keys.public()).expect("a key");
        let router = harden(ops.router().merge(status.router()), Some(verifier), metrics, db.chaos().clone());
        let server = Server::bind(([127, 0, 0, 1], 0).into(), router).await.expect("a port");
        let url = format!("http://{}", server.address().expect("an address"));
        let mut tasks = Tasks::default();
        tasks.spawn("http", server.run(tasks.stop()));
        let admin = Caller::new(url, Some(keys.token(new_account(Role::Admin))));
        Self { world, consumer, admin, _tasks: tasks }
    }

    /// A record that the toy service makes no sense of; the path of its dead letter.
    async fn letter(&self, id: u128) -> String {
        let broken = record(i64::try_from(id).expect("a small number"), Uuid::from_u128(id).into(), &ToyEvent::Broken);
        self.consumer.consume_once(&[broken]).await.expect("it is put aside");
        let letters = self.admin.get("/v1/dead-letters").await.body;
        format!("/v1/dead-letters/{}", letters["items"][0]["id"].as_str().expect("an id"))
    }

    /// Makes sense of the dead letters, behind everybody's back.
    async fn mend(&self) {
        let mended = "update dead_letters set headers = replace(headers::text, 'toy.broken', 'toy.played')::jsonb";
        sqlx::query(mended).execute(&self.world.pool).await.expect("it is mended");
    }

    async fn audited(&self) -> i64 {
        self.world.database.count("select count(*) from outbox where topic = 'audit'").await
    }

    async fn lose_next_commit(&self) {
        assert_eq!(self.admin.put("/v1/chaos/commit-lost", &json!({ "times": 1 })).await.status, 200);
    }
}

fn status_of(answer: &Answer) -> &str {
    answer.body["status"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_dead_letter_whose_commit_was_lost_is_applied_and_told_of_once() {
    let fixture = Fixture::start().await;
    let letter = fixture.letter(1).await;
    let replay = async || fixture.admin.command(&format!("{letter}/replay")).await;
    assert_eq!((status_of(&replay().await), fixture.audited().await), ("open", 1));
    fixture.mend().await;
    fixture.lose_next_commit().await;
    let told = fixture.audited().await;
    // It was committed, and nobody can know.
    assert_eq!(replay().await.code(), Some(Code::OutcomeUnknown));
    assert_eq!(fixture.audited().await, told + 1);
    let again = replay().await;
    assert_eq!((status_of(&again), again.status.as_u16()), ("replayed", 200));
    assert_eq!(
        (fixture.audited().await, fixture.world.database.count("select count(*) from heard").await),
        (told + 1, 1)
    );
    assert_eq!(fixture.admin.command(&format!("{letter}/discard")).await.code(), Some(Code::IllegalTransition));
    let nobody = format!("/v1/dead-letters/{}/replay", Uuid::nil());
    assert_eq!(fixture.admin.command(&nobody).await.code(), Some(Code::IllegalTransition));
}

#[tokio::test]
async fn a_dead_letter_that_was_given_up_stays_so_however_often_it_is_said() {
    let fixture = Fixture::start().await;
    let letter = fixture.letter(1).await;
    for _ in 0..2 {
        let answer = fixture.admin.command(&format!("{letter}/discard")).await;
        assert_eq!((status_of(&answer), fixture.audited().await), ("discarded", 1));
    }
    assert_eq!(fixture.admin.command(&format!("{letter}/replay")).await.code(), Some(Code::IllegalTransition));
}

#[tokio::test]
async fn a_dead_letter_that_still_cannot_be_applied_has_changed_nothing() {
    let fixture = Fixture::start().await;
    let letter = fixture.letter(1).await;
    let inbox = "select count(*) from inbox where event_id = '00000000-0000-0000-0000-000000000001'";
    // Refused by the service, and then by the database.
    assert_eq!(status_of(&fixture.admin.command(&format!("{letter}/replay")).await), "open");
    let impossible = "update dead_letters set headers = replace(headers::text, 'toy.broken', 'toy.impossible')::jsonb";
    sqlx::query(impossible).execute(&fixture.world.pool).await.unwrap();
    let still = fixture.admin.command(&format!("{letter}/replay")).await;
    assert!(still.body["reason"].as_str().unwrap().contains("heard_pkey"), "{}", still.body);
    assert_eq!((status_of(&still), fixture.audited().await, fixture.world.database.count(inbox).await), ("open", 2, 1));
}

#[tokio::test]
async fn what_cannot_be_told_to_the_audit_log_is_not_done() {
    let fixture = Fixture::start().await;
    let (admin, database) = (&fixture.admin, &fixture.world.database);
    assert_eq!(admin.put("/v1/chaos/relay-twice", &json!({})).await.status, 200);
    let silence = "alter table outbox add constraint silence check (topic <> 'audit') not valid";
    sqlx::query(silence).execute(&fixture.world.pool).await.unwrap();
    for (path, body) in [
        ("/v1/clock", json!({ "offset_ms": 60_000 })),
        ("/v1/chaos/db-refused", json!({})),
        ("/v1/lab/inbox", json!({ "disabled": true })),
    ] {
        assert_eq!(admin.put(path, &body).await.status, 500, "{path}");
    }
    for path in ["/v1/chaos", "/v1/chaos/relay-twice"] {
        assert_eq!(admin.call(Method::DELETE, path, None, vec![]).await.status, 500, "{path}");
    }
    let set = admin.get("/v1/chaos").await.body;
    assert_eq!((set.as_array().map(Vec::len), &set[0]["name"]), (Some(1), &json!("relay-twice")));
    assert_eq!(admin.get("/v1/lab").await.body, json!([]));
    assert_eq!(admin.get("/v1/clock").await.body["offset_ms"], 0);
    assert_eq!(database.count("select offset_ms from clock").await, 0);
    assert_eq!(database.count("select count(*) from faults").await, 1);
    sqlx::query("alter table outbox drop constraint silence").execute(&fixture.world.pool).await.unwrap();
    let told = fixture.audited().await;
    assert_eq!(admin.put("/v1/clock", &json!({ "offset_ms": 60_000 })).await.body["offset_ms"], 60_000);
    assert_eq!(admin.call(Method::DELETE, "/v1/chaos", None, vec![]).await.status, 204);
    assert_eq!((fixture.audited().await, admin.get("/v1/chaos").await.body), (told + 2, json!([])));
}

#[tokio::test]
async fn a_large_outbox_is_published_again_in_parts_each_of_which_is_told_of() {
    let fixture = Fixture::start().await;
    let published = "insert into outbox (event_id, topic, key, headers, payload)
                     select gen_random_uuid(), 'toys', 'bear', '[]', '' from generate_series(1, 25000)";
    sqlx::query(published).execute(&fixture.world.pool).await.unwrap();
    let replayed = fixture.admin.post("/v1/outbox/replay", &json!({})).await;
    assert_eq!((replayed.status.as_u16(), replayed.body), (200, json!({ "events": 25_000 })));
    // The entries themselves are there to be published as well.
    assert_eq!((fixture.audited().await, fixture.world.pending().await), (3, 25_003));
}

#[tokio::test]
async fn texts_that_no_table_can_keep_are_refused_and_named() {
    let fixture = Fixture::start().await;
    let (admin, letter) = (&fixture.admin, fixture.letter(1).await);
    let refused = |answer: Answer, field: &str| {
        let named = (answer.code(), answer.status.as_u16(), answer.body["field"].clone());
        assert_eq!(named, (Some(Code::ValidationFailed), 422, json!(field)), "{}", answer.body);
    };
    for bad in ["", "%00", "a%0Ab", &"x".repeat(201)] {
        for path in ["/v1/outbox", "/v1/dead-letters"] {
            refused(admin.get(&format!("{path}?subject={bad}")).await, "subject");
        }
    }
    let long = "x".repeat(201);
    for bad in ["", "\0", "a\nb", &long] {
        refused(admin.post("/v1/outbox/replay", &json!({ "subject": bad })).await, "subject");
        refused(admin.patch(&letter, &json!({ "key": bad })).await, "key");
        refused(admin.patch(&letter, &json!({ "headers": [[bad, "x"]] })).await, "headers");
        refused(admin.patch(&letter, &json!({ "headers": [["ce_type", bad]] })).await, "headers.ce_type");
    }
    refused(admin.patch(&letter, &json!({ "headers": [["baggage", "\0"]] })).await, "headers.baggage");
    refused(admin.patch(&letter, &json!({ "payload": { "a": ["\0"] } })).await, "payload");
    assert_eq!(fixture.audited().await, 0, "nothing was done");
    // What is not ours stays as it is.
    let headers = json!([["ce_type", "toy.played"], ["baggage", ""], ["tracestate", long]]);
    let edited = admin.patch(&letter, &json!({ "key": "bear", "headers": headers })).await;
    assert_eq!((edited.status.as_u16(), &edited.body["headers"]), (200, &headers));
}
