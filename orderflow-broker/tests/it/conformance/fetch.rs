//! Reading: which batches come back, how long a fetch waits for them, and what an offset outside the log answers.

use std::time::Duration;

use kafka_protocol::{
    error::{ParseResponseErrorCode as _, ResponseError},
    messages::FetchRequest,
};
use tokio::time::Instant;

use crate::{
    raw::{Batch, Client, FETCH, fetch_partition, fetch_request, fetched, numbered, produce_request, str, values},
    target::{Target, conformance, unique},
};

conformance! {
    every_version_reads,
    read_committed_reads_the_same,
    from_the_middle_of_a_batch_the_whole_batch_comes,
    at_the_end_waits_for_max_wait,
    max_wait_of_zero_answers_at_once,
    outside_the_log_is_out_of_range_at_once,
    unknown_topic_and_partition,
    first_batch_comes_whatever_its_size,
    partition_max_bytes_ends_after_a_whole_batch,
    max_bytes_is_for_all_partitions_together,
    min_bytes_waits_for_enough,
    less_than_min_bytes_comes_after_max_wait,
    record_reaches_a_waiting_fetch_at_once,
    record_of_one_partition_answers_a_fetch_of_several,
    waiting_fetch_does_not_hold_up_other_connections,
    full_fetch_that_offers_a_session,
    unknown_session_is_refused,
    empty_fetch,
    leader_epoch_of_the_future_is_unknown,
}

/// A wait long enough that a test would run into its deadline if it were waited out.
const LONG_WAIT_MS: i32 = 15_000;
/// "At once", on a machine that runs all tests in parallel.
const AT_ONCE: Duration = Duration::from_secs(3);

async fn topic_with(client: &mut Client, batches: &[&[&str]]) -> String {
    let topic = unique("fetch");
    client.create_topic(&topic, 1, &[]).await;
    for batch in batches {
        client.produce(&topic, 0, Batch::of(batch).encode()).await.expect("appended");
    }
    topic
}

async fn every_version_reads(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = topic_with(&mut client, &[&["a", "b"], &["c"]]).await;
    for version in client.versions::<FetchRequest>(4..=FETCH).await {
        let request = fetch_request(&topic, vec![fetch_partition(0, 0)]);
        let answer = client.call(version, &request).await;
        assert_eq!((answer.error_code.err(), answer.session_id), (None, 0), "v{version}");
        assert_eq!(answer.responses[0].topic.as_str(), topic, "v{version}");
        let data = fetched(&answer, 0);
        assert_eq!(data.error_code.err(), None, "v{version}");
        assert_eq!(values(data), numbered(0, &["a", "b", "c"]), "v{version}");
        assert_eq!((data.high_watermark, data.last_stable_offset), (3, 3), "v{version}");
        assert_eq!(data.log_start_offset, if version >= 5 { 0 } else { -1 }, "v{version}");
        assert_eq!(data.preferred_read_replica, -1, "v{version}");
        assert_eq!(data.aborted_transactions, None, "v{version}: read_uncommitted asks for none");
    }
}

/// librdkafka's default, though nothing here is written in a transaction.
async fn read_committed_reads_the_same(target: &Target) {
    const READ_COMMITTED: i8 = 1;
    let mut client = Client::connect(target).await;
    let topic = topic_with(&mut client, &[&["a", "b"], &["c"]]).await;
    for version in client.versions::<FetchRequest>(4..=FETCH).await {
        let request = fetch_request(&topic, vec![fetch_partition(0, 0)]).with_isolation_level(READ_COMMITTED);
        let answer = client.call(version, &request).await;
        let data = fetched(&answer, 0);
        assert_eq!(values(data), numbered(0, &["a", "b", "c"]), "v{version}");
        assert_eq!((data.high_watermark, data.last_stable_offset), (3, 3), "v{version}");
        assert_eq!(data.aborted_transactions, Some(vec![]), "v{version}");
    }
}

async fn from_the_middle_of_a_batch_the_whole_batch_comes(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = topic_with(&mut client, &[&["a"], &["b", "c", "d"], &["e", "f"]]).await;
    let cases = [
        (0, numbered(0, &["a", "b", "c", "d", "e", "f"])),
        (1, numbered(1, &["b", "c", "d", "e", "f"])),
        (2, numbered(1, &["b", "c", "d", "e", "f"])),
        (3, numbered(1, &["b", "c", "d", "e", "f"])),
        (4, numbered(4, &["e", "f"])),
        (5, numbered(4, &["e", "f"])),
        (6, vec![]),
    ];
    for (offset, expected) in cases {
        let data = client.fetch(&topic, 0, offset).await;
        assert_eq!((data.error_code.err(), values(&data)), (None, expected), "offset {offset}");
        assert_eq!((data.high_watermark, data.log_start_offset), (6, 0), "offset {offset}");
    }
}

async fn at_the_end_waits_for_max_wait(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = topic_with(&mut client, &[&["a"]]).await;
    for max_wait_ms in [100, 700] {
        let request = fetch_request(&topic, vec![fetch_partition(0, 1)]).with_max_wait_ms(max_wait_ms);
        let begin = Instant::now();
        let answer = client.call(FETCH, &request).await;
        let waited = begin.elapsed().as_millis();
        let max_wait = u128::try_from(max_wait_ms).expect("a time");
        // Timers of a broker count whole milliseconds.
        assert!(max_wait - 2 <= waited && waited < max_wait + 2_000, "{waited} of {max_wait} ms");
        let data = fetched(&answer, 0);
        assert_eq!((data.error_code.err(), values(data)), (None, vec![]));
        assert_eq!(data.high_watermark, 1);
    }
}

async fn max_wait_of_zero_answers_at_once(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = topic_with(&mut client, &[]).await;
    let request = fetch_request(&topic, vec![fetch_partition(0, 0)]).with_min_bytes(1 << 20);
    let begin = Instant::now();
    let answer = client.call(FETCH, &request).await;
    assert!(begin.elapsed() < AT_ONCE);
    let data = fetched(&answer, 0);
    assert_eq!((data.error_code.err(), values(data), data.high_watermark), (None, vec![], 0));
}

async fn outside_the_log_is_out_of_range_at_once(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = topic_with(&mut client, &[&["a", "b"]]).await;
    for offset in [3, 1_000_000, i64::MAX, -1, -2, i64::MIN] {
        let request = fetch_request(&topic, vec![fetch_partition(0, offset)]).with_max_wait_ms(LONG_WAIT_MS);
        let begin = Instant::now();
        let answer = client.call(FETCH, &request).await;
        assert!(begin.elapsed() < AT_ONCE, "offset {offset}: an error is not waited for");
        let data = fetched(&answer, 0);
        assert_eq!(data.error_code.err(), Some(ResponseError::OffsetOutOfRange), "offset {offset}");
        assert_eq!((data.high_watermark, data.log_start_offset), (-1, -1), "offset {offset}");
        assert_eq!(values(data), []);
    }
}

async fn unknown_topic_and_partition(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = topic_with(&mut client, &[&["a"]]).await;
    for (name, partition) in [(unique("nowhere").as_str(), 0), (&topic, 1), (&topic, -1)] {
        let request = fetch_request(name, vec![fetch_partition(partition, 0)]).with_max_wait_ms(LONG_WAIT_MS);
        let begin = Instant::now();
        let answer = client.call(FETCH, &request).await;
        assert!(begin.elapsed() < AT_ONCE, "an error is not waited for");
        let data = fetched(&answer, partition);
        assert_eq!(data.error_code.err(), Some(ResponseError::UnknownTopicOrPartition));
        assert_eq!((answer.error_code.err(), data.high_watermark), (None, -1));
    }
}

async fn first_batch_comes_whatever_its_size(target: &Target) {
    let mut client = Client::connect(target).await;
    let large = "x".repeat(10_000);
    let topic = topic_with(&mut client, &[&[&large], &["b"]]).await;
    for (max_bytes, partition_max_bytes) in [(1, 1 << 20), (1 << 20, 1), (1, 1), (0, 0)] {
        let partition = fetch_partition(0, 0).with_partition_max_bytes(partition_max_bytes);
        let request = fetch_request(&topic, vec![partition]).with_max_bytes(max_bytes);
        let answer = client.call(FETCH, &request).await;
        assert_eq!(
            values(fetched(&answer, 0)),
            numbered(0, &[&large]),
            "max_bytes {max_bytes}, partition_max_bytes {partition_max_bytes}",
        );
    }
}

async fn partition_max_bytes_ends_after_a_whole_batch(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = topic_with(&mut client, &[&["a"], &["b"], &["c"], &["d"]]).await;
    let size = i32::try_from(Batch::of(&["a"]).encode().len()).expect("a small batch");
    for (bytes, expected) in [
        (size * 2, &["a", "b"][..]),
        (size * 2 + size / 2, &["a", "b"]),
        (size * 3 - 1, &["a", "b"]),
        (size * 3, &["a", "b", "c"]),
        (size * 9, &["a", "b", "c", "d"]),
    ] {
        let partition = fetch_partition(0, 0).with_partition_max_bytes(bytes);
        let answer = client.call(FETCH, &fetch_request(&topic, vec![partition])).await;
        assert_eq!(values(fetched(&answer, 0)), numbered(0, expected), "{bytes} bytes");
    }
}

async fn max_bytes_is_for_all_partitions_together(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = unique("fetch");
    client.create_topic(&topic, 3, &[]).await;
    for partition in 0..3 {
        client.produce(&topic, partition, Batch::of(&["a"]).encode()).await.expect("appended");
    }
    let size = i32::try_from(Batch::of(&["a"]).encode().len()).expect("a small batch");
    for (max_bytes, expected) in [(1, [1, 0, 0]), (size, [1, 0, 0]), (size * 2, [1, 1, 0]), (size * 3, [1, 1, 1])] {
        // In the order of the request, not of the partitions.
        let order = [2, 0, 1];
        let partitions = order.map(|partition| fetch_partition(partition, 0)).to_vec();
        let request = fetch_request(&topic, partitions).with_max_bytes(max_bytes);
        let answer = client.call(FETCH, &request).await;
        let counts = order.map(|partition| values(fetched(&answer, partition)).len());
        assert_eq!(counts, expected, "{max_bytes} bytes");
        for partition in order {
            let data = fetched(&answer, partition);
            assert_eq!((data.error_code.err(), data.high_watermark), (None, 1));
        }
    }
}

async fn min_bytes_waits_for_enough(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = topic_with(&mut client, &[&["a"]]).await;
    let size = i32::try_from(Batch::of(&["a"]).encode().len()).expect("a small batch");
    let mut reader = Client::connect(target).await;
    let request =
        fetch_request(&topic, vec![fetch_partition(0, 0)]).with_min_bytes(size * 3).with_max_wait_ms(LONG_WAIT_MS);
    let begin = Instant::now();
    reader.send(FETCH, &request).await;
    client.produce(&topic, 0, Batch::of(&["b"]).encode()).await.expect("appended");
    // The fetch is older than this answer: had two batches been enough for it, it would be answered by now.
    client.produce(&topic, 0, Batch::of(&["c"]).encode()).await.expect("appended");
    let answer = reader.receive::<FetchRequest>(FETCH).await;
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
    assert_eq!(values(fetched(&answer, 0)), numbered(0, &["a", "b", "c"]));
}

async fn less_than_min_bytes_comes_after_max_wait(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = topic_with(&mut client, &[&["a"]]).await;
    let request = fetch_request(&topic, vec![fetch_partition(0, 0)]).with_min_bytes(1 << 20).with_max_wait_ms(300);
    let begin = Instant::now();
    let answer = client.call(FETCH, &request).await;
    assert!(begin.elapsed() >= Duration::from_millis(298), "{:?}", begin.elapsed());
    assert_eq!(values(fetched(&answer, 0)), numbered(0, &["a"]));
}

async fn record_reaches_a_waiting_fetch_at_once(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = topic_with(&mut client, &[]).await;
    let mut reader = Client::connect(target).await;
    for offset in 0..20 {
        let request = fetch_request(&topic, vec![fetch_partition(0, offset)]).with_max_wait_ms(LONG_WAIT_MS);
        reader.send(FETCH, &request).await;
        let begin = Instant::now();
        assert_eq!(client.produce(&topic, 0, Batch::of(&["a"]).encode()).await, Ok(offset));
        let answer = reader.receive::<FetchRequest>(FETCH).await;
        assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
        let data = fetched(&answer, 0);
        assert_eq!(values(data), numbered(offset, &["a"]));
        // Apache Kafka's may be from a moment before it read the record.
        let earliest = if target.is_apache() { offset } else { offset + 1 };
        assert!((earliest..=offset + 1).contains(&data.high_watermark), "{} after {offset}", data.high_watermark);
    }
}

async fn record_of_one_partition_answers_a_fetch_of_several(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = unique("fetch");
    client.create_topic(&topic, 3, &[]).await;
    let mut reader = Client::connect(target).await;
    let partitions = (0..3).map(|partition| fetch_partition(partition, 0)).collect();
    let request = fetch_request(&topic, partitions).with_max_wait_ms(LONG_WAIT_MS);
    reader.send(FETCH, &request).await;
    let begin = Instant::now();
    client.produce(&topic, 1, Batch::of(&["a"]).encode()).await.expect("appended");
    let answer = reader.receive::<FetchRequest>(FETCH).await;
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
    for (partition, expected) in [(0, &[][..]), (1, &["a"]), (2, &[])] {
        assert_eq!(values(fetched(&answer, partition)), numbered(0, expected));
    }
}

async fn waiting_fetch_does_not_hold_up_other_connections(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = topic_with(&mut client, &[]).await;
    let request = fetch_request(&topic, vec![fetch_partition(0, 0)]).with_max_wait_ms(LONG_WAIT_MS);
    let mut readers = Vec::new();
    for _ in 0..20 {
        let mut reader = Client::connect(target).await;
        reader.send(FETCH, &request).await;
        readers.push(reader);
    }
    let begin = Instant::now();
    let records = [(0, Batch::of(&["a"]).encode())];
    client.call(9, &produce_request(&topic, -1, &records)).await;
    for reader in &mut readers {
        let answer = reader.receive::<FetchRequest>(FETCH).await;
        assert_eq!(values(fetched(&answer, 0)), numbered(0, &["a"]));
    }
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
}

/// A broker may open the session that a client offers, or decline it with session id 0; the data come either way.
async fn full_fetch_that_offers_a_session(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = topic_with(&mut client, &[&["a"]]).await;
    let request = fetch_request(&topic, vec![fetch_partition(0, 0)]).with_session_epoch(0);
    let answer = client.call(FETCH, &request).await;
    assert_eq!(answer.error_code.err(), None);
    assert_eq!(values(fetched(&answer, 0)), numbered(0, &["a"]));
    // Closing it with a full fetch works whether there was a session or not.
    let closing = request.with_session_id(answer.session_id).with_session_epoch(-1);
    let answer = client.call(FETCH, &closing).await;
    assert_eq!((answer.error_code.err(), answer.session_id), (None, 0));
    assert_eq!(values(fetched(&answer, 0)), numbered(0, &["a"]));
}

async fn unknown_session_is_refused(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = topic_with(&mut client, &[&["a"]]).await;
    let request = fetch_request(&topic, vec![fetch_partition(0, 0)])
        .with_session_id(123_456_789)
        .with_session_epoch(1)
        .with_max_wait_ms(LONG_WAIT_MS);
    let begin = Instant::now();
    let answer = client.call(FETCH, &request).await;
    assert!(begin.elapsed() < AT_ONCE, "an error is not waited for");
    assert_eq!(answer.error_code.err(), Some(ResponseError::FetchSessionIdNotFound));
    assert_eq!((answer.session_id, answer.responses.len()), (0, 0));
}

/// A fetch without partitions has nothing to wait for.
async fn empty_fetch(target: &Target) {
    let mut client = Client::connect(target).await;
    let request = FetchRequest::default().with_min_bytes(1).with_max_wait_ms(LONG_WAIT_MS).with_rack_id(str(""));
    let begin = Instant::now();
    let answer = client.call(FETCH, &request).await;
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
    assert_eq!((answer.error_code.err(), answer.responses.len()), (None, 0));
}

async fn leader_epoch_of_the_future_is_unknown(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = topic_with(&mut client, &[&["a"]]).await;
    for (epoch, error) in [(-1, None), (0, None), (7, Some(ResponseError::UnknownLeaderEpoch))] {
        let partition = fetch_partition(0, 0).with_current_leader_epoch(epoch);
        let answer = client.call(FETCH, &fetch_request(&topic, vec![partition])).await;
        assert_eq!(fetched(&answer, 0).error_code.err(), error, "epoch {epoch}");
    }
}
