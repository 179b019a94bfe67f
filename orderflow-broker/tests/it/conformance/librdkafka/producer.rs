//! Producing through librdkafka: order, acknowledgements, codecs, and every field of a record.

use std::collections::BTreeMap;

use kafka_protocol::records::{Compression, RecordBatchDecoder};
use rdkafka::{
    Message as _, Timestamp,
    error::KafkaError,
    message::{Header, Headers as _, OwnedHeaders},
    producer::FutureRecord,
    types::RDKafkaErrorCode,
};

use super::{Consumer, WITHIN, blocking, config, producer};
use crate::{
    raw::{Client, now_ms},
    target::{Target, conformance, unique},
};

conformance! {
    plain_producer_keeps_the_order_of_each_key,
    idempotent_producer_keeps_the_order_of_each_key,
    codecs_are_kept_and_read,
    fields_of_a_record_are_kept,
    topic_is_created_by_producing,
    record_too_large_is_reported,
}

async fn plain_producer_keeps_the_order_of_each_key(target: &Target) {
    keeps_order(target, &[]).await;
}

async fn idempotent_producer_keeps_the_order_of_each_key(target: &Target) {
    keeps_order(target, &[("enable.idempotence", "true")]).await;
}

async fn keeps_order(target: &Target, settings: &[(&str, &str)]) {
    const RECORDS: u32 = 1_000;
    let topic = unique("order");
    Client::connect(target).await.create_topic(&topic, 3, &[]).await;
    let producer = producer(target, settings);
    let sent: Vec<_> = (0..RECORDS)
        .map(|value| {
            let (key, payload) = (format!("key-{}", value % 17), value.to_string());
            let record = FutureRecord::to(&topic).key(&key).payload(&payload);
            producer.send_result(record).map_err(|(error, _)| error).expect("queued")
        })
        .collect();
    let mut acknowledged: BTreeMap<(i32, i64), u32> = BTreeMap::new();
    for (value, delivery) in (0..).zip(sent) {
        let delivery = delivery.await.expect("a report").map_err(|(error, _)| error);
        let delivery = delivery.expect("delivered");
        acknowledged.insert((delivery.partition, delivery.offset), value);
    }
    assert_eq!(acknowledged.len(), RECORDS as usize, "each has an offset of its own");
    for partition in 0..3 {
        let of_partition = acknowledged.keys().filter(|(index, _)| *index == partition);
        let offsets: Vec<_> = of_partition.map(|(_, offset)| *offset).collect();
        let count = i64::try_from(offsets.len()).expect("small");
        assert!(count > 0 && offsets.into_iter().eq(0..count), "no gap in partition {partition}");
    }

    let (config, group) = (config(target), unique("group"));
    let read = blocking(move || {
        let mut consumer = Consumer::subscribed(&config, &group, &topic, &[]);
        consumer.read_until(RECORDS as usize);
        consumer.read
    })
    .await;
    let mut of_key: BTreeMap<Vec<u8>, Vec<u32>> = BTreeMap::new();
    for message in &read {
        let value = super::value(message);
        assert_eq!(acknowledged.get(&(message.partition(), message.offset())), Some(&value));
        of_key.entry(message.key().expect("a key").to_vec()).or_default().push(value);
    }
    assert_eq!((read.len(), of_key.len()), (RECORDS as usize, 17));
    for (key, values) in of_key {
        assert!(values.is_sorted(), "{}: {values:?}", String::from_utf8_lossy(&key));
    }
}

async fn codecs_are_kept_and_read(target: &Target) {
    for (codec, kept) in [
        ("none", Compression::None),
        ("gzip", Compression::Gzip),
        ("snappy", Compression::Snappy),
        ("lz4", Compression::Lz4),
    ] {
        let topic = unique(codec);
        let mut client = Client::connect(target).await;
        client.create_topic(&topic, 1, &[]).await;
        let producer = producer(target, &[("compression.codec", codec), ("linger.ms", "50")]);
        let padding = "x".repeat(200);
        let payloads: Vec<_> = (0..100).map(|value| format!("{padding}{value}")).collect();
        let sent: Vec<_> = payloads
            .iter()
            .map(|payload| {
                let record = FutureRecord::<str, _>::to(&topic).payload(payload);
                producer.send_result(record).map_err(|(error, _)| error).expect("queued")
            })
            .collect();
        for delivery in sent {
            delivery.await.expect("a report").map_err(|(error, _)| error).expect("delivered");
        }
        let mut records = client.fetch(&topic, 0, 0).await.records.expect("records");
        for batch in RecordBatchDecoder::decode_batch_info(&mut records).expect("batches") {
            // librdkafka leaves a batch as it is where compression would make it larger.
            assert!(batch.compression == kept || batch.record_count < 3, "{codec}: {batch:?}");
        }
        let (config, group) = (config(target), unique("group"));
        let read = blocking(move || {
            let mut consumer = Consumer::subscribed(&config, &group, &topic, &[]);
            consumer.read_until(100);
            consumer.read
        })
        .await;
        let read = read.iter().map(|message| message.payload().expect("a value"));
        assert!(read.eq(payloads.iter().map(String::as_bytes)), "{codec}");
    }
}

async fn fields_of_a_record_are_kept(target: &Target) {
    let topic = unique("fields");
    Client::connect(target).await.create_topic(&topic, 1, &[]).await;
    let producer = producer(target, &[]);
    let time = now_ms() - 123_456;
    let headers = OwnedHeaders::new()
        .insert(Header { key: "text", value: Some("value") })
        .insert(Header { key: "again", value: Some("1") })
        .insert(Header { key: "again", value: Some("2") })
        .insert(Header { key: "empty", value: Some("") })
        .insert(Header::<&str> { key: "null", value: None });
    let records = [
        FutureRecord::<str, str>::to(&topic).key("key").payload("value").headers(headers.clone()),
        FutureRecord::to(&topic).payload("no key"),
        FutureRecord::to(&topic).key("no value"),
        FutureRecord::to(&topic).key("").payload(""),
        FutureRecord::to(&topic),
    ];
    for (offset, record) in (0..).zip(records) {
        let delivery = producer.send(record.timestamp(time + offset), WITHIN).await;
        assert_eq!(delivery.map_err(|(error, _)| error).expect("delivered").offset, offset);
    }
    let (config, group) = (config(target), unique("group"));
    let read = blocking(move || {
        let mut consumer = Consumer::subscribed(&config, &group, &topic, &[]);
        consumer.read_until(5);
        consumer.read
    })
    .await;
    let expected = [
        (Some("key"), Some("value")),
        (None, Some("no key")),
        (Some("no value"), None),
        (Some(""), Some("")),
        (None, None),
    ];
    for ((offset, (key, value)), message) in (0..).zip(expected).zip(&read) {
        assert_eq!(message.offset(), offset);
        assert_eq!(message.key(), key.map(str::as_bytes), "offset {offset}");
        assert_eq!(message.payload(), value.map(str::as_bytes), "offset {offset}");
        assert_eq!(message.timestamp(), Timestamp::CreateTime(time + offset));
    }
    let kept = read[0].headers().expect("headers");
    let pairs = |headers: &OwnedHeaders| -> Vec<(String, Option<Vec<u8>>)> {
        headers.iter().map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect()
    };
    assert_eq!(pairs(kept), pairs(&headers), "in their order, with repetitions");
}

async fn topic_is_created_by_producing(target: &Target) {
    let topic = unique("automatic");
    let producer = producer(target, &[]);
    for offset in 0..3 {
        let record = FutureRecord::<str, _>::to(&topic).payload("a");
        let delivery = producer.send(record, WITHIN).await.map_err(|(error, _)| error);
        let delivery = delivery.expect("delivered");
        assert_eq!((delivery.partition, delivery.offset), (0, offset));
    }
}

async fn record_too_large_is_reported(target: &Target) {
    let topic = unique("large");
    Client::connect(target).await.create_topic(&topic, 1, &[("max.message.bytes", "1000")]).await;
    let producer = producer(target, &[]);
    let payload = "x".repeat(2_000);
    let record = FutureRecord::<str, _>::to(&topic).payload(&payload);
    let refused = producer.send(record, WITHIN).await.map_err(|(error, _)| error);
    assert_eq!(refused.err(), Some(KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge)));
}
