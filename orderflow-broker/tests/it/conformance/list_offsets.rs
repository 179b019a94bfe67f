//! Offsets by place and by time.

use kafka_protocol::{
    error::{ParseResponseErrorCode as _, ResponseError},
    messages::ListOffsetsRequest,
};

use crate::{
    raw::{Batch, Client, EARLIEST, LATEST, LIST_OFFSETS, now_ms},
    target::{Target, conformance, unique},
};

conformance! {
    every_version_lists,
    of_an_empty_log,
    by_time_finds_the_first_record_not_older,
    by_time_with_times_out_of_order,
    of_the_highest_time,
    highest_time_needs_version_seven,
    unknown_topic_and_partition,
}

const MAX_TIMESTAMP: i64 = -3;

/// A topic, and the time that the tests count from.
async fn topic(client: &mut Client, batches: &[&[i64]]) -> (String, i64) {
    let topic = unique("offsets");
    client.create_topic(&topic, 1, &[]).await;
    let base = now_ms() - 600_000;
    for batch in batches {
        let records: Vec<_> = batch.iter().map(|time| (base + time, "x")).collect();
        client.produce(&topic, 0, Batch::at(&records).encode()).await.expect("appended");
    }
    (topic, base)
}

async fn every_version_lists(target: &Target) {
    let mut client = Client::connect(target).await;
    let (topic, base) = topic(&mut client, &[&[0, 10], &[20]]).await;
    for version in client.versions::<ListOffsetsRequest>(1..=LIST_OFFSETS).await {
        for (time, offset, found) in
            [(EARLIEST, 0, -1), (LATEST, 3, -1), (base + 10, 1, base + 10), (base + 21, -1, -1)]
        {
            let answer = client.list_offset_of_version(version, &topic, 0, time).await;
            assert_eq!(answer.error_code.err(), None, "v{version} {time}");
            assert_eq!((answer.offset, answer.timestamp), (offset, found), "v{version} {time}");
            let epoch = if version >= 4 && offset != -1 { 0 } else { -1 };
            assert_eq!(answer.leader_epoch, epoch, "v{version} {time}");
        }
    }
}

async fn of_an_empty_log(target: &Target) {
    let mut client = Client::connect(target).await;
    let (topic, base) = topic(&mut client, &[]).await;
    for (time, offset) in [(EARLIEST, 0), (LATEST, 0), (base, -1), (0, -1), (MAX_TIMESTAMP, -1)] {
        let answer = client.list_offset(&topic, 0, time).await;
        assert_eq!(answer.error_code.err(), None, "{time}");
        assert_eq!((answer.offset, answer.timestamp), (offset, -1), "{time}");
    }
}

async fn by_time_finds_the_first_record_not_older(target: &Target) {
    let mut client = Client::connect(target).await;
    let (topic, base) = topic(&mut client, &[&[0, 10, 20], &[30], &[40, 40, 50]]).await;
    for (time, offset, found) in [
        (-1_000, 0, 0),
        (0, 0, 0),
        (1, 1, 10),
        (10, 1, 10),
        (11, 2, 20),
        (21, 3, 30),
        (30, 3, 30),
        (31, 4, 40),
        (40, 4, 40),
        (41, 6, 50),
        (50, 6, 50),
    ] {
        let answer = client.list_offset(&topic, 0, base + time).await;
        assert_eq!((answer.offset, answer.timestamp), (offset, base + found), "{time}");
    }
    let answer = client.list_offset(&topic, 0, base + 51).await;
    assert_eq!((answer.error_code.err(), answer.offset, answer.timestamp), (None, -1, -1));
    let answer = client.list_offset(&topic, 0, 0).await;
    assert_eq!((answer.offset, answer.timestamp), (0, base), "1970 is before the first");
}

/// Times are the producers': the first record in the order of offsets counts, not the oldest.
async fn by_time_with_times_out_of_order(target: &Target) {
    let mut client = Client::connect(target).await;
    let (topic, base) = topic(&mut client, &[&[50, 10], &[20, 30], &[60, 55]]).await;
    for (time, offset, found) in [(0, 0, 50), (20, 0, 50), (50, 0, 50), (51, 4, 60), (58, 4, 60)] {
        let answer = client.list_offset(&topic, 0, base + time).await;
        assert_eq!((answer.offset, answer.timestamp), (offset, base + found), "{time}");
    }
}

async fn of_the_highest_time(target: &Target) {
    let mut client = Client::connect(target).await;
    let (topic, base) = topic(&mut client, &[&[0, 70, 20], &[30], &[70, 40]]).await;
    let answer = client.list_offset(&topic, 0, MAX_TIMESTAMP).await;
    assert_eq!(answer.error_code.err(), None);
    assert_eq!((answer.offset, answer.timestamp), (1, base + 70), "the first of two");
}

async fn highest_time_needs_version_seven(target: &Target) {
    let mut client = Client::connect(target).await;
    let (topic, _) = topic(&mut client, &[&[0]]).await;
    for (version, time) in [(6, MAX_TIMESTAMP), (7, -9)] {
        let answer = client.list_offset_of_version(version, &topic, 0, time).await;
        assert_eq!(answer.error_code.err(), Some(ResponseError::UnsupportedVersion), "v{version} {time}");
        assert_eq!((answer.offset, answer.timestamp), (-1, -1));
    }
}

async fn unknown_topic_and_partition(target: &Target) {
    let mut client = Client::connect(target).await;
    let (topic, _) = topic(&mut client, &[]).await;
    for (name, partition) in [(unique("nowhere").as_str(), 0), (&topic, 1), (&topic, -1)] {
        for time in [EARLIEST, LATEST, 0] {
            let answer = client.list_offset(name, partition, time).await;
            assert_eq!(answer.error_code.err(), Some(ResponseError::UnknownTopicOrPartition));
            assert_eq!((answer.offset, answer.timestamp), (-1, -1));
        }
    }
}
