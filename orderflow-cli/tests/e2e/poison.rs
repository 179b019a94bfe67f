//! Records that no service can apply, sent as somebody would who writes to Kafka by hand.

use std::time::Duration;

use orderflow_testing::eventually;
use rdkafka::{
    ClientConfig,
    message::{Header, OwnedHeaders},
    producer::{FutureProducer, FutureRecord},
};
use serde_json::Value;
use uuid::Uuid;

use crate::{cluster::Cluster, shop::text};

/// How long the broker may take for a record.
const LIMIT: Duration = Duration::from_secs(90);

/// An event of inventory's about an order.
#[derive(Debug, Clone)]
pub struct Told<'a> {
    /// Its id.
    pub id: String,
    /// Which order.
    pub order: &'a str,
    /// Its type.
    pub event: &'a str,
    /// Its data.
    pub data: &'a str,
}

impl<'a> Told<'a> {
    /// One with an id that nobody has seen.
    pub fn new(order: &'a str, event: &'a str, data: &'a str) -> Self {
        Self { id: Uuid::now_v7().to_string(), order, event, data }
    }

    /// Sends it. Orders and console read this topic.
    pub async fn send(&self, shop: &Cluster) {
        let headers = [
            ("ce_specversion", "1.0"),
            ("ce_id", &self.id),
            ("ce_source", "/orderflow/inventory"),
            ("ce_type", self.event),
            ("ce_subject", self.order),
            ("ce_time", "2026-11-22T00:00:00Z"),
            ("ce_correlationid", "by-hand"),
            ("ce_sequence", "1"),
        ];
        let headers = headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: Some(value.as_bytes()) })
        });
        let bootstrap = text(&shop.status().await["endpoints"]["broker"]);
        let producer: FutureProducer = ClientConfig::new().set("bootstrap.servers", &bootstrap).create().unwrap();
        let record = FutureRecord::to("inventory").key(self.order).payload(self.data).headers(headers);
        producer.send(record, LIMIT).await.unwrap();
    }
}

impl Cluster {
    /// The dead letters of a service with this status that are about an order.
    pub async fn letters(&self, service: &str, status: &str, order: &str) -> Vec<Value> {
        let line = format!("dlq list --service {service} --status {status} --limit 1000");
        let list = self.admin().json(&line).await;
        list["items"].as_array().unwrap().iter().filter(|letter| letter["key"] == order).cloned().collect()
    }

    /// Waits for the open dead letter of a service about an order.
    pub async fn letter(&self, service: &str, order: &str) -> Value {
        let open = async || self.letters(service, "open", order).await.into_iter().next();
        eventually(&format!("{service} has a dead letter about {order}"), open).await
    }
}
