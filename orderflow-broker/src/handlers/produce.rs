//! Produce, and the ids that idempotent producers ask for first.

use bytes::Bytes;
use kafka_protocol::{
    error::ResponseError,
    messages::{
        InitProducerIdRequest, InitProducerIdResponse, ProduceRequest, ProduceResponse, TopicName,
        produce_request::PartitionProduceData,
        produce_response::{PartitionProduceResponse, TopicProduceResponse},
    },
    protocol::StrBytes,
};

use crate::{
    Flush, State,
    faults::{ProduceFaults, Request},
    log::{AppendError, Batch, BatchError},
    now_ms,
    producers::SequenceError,
    topics::{Partition, Topic},
    wire::Close,
};

/// How far a record's time may be ahead of ours (`message.timestamp.after.max.ms`). Retention goes by these times.
const TIMESTAMP_AHEAD_MS_MAX: i64 = 60 * 60 * 1000;

/// An error code and the words that go with it.
type Refusal = (ResponseError, String);

/// Appends each partition's batch. `None` when the producer wants no answer (`acks=0`).
pub(crate) async fn produce(state: &State, request: ProduceRequest) -> Result<Option<ProduceResponse>, Close> {
    let mut drop_after = false;
    let mut failed = None;
    let mut topics = Vec::with_capacity(request.topic_data.len());
    for topic_data in request.topic_data {
        let name = topic_data.name;
        if let Some(delay) = state.faults.produce_delay(&name) {
            tokio::time::sleep(delay).await;
        }
        let topic = state.topics.get(&name);
        let mut partitions = Vec::with_capacity(topic_data.partition_data.len());
        for data in topic_data.partition_data {
            let faults = state.faults.produce(&name);
            if faults.drop_before {
                return Err(Close::Fault);
            }
            drop_after |= faults.drop_after;
            let result = match (request.acks, &request.transactional_id) {
                (-1..=1, None) => append(state, &name, topic.as_deref(), &data, faults).await,
                (-1..=1, Some(_)) => Err(no_transactions()),
                (acks, _) => {
                    Err((ResponseError::InvalidRequiredAcks, format!("acks={acks}; 0, 1 and -1 are possible")))
                }
            };
            if let Err((error, why)) = &result {
                failed = Some(format!("{}/{}: {error:?}: {why}", name.as_str(), data.index));
            }
            partitions.push(partition_response(data.index, result));
        }
        topics.push(TopicProduceResponse::default().with_name(name).with_partition_responses(partitions));
    }
    if drop_after {
        return Err(Close::Fault);
    }
    match (request.acks, failed) {
        (0, None) => Ok(None),
        // The only way to tell a producer that does not listen (as Apache Kafka does it).
        (0, Some(failed)) => Err(Close::UnansweredError(failed)),
        _ => Ok(Some(ProduceResponse::default().with_responses(topics))),
    }
}

fn partition_response(index: i32, result: Result<(i64, i64), Refusal>) -> PartitionProduceResponse {
    let response = PartitionProduceResponse::default().with_index(index);
    match result {
        Ok((base_offset, start_offset)) => response.with_base_offset(base_offset).with_log_start_offset(start_offset),
        Err((error, why)) => {
            let message = Some(StrBytes::from_string(why));
            response.with_error_code(error.code()).with_error_message(message).with_base_offset(-1)
        }
    }
}

fn no_transactions() -> Refusal {
    (ResponseError::TransactionalIdAuthorizationFailed, "this broker does not do transactions".into())
}

/// Appends to one partition. Returns the batch's first offset and the log's.
async fn append(
    state: &State,
    name: &TopicName,
    topic: Option<&Topic>,
    data: &PartitionProduceData,
    faults: ProduceFaults,
) -> Result<(i64, i64), Refusal> {
    if let Some(code) = faults.error {
        return Err((
            ResponseError::try_from_code(code).unwrap_or(ResponseError::UnknownServerError),
            "a fault was set".into(),
        ));
    }
    let unknown =
        || (ResponseError::UnknownTopicOrPartition, format!("{}/{} does not exist", name.as_str(), data.index));
    let topic = topic.ok_or_else(unknown)?;
    let partition = usize::try_from(data.index).ok().and_then(|i| topic.partitions.get(i)).ok_or_else(unknown)?;
    let bytes = data.records.clone().unwrap_or_default();
    let batch = check_batch(&bytes, topic.message_bytes_max)?;
    if faults.disk_full {
        let error = std::io::Error::from(std::io::ErrorKind::StorageFull);
        return Err((ResponseError::KafkaStorageError, error.to_string()));
    }
    let appended = append_to_log(partition, &bytes, &batch, faults.twice)?;
    if state.config.flush == Flush::Always {
        partition.flush().await.map_err(|error| (ResponseError::KafkaStorageError, error.to_string()))?;
    }
    Ok(appended)
}

/// A produce request carries exactly one batch for each partition (since version 3).
fn check_batch(bytes: &Bytes, bytes_max: usize) -> Result<Batch, Refusal> {
    let refuse = |error: BatchError| {
        let code = match error {
            BatchError::Length | BatchError::Crc => ResponseError::CorruptMessage,
            BatchError::Magic(0 | 1) | BatchError::Incomplete | BatchError::Invalid(_) => ResponseError::InvalidRecord,
            BatchError::Magic(_) => ResponseError::CorruptMessage,
            BatchError::Transactional => ResponseError::InvalidTxnState,
        };
        (code, error.to_string())
    };
    let batch = Batch::verify_produced(bytes).map_err(refuse)?;
    if batch.size > bytes_max {
        let why = format!("the batch has {} bytes; the topic takes {bytes_max}", batch.size);
        return Err((ResponseError::MessageTooLarge, why));
    }
    if batch.max_timestamp > now_ms().saturating_add(TIMESTAMP_AHEAD_MS_MAX) {
        let why = format!("the time stamp {} is more than an hour ahead of the broker's clock", batch.max_timestamp);
        return Err((ResponseError::InvalidTimestamp, why));
    }
    if bytes.len() > batch.size {
        return Err((ResponseError::InvalidRecord, "a partition's part must be exactly one batch".into()));
    }
    Ok(batch)
}

fn append_to_log(partition: &Partition, bytes: &[u8], batch: &Batch, twice: bool) -> Result<(i64, i64), Refusal> {
    let mut log = partition.log();
    if partition.is_deleted() {
        return Err((ResponseError::UnknownTopicOrPartition, "the topic has just been deleted".into()));
    }
    let base_offset = log.append(bytes, batch).map_err(|error| {
        let code = match &error {
            AppendError::Sequence(SequenceError::OutOfOrder) => ResponseError::OutOfOrderSequenceNumber,
            AppendError::Sequence(SequenceError::StaleEpoch) => ResponseError::InvalidProducerEpoch,
            AppendError::Storage(cause) => {
                tracing::error!(error = %cause, "an append failed");
                ResponseError::KafkaStorageError
            }
        };
        (code, error.to_string())
    })?;
    if twice {
        let again = log.append_unchecked(bytes, batch);
        again.map_err(|error| (ResponseError::KafkaStorageError, error.to_string()))?;
    }
    let start_offset = log.start_offset();
    drop(log);
    partition.appended.notify_waiters();
    Ok((base_offset, start_offset))
}

/// Promises a producer an id that nobody had before.
pub(crate) fn init_producer_id(state: &State, request: InitProducerIdRequest) -> InitProducerIdResponse {
    let refuse = |code| {
        InitProducerIdResponse::default().with_error_code(code).with_producer_id((-1).into()).with_producer_epoch(-1)
    };
    if let Some(code) = state.faults.error(Request::InitProducerId, None) {
        return refuse(code);
    }
    if request.transactional_id.is_some() {
        return refuse(no_transactions().0.code());
    }
    match state.next_producer_id() {
        Ok(id) => InitProducerIdResponse::default().with_producer_id(id.into()).with_producer_epoch(0),
        Err(error) => {
            tracing::error!(%error, "a producer id could not be stored");
            refuse(ResponseError::CoordinatorNotAvailable.code())
        }
    }
}
