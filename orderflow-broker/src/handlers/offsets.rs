//! Offset commit and offset fetch: how far each group has read.

use kafka_protocol::{
    error::ResponseError,
    messages::{
        GroupId, OffsetCommitRequest, OffsetCommitResponse, OffsetFetchRequest, OffsetFetchResponse, TopicName,
        offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic},
        offset_commit_response::{OffsetCommitResponsePartition, OffsetCommitResponseTopic},
        offset_fetch_request::OffsetFetchRequestTopics,
        offset_fetch_response::{
            OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
            OffsetFetchResponseTopic, OffsetFetchResponseTopics,
        },
    },
    protocol::StrBytes,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    Flush, State,
    faults::Request,
    groups::Claim,
    store::{Change, Key},
};

/// Longest note that may go with an offset, in bytes (`offset.metadata.max.bytes`).
const METADATA_BYTES_MAX: usize = 4096;

/// A committed offset as it is stored.
#[derive(Serialize, Deserialize)]
struct StoredOffset {
    offset: i64,
    leader_epoch: i32,
    metadata: String,
}

/// Stores offsets in a group's name: all that can be, in one change.
pub(crate) async fn offset_commit(state: &State, request: OffsetCommitRequest) -> OffsetCommitResponse {
    let committed = commit(state, &request);
    let flushed = match committed {
        Ok(_) if state.config.flush == Flush::Always => state.flush_store().await.map_err(not_stored),
        _ => Ok(()),
    };
    let topics = request.topics.iter().enumerate().map(|(t, topic)| {
        let partitions = topic.partitions.iter().enumerate().map(|(p, partition)| {
            let result = committed.as_ref().map_err(|error| *error).and_then(|each| each[t][p]).and(flushed);
            OffsetCommitResponsePartition::default()
                .with_partition_index(partition.partition_index)
                .with_error_code(result.err().map_or(0, |error| error.code()))
        });
        OffsetCommitResponseTopic::default().with_name(topic.name.clone()).with_partitions(partitions.collect())
    });
    OffsetCommitResponse::default().with_topics(topics.collect())
}

/// What came of each partition of each topic.
type Committed = Vec<Vec<Result<(), ResponseError>>>;

/// Checks and stores while the group and the topics are held: neither a rebalance nor a deletion comes in between.
fn commit(state: &State, request: &OffsetCommitRequest) -> Result<Committed, ResponseError> {
    if let Some(code) = state.faults.error(Request::OffsetCommit, None) {
        return Err(ResponseError::try_from_code(code).unwrap_or(ResponseError::UnknownServerError));
    }
    let generation = request.generation_id_or_member_epoch;
    if generation < 0 {
        state.groups.ensure(state, &request.group_id)?;
    }
    let claim = Claim { member_id: &request.member_id, instance_id: request.group_instance_id.as_deref(), generation };
    let committed = state.groups.with(state, &request.group_id, |group, now| {
        group.may_commit(claim, now)?;
        let topics = state.topics.names();
        let mut changes = Vec::new();
        let mut each = |topic: &OffsetCommitRequestTopic, partition: &OffsetCommitRequestPartition| {
            let known = topics.get(topic.name.as_str()).map_or(0, |topic| topic.partitions.len());
            let index = usize::try_from(partition.partition_index).ok().filter(|index| *index < known);
            index.ok_or(ResponseError::UnknownTopicOrPartition)?;
            changes.push(change(request, topic, partition)?);
            Ok(())
        };
        let results = request.topics.iter().map(|t| t.partitions.iter().map(|p| each(t, p)).collect()).collect();
        if !changes.is_empty() {
            if state.faults.disk_full() {
                return Err(not_stored(std::io::ErrorKind::StorageFull.into()));
            }
            state.store().apply(changes).map_err(not_stored)?;
        }
        Ok(results)
    });
    committed.unwrap_or(Err(ResponseError::IllegalGeneration))
}

fn change(
    request: &OffsetCommitRequest,
    topic: &OffsetCommitRequestTopic,
    partition: &OffsetCommitRequestPartition,
) -> Result<Change, ResponseError> {
    let metadata = partition.committed_metadata.as_deref().unwrap_or_default();
    if metadata.len() > METADATA_BYTES_MAX {
        return Err(ResponseError::OffsetMetadataTooLarge);
    }
    let stored = StoredOffset {
        offset: partition.committed_offset,
        leader_epoch: partition.committed_leader_epoch,
        metadata: metadata.to_owned(),
    };
    let key = Key::Offset(request.group_id.to_string(), topic.name.to_string(), partition.partition_index);
    Ok((key, Some(json!(stored))))
}

fn not_stored(error: std::io::Error) -> ResponseError {
    tracing::error!(%error, "offsets could not be stored");
    ResponseError::CoordinatorNotAvailable
}

/// How far groups have read: the partitions asked for, or all that were ever committed.
pub(crate) fn offset_fetch(state: &State, request: OffsetFetchRequest, version: i16) -> OffsetFetchResponse {
    if version >= 8 {
        let groups = request.groups.into_iter().map(|group| {
            let topics = fetch_group(state, &group.group_id, group.topics);
            OffsetFetchResponseGroup::default().with_group_id(group.group_id).with_topics(topics)
        });
        return OffsetFetchResponse::default().with_groups(groups.collect());
    }
    let wanted = request.topics.map(|topics| {
        let topic = |t: kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic| {
            OffsetFetchRequestTopics::default().with_name(t.name).with_partition_indexes(t.partition_indexes)
        };
        topics.into_iter().map(topic).collect()
    });
    let topics = fetch_group(state, &request.group_id, wanted).into_iter().map(|topic| {
        let partitions = topic.partitions.into_iter().map(|p| {
            OffsetFetchResponsePartition::default()
                .with_partition_index(p.partition_index)
                .with_committed_offset(p.committed_offset)
                .with_committed_leader_epoch(p.committed_leader_epoch)
                .with_metadata(p.metadata)
        });
        OffsetFetchResponseTopic::default().with_name(topic.name).with_partitions(partitions.collect())
    });
    OffsetFetchResponse::default().with_topics(topics.collect())
}

fn fetch_group(
    state: &State,
    group: &GroupId,
    wanted: Option<Vec<OffsetFetchRequestTopics>>,
) -> Vec<OffsetFetchResponseTopics> {
    let wanted = wanted.unwrap_or_else(|| all_committed(state, group));
    let store = state.store();
    let topics = wanted.into_iter().map(|topic| {
        let partitions = topic.partition_indexes.iter().map(|&index| {
            let key = Key::Offset(group.to_string(), topic.name.to_string(), index);
            let committed = store.get(&key).and_then(|value| StoredOffset::deserialize(value).ok());
            let partition = OffsetFetchResponsePartitions::default().with_partition_index(index);
            match committed {
                Some(StoredOffset { offset, leader_epoch, metadata }) => partition
                    .with_committed_offset(offset)
                    .with_committed_leader_epoch(leader_epoch)
                    .with_metadata(Some(StrBytes::from_string(metadata))),
                None => partition.with_committed_offset(-1).with_metadata(Some(StrBytes::new())),
            }
        });
        OffsetFetchResponseTopics::default().with_name(topic.name.clone()).with_partitions(partitions.collect())
    });
    topics.collect()
}

/// Every partition for which the group has committed, by topic.
fn all_committed(state: &State, group: &GroupId) -> Vec<OffsetFetchRequestTopics> {
    let store = state.store();
    let mut topics: Vec<OffsetFetchRequestTopics> = Vec::new();
    for (key, _) in store.from(Key::Offset(group.to_string(), String::new(), 0)) {
        match key {
            Key::Offset(of, name, index) if of == group.as_str() => match topics.last_mut() {
                Some(topic) if topic.name.as_str() == name => topic.partition_indexes.push(*index),
                _ => topics.push(
                    OffsetFetchRequestTopics::default()
                        .with_name(TopicName(StrBytes::from_string(name.clone())))
                        .with_partition_indexes(vec![*index]),
                ),
            },
            _ => break,
        }
    }
    topics
}
