//! Who is in the cluster: us. Metadata, describe cluster, find coordinator.

use std::collections::BTreeSet;

use kafka_protocol::{
    error::ResponseError,
    messages::{
        DescribeClusterRequest, DescribeClusterResponse, FindCoordinatorRequest, FindCoordinatorResponse,
        MetadataRequest, MetadataResponse, TopicName,
        describe_cluster_response::DescribeClusterBroker,
        find_coordinator_response::Coordinator,
        metadata_response::{MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic},
    },
    protocol::StrBytes,
};
use uuid::Uuid;

use super::{NODE_ID, OPERATIONS_UNKNOWN};
use crate::{
    State,
    topics::{NewTopic, Topic},
    wire::Client,
};

/// `key_type` of a consumer group in find coordinator.
const KEY_TYPE_GROUP: i8 = 0;
/// `endpoint_type` of brokers in describe cluster.
const ENDPOINT_BROKERS: i8 = 1;

/// The topics asked for, or all; creates what does not exist if client and configuration allow it.
pub(crate) fn metadata(state: &State, client: &Client, request: MetadataRequest, version: i16) -> MetadataResponse {
    let all = || state.topics.all().iter().map(|topic| describe(topic)).collect();
    let topics = match request.topics {
        None => all(),
        Some(topics) if topics.is_empty() && version == 0 => all(),
        Some(topics) => {
            // Version 0 to 3 cannot say that a topic must not be created.
            let create = state.config.auto_create_topics && (version < 4 || request.allow_auto_topic_creation);
            // Each once, however often it was named.
            let asked: BTreeSet<_> = topics.into_iter().map(|topic| (topic.name, topic.topic_id)).collect();
            let found = asked.into_iter().map(|(name, id)| match name {
                Some(name) => find_or_create(state, name, create),
                None => find_by_id(state, id),
            });
            found.collect()
        }
    };
    let (host, port) = address(client);
    let broker = MetadataResponseBroker::default().with_node_id(NODE_ID.into()).with_host(host).with_port(port);
    MetadataResponse::default()
        .with_brokers(vec![broker])
        .with_cluster_id(Some(StrBytes::from_string(state.cluster_id.clone())))
        .with_controller_id(NODE_ID.into())
        .with_topics(topics)
}

fn describe(topic: &Topic) -> MetadataResponseTopic {
    let partition = |index| {
        MetadataResponsePartition::default()
            .with_partition_index(index)
            .with_leader_id(NODE_ID.into())
            .with_leader_epoch(0)
            .with_replica_nodes(vec![NODE_ID.into()])
            .with_isr_nodes(vec![NODE_ID.into()])
    };
    MetadataResponseTopic::default()
        .with_name(Some(TopicName(StrBytes::from_string(topic.name.clone()))))
        .with_topic_id(topic.id)
        .with_partitions((0..).take(topic.partitions.len()).map(partition).collect())
}

fn find_or_create(state: &State, name: TopicName, create: bool) -> MetadataResponseTopic {
    if let Some(topic) = state.topics.get(&name) {
        return describe(&topic);
    }
    let failed = |error: ResponseError| {
        MetadataResponseTopic::default().with_name(Some(name.clone())).with_error_code(error.code())
    };
    if !create {
        return failed(ResponseError::UnknownTopicOrPartition);
    }
    let partitions = state.config.partitions_default;
    let new = NewTopic { name: name.to_string(), partitions, ..NewTopic::default() };
    match state.topics.create(&new, &state.config, &state.store, false) {
        // Kafka lets the client come back for it; we have it already.
        Ok(_) | Err((ResponseError::TopicAlreadyExists, _)) => match state.topics.get(&name) {
            Some(topic) => describe(&topic),
            None => failed(ResponseError::UnknownTopicOrPartition),
        },
        Err((error, _)) => failed(error),
    }
}

fn find_by_id(state: &State, id: Uuid) -> MetadataResponseTopic {
    match state.topics.by_id(id) {
        Some(topic) => describe(&topic),
        None => {
            let error = ResponseError::UnknownTopicId.code();
            MetadataResponseTopic::default().with_name(None).with_topic_id(id).with_error_code(error)
        }
    }
}

/// Where this client is to find us.
fn address(client: &Client) -> (StrBytes, i32) {
    let (host, port) = match &client.advertised {
        Some((host, port)) => (host.clone(), *port),
        None => (client.reached_at.ip().to_string(), client.reached_at.port()),
    };
    (StrBytes::from_string(host), port.into())
}

/// One broker, which is the controller too.
pub(crate) fn describe_cluster(
    state: &State,
    client: &Client,
    request: DescribeClusterRequest,
) -> DescribeClusterResponse {
    if request.endpoint_type != ENDPOINT_BROKERS {
        let why = StrBytes::from_static_str("this broker has no separate controllers to ask for");
        return DescribeClusterResponse::default()
            .with_error_code(ResponseError::MismatchedEndpointType.code())
            .with_error_message(Some(why));
    }
    let (host, port) = address(client);
    let broker = DescribeClusterBroker::default().with_broker_id(NODE_ID.into()).with_host(host).with_port(port);
    DescribeClusterResponse::default()
        .with_endpoint_type(ENDPOINT_BROKERS)
        .with_cluster_id(StrBytes::from_string(state.cluster_id.clone()))
        .with_controller_id(NODE_ID.into())
        .with_brokers(vec![broker])
        .with_cluster_authorized_operations(OPERATIONS_UNKNOWN)
}

/// The coordinator of each group: us. Of a transaction: nobody.
pub(crate) fn find_coordinator(
    client: &Client,
    request: FindCoordinatorRequest,
    version: i16,
) -> FindCoordinatorResponse {
    let keys = if version >= 4 { request.coordinator_keys } else { vec![request.key] };
    let (host, port) = address(client);
    let found = |key: StrBytes| {
        let coordinator = Coordinator::default().with_key(key).with_error_message(None);
        if request.key_type == KEY_TYPE_GROUP {
            return coordinator.with_node_id(NODE_ID.into()).with_host(host.clone()).with_port(port);
        }
        let why =
            StrBytes::from_static_str("this broker coordinates consumer groups only; it does not do transactions");
        coordinator
            .with_node_id((-1).into())
            .with_port(-1)
            .with_error_code(ResponseError::TransactionalIdAuthorizationFailed.code())
            .with_error_message(Some(why))
    };
    let mut coordinators: Vec<_> = keys.into_iter().map(found).collect();
    if version >= 4 {
        return FindCoordinatorResponse::default().with_coordinators(coordinators);
    }
    let Some(only) = coordinators.pop() else { return FindCoordinatorResponse::default() };
    FindCoordinatorResponse::default()
        .with_error_code(only.error_code)
        .with_error_message(only.error_message)
        .with_node_id(only.node_id)
        .with_host(only.host)
        .with_port(only.port)
}
