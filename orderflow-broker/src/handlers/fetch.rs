//! Fetch and list offsets.
//!
//! A fetch that finds too little waits for the partitions it names, and for nothing else: an append wakes it at once,
//! an idle consumer costs one timer. Fetch sessions are declined (session id 0), so every request names all it wants.

use std::{
    future::{Future, poll_fn},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use kafka_protocol::{
    error::ResponseError,
    messages::{
        FetchRequest, FetchResponse, ListOffsetsRequest, ListOffsetsResponse,
        fetch_request::FetchPartition,
        fetch_response::{FetchableTopicResponse, PartitionData},
        list_offsets_response::{ListOffsetsPartitionResponse, ListOffsetsTopicResponse},
    },
};
use tokio::time::Instant;

use crate::{
    State,
    budget::Reserved,
    faults::Request,
    log::{Chunk, OutOfRange},
    topics::Partition,
    wire::Client,
};

/// Longest wait of one fetch, whatever the client asks for.
const WAIT_MAX: Duration = Duration::from_secs(300);
/// `isolation_level` of a consumer that wants to be told of aborted transactions. There are none.
const READ_COMMITTED: i8 = 1;
/// The only leader epoch there is: leadership never changes.
const LEADER_EPOCH: i32 = 0;
/// Offsets that stand for a place in the log.
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;

/// What was found for one partition of a request.
struct Found {
    response: PartitionData,
    chunk: Option<Chunk>,
}

/// Reads from several partitions, waiting for data if there is too little. The answer comes with its part of the
/// memory budget, to be held until it has been sent.
pub(crate) async fn fetch(state: &State, client: &Client, request: FetchRequest) -> (FetchResponse, Option<Reserved>) {
    let refuse = |error: ResponseError| (FetchResponse::default().with_error_code(error.code()), None);
    if request.session_id != 0 && request.session_epoch > 0 {
        return refuse(ResponseError::FetchSessionIdNotFound);
    }
    for topic in &request.topics {
        if let Some(delay) = state.faults.fetch_delay(&topic.topic) {
            tokio::time::sleep(delay).await;
        }
    }
    let wait = Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0)).min(WAIT_MAX);
    let deadline = Instant::now() + wait;
    let partitions = partitions(state, &request);
    let struck = strike(state, &request);
    loop {
        // Registered before looking, so that an append in between is not missed.
        let mut appends: Vec<_> = partitions.iter().flatten().map(|p| Box::pin(p.appended.notified())).collect();
        let (found, bytes) = find_all(state, &request, &partitions, &struck);
        let failed = found.iter().any(|f| f.response.error_code != 0);
        let enough = bytes >= usize::try_from(request.min_bytes).unwrap_or(0);
        if enough || failed || partitions.is_empty() || Instant::now() >= deadline {
            let memory = state.answers.reserve(bytes).await;
            return (load(&request, found), Some(memory));
        }
        let any_append = poll_fn(|context| {
            let ready = appends.iter_mut().any(|append| append.as_mut().poll(context).is_ready());
            if ready { Poll::Ready(()) } else { Poll::Pending }
        });
        tokio::select! {
            () = any_append => {}
            () = tokio::time::sleep_until(deadline) => {}
            () = client.gone() => return refuse(ResponseError::NetworkException),
        }
    }
}

/// The errors that faults give to its partitions, decided once for a request however often it looks.
fn strike(state: &State, request: &FetchRequest) -> Vec<Option<i16>> {
    let named = request.topics.iter().flat_map(|topic| topic.partitions.iter().map(move |_| topic));
    named.map(|topic| state.faults.error(Request::Fetch, Some(&topic.topic))).collect()
}

/// The partitions that a request names, in its order; `None` where there is none.
fn partitions(state: &State, request: &FetchRequest) -> Vec<Option<Arc<Partition>>> {
    let named = request.topics.iter().flat_map(|t| t.partitions.iter().map(move |p| (t, p)));
    named.map(|(topic, wanted)| state.topics.partition(&topic.topic, wanted.partition)).collect()
}

/// Finds out what each partition has, within the limits of the request. Returns the sum of bytes too.
fn find_all(
    state: &State,
    request: &FetchRequest,
    partitions: &[Option<Arc<Partition>>],
    struck: &[Option<i16>],
) -> (Vec<Found>, usize) {
    let mut left = usize::try_from(request.max_bytes).unwrap_or(0).min(state.config.fetch_bytes_max);
    let mut sum = 0;
    let mut all = Vec::with_capacity(partitions.len());
    let named = request.topics.iter().flat_map(|t| &t.partitions);
    for ((wanted, partition), struck) in named.zip(partitions).zip(struck) {
        let partition = partition.as_deref().filter(|p| !p.is_gone());
        let found = match (struck, partition) {
            (Some(code), _) => failed(wanted, *code),
            (None, None) => failed(wanted, ResponseError::UnknownTopicOrPartition.code()),
            // The first batch of an answer is sent whatever its size, or a consumer would be stuck.
            (None, Some(partition)) => find(request, wanted, partition, left, sum == 0),
        };
        let bytes = found.chunk.as_ref().map_or(0, Chunk::bytes);
        left = left.saturating_sub(bytes);
        sum += bytes;
        all.push(found);
    }
    (all, sum)
}

fn find(
    request: &FetchRequest,
    wanted: &FetchPartition,
    partition: &Partition,
    left: usize,
    one_at_least: bool,
) -> Found {
    if wanted.current_leader_epoch > LEADER_EPOCH {
        return failed(wanted, ResponseError::UnknownLeaderEpoch.code());
    }
    let log = partition.log();
    let bytes_max = usize::try_from(wanted.partition_max_bytes).unwrap_or(0).min(left);
    let response = PartitionData::default()
        .with_partition_index(wanted.partition)
        .with_high_watermark(log.end_offset())
        .with_last_stable_offset(log.end_offset())
        .with_log_start_offset(log.start_offset())
        .with_aborted_transactions((request.isolation_level == READ_COMMITTED).then(Vec::new));
    match log.read(wanted.fetch_offset, bytes_max, one_at_least) {
        Ok(Ok(chunk)) => Found { response, chunk },
        Ok(Err(OutOfRange)) => failed(wanted, ResponseError::OffsetOutOfRange.code()),
        Err(error) => {
            tracing::error!(%error, "a log could not be read");
            failed(wanted, ResponseError::KafkaStorageError.code())
        }
    }
}

fn failed(wanted: &FetchPartition, code: i16) -> Found {
    let response = PartitionData::default()
        .with_partition_index(wanted.partition)
        .with_error_code(code)
        .with_high_watermark(-1)
        .with_aborted_transactions(None);
    Found { response, chunk: None }
}

/// Reads what was found, without any lock.
fn load(request: &FetchRequest, found: Vec<Found>) -> FetchResponse {
    let mut found = found.into_iter().map(|Found { mut response, chunk }| {
        match chunk.map_or(Ok(Vec::new()), |chunk| chunk.load()) {
            Ok(records) => response.records = Some(Bytes::from(records)),
            Err(error) => {
                tracing::error!(%error, "a log could not be read");
                response.error_code = ResponseError::KafkaStorageError.code();
            }
        }
        response
    });
    let topics = request.topics.iter().map(|topic| {
        let partitions = found.by_ref().take(topic.partitions.len()).collect();
        FetchableTopicResponse::default().with_topic(topic.topic.clone()).with_partitions(partitions)
    });
    FetchResponse::default().with_responses(topics.collect())
}

/// Offsets by time: the earliest, the latest, or the first that is not before a time stamp.
pub(crate) fn list_offsets(state: &State, request: ListOffsetsRequest, version: i16) -> ListOffsetsResponse {
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|wanted| {
            let response = ListOffsetsPartitionResponse::default().with_partition_index(wanted.partition_index);
            let partition = state.topics.partition(&topic.name, wanted.partition_index);
            let place = match partition {
                None => Err(ResponseError::UnknownTopicOrPartition),
                Some(_) if wanted.current_leader_epoch > LEADER_EPOCH => Err(ResponseError::UnknownLeaderEpoch),
                Some(_) if wanted.timestamp == MAX_TIMESTAMP && version < 7 => Err(ResponseError::UnsupportedVersion),
                Some(partition) => place(&partition, wanted.timestamp),
            };
            match place {
                Ok((timestamp, offset)) => {
                    let epoch = if offset < 0 || version < 4 { -1 } else { LEADER_EPOCH };
                    response.with_timestamp(timestamp).with_offset(offset).with_leader_epoch(epoch)
                }
                Err(error) => response.with_error_code(error.code()),
            }
        });
        let partitions = partitions.collect();
        ListOffsetsTopicResponse::default().with_name(topic.name).with_partitions(partitions)
    });
    ListOffsetsResponse::default().with_topics(topics.collect())
}

/// Time stamp and offset, each -1 where there is none.
fn place(partition: &Partition, timestamp: i64) -> Result<(i64, i64), ResponseError> {
    let log = partition.log();
    let found = match timestamp {
        LATEST => return Ok((-1, log.end_offset())),
        EARLIEST => return Ok((-1, log.start_offset())),
        MAX_TIMESTAMP => log.find_max_time(),
        0.. => log.find_time(timestamp),
        _ => return Err(ResponseError::UnsupportedVersion),
    };
    found.map(|found| found.unwrap_or((-1, -1))).map_err(|error| {
        tracing::error!(%error, "a log could not be read");
        ResponseError::KafkaStorageError
    })
}
