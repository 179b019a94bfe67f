//! The audit log: who did what, and that nobody can take it back unseen.

use orderflow_contracts::{
    api::{
        Page,
        console::Role,
        ops::{AuditCheck, AuditEntry, AuditPart, AuditPlace},
    },
    events::{CancelReason, OrderEvent, topics},
    problem::Code,
};
use orderflow_testing::{eventually, new_account};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::world::World;

#[tokio::test]
async fn what_people_and_services_do_is_written_down_and_every_alteration_is_found() {
    let world = World::start().await;
    let admin = new_account(Role::Admin);
    let order = Uuid::now_v7();
    for sequence in 1..=3 {
        let cancelled = OrderEvent::Cancelled { reason: CancelReason::ByCustomer };
        world.kafka.tell(topics::ORDERS, order, sequence, &cancelled).await;
    }
    let note = json!({ "action": "process.kill", "subject": "inventory", "detail": { "signal": 9 } });
    assert_eq!(world.by(admin).post("/v1/audit", &note).await.status, 204);
    let list =
        async |query: &str| -> Page<AuditEntry> { world.by(admin).get(&format!("/v1/audit?{query}")).await.into() };
    let all = async || Some(list("").await.items).filter(|entries| entries.len() == 4);
    let entries = eventually("four entries", all).await;
    let numbers: Vec<_> = entries.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, [4, 3, 2, 1]);
    let killed = list("action=process.").await.items.remove(0);
    assert_eq!((killed.actor, killed.subject), (format!("admin/{}", admin.account_id), "inventory".to_owned()));
    let of_order = list(&format!("subject={order}")).await.items;
    assert!(of_order.len() == 3 && of_order.iter().all(|entry| entry.actor == "test"), "{of_order:?}");

    let check = async || -> AuditCheck { world.by(admin).get("/v1/audit/verify").await.into() };
    assert_eq!(check().await, AuditCheck { intact: true, entries: 4, first_broken: None });
    let pool = world.database.pool();
    sqlx::query("update audit set actor = 'nobody' where number = 2").execute(pool).await.unwrap();
    assert_eq!(check().await.first_broken, Some(2));
    sqlx::query("update audit set actor = 'test' where number = 2").execute(pool).await.unwrap();
    assert!(check().await.intact);
    sqlx::query("create table kept as select * from audit").execute(pool).await.unwrap();
    for missing in [3, 4, 1] {
        let away = sqlx::query("delete from audit where number = $1").bind(missing);
        away.execute(pool).await.unwrap();
        assert_eq!(check().await.first_broken, Some(missing));
        let back = sqlx::query("insert into audit select * from kept where number = $1").bind(missing);
        back.execute(pool).await.unwrap();
        assert!(check().await.intact);
    }
    // The newest entry is taken away, and then something else is done.
    sqlx::query("delete from audit where number = 4").execute(pool).await.unwrap();
    assert_eq!(world.by(admin).post("/v1/audit", &note).await.status, 204);
    assert_eq!(check().await.first_broken, Some(4));
    sqlx::query("delete from audit").execute(pool).await.unwrap();
    assert_eq!(check().await.first_broken, Some(1));
    for who in [Role::Customer, Role::Seller] {
        let who = world.by(new_account(who));
        assert_eq!(who.get("/v1/audit").await.code(), Some(Code::Forbidden));
        assert_eq!(who.post("/v1/audit", &note).await.code(), Some(Code::Forbidden));
    }
}

#[tokio::test]
async fn a_long_log_is_checked_in_parts_that_fit_together() {
    let world = World::start().await;
    let admin = world.by(new_account(Role::Admin));
    for number in 1..=5 {
        let note = json!({ "action": "process.kill", "subject": number.to_string() });
        assert_eq!(admin.post("/v1/audit", &note).await.status, 204);
    }
    let part = async |place: Option<&AuditPlace>| -> AuditPart {
        let place = place.map(|place| format!("&after={}&hash={}", place.after, place.hash)).unwrap_or_default();
        admin.get(&format!("/v1/audit/verify?limit=2{place}")).await.into()
    };
    let (mut ends, mut place) = (vec![], None);
    loop {
        let part = part(place.as_ref()).await;
        assert!(part.check.intact, "{part:?}");
        ends.push(part.check.entries);
        place = part.next;
        if place.is_none() {
            break;
        }
    }
    assert_eq!(ends, [2, 4, 5]);
    let pool = world.database.pool();
    let second = part(None).await.next.unwrap();
    sqlx::query("update audit set actor = 'nobody' where number = 4").execute(pool).await.unwrap();
    assert_eq!(part(None).await.check, AuditCheck { intact: true, entries: 2, first_broken: None });
    assert_eq!(part(Some(&second)).await.check.first_broken, Some(4));
    let elsewhere = AuditPlace { after: 2, hash: "0".repeat(64) };
    assert_eq!(part(Some(&elsewhere)).await.check.first_broken, Some(3), "the entry before is not that one");
    for query in ["limit=0", "limit=20001", "after=2", "hash=00", "after=2&hash=zz", "after=0&hash=00"] {
        let refused = admin.get(&format!("/v1/audit/verify?{query}")).await;
        assert_eq!(refused.code(), Some(Code::ValidationFailed), "{query}");
    }
}

#[tokio::test]
async fn numbers_that_the_database_writes_otherwise_do_not_break_the_chain() {
    let world = World::start().await;
    let admin = world.by(world.admin);
    // By hand, since each is to come as it stands here. PostgreSQL knows no negative zero, writes no exponent, and keeps
    // more digits than fit into a float.
    let numbers = ["-0.0", "1e16", "1e300", "1e-7", "18446744073709551616", "0.1234567890123456789", "1.50"];
    let note = |detail: &str| format!(r#"{{ "action": "a", "subject": "s", "detail": {detail} }}"#).into_bytes();
    for detail in numbers.map(str::to_owned).into_iter().chain([format!(r#"{{ "of": [{}] }}"#, numbers.join(","))]) {
        let noted = admin.call(Method::POST, "/v1/audit", Some("application/json"), note(&detail)).await;
        assert_eq!(noted.status, 204, "{detail}");
        let check: AuditCheck = admin.get("/v1/audit/verify").await.into();
        assert!(check.intact, "{detail}: {check:?}");
    }
}

#[tokio::test]
async fn a_log_of_which_nothing_is_left_is_not_whole() {
    let world = World::start().await;
    let check = async || -> AuditCheck { world.by(world.admin).get("/v1/audit/verify").await.into() };
    let empty = AuditCheck { intact: true, entries: 0, first_broken: None };
    assert_eq!(check().await, empty);
    // A dead letter is not written down, as nothing was done.
    world.kafka.tell(topics::ORDERS, "no order", 1, &OrderEvent::Paid).await;
    let letter = "select count(*) from dead_letters";
    eventually("a dead letter", async || (world.database.count(letter).await == 1).then_some(())).await;
    assert_eq!(check().await, empty);
    world.order().await;
    assert_eq!(check().await.entries, 1);
    for table in ["delete from audit", "delete from audit_head"] {
        sqlx::query(table).execute(world.database.pool()).await.unwrap();
        assert_eq!(check().await, AuditCheck { intact: false, entries: 0, first_broken: Some(1) });
    }
}

#[tokio::test]
async fn what_the_log_cannot_keep_or_look_for_is_refused() {
    let world = World::start().await;
    let admin = world.by(world.admin);
    let long = "x".repeat(201);
    for name in ["actor", "action", "subject"] {
        for text in ["%00", "a%0Ab", &long] {
            let refused = admin.get(&format!("/v1/audit?{name}={text}")).await;
            assert_eq!(refused.code(), Some(Code::ValidationFailed), "{name}={text}: {}", refused.body);
        }
        assert_eq!(admin.get(&format!("/v1/audit?{name}={}", "x".repeat(200))).await.status, 200);
    }
    let far = "x".repeat(20_000);
    for note in [
        json!({ "action": "a\0", "subject": "s" }),
        json!({ "action": "a", "subject": "s\n" }),
        json!({ "action": far, "subject": "s" }),
        json!({ "action": "a", "subject": far }),
        json!({ "action": "a", "subject": "s", "detail": "\0" }),
        json!({ "action": "a", "subject": "s", "detail": { "of": [1, { "a\0": true }] } }),
    ] {
        let refused = admin.post("/v1/audit", &note).await;
        assert_eq!(refused.code(), Some(Code::ValidationFailed), "{note}: {}", refused.body);
    }
    assert_eq!(world.database.count("select count(*) from audit").await, 0);
    let note = json!({ "action": "a", "subject": "ü".repeat(200), "detail": { "text": far } });
    assert_eq!(admin.post("/v1/audit", &note).await.status, 204);
}
