//! The audit log: who did what, and that nobody can take it back unseen.

use orderflow_contracts::{
    api::{
        Page,
        console::Role,
        ops::{AuditCheck, AuditEntry},
    },
    events::{CancelReason, OrderEvent, topics},
    problem::Code,
};
use orderflow_testing::{eventually, new_account};
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
