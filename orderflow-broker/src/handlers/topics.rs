//! Create topics, delete topics.

use std::collections::BTreeMap;

use kafka_protocol::{
    error::ResponseError,
    messages::{
        CreateTopicsRequest, CreateTopicsResponse, DeleteTopicsRequest, DeleteTopicsResponse, TopicName,
        create_topics_request::CreatableTopic,
        create_topics_response::{CreatableTopicConfigs, CreatableTopicResult},
        delete_topics_request::DeleteTopicState,
        delete_topics_response::DeletableTopicResult,
    },
    protocol::StrBytes,
};
use uuid::Uuid;

use super::{
    NODE_ID,
    configs::{SOURCE_DEFAULT, SOURCE_TOPIC},
};
use crate::{
    State,
    topic_config::{TOPIC_SETTINGS, TopicConfig},
    topics::NewTopic,
};

/// Creates topics, each on its own: one that cannot be does not stop the others.
pub(crate) fn create_topics(state: &State, request: CreateTopicsRequest) -> CreateTopicsResponse {
    let mut by_name: BTreeMap<&str, Vec<&CreatableTopic>> = BTreeMap::new();
    for topic in &request.topics {
        by_name.entry(&topic.name).or_default().push(topic);
    }
    let results = by_name.into_values().map(|topics| {
        let created = match topics.as_slice() {
            [topic] => create(state, topic, request.validate_only),
            _ => Err((ResponseError::InvalidRequest, "Duplicate topic name.".to_owned())),
        };
        let name = topics[0].name.clone();
        let result = CreatableTopicResult::default().with_name(name).with_error_message(None).with_configs(None);
        match created {
            Ok((id, new)) => result
                .with_topic_id(id)
                .with_num_partitions(new.partitions)
                .with_replication_factor(1)
                .with_configs(Some(configs(state, &new.config))),
            Err((error, why)) => result
                .with_error_code(error.code())
                .with_error_message(Some(StrBytes::from_string(why)))
                .with_num_partitions(-1)
                .with_replication_factor(-1),
        }
    });
    CreateTopicsResponse::default().with_topics(results.collect())
}

fn create(
    state: &State,
    topic: &CreatableTopic,
    validate_only: bool,
) -> Result<(Uuid, NewTopic), (ResponseError, String)> {
    let partitions = partition_count(state, topic)?;
    let mut config = TopicConfig::default();
    for setting in &topic.configs {
        let value = setting.value.as_deref().unwrap_or_default();
        config.set(&setting.name, value).map_err(|why| (ResponseError::InvalidConfig, why))?;
    }
    let new = NewTopic { name: topic.name.to_string(), partitions, config };
    let id = state.topics.create(&new, &state.config, &state.store, validate_only)?;
    Ok((if validate_only { Uuid::nil() } else { id }, new))
}

/// From the number of partitions or from a list of who holds them. There is one broker, so one replica.
fn partition_count(state: &State, topic: &CreatableTopic) -> Result<i32, (ResponseError, String)> {
    if !topic.assignments.is_empty() {
        if topic.num_partitions != -1 || topic.replication_factor != -1 {
            let why = "Both partition assignments and a count of partitions or replicas were given.".to_owned();
            return Err((ResponseError::InvalidRequest, why));
        }
        let mut indexes: Vec<i32> = topic.assignments.iter().map(|a| a.partition_index).collect();
        indexes.sort_unstable();
        let on_us = topic.assignments.iter().all(|a| matches!(a.broker_ids.as_slice(), [id] if id.0 == NODE_ID));
        if !on_us || !indexes.iter().copied().eq((0..).take(indexes.len())) {
            let why = "Partitions must be numbered from 0 without a gap, each on broker 1.".to_owned();
            return Err((ResponseError::InvalidReplicaAssignment, why));
        }
        return Ok(i32::try_from(indexes.len()).unwrap_or(i32::MAX));
    }
    if !matches!(topic.replication_factor, -1 | 1) {
        let why = format!("A replication factor of {} needs as many brokers; there is 1.", topic.replication_factor);
        return Err((ResponseError::InvalidReplicationFactor, why));
    }
    match topic.num_partitions {
        -1 => Ok(state.config.partitions_default),
        count if count > 0 => Ok(count),
        count => Err((ResponseError::InvalidPartitions, format!("{count} is no number of partitions."))),
    }
}

fn configs(state: &State, config: &TopicConfig) -> Vec<CreatableTopicConfigs> {
    let setting = |(name, _)| {
        let (value, own) = config.get(name, &state.config);
        CreatableTopicConfigs::default()
            .with_name(StrBytes::from_static_str(name))
            .with_value(Some(StrBytes::from_string(value)))
            .with_config_source(if own { SOURCE_TOPIC } else { SOURCE_DEFAULT })
    };
    TOPIC_SETTINGS.into_iter().map(setting).collect()
}

/// Deletes topics by name or, from version 6 on, by id.
pub(crate) fn delete_topics(state: &State, request: DeleteTopicsRequest) -> DeleteTopicsResponse {
    let named = request.topic_names.into_iter().map(|name| DeleteTopicState::default().with_name(Some(name)));
    let results = request.topics.into_iter().chain(named).map(|wanted| {
        let (known, unknown) = match &wanted.name {
            Some(name) => (state.topics.get(name), ResponseError::UnknownTopicOrPartition),
            None => (state.topics.by_id(wanted.topic_id), ResponseError::UnknownTopicId),
        };
        let result = DeletableTopicResult::default().with_name(wanted.name).with_topic_id(wanted.topic_id);
        let Some(topic) = known else {
            return result.with_error_code(unknown.code());
        };
        let deleted = state.topics.delete(&topic.name, topic.id, &state.config, &state.store);
        let name = TopicName(StrBytes::from_string(topic.name.clone()));
        result
            .with_name(Some(name))
            .with_topic_id(topic.id)
            .with_error_code(deleted.err().map_or(0, |error| error.code()))
    });
    DeleteTopicsResponse::default().with_responses(results.collect())
}
