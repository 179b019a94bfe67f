//! A client that sends exactly what it is told: one request of one version, by hand where a client library would
//! retry, hide an error code or refuse to send it at all.
//!
//! The first half speaks the protocol, the second half is what most tests need before they can begin: a topic that
//! is ready, a coordinator that is loaded, records appended. Every wait here has a deadline.

use std::{
    io,
    ops::RangeInclusive,
    time::{Duration, SystemTime},
};

use bytes::{Bytes, BytesMut};
use kafka_protocol::{
    error::{ParseResponseErrorCode as _, ResponseError},
    messages::{
        ApiKey, ApiVersionsRequest, CreateTopicsRequest, FetchRequest, FetchResponse, FindCoordinatorRequest,
        InitProducerIdRequest, ListOffsetsRequest, OffsetFetchRequest, ProduceRequest, RequestHeader, ResponseHeader,
        create_topics_request::{CreatableTopic, CreatableTopicConfig},
        fetch_request::{FetchPartition, FetchTopic},
        fetch_response::PartitionData,
        list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic},
        list_offsets_response::ListOffsetsPartitionResponse,
        produce_request::{PartitionProduceData, TopicProduceData},
        produce_response::PartitionProduceResponse,
    },
    protocol::{Decodable as _, Encodable, HeaderVersion, Request, StrBytes},
    records::{
        Compression, NO_PARTITION_LEADER_EPOCH, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE, Record,
        RecordBatchDecoder, RecordBatchEncoder, RecordEncodeOptions, TimestampType,
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, timeout},
};

use crate::target::Target;

/// No answer takes this long: the longest wait that a test asks a broker for is 10 s.
const ANSWER_DEADLINE: Duration = Duration::from_secs(20);
/// For a state that the broker reaches by itself, such as a new topic's leader.
const STATE_DEADLINE: Duration = Duration::from_secs(20);
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// The versions that most tests speak: the highest that name topics by name, not by id.
pub const PRODUCE: i16 = 9;
pub const FETCH: i16 = 12;
pub const LIST_OFFSETS: i16 = 7;
pub const CREATE_TOPICS: i16 = 7;
pub const INIT_PRODUCER_ID: i16 = 4;

/// One connection.
pub struct Client {
    stream: TcpStream,
    correlation_id: i32,
}

impl Client {
    pub async fn connect(target: &Target) -> Self {
        let stream = TcpStream::connect(target.bootstrap()).await.expect("the broker accepts");
        stream.set_nodelay(true).expect("a TCP socket");
        Self { stream, correlation_id: 0 }
    }

    /// Sends a request and reads its answer.
    pub async fn call<R: Request>(&mut self, version: i16, request: &R) -> R::Response {
        self.send(version, request).await;
        self.receive::<R>(version).await
    }

    /// The versions of a request that are wanted and that the broker advertises: it may leave some out.
    pub async fn versions<R: Request>(&mut self, wanted: RangeInclusive<i16>) -> RangeInclusive<i16> {
        let answer = self.call(0, &ApiVersionsRequest::default()).await;
        let advertised = answer.api_keys.iter().find(|api| api.api_key == R::KEY);
        let advertised = advertised.unwrap_or_else(|| panic!("{} is advertised", name::<R>()));
        let low = advertised.min_version.max(*wanted.start());
        let high = advertised.max_version.min(*wanted.end());
        assert!(low <= high, "some version of {} in {wanted:?} is advertised", name::<R>());
        low..=high
    }

    /// Sends a request and leaves the answer, if any, unread.
    pub async fn send<R: Request>(&mut self, version: i16, request: &R) {
        self.correlation_id += 1;
        let frame = frame(version, self.correlation_id, request);
        self.write(&frame).await.expect("the broker reads");
    }

    /// Reads the answer to the request sent last.
    pub async fn receive<R: Request>(&mut self, version: i16) -> R::Response {
        let mut frame = self.read_frame().await.expect("the broker answers");
        let header =
            ResponseHeader::decode(&mut frame, R::Response::header_version(version)).expect("a response header");
        assert_eq!(header.correlation_id, self.correlation_id, "the answer is to the last request");
        let response = R::Response::decode(&mut frame, version)
            .unwrap_or_else(|error| panic!("{} v{version}: {error}", name::<R>()));
        assert!(frame.is_empty(), "{} v{version}: {} bytes are left", name::<R>(), frame.len());
        response
    }

    /// Writes bytes as they are, length prefix and all.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        timeout(ANSWER_DEADLINE, self.stream.write_all(bytes)).await.expect("a write in time")
    }

    /// The next frame without its length prefix, or `None` when the broker has closed the connection.
    pub async fn read_frame(&mut self) -> Option<Bytes> {
        timeout(ANSWER_DEADLINE, async {
            // A closed connection is an end of file, or a reset where the broker had not read all.
            let length = self.stream.read_i32().await.ok()?;
            let mut frame = vec![0; usize::try_from(length).expect("a positive length")];
            self.stream.read_exact(&mut frame).await.ok()?;
            Some(frame.into())
        })
        .await
        .expect("an answer in time")
    }
}

/// A request as it goes over the wire: length, header, body.
pub fn frame<R: Request>(version: i16, correlation_id: i32, request: &R) -> BytesMut {
    let header = RequestHeader::default()
        .with_request_api_key(R::KEY)
        .with_request_api_version(version)
        .with_correlation_id(correlation_id)
        .with_client_id(Some(str("conformance")));
    let mut body = BytesMut::new();
    header.encode(&mut body, R::header_version(version)).expect("a header");
    request.encode(&mut body, version).unwrap_or_else(|e| panic!("{} v{version}: {e}", name::<R>()));
    prefixed(&body)
}

/// Puts the length before a frame.
pub fn prefixed(body: &[u8]) -> BytesMut {
    let mut frame = BytesMut::with_capacity(4 + body.len());
    frame.extend_from_slice(&i32::try_from(body.len()).expect("a small frame").to_be_bytes());
    frame.extend_from_slice(body);
    frame
}

fn name<R: Request>() -> String {
    ApiKey::try_from(R::KEY).map_or_else(|()| R::KEY.to_string(), |key| format!("{key:?}"))
}

pub fn str(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// Polls until the answer is there; panics with `what` when it does not come.
pub async fn eventually<T>(what: &str, mut poll: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + STATE_DEADLINE;
    loop {
        if let Some(value) = poll().await {
            return value;
        }
        assert!(Instant::now() < end, "{what}: not within {STATE_DEADLINE:?}");
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// Milliseconds since 1970. Records of tests are written about now, lest retention takes them away.
pub fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("past 1970");
    i64::try_from(now.as_millis()).expect("a date of this era")
}

/// A batch of format 2, not compressed.
#[derive(Clone)]
pub struct Batch {
    producer_id: i64,
    producer_epoch: i16,
    base_sequence: i32,
    records: Vec<(i64, Bytes)>,
}

impl Batch {
    /// One record for each value, all with the same time.
    pub fn of(values: &[&str]) -> Self {
        let now = now_ms();
        Self::at(&values.iter().map(|value| (now, *value)).collect::<Vec<_>>())
    }

    /// Records with a time of their own, in milliseconds.
    pub fn at(records: &[(i64, &str)]) -> Self {
        let records = records.iter().map(|(time, value)| (*time, Bytes::copy_from_slice(value.as_bytes()))).collect();
        Self { producer_id: NO_PRODUCER_ID, producer_epoch: NO_PRODUCER_EPOCH, base_sequence: NO_SEQUENCE, records }
    }

    /// Made by an idempotent producer.
    pub fn by(mut self, producer: Producer, base_sequence: i32) -> Self {
        (self.producer_id, self.producer_epoch) = (producer.id, producer.epoch);
        self.base_sequence = base_sequence;
        self
    }

    pub fn encode(&self) -> Bytes {
        let records: Vec<Record> = (0_i32..)
            .zip(&self.records)
            .map(|(delta, (timestamp, value))| Record {
                transactional: false,
                control: false,
                delete_horizon: false,
                partition_leader_epoch: NO_PARTITION_LEADER_EPOCH,
                producer_id: self.producer_id,
                producer_epoch: self.producer_epoch,
                timestamp_type: TimestampType::Creation,
                offset: delta.into(),
                sequence: self.base_sequence.wrapping_add(delta),
                timestamp: *timestamp,
                key: None,
                value: Some(value.clone()),
                headers: Default::default(),
            })
            .collect();
        let options = RecordEncodeOptions { version: 2, compression: Compression::None };
        let mut buffer = BytesMut::new();
        RecordBatchEncoder::encode(&mut buffer, &records, &options).expect("a batch");
        buffer.freeze()
    }
}

/// Who an idempotent producer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Producer {
    pub id: i64,
    pub epoch: i16,
}

/// What a partition answers to a produce request: the error, and the first offset where there is none.
pub type Appended = Result<i64, ResponseError>;

pub fn appended(response: &PartitionProduceResponse) -> Appended {
    response.error_code.err().map_or(Ok(response.base_offset), Err)
}

/// Each partition with the bytes to append to it.
pub fn produce_request(topic: &str, acks: i16, partitions: &[(i32, Bytes)]) -> ProduceRequest {
    let partitions = partitions
        .iter()
        .map(|(index, records)| PartitionProduceData::default().with_index(*index).with_records(Some(records.clone())))
        .collect();
    ProduceRequest::default()
        .with_acks(acks)
        .with_timeout_ms(10_000)
        .with_topic_data(vec![TopicProduceData::default().with_name(str(topic).into()).with_partition_data(partitions)])
}

pub fn fetch_partition(partition: i32, offset: i64) -> FetchPartition {
    FetchPartition::default().with_partition(partition).with_fetch_offset(offset).with_partition_max_bytes(1 << 20)
}

/// A fetch without a session that answers at once.
pub fn fetch_request(topic: &str, partitions: Vec<FetchPartition>) -> FetchRequest {
    FetchRequest::default()
        .with_min_bytes(1)
        .with_max_bytes(1 << 24)
        .with_topics(vec![FetchTopic::default().with_topic(str(topic).into()).with_partitions(partitions)])
}

/// The answer for a partition of the only topic in a fetch.
pub fn fetched(response: &FetchResponse, partition: i32) -> &PartitionData {
    let partitions = response.responses.iter().flat_map(|topic| &topic.partitions);
    let mut of_index = partitions.filter(|data| data.partition_index == partition);
    of_index.next().unwrap_or_else(|| panic!("partition {partition} is in {response:?}"))
}

/// The records of the whole batches in a fetch response. The last batch may be cut short, which a client ignores.
pub fn records(data: &PartitionData) -> Vec<Record> {
    const LENGTH_AT: usize = 8;
    const LENGTH_END: usize = 12;
    let mut rest = data.records.clone().unwrap_or_default();
    let mut records = Vec::new();
    while let Some(length) = rest.get(LENGTH_AT..LENGTH_END) {
        let length = u32::from_be_bytes(length.try_into().expect("four bytes")) as usize;
        if rest.len() < LENGTH_END + length {
            break;
        }
        let mut batch = rest.split_to(LENGTH_END + length);
        records.extend(RecordBatchDecoder::decode(&mut batch).expect("a batch").records);
    }
    records
}

/// Offsets and values of the records in a fetch response.
pub fn values(data: &PartitionData) -> Vec<(i64, String)> {
    records(data)
        .into_iter()
        .map(|record| {
            let value = record.value.expect("tests by `raw` write values");
            (record.offset, String::from_utf8(value.into()).expect("tests write text"))
        })
        .collect()
}

/// What `values` gives for records that begin at an offset.
pub fn numbered(base: i64, values: &[&str]) -> Vec<(i64, String)> {
    (base..).zip(values.iter().map(|value| (*value).to_owned())).collect()
}

pub const EARLIEST: i64 = -2;
pub const LATEST: i64 = -1;

impl Client {
    /// A topic ready for produce and fetch, with settings of its own.
    pub async fn create_topic(&mut self, topic: &str, partitions: i32, configs: &[(&str, &str)]) {
        let request = CreateTopicsRequest::default()
            .with_timeout_ms(10_000)
            .with_topics(vec![creatable(topic, partitions, configs)]);
        let response = self.call(CREATE_TOPICS, &request).await;
        assert_eq!(response.topics[0].error_code.err(), None, "{response:?}");
        self.wait_for_topic(topic, partitions).await;
    }

    /// Apache Kafka says that a topic is created some milliseconds before the broker takes records for it.
    pub async fn wait_for_topic(&mut self, topic: &str, partitions: i32) {
        for partition in 0..partitions {
            eventually("a leader", async || self.list_offset(topic, partition, LATEST).await.error_code.ok()).await;
        }
    }

    pub async fn produce(&mut self, topic: &str, partition: i32, records: Bytes) -> Appended {
        appended(&self.produce_full(topic, partition, records).await)
    }

    pub async fn produce_full(&mut self, topic: &str, partition: i32, records: Bytes) -> PartitionProduceResponse {
        let request = produce_request(topic, -1, &[(partition, records)]);
        let mut response = self.call(PRODUCE, &request).await;
        response.responses.remove(0).partition_responses.remove(0)
    }

    /// What is in a partition from an offset on, without waiting.
    pub async fn fetch(&mut self, topic: &str, partition: i32, offset: i64) -> PartitionData {
        let request = fetch_request(topic, vec![fetch_partition(partition, offset)]);
        fetched(&self.call(FETCH, &request).await, partition).clone()
    }

    pub async fn list_offset(&mut self, topic: &str, partition: i32, time: i64) -> ListOffsetsPartitionResponse {
        self.list_offset_of_version(LIST_OFFSETS, topic, partition, time).await
    }

    pub async fn list_offset_of_version(
        &mut self,
        version: i16,
        topic: &str,
        partition: i32,
        time: i64,
    ) -> ListOffsetsPartitionResponse {
        let request = ListOffsetsRequest::default().with_replica_id((-1).into()).with_topics(vec![
            ListOffsetsTopic::default().with_name(str(topic).into()).with_partitions(vec![
                ListOffsetsPartition::default().with_partition_index(partition).with_timestamp(time),
            ]),
        ]);
        self.call(version, &request).await.topics.remove(0).partitions.remove(0)
    }

    /// A producer id of its own.
    pub async fn init_producer(&mut self) -> Producer {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(None)
            .with_transaction_timeout_ms(60_000)
            .with_producer_id((-1).into())
            .with_producer_epoch(-1);
        // A broker that has just started has no ids to give yet.
        eventually("a producer id", async || {
            let response = self.call(INIT_PRODUCER_ID, &request).await;
            let producer = Producer { id: *response.producer_id, epoch: response.producer_epoch };
            match response.error_code.err() {
                None => Some(producer),
                Some(ResponseError::CoordinatorLoadInProgress) => None,
                Some(error) => panic!("InitProducerId: {error:?}"),
            }
        })
        .await
    }

    /// Returns when the group's coordinator serves it: the first group of a cluster makes it create a topic.
    pub async fn wait_for_coordinator(&mut self, group: &str) {
        let find = FindCoordinatorRequest::default().with_key(str(group));
        let read = OffsetFetchRequest::default().with_group_id(str(group).into()).with_topics(None);
        eventually("a coordinator", async || {
            self.call(3, &find).await.error_code.ok()?;
            self.call(7, &read).await.error_code.ok()
        })
        .await;
    }
}

pub fn creatable(topic: &str, partitions: i32, configs: &[(&str, &str)]) -> CreatableTopic {
    let configs = configs
        .iter()
        .map(|(name, value)| CreatableTopicConfig::default().with_name(str(name)).with_value(Some(str(value))))
        .collect();
    CreatableTopic::default()
        .with_name(str(topic).into())
        .with_num_partitions(partitions)
        .with_replication_factor(1)
        .with_configs(configs)
}
