//! `orderflow audit`: who did what, and that nobody can take it back unseen, whoever has the database.

use std::fs;

use orderflow_testing::eventually;
use serde_json::Value;
use sqlx::{Connection, PgConnection};

use crate::{
    cluster::Cluster,
    shop::{Stage, text},
};

impl Cluster {
    /// A connection to a service's own database, past the service.
    async fn database_of(&self, service: &str) -> PgConnection {
        let config = fs::read_to_string(self.data().join(format!("config/{service}.toml"))).unwrap();
        let config: toml::Table = toml::from_str(&config).unwrap();
        let url = config["service"]["database_url"].as_str().unwrap();
        PgConnection::connect(url).await.unwrap()
    }

    async fn entries(&self, filter: &str) -> Vec<Value> {
        let list = self.admin().json(&format!("audit list --limit 200 {filter}")).await;
        list["items"].as_array().unwrap().clone()
    }

    async fn audit_is_broken_at(&self, number: i64) {
        let ran = self.admin().run_with("audit verify", "").await.ends(7);
        let found = ran.says("was altered, or something is missing").document();
        assert_eq!((&found["intact"], found["first_broken"].as_i64()), (&false.into(), Some(number)), "{found:#}");
        let read = self.admin().run("audit verify").await.ends(7).says(&format!("at entry {number}"));
        assert!(read.out.contains("they do not fit"), "{read:#?}");
    }

    async fn audit_is_whole(&self) {
        assert_eq!(self.admin().json("audit verify").await["intact"], true);
    }
}

#[tokio::test]
async fn who_did_what_to_what_is_written_down_and_each_alteration_is_found() {
    let shop = Cluster::start();
    let product = shop.product(5).await;
    let order = shop.order_at(Stage::Fulfilled, &product, 1).await;
    shop.chaos("set http-latency 1ms --service orders --for 1s").await;
    let all = async || {
        let entries = shop.entries(&format!("--subject {order}")).await;
        let actions: Vec<_> = entries.iter().map(|entry| text(&entry["action"])).collect();
        let has = |wanted: &&str| actions.iter().any(|action| action == wanted);
        ["order.created", "order.fulfilled", "inventory.committed", "payment.succeeded"]
            .iter()
            .all(has)
            .then_some(entries)
    };
    let entries = eventually("what was done to the order is written down", all).await;
    let actor_of = |action: &str| text(&entries.iter().find(|entry| entry["action"] == action).unwrap()["actor"]);
    assert!(actor_of("order.created").starts_with("customer/"), "{entries:#?}");
    assert!(actor_of("order.fulfilled").starts_with("seller/"), "{entries:#?}");
    assert_eq!(actor_of("inventory.committed"), "inventory", "what a service does by itself");
    let set = async || shop.entries("--action chaos.set --actor admin/").await.into_iter().next();
    let set = eventually("the fault is written down", set).await;
    assert_eq!((&set["subject"], &set["detail"]["ms"]), (&"orders/http-latency".into(), &1.into()), "{set:#}");
    shop.seller().refused(1, "audit list").await.says("(forbidden)").writes_nothing();

    shop.audit_is_whole().await;
    let mut database = shop.database_of("console").await;
    let mut tell = async |statement: &'static str| sqlx::query(statement).execute(&mut database).await.unwrap();
    tell("create table kept as select * from audit").await;
    tell("update audit set detail = '{\"amount\": 1}' where number = 3").await;
    shop.audit_is_broken_at(3).await;
    tell("update audit set detail = kept.detail from kept where kept.number = audit.number and audit.number = 3").await;
    shop.audit_is_whole().await;
    tell("delete from audit where number = 2").await;
    shop.audit_is_broken_at(2).await;
    tell("insert into audit select * from kept where number = 2").await;
    shop.audit_is_whole().await;
    // The end of the log as well, though no entry comes after it.
    let last = shop.admin().json("audit verify").await["entries"].as_i64().unwrap();
    tell("delete from audit where number = (select max(number) from audit)").await;
    shop.audit_is_broken_at(last).await;
}
