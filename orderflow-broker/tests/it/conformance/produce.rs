//! Appending: what each `acks` answers, what is refused and with which code, and that one bad partition takes none
//! of the others with it.

use bytes::Bytes;
use kafka_protocol::{
    error::{ParseResponseErrorCode as _, ResponseError},
    messages::{ApiVersionsRequest, CreateTopicsRequest, ProduceRequest},
    records::{RecordBatchDecoder, TimestampType},
};

use crate::{
    raw::{
        Batch, CREATE_TOPICS, Client, EARLIEST, LATEST, PRODUCE, appended, creatable, now_ms, numbered,
        produce_request, values,
    },
    target::{Target, conformance, unique},
};

conformance! {
    every_version_appends,
    acks_zero_is_not_answered,
    acks_one_and_all_answer_the_first_offset,
    invalid_acks_are_refused,
    unknown_topic_and_partition,
    nothing_or_an_empty_set_of_records,
    broken_batches_are_refused,
    batch_larger_than_the_topic_allows,
    one_bad_partition_leaves_the_others,
    several_topics_in_one_request,
    two_batches_in_one_partition,
    timestamps_far_in_the_future_are_refused,
    time_of_append_is_stamped_where_the_topic_says_so,
}

async fn every_version_appends(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = unique("produce");
    client.create_topic(&topic, 1, &[]).await;
    for (offset, version) in (0..).zip(client.versions::<ProduceRequest>(3..=12).await) {
        let request = produce_request(&topic, -1, &[(0, Batch::of(&["a"]).encode())]);
        let answer = client.call(version, &request).await;
        assert_eq!(answer.responses[0].name.as_str(), topic, "v{version}");
        let partition = &answer.responses[0].partition_responses[0];
        assert_eq!(appended(partition), Ok(offset), "v{version}");
        assert_eq!(partition.log_append_time_ms, -1, "v{version}: the time is the producer's");
        let start = if version >= 5 { 0 } else { -1 };
        assert_eq!(partition.log_start_offset, start, "v{version}");
    }
}

async fn acks_zero_is_not_answered(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = unique("acks-zero");
    client.create_topic(&topic, 1, &[]).await;
    client.send(PRODUCE, &produce_request(&topic, 0, &[(0, Batch::of(&["a", "b"]).encode())])).await;
    // The next frame is the answer to this request: `call` compares the correlation ids.
    assert_eq!(client.call(0, &ApiVersionsRequest::default()).await.error_code.err(), None);
    assert_eq!(client.produce(&topic, 0, Batch::of(&["c"]).encode()).await, Ok(2));
    assert_eq!(values(&client.fetch(&topic, 0, 0).await), numbered(0, &["a", "b", "c"]));
}

async fn acks_one_and_all_answer_the_first_offset(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = unique("acks");
    client.create_topic(&topic, 1, &[]).await;
    let mut next = 0;
    for (acks, batch) in [(1, &["a"][..]), (-1, &["b", "c"]), (1, &["d", "e", "f"]), (-1, &["g"])] {
        let request = produce_request(&topic, acks, &[(0, Batch::of(batch).encode())]);
        let answer = client.call(PRODUCE, &request).await;
        assert_eq!(appended(&answer.responses[0].partition_responses[0]), Ok(next), "acks={acks}");
        next += i64::try_from(batch.len()).expect("a small batch");
    }
    let data = client.fetch(&topic, 0, 0).await;
    assert_eq!(values(&data), numbered(0, &["a", "b", "c", "d", "e", "f", "g"]));
    assert_eq!((data.high_watermark, data.log_start_offset), (7, 0));
    assert_eq!(client.list_offset(&topic, 0, EARLIEST).await.offset, 0);
    assert_eq!(client.list_offset(&topic, 0, LATEST).await.offset, 7);
}

async fn invalid_acks_are_refused(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = unique("acks-invalid");
    client.create_topic(&topic, 1, &[]).await;
    for acks in [5, 2, -2] {
        let request = produce_request(&topic, acks, &[(0, Batch::of(&["a"]).encode())]);
        let answer = client.call(PRODUCE, &request).await;
        let partition = &answer.responses[0].partition_responses[0];
        assert_eq!(appended(partition), Err(ResponseError::InvalidRequiredAcks), "acks={acks}");
        assert_eq!(partition.base_offset, -1);
    }
    assert_eq!(client.list_offset(&topic, 0, LATEST).await.offset, 0, "nothing is appended");
}

async fn unknown_topic_and_partition(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = unique("produce");
    client.create_topic(&topic, 2, &[]).await;
    for (name, partition) in [(unique("nowhere").as_str(), 0), (&topic, 2), (&topic, -1)] {
        let answer = client.produce_full(name, partition, Batch::of(&["a"]).encode()).await;
        assert_eq!(
            appended(&answer),
            Err(ResponseError::UnknownTopicOrPartition),
            "{name}/{partition}: producing does not create",
        );
        assert_eq!((answer.base_offset, answer.log_start_offset), (-1, -1));
    }
}

async fn nothing_or_an_empty_set_of_records(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = unique("produce");
    client.create_topic(&topic, 1, &[]).await;
    let answer = client.call(PRODUCE, &ProduceRequest::default().with_acks(-1)).await;
    assert_eq!(answer.responses, [], "a request without topics");
    let answer = client.produce_full(&topic, 0, Bytes::new()).await;
    assert_eq!(appended(&answer), Err(ResponseError::InvalidRecord), "{answer:?}");
    assert_eq!(client.list_offset(&topic, 0, LATEST).await.offset, 0);
}

/// Where the fields of a batch of format 2 are.
mod at {
    use std::ops::Range;

    pub const LENGTH: Range<usize> = 8..12;
    pub const MAGIC: usize = 16;
    pub const ATTRIBUTES_LOW: usize = 22;
    pub const LAST_OFFSET_DELTA: Range<usize> = 23..27;
    pub const RECORD_COUNT: Range<usize> = 57..61;
}

/// A batch changed by hand, its checksum made right again.
fn altered(change: impl FnOnce(&mut [u8])) -> Bytes {
    const CRC: std::ops::Range<usize> = 17..21;
    let mut batch = Batch::of(&["a", "b"]).encode().to_vec();
    change(&mut batch);
    let crc = crc32c::crc32c(&batch[CRC.end..]);
    batch[CRC].copy_from_slice(&crc.to_be_bytes());
    batch.into()
}

async fn broken_batches_are_refused(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = unique("broken");
    client.create_topic(&topic, 1, &[]).await;
    let whole = Batch::of(&["a", "b"]).encode();
    let mut bit_flipped = whole.to_vec();
    *bit_flipped.last_mut().expect("a batch") ^= 1;
    let cases = [
        ("a bit of the records is flipped", bit_flipped.into(), ResponseError::CorruptMessage),
        // Not one whole batch is no batch at all, so these are not called corrupt.
        ("the last byte is missing", whole.slice(..whole.len() - 1), ResponseError::InvalidRecord),
        ("the header is cut", whole.slice(..40), ResponseError::InvalidRecord),
        ("less than a length", whole.slice(..10), ResponseError::InvalidRecord),
        ("the length is zero", altered(|batch| batch[at::LENGTH].fill(0)), ResponseError::CorruptMessage),
        ("the length is negative", altered(|batch| batch[at::LENGTH].fill(0xff)), ResponseError::CorruptMessage),
        ("magic 1", altered(|batch| batch[at::MAGIC] = 1), ResponseError::InvalidRecord),
        ("magic 9", altered(|batch| batch[at::MAGIC] = 9), ResponseError::CorruptMessage),
        ("a control batch", altered(|batch| batch[at::ATTRIBUTES_LOW] = 1 << 5), ResponseError::InvalidRecord),
        (
            "the last offset is beyond the count",
            altered(|batch| batch[at::LAST_OFFSET_DELTA].copy_from_slice(&5_i32.to_be_bytes())),
            ResponseError::InvalidRecord,
        ),
        (
            "the count is more than the last offset",
            altered(|batch| batch[at::RECORD_COUNT].copy_from_slice(&5_i32.to_be_bytes())),
            ResponseError::InvalidRecord,
        ),
        ("the count is zero", altered(|batch| batch[at::RECORD_COUNT].fill(0)), ResponseError::InvalidRecord),
    ];
    let mut outcomes = Vec::new();
    for (what, records, _) in &cases {
        outcomes.push((*what, client.produce(&topic, 0, records.clone()).await));
    }
    assert_eq!(outcomes, cases.map(|(what, _, error)| (what, Err(error))));
    assert_eq!(client.produce(&topic, 0, whole).await, Ok(0), "nothing broken was appended");
}

async fn batch_larger_than_the_topic_allows(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = unique("large");
    client.create_topic(&topic, 1, &[("max.message.bytes", "1000")]).await;
    let with_overhead = Batch::of(&[""]).encode().len();
    // Two more bytes than an empty one: the lengths of the value and of the record take two bytes each from 64 on.
    let exact = Batch::of(&["x".repeat(1000 - with_overhead - 2).as_str()]).encode();
    assert_eq!(exact.len(), 1000);
    let larger = Batch::of(&["x".repeat(1000 - with_overhead - 1).as_str()]).encode();
    assert_eq!(larger.len(), 1001);
    assert_eq!(client.produce(&topic, 0, exact).await, Ok(0));
    let answer = client.produce_full(&topic, 0, larger).await;
    assert_eq!(appended(&answer), Err(ResponseError::MessageTooLarge));
    assert_eq!(client.list_offset(&topic, 0, LATEST).await.offset, 1);
}

async fn one_bad_partition_leaves_the_others(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = unique("several");
    client.create_topic(&topic, 3, &[]).await;
    let mut broken = Batch::of(&["b"]).encode().to_vec();
    *broken.last_mut().expect("a batch") ^= 1;
    let partitions = [
        (0, Batch::of(&["a"]).encode()),
        (1, broken.into()),
        (9, Batch::of(&["nowhere"]).encode()),
        (2, Batch::of(&["c"]).encode()),
    ];
    let answer = client.call(PRODUCE, &produce_request(&topic, -1, &partitions)).await;
    let mut outcomes: Vec<_> = answer.responses[0]
        .partition_responses
        .iter()
        .map(|partition| (partition.index, appended(partition)))
        .collect();
    outcomes.sort_unstable_by_key(|(index, _)| *index);
    assert_eq!(
        outcomes,
        [
            (0, Ok(0)),
            (1, Err(ResponseError::CorruptMessage)),
            (2, Ok(0)),
            (9, Err(ResponseError::UnknownTopicOrPartition)),
        ]
    );
    for (partition, expected) in [(0, &["a"][..]), (1, &[]), (2, &["c"])] {
        assert_eq!(values(&client.fetch(&topic, partition, 0).await), numbered(0, expected));
    }
}

async fn several_topics_in_one_request(target: &Target) {
    let mut client = Client::connect(target).await;
    let (first, second) = (unique("first"), unique("second"));
    client.create_topic(&first, 1, &[]).await;
    client.create_topic(&second, 1, &[]).await;
    let mut request = produce_request(&first, -1, &[(0, Batch::of(&["a"]).encode())]);
    request.topic_data.extend(produce_request(&second, -1, &[(0, Batch::of(&["b", "c"]).encode())]).topic_data);
    let answer = client.call(PRODUCE, &request).await;
    let mut outcomes: Vec<_> = answer
        .responses
        .iter()
        .map(|topic| (topic.name.to_string(), appended(&topic.partition_responses[0])))
        .collect();
    outcomes.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(outcomes, [(first.clone(), Ok(0)), (second.clone(), Ok(0))]);
    assert_eq!(values(&client.fetch(&first, 0, 0).await), numbered(0, &["a"]));
    assert_eq!(values(&client.fetch(&second, 0, 0).await), numbered(0, &["b", "c"]));
}

/// A producer sends one batch for each partition, and Apache Kafka insists on it.
async fn two_batches_in_one_partition(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = unique("two");
    client.create_topic(&topic, 1, &[]).await;
    let two = [Batch::of(&["a"]).encode(), Batch::of(&["b"]).encode()].concat();
    let answer = client.produce_full(&topic, 0, two.into()).await;
    assert_eq!(appended(&answer), Err(ResponseError::InvalidRecord), "{answer:?}");
    assert_eq!(client.list_offset(&topic, 0, LATEST).await.offset, 0);
}

/// More than an hour (`message.timestamp.after.max.ms`): such a record would never be retired by time.
async fn timestamps_far_in_the_future_are_refused(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = unique("future");
    client.create_topic(&topic, 1, &[]).await;
    let hour = 3_600_000;
    let near = Batch::at(&[(now_ms() + hour / 2, "near")]);
    let far = Batch::at(&[(now_ms() + hour * 2, "far")]);
    assert_eq!(client.produce(&topic, 0, near.encode()).await, Ok(0));
    let answer = client.produce_full(&topic, 0, far.encode()).await;
    assert_eq!(appended(&answer), Err(ResponseError::InvalidTimestamp), "{answer:?}");
}

async fn time_of_append_is_stamped_where_the_topic_says_so(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = unique("append-time");
    let config = [("message.timestamp.type", "LogAppendTime")];
    if !target.is_apache() {
        // A listed difference: times are the producers', and a topic that wants it otherwise is refused.
        let request = CreateTopicsRequest::default().with_topics(vec![creatable(&topic, 1, &config)]);
        let refused = client.call(CREATE_TOPICS, &request).await;
        assert_eq!(refused.topics[0].error_code.err(), Some(ResponseError::InvalidConfig));
        return;
    }
    client.create_topic(&topic, 1, &config).await;
    let before = now_ms();
    let answer = client.produce_full(&topic, 0, Batch::at(&[(1, "a"), (2, "b")]).encode()).await;
    assert_eq!(appended(&answer), Ok(0));
    let stamped = answer.log_append_time_ms;
    assert!((before..=now_ms()).contains(&stamped), "{stamped}");
    let data = client.fetch(&topic, 0, 0).await;
    assert_eq!(data.error_code.err(), None);
    let info = RecordBatchDecoder::decode_batch_info(&mut data.records.expect("records")).expect("a batch");
    assert_eq!(info[0].timestamp_type, TimestampType::LogAppend);
}
