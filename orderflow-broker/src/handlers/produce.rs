//! Produce, and the ids that idempotent producers ask for first.

use bytes::Bytes;
use kafka_protocol::{
    error::ResponseError,
    messages::{
        InitProducerIdRequest, InitProducerIdResponse, ProduceRequest, ProduceResponse, TopicName,
        produce_request::{PartitionProduceData, TopicProduceData},
        produce_response::{PartitionProduceResponse, TopicProduceResponse},
    },
    protocol::StrBytes,
};

use crate::{
    Flush, State,
    faults::{ProduceFault, Request},
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
    for topic in &request.topic_data {
        if let Some(delay) = state.faults.produce_delay(&topic.name) {
            tokio::time::sleep(delay).await;
        }
    }
    // Decided for all before anything is appended, so that "dropped before" means that nothing was.
    let strike =
        |topic: &TopicProduceData| topic.partition_data.iter().map(|_| state.faults.produce(&topic.name)).collect();
    let faults: Vec<Vec<Option<ProduceFault>>> = request.topic_data.iter().map(strike).collect();
    if faults.iter().flatten().any(|fault| *fault == Some(ProduceFault::DropBefore)) {
        return Err(Close::Fault);
    }
    let drop_after = faults.iter().flatten().any(|fault| *fault == Some(ProduceFault::DropAfter));

    let mut failed = None;
    let mut topics = Vec::with_capacity(request.topic_data.len());
    for (topic_data, faults) in request.topic_data.into_iter().zip(faults) {
        let name = topic_data.name;
        let topic = state.topics.get(&name);
        let mut partitions = Vec::with_capacity(topic_data.partition_data.len());
        for (data, fault) in topic_data.partition_data.into_iter().zip(faults) {
            let result = match (request.acks, &request.transactional_id) {
                (-1..=1, None) => append(state, &name, topic.as_deref(), &data, fault).await,
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
    fault: Option<ProduceFault>,
) -> Result<(i64, i64), Refusal> {
    let unknown =
        || (ResponseError::UnknownTopicOrPartition, format!("{}/{} does not exist", name.as_str(), data.index));
    let topic = topic.ok_or_else(unknown)?;
    let partition = usize::try_from(data.index).ok().and_then(|i| topic.partitions.get(i)).ok_or_else(unknown)?;
    let bytes = data.records.clone().unwrap_or_default();
    let batch = check_batch(&bytes, topic.message_bytes_max)?;
    let appended = append_to_log(partition, &bytes, &batch, fault)?;
    if state.config.flush == Flush::Always {
        partition.flush().await.map_err(storage)?;
    }
    Ok(appended)
}

fn storage(error: std::io::Error) -> Refusal {
    tracing::error!(%error, "an append failed");
    (ResponseError::KafkaStorageError, error.to_string())
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

fn append_to_log(
    partition: &Partition,
    bytes: &[u8],
    batch: &Batch,
    fault: Option<ProduceFault>,
) -> Result<(i64, i64), Refusal> {
    let mut log = partition.log();
    if partition.is_gone() {
        return Err((ResponseError::UnknownTopicOrPartition, "the topic has just been deleted".into()));
    }
    if let Some(ProduceFault::DiskFull | ProduceFault::Error(_)) = fault {
        log.refuse(batch);
    }
    match fault {
        Some(ProduceFault::DiskFull) => return Err(storage(std::io::ErrorKind::StorageFull.into())),
        Some(ProduceFault::Error(code)) => {
            let error = ResponseError::try_from_code(code).unwrap_or(ResponseError::UnknownServerError);
            return Err((error, "a fault was set".into()));
        }
        _ => {}
    }
    let appended = log.append(bytes, batch).map_err(|error| match error {
        AppendError::Sequence(SequenceError::OutOfOrder) => {
            (ResponseError::OutOfOrderSequenceNumber, error.to_string())
        }
        AppendError::Sequence(SequenceError::StaleEpoch) => (ResponseError::InvalidProducerEpoch, error.to_string()),
        AppendError::Storage(error) => storage(error),
    })?;
    if fault == Some(ProduceFault::Twice) && appended.is_new {
        // That the second one fails is none of the producer's business.
        let _ = log.append_unchecked(bytes, batch);
    }
    let start_offset = log.start_offset();
    drop(log);
    partition.appended.notify_waiters();
    Ok((appended.first_offset, start_offset))
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
