//! Idempotent producers: what was appended is not appended again, what is missing is noticed, and a producer that was
//! replaced is told so.

use bytes::Bytes;
use kafka_protocol::error::ResponseError;

use crate::{
    raw::{Appended, Batch, Client, LATEST, Producer, numbered, values},
    target::{Target, conformance, unique},
};

conformance! {
    producer_ids_differ_and_begin_at_epoch_zero,
    sequences_go_on_from_batch_to_batch,
    duplicate_answers_its_first_offset,
    each_of_the_last_five_batches_is_known_again,
    duplicate_older_than_five_batches,
    overlap_with_the_last_batch_is_refused,
    gap_is_refused,
    old_epoch_is_refused,
    new_epoch_begins_at_zero,
    unknown_producer_with_a_later_sequence,
    sequence_wraps_to_zero,
    producers_do_not_disturb_each_other,
    partitions_have_sequences_of_their_own,
    producer_without_a_sequence_is_refused,
}

/// A connection and a topic of one partition.
struct Log {
    client: Client,
    topic: String,
}

impl Log {
    async fn new(target: &Target) -> Self {
        let mut client = Client::connect(target).await;
        let topic = unique("idempotence");
        client.create_topic(&topic, 1, &[]).await;
        Self { client, topic }
    }

    async fn append(&mut self, producer: Producer, sequence: i32, values: &[&str]) -> Appended {
        self.append_bytes(Batch::of(values).by(producer, sequence).encode()).await
    }

    async fn append_bytes(&mut self, records: Bytes) -> Appended {
        self.client.produce(&self.topic, 0, records).await
    }

    async fn end(&mut self) -> i64 {
        self.client.list_offset(&self.topic, 0, LATEST).await.offset
    }

    async fn assert_holds(&mut self, expected: &[&str]) {
        let data = self.client.fetch(&self.topic, 0, 0).await;
        assert_eq!(values(&data), numbered(0, expected));
    }
}

async fn producer_ids_differ_and_begin_at_epoch_zero(target: &Target) {
    let mut client = Client::connect(target).await;
    let mut other = Client::connect(target).await;
    let producers = [client.init_producer().await, other.init_producer().await, client.init_producer().await];
    let mut ids = producers.map(|producer| producer.id);
    ids.sort_unstable();
    assert!(0 <= ids[0] && ids[0] < ids[1] && ids[1] < ids[2], "{ids:?}");
    assert_eq!(producers.map(|producer| producer.epoch), [0; 3]);
}

async fn sequences_go_on_from_batch_to_batch(target: &Target) {
    let mut log = Log::new(target).await;
    let producer = log.client.init_producer().await;
    assert_eq!(log.append(producer, 0, &["a"]).await, Ok(0));
    assert_eq!(log.append(producer, 1, &["b", "c"]).await, Ok(1));
    assert_eq!(log.append(producer, 3, &["d"]).await, Ok(3));
    log.assert_holds(&["a", "b", "c", "d"]).await;
}

async fn duplicate_answers_its_first_offset(target: &Target) {
    let mut log = Log::new(target).await;
    let producer = log.client.init_producer().await;
    assert_eq!(log.append_bytes(Batch::of(&["other"]).encode()).await, Ok(0));
    assert_eq!(log.append(producer, 0, &["a", "b"]).await, Ok(1));
    assert_eq!(log.append_bytes(Batch::of(&["other"]).encode()).await, Ok(3));
    for _ in 0..3 {
        assert_eq!(log.append(producer, 0, &["a", "b"]).await, Ok(1));
    }
    assert_eq!(log.append(producer, 2, &["c"]).await, Ok(4), "the sequence goes on");
    log.assert_holds(&["other", "a", "b", "other", "c"]).await;
}

async fn each_of_the_last_five_batches_is_known_again(target: &Target) {
    let mut log = Log::new(target).await;
    let producer = log.client.init_producer().await;
    for sequence in 0..7 {
        assert_eq!(log.append(producer, sequence, &["x"]).await, Ok(sequence.into()));
    }
    for sequence in [2, 6, 3, 5, 4, 2] {
        assert_eq!(log.append(producer, sequence, &["x"]).await, Ok(sequence.into()));
    }
    assert_eq!(log.end().await, 7, "nothing is appended twice");
}

async fn duplicate_older_than_five_batches(target: &Target) {
    let mut log = Log::new(target).await;
    let producer = log.client.init_producer().await;
    for sequence in 0..6 {
        assert_eq!(log.append(producer, sequence, &["x"]).await, Ok(sequence.into()));
    }
    assert_eq!(log.append(producer, 0, &["x"]).await, Err(ResponseError::OutOfOrderSequenceNumber));
    assert_eq!(log.end().await, 6);
    assert_eq!(log.append(producer, 6, &["x"]).await, Ok(6), "the producer may go on");
}

/// Only a batch with the same first and last sequence is a duplicate.
async fn overlap_with_the_last_batch_is_refused(target: &Target) {
    let mut log = Log::new(target).await;
    let producer = log.client.init_producer().await;
    assert_eq!(log.append(producer, 0, &["a", "b", "c"]).await, Ok(0));
    for (sequence, values) in [(0, &["a"][..]), (1, &["b", "c"]), (0, &["a", "b", "c", "d"]), (2, &["c", "d"])] {
        assert_eq!(
            log.append(producer, sequence, values).await,
            Err(ResponseError::OutOfOrderSequenceNumber),
            "{sequence} {values:?}"
        );
    }
    log.assert_holds(&["a", "b", "c"]).await;
}

async fn gap_is_refused(target: &Target) {
    let mut log = Log::new(target).await;
    let producer = log.client.init_producer().await;
    assert_eq!(log.append(producer, 0, &["a"]).await, Ok(0));
    assert_eq!(log.append(producer, 2, &["c"]).await, Err(ResponseError::OutOfOrderSequenceNumber));
    assert_eq!(log.append(producer, 1, &["b"]).await, Ok(1), "what was missing still fits");
    assert_eq!(log.append(producer, 2, &["c"]).await, Ok(2));
    log.assert_holds(&["a", "b", "c"]).await;
}

async fn old_epoch_is_refused(target: &Target) {
    let mut log = Log::new(target).await;
    let producer = log.client.init_producer().await;
    let successor = Producer { epoch: 1, ..producer };
    assert_eq!(log.append(producer, 0, &["a"]).await, Ok(0));
    assert_eq!(log.append(successor, 0, &["b"]).await, Ok(1));
    for sequence in [0, 1] {
        assert_eq!(
            log.append(producer, sequence, &["zombie"]).await,
            Err(ResponseError::InvalidProducerEpoch),
            "sequence {sequence}"
        );
    }
    log.assert_holds(&["a", "b"]).await;
}

async fn new_epoch_begins_at_zero(target: &Target) {
    let mut log = Log::new(target).await;
    let producer = log.client.init_producer().await;
    let successor = Producer { epoch: 1, ..producer };
    assert_eq!(log.append(producer, 0, &["a"]).await, Ok(0));
    assert_eq!(log.append(successor, 1, &["b"]).await, Err(ResponseError::OutOfOrderSequenceNumber));
    assert_eq!(log.append(producer, 1, &["c"]).await, Ok(1), "a refused batch changes no epoch");
    assert_eq!(log.append(successor, 0, &["d"]).await, Ok(2));
    log.assert_holds(&["a", "c", "d"]).await;
}

/// The broker may have forgotten a producer (retention): such a producer may go on where it was.
async fn unknown_producer_with_a_later_sequence(target: &Target) {
    let mut log = Log::new(target).await;
    let producer = log.client.init_producer().await;
    assert_eq!(log.append(producer, 10, &["a"]).await, Ok(0));
    assert_eq!(log.append(producer, 11, &["b"]).await, Ok(1));
    assert_eq!(log.append(producer, 13, &["d"]).await, Err(ResponseError::OutOfOrderSequenceNumber));
    log.assert_holds(&["a", "b"]).await;
}

async fn sequence_wraps_to_zero(target: &Target) {
    let mut log = Log::new(target).await;
    // A batch that ends at the highest sequence, then one from zero.
    let producer = log.client.init_producer().await;
    assert_eq!(log.append(producer, i32::MAX - 1, &["a", "b"]).await, Ok(0));
    assert_eq!(log.append(producer, 0, &["c"]).await, Ok(2));
    assert_eq!(log.append(producer, i32::MAX - 1, &["a", "b"]).await, Ok(0), "a duplicate");
    // A batch across the end: MAX, 0, 1.
    let producer = log.client.init_producer().await;
    assert_eq!(log.append(producer, i32::MAX, &["d", "e", "f"]).await, Ok(3));
    assert_eq!(log.append(producer, i32::MAX, &["d", "e", "f"]).await, Ok(3), "a duplicate");
    assert_eq!(log.append(producer, 1, &["g"]).await, Err(ResponseError::OutOfOrderSequenceNumber));
    assert_eq!(log.append(producer, 2, &["g"]).await, Ok(6));
    log.assert_holds(&["a", "b", "c", "d", "e", "f", "g"]).await;
}

async fn producers_do_not_disturb_each_other(target: &Target) {
    let mut log = Log::new(target).await;
    let (one, two) = (log.client.init_producer().await, log.client.init_producer().await);
    assert_eq!(log.append(one, 0, &["a"]).await, Ok(0));
    assert_eq!(log.append(two, 0, &["b"]).await, Ok(1));
    assert_eq!(log.append(one, 1, &["c"]).await, Ok(2));
    assert_eq!(log.append(two, 0, &["b"]).await, Ok(1));
    assert_eq!(log.append(one, 0, &["a"]).await, Ok(0));
    log.assert_holds(&["a", "b", "c"]).await;
}

async fn partitions_have_sequences_of_their_own(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = unique("idempotence");
    client.create_topic(&topic, 2, &[]).await;
    let producer = client.init_producer().await;
    for (partition, sequence, offset) in [(0, 0, 0), (0, 1, 1), (1, 0, 0), (0, 2, 2), (1, 1, 1)] {
        let batch = Batch::of(&["x"]).by(producer, sequence).encode();
        assert_eq!(client.produce(&topic, partition, batch).await, Ok(offset));
    }
}

async fn producer_without_a_sequence_is_refused(target: &Target) {
    let mut log = Log::new(target).await;
    let producer = log.client.init_producer().await;
    assert_eq!(log.append(producer, -1, &["a"]).await, Err(ResponseError::InvalidRecord));
}
