//! Kafka delivers at least once. Here it delivers everything three times.

use std::{collections::BTreeMap, time::Duration};

use orderflow_testing::eventually;
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    message::{Headers, OwnedMessage},
    metadata::MetadataTopic,
    producer::{FutureProducer, FutureRecord},
};

use crate::{books::Books, cluster::Cluster, shop::Stage};

const TOPICS: [&str; 4] = ["orders", "inventory", "payments", "catalog"];
/// Which service reads which topics.
const READERS: [(&str, &[&str]); 4] = [
    ("orders", &["inventory", "payments", "catalog"]),
    ("inventory", &["orders"]),
    ("payments", &["orders"]),
    ("console", &TOPICS),
];
const LIMIT: Duration = Duration::from_secs(90);

#[tokio::test]
async fn every_event_delivered_three_times_changes_nothing() {
    let shop = Cluster::start();
    one_order_of_each_ending(&shop).await;
    let at_rest = async || Some(Books::read(&shop).await).filter(Books::are_at_rest);
    eventually("all orders are at rest", at_rest).await;
    let told = async || (published(&shop).await.1 == 0).then_some(());
    eventually("everything is published", told).await;

    let bootstrap = shop.status().await["endpoints"]["broker"].as_str().unwrap().to_owned();
    let (broker, before) = (bootstrap.clone(), Books::read(&shop).await);
    let records = tokio::task::spawn_blocking(move || read_all(&broker)).await.unwrap();
    let published_before = published(&shop).await.0;
    assert_all_types_are_there(&records);
    // As a relay does that was killed before it had noted what was published, and once more in the worst order.
    send(&bootstrap, records.iter()).await;
    send(&bootstrap, records.iter().rev()).await;

    for (service, topics) in READERS {
        let of_topics = records.iter().filter(|record| topics.contains(&record.topic())).count();
        let expected = u64::try_from(of_topics * 2).unwrap();
        let mut seen = 0;
        let all_seen = async || {
            seen = shop.metric(service, "orderflow_inbox_duplicates_total").await;
            (seen >= expected).then_some(())
        };
        eventually(&format!("the inbox of {service} has passed over {expected} duplicates"), all_seen).await;
        assert_eq!(seen, expected, "{service}");
        assert_eq!(shop.metric(service, "orderflow_dead_letters_total").await, 0, "{service}");
    }
    assert_eq!(Books::read(&shop).await, before);
    assert_eq!(published(&shop).await, (published_before, 0), "nothing was said twice");
}

#[tokio::test]
async fn what_is_no_event_is_put_aside_and_the_partition_goes_on() {
    let shop = Cluster::start();
    let product = shop.product(5).await;
    let order = shop.order_at(Stage::Pending, &product, 1).await;
    let bootstrap = shop.status().await["endpoints"]["broker"].as_str().unwrap().to_owned();
    let producer: FutureProducer = ClientConfig::new().set("bootstrap.servers", &bootstrap).create().unwrap();
    for topic in ["orders", "inventory", "payments"] {
        // The order's key, so that it comes to the order's partition.
        let nonsense = FutureRecord::<str, [u8]>::to(topic).key(&order).payload(b"{ this is no event");
        producer.send(nonsense, LIMIT).await.unwrap();
    }
    shop.bring(&order, Stage::Pending, Stage::Fulfilled).await;
    for (service, expected) in [("orders", 2), ("inventory", 1), ("payments", 1), ("console", 3)] {
        let put_aside = async || {
            let seen = shop.metric(service, "orderflow_dead_letters_total").await;
            (seen == expected).then_some(())
        };
        eventually(&format!("{service} has put aside {expected} records"), put_aside).await;
    }
    assert_eq!(shop.stock(&product).await, [4, 0, 4]);
}

/// Together they have an event of every type.
async fn one_order_of_each_ending(shop: &Cluster) {
    let product = shop.product(20).await;
    shop.seller().json(&format!("product edit {product} --name Gadget")).await;
    shop.order(&product, 1).await;
    for stage in [Stage::Pending, Stage::Confirmed, Stage::Paid] {
        let order = shop.order_at(stage, &product, 1).await;
        shop.customer().json(&format!("order cancel {order} --wait")).await;
    }
    let declined = shop.order_at(Stage::Confirmed, &product, 1).await;
    shop.customer().refused(5, &format!("order pay {declined} --token tok_chargeDeclined --wait")).await;
    let too_many = shop.order(&product, 21).await;
    shop.seller().refused(5, &format!("order confirm {too_many} --wait")).await;
    shop.order_at(Stage::Fulfilled, &product, 2).await;

    // Expiry, and what it can do to an order whose money comes too late, which is race 1: nobody else may have the
    // stock meanwhile.
    let expired = shop.order_at(Stage::Confirmed, &product, 3).await;
    shop.admin().json("clock advance 32m").await;
    shop.is_at_last(&expired, ["CANCELLED", "RELEASED", "VOIDED"]).await;
    shop.order_at(Stage::Paid, &product, 4).await;
    shop.order_at(Stage::Confirmed, &product, 5).await;
}

fn assert_all_types_are_there(records: &[OwnedMessage]) {
    let mut types = BTreeMap::new();
    for record in records {
        *types.entry(header(record, "ce_type")).or_insert(0) += 1;
    }
    for expected in [
        "order.created",
        "order.confirmation_requested",
        "order.confirmed",
        "order.paid",
        "order.fulfilled",
        "order.cancelled",
        "inventory.reserved",
        "inventory.reservation_failed",
        "inventory.reservation_expired",
        "inventory.allocated",
        "inventory.committed",
        "inventory.released",
        "payment.opened",
        "payment.succeeded",
        "payment.failed",
        "payment.voided",
        "payment.refunded",
        "catalog.product_changed",
    ] {
        assert!(types.contains_key(expected), "no {expected} in {types:?}");
    }
}

fn header(record: &OwnedMessage, name: &str) -> String {
    let headers = record.headers().into_iter().flat_map(Headers::iter);
    let value = headers.filter(|header| header.key == name).find_map(|header| header.value);
    String::from_utf8_lossy(value.unwrap_or_default()).into_owned()
}

/// Everything in every topic.
fn read_all(bootstrap: &str) -> Vec<OwnedMessage> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("group.id", "a-test-that-only-looks")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    let mut partitions = TopicPartitionList::new();
    let mut left = 0;
    for topic in TOPICS {
        let metadata = consumer.fetch_metadata(Some(topic), LIMIT).unwrap();
        for partition in metadata.topics().iter().flat_map(MetadataTopic::partitions) {
            let (low, high) = consumer.fetch_watermarks(topic, partition.id(), LIMIT).unwrap();
            left += high - low;
            partitions.add_partition_offset(topic, partition.id(), Offset::Offset(low)).unwrap();
        }
    }
    consumer.assign(&partitions).unwrap();
    let next = || consumer.poll(LIMIT).expect("a record in time").unwrap().detach();
    (0..left).map(|_| next()).collect()
}

/// Sends records again as they are, the event's id included.
async fn send<'a>(bootstrap: &str, records: impl Iterator<Item = &'a OwnedMessage>) {
    let producer: FutureProducer = ClientConfig::new().set("bootstrap.servers", bootstrap).create().unwrap();
    let deliveries = records.map(|record| {
        let again = FutureRecord::to(record.topic()).key(record.key().unwrap()).payload(record.payload().unwrap());
        let again = again.headers(record.headers().unwrap().clone());
        producer.send_result(again).map_err(|(error, _)| error).unwrap()
    });
    for delivery in futures_util::future::join_all(deliveries.collect::<Vec<_>>()).await {
        delivery.unwrap().map_err(|(error, _)| error).unwrap();
    }
}

/// How many events were published, and how many are yet to be.
async fn published(shop: &Cluster) -> (u64, u64) {
    let (mut done, mut to_do) = (0, 0);
    for service in ["orders", "inventory", "payments"] {
        done += shop.metric(service, "orderflow_outbox_published_total").await;
        to_do += shop.metric(service, "orderflow_outbox_pending").await;
    }
    (done, to_do)
}
