//! Topics: how they come to be, by request and by being asked for, what is refused, what they are set to, and that
//! a name used again is another topic.

use kafka_protocol::{
    error::{ParseResponseErrorCode as _, ResponseError},
    messages::{
        CreateTopicsRequest, DeleteTopicsRequest, DescribeClusterRequest, DescribeConfigsRequest, MetadataRequest,
        MetadataResponse,
        create_topics_request::{CreatableReplicaAssignment, CreatableTopic},
        create_topics_response::CreatableTopicResult,
        delete_topics_request::DeleteTopicState,
        describe_configs_request::DescribeConfigsResource,
        describe_configs_response::DescribeConfigsResult,
        metadata_request::MetadataRequestTopic,
        metadata_response::MetadataResponseTopic,
    },
};

use crate::{
    raw::{Batch, CREATE_TOPICS, Client, EARLIEST, LATEST, creatable, eventually, numbered, str, values},
    target::{Target, conformance, unique},
};

conformance! {
    metadata_of_all_topics_and_of_none,
    metadata_of_one_topic_in_every_version,
    metadata_of_an_unknown_topic_without_creation,
    metadata_creates_a_topic,
    metadata_of_an_impossible_name,
    metadata_by_topic_id,
    create_answers_what_was_made,
    create_in_every_version,
    create_existing,
    create_validate_only,
    create_twice_in_one_request,
    create_refusals,
    create_with_defaults,
    create_with_assignments,
    delete_by_name_and_by_id,
    delete_in_every_version,
    delete_unknown,
    name_used_again_is_another_topic,
    configs_as_set_and_as_default,
    configs_of_an_unknown_topic,
    cluster_is_described,
}

const METADATA: i16 = 12;
const DELETE_TOPICS: i16 = 6;

fn by_name(topic: &str) -> MetadataRequestTopic {
    MetadataRequestTopic::default().with_name(Some(str(topic).into()))
}

/// Asks for one topic, which is not to be created.
async fn describe(client: &mut Client, topic: &str) -> MetadataResponseTopic {
    let request =
        MetadataRequest::default().with_topics(Some(vec![by_name(topic)])).with_allow_auto_topic_creation(false);
    client.call(METADATA, &request).await.topics.remove(0)
}

/// Waits until a topic is gone from the metadata, which Apache Kafka lets follow the answer.
async fn wait_until_gone(client: &mut Client, topic: &str) {
    eventually("the topic is gone", async || {
        let error = describe(client, topic).await.error_code.err();
        (error == Some(ResponseError::UnknownTopicOrPartition)).then_some(())
    })
    .await;
}

fn names(response: &MetadataResponse) -> Vec<String> {
    response.topics.iter().map(|topic| topic.name.as_ref().expect("a name").to_string()).collect()
}

async fn create(client: &mut Client, topic: CreatableTopic) -> CreatableTopicResult {
    let request = CreateTopicsRequest::default().with_timeout_ms(10_000).with_topics(vec![topic]);
    client.call(CREATE_TOPICS, &request).await.topics.remove(0)
}

async fn metadata_of_all_topics_and_of_none(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = unique("metadata");
    client.create_topic(&topic, 1, &[]).await;
    for version in client.versions::<MetadataRequest>(1..=METADATA).await {
        let all = client.call(version, &MetadataRequest::default().with_topics(None)).await;
        assert!(names(&all).contains(&topic), "v{version}: no list is all topics");
        let none = client.call(version, &MetadataRequest::default().with_topics(Some(vec![]))).await;
        assert_eq!(names(&none), Vec::<String>::new(), "v{version}: an empty list is none");
        assert_eq!(none.brokers, all.brokers);
    }
    let all = client.call(0, &MetadataRequest::default().with_topics(Some(vec![]))).await;
    assert!(names(&all).contains(&topic), "v0: an empty list is all topics");
}

async fn metadata_of_one_topic_in_every_version(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = unique("metadata");
    client.create_topic(&topic, 3, &[]).await;
    let id = describe(&mut client, &topic).await.topic_id;
    assert!(!id.is_nil());
    for version in client.versions::<MetadataRequest>(0..=METADATA).await {
        let request = MetadataRequest::default().with_topics(Some(vec![by_name(&topic)]));
        let answer = client.call(version, &request).await;
        assert_eq!(answer.brokers.len(), 1, "v{version}");
        let broker = &answer.brokers[0];
        assert_eq!(format!("{}:{}", broker.host, broker.port), target.bootstrap(), "v{version}");
        if version >= 1 {
            assert_eq!(answer.controller_id, broker.node_id, "v{version}");
        }
        assert_eq!(answer.cluster_id.is_some(), version >= 2, "v{version}");
        assert_eq!(names(&answer), [topic.as_str()], "v{version}");
        let described = &answer.topics[0];
        assert_eq!((described.error_code.err(), described.is_internal), (None, false));
        if version >= 10 {
            assert_eq!(described.topic_id, id, "v{version}");
        }
        let mut partitions = described.partitions.clone();
        partitions.sort_unstable_by_key(|partition| partition.partition_index);
        assert_eq!(partitions.len(), 3, "v{version}");
        for (index, partition) in (0..).zip(partitions) {
            assert_eq!((partition.partition_index, partition.error_code.err()), (index, None));
            assert_eq!(partition.leader_id, broker.node_id);
            assert_eq!(partition.leader_epoch, if version >= 7 { 0 } else { -1 }, "v{version}");
            assert_eq!(partition.replica_nodes, [broker.node_id]);
            assert_eq!(partition.isr_nodes, [broker.node_id]);
            assert!(partition.offline_replicas.is_empty());
        }
        // "Not asked for": all bits but the sign are operations.
        assert_eq!(described.topic_authorized_operations, i32::MIN, "v{version}");
    }
}

async fn metadata_of_an_unknown_topic_without_creation(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = unique("unknown");
    for _ in 0..2 {
        let described = describe(&mut client, &topic).await;
        assert_eq!(described.error_code.err(), Some(ResponseError::UnknownTopicOrPartition));
        assert_eq!(described.name.as_ref().map(|name| name.as_str()), Some(topic.as_str()));
        assert_eq!((described.topic_id.is_nil(), described.partitions.len()), (true, 0));
    }
}

async fn metadata_creates_a_topic(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = unique("automatic");
    let request =
        MetadataRequest::default().with_topics(Some(vec![by_name(&topic)])).with_allow_auto_topic_creation(true);
    let described = eventually("the topic is created", async || {
        let described = client.call(METADATA, &request).await.topics.remove(0);
        match described.error_code.err() {
            None => Some(described),
            // Apache Kafka answers before it has created.
            Some(ResponseError::UnknownTopicOrPartition | ResponseError::LeaderNotAvailable) => None,
            Some(error) => panic!("{error:?}"),
        }
    })
    .await;
    assert_eq!(described.partitions.len(), 1, "num.partitions");
    client.wait_for_topic(&topic, 1).await;
    assert_eq!(client.produce(&topic, 0, Batch::of(&["a"]).encode()).await, Ok(0));
}

async fn metadata_of_an_impossible_name(target: &Target) {
    let mut client = Client::connect(target).await;
    for name in ["a/b", "..", ".", "", "with space", "ünicode", "x".repeat(250).as_str()] {
        let request =
            MetadataRequest::default().with_topics(Some(vec![by_name(name)])).with_allow_auto_topic_creation(true);
        let answer = client.call(METADATA, &request).await;
        let error = answer.topics[0].error_code.err();
        assert_eq!(error, Some(ResponseError::InvalidTopicException), "{name:?}");
    }
}

async fn metadata_by_topic_id(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = unique("metadata");
    client.create_topic(&topic, 1, &[]).await;
    let id = describe(&mut client, &topic).await.topic_id;
    let by_id = |id| {
        let topic = MetadataRequestTopic::default().with_name(None).with_topic_id(id);
        MetadataRequest::default().with_topics(Some(vec![topic]))
    };
    let described = client.call(METADATA, &by_id(id)).await.topics.remove(0);
    assert_eq!((described.error_code.err(), described.topic_id), (None, id));
    assert_eq!(described.name.as_ref().map(|name| name.as_str()), Some(topic.as_str()));
    assert_eq!(described.partitions.len(), 1);

    let unknown = id_of_nothing();
    let described = client.call(METADATA, &by_id(unknown)).await.topics.remove(0);
    assert_eq!(described.error_code.err(), Some(ResponseError::UnknownTopicId));
    assert_eq!((described.topic_id, described.name), (unknown, None));
}

fn id_of_nothing() -> uuid::Uuid {
    uuid::Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef)
}

async fn create_answers_what_was_made(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = unique("create");
    let made = create(&mut client, creatable(&topic, 4, &[("retention.ms", "86400000")])).await;
    assert_eq!((made.name.as_str(), made.error_code.err()), (topic.as_str(), None));
    assert_eq!((made.num_partitions, made.replication_factor), (4, 1));
    assert_eq!((made.topic_config_error_code, made.error_message.clone()), (0, None));
    let configs = made.configs.expect("the configuration");
    let retention = configs.iter().find(|config| config.name.as_str() == "retention.ms");
    let retention = retention.expect("retention.ms");
    assert_eq!(retention.value.as_ref().map(kafka_protocol::protocol::StrBytes::as_str), Some("86400000"));
    assert_eq!((retention.config_source, retention.read_only, retention.is_sensitive), (1, false, false));
    client.wait_for_topic(&topic, 4).await;
    assert_eq!(describe(&mut client, &topic).await.topic_id, made.topic_id);
}

async fn create_in_every_version(target: &Target) {
    let mut client = Client::connect(target).await;
    for version in client.versions::<CreateTopicsRequest>(2..=CREATE_TOPICS).await {
        let topic = unique("create");
        let request =
            CreateTopicsRequest::default().with_timeout_ms(10_000).with_topics(vec![creatable(&topic, 2, &[])]);
        let made = client.call(version, &request).await.topics.remove(0);
        assert_eq!((made.name.as_str(), made.error_code.err()), (topic.as_str(), None), "v{version}");
        client.wait_for_topic(&topic, 2).await;
    }
}

async fn create_existing(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = unique("create");
    client.create_topic(&topic, 2, &[]).await;
    let id = describe(&mut client, &topic).await.topic_id;
    let refused = create(&mut client, creatable(&topic, 5, &[])).await;
    assert_eq!(refused.error_code.err(), Some(ResponseError::TopicAlreadyExists));
    assert!(refused.error_message.is_some());
    let described = describe(&mut client, &topic).await;
    assert_eq!((described.topic_id, described.partitions.len()), (id, 2), "it is left alone");
}

async fn create_validate_only(target: &Target) {
    let mut client = Client::connect(target).await;
    let existing = unique("create");
    client.create_topic(&existing, 1, &[]).await;
    let fresh = unique("create");
    let request = CreateTopicsRequest::default()
        .with_timeout_ms(10_000)
        .with_validate_only(true)
        .with_topics(vec![creatable(&fresh, 3, &[]), creatable(&existing, 1, &[])]);
    let mut answer = client.call(CREATE_TOPICS, &request).await.topics;
    answer.sort_unstable_by_key(|topic| topic.name.as_str() == existing);
    assert_eq!(answer[0].error_code.err(), None);
    assert_eq!(answer[0].num_partitions, 3);
    assert_eq!(answer[1].error_code.err(), Some(ResponseError::TopicAlreadyExists));
    let described = describe(&mut client, &fresh).await;
    assert_eq!(described.error_code.err(), Some(ResponseError::UnknownTopicOrPartition));
}

async fn create_twice_in_one_request(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = unique("create");
    let request = CreateTopicsRequest::default()
        .with_timeout_ms(10_000)
        .with_topics(vec![creatable(&topic, 1, &[]), creatable(&topic, 2, &[])]);
    let answer = client.call(CREATE_TOPICS, &request).await;
    let errors: Vec<_> = answer.topics.iter().map(|topic| topic.error_code.err()).collect();
    assert_eq!(errors, [Some(ResponseError::InvalidRequest)], "one answer for the name");
    let described = describe(&mut client, &topic).await;
    assert_eq!(described.error_code.err(), Some(ResponseError::UnknownTopicOrPartition));
}

async fn create_refusals(target: &Target) {
    use ResponseError as E;
    let mut client = Client::connect(target).await;
    let longest = format!("{:x<249}", unique("create"));
    let too_long = format!("{longest}x");
    let fresh = unique("create");
    let named = |name: &str| creatable(name, 1, &[]);
    let with = |name: &str, value: &str| creatable(&fresh, 1, &[(name, value)]);
    let cases = [
        ("a slash", named("a/b"), Some(E::InvalidTopicException)),
        ("no name", named(""), Some(E::InvalidTopicException)),
        ("one dot", named("."), Some(E::InvalidTopicException)),
        ("two dots", named(".."), Some(E::InvalidTopicException)),
        ("a space", named("a b"), Some(E::InvalidTopicException)),
        ("250 characters", named(&too_long), Some(E::InvalidTopicException)),
        ("249 characters", named(&longest), None),
        ("no partitions", creatable(&fresh, 0, &[]), Some(E::InvalidPartitions)),
        ("-2 partitions", creatable(&fresh, -2, &[]), Some(E::InvalidPartitions)),
        ("no replica", named(&fresh).with_replication_factor(0), Some(E::InvalidReplicationFactor)),
        ("-2 replicas", named(&fresh).with_replication_factor(-2), Some(E::InvalidReplicationFactor)),
        ("2 replicas", named(&fresh).with_replication_factor(2), Some(E::InvalidReplicationFactor)),
        ("unknown setting", with("no.such.setting", "1"), Some(E::InvalidConfig)),
        ("no number", with("retention.ms", "soon"), Some(E::InvalidConfig)),
        ("below the lowest", with("retention.ms", "-2"), Some(E::InvalidConfig)),
        ("below the lowest", with("max.message.bytes", "-1"), Some(E::InvalidConfig)),
        ("below the lowest", with("segment.bytes", "1"), Some(E::InvalidConfig)),
        ("no such policy", with("cleanup.policy", "burn"), Some(E::InvalidConfig)),
    ];
    let mut outcomes = Vec::new();
    for (what, topic, _) in &cases {
        outcomes.push((*what, create(&mut client, topic.clone()).await.error_code.err()));
    }
    assert_eq!(outcomes, cases.map(|(what, _, error)| (what, error)));
    let described = describe(&mut client, &fresh).await;
    assert_eq!(described.error_code.err(), Some(E::UnknownTopicOrPartition), "none is made");
}

async fn create_with_defaults(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = unique("create");
    let made = create(&mut client, creatable(&topic, -1, &[]).with_replication_factor(-1)).await;
    assert_eq!(made.error_code.err(), None);
    assert_eq!((made.num_partitions, made.replication_factor), (1, 1));
}

async fn create_with_assignments(target: &Target) {
    let mut client = Client::connect(target).await;
    let node = client.call(METADATA, &MetadataRequest::default()).await.brokers[0].node_id;
    let assigned = |topic: &str, partitions: &[(i32, Vec<i32>)]| {
        let assignments = partitions
            .iter()
            .map(|(index, nodes)| {
                CreatableReplicaAssignment::default()
                    .with_partition_index(*index)
                    .with_broker_ids(nodes.iter().map(|node| (*node).into()).collect())
            })
            .collect();
        creatable(topic, -1, &[]).with_replication_factor(-1).with_assignments(assignments)
    };
    let topic = unique("create");
    let made = create(&mut client, assigned(&topic, &[(0, vec![*node]), (1, vec![*node])])).await;
    assert_eq!((made.error_code.err(), made.num_partitions), (None, 2));
    client.wait_for_topic(&topic, 2).await;

    let fresh = unique("create");
    let cases = [
        ("no such broker", assigned(&fresh, &[(0, vec![*node + 7])]), ResponseError::InvalidReplicaAssignment),
        ("a partition is missing", assigned(&fresh, &[(1, vec![*node])]), ResponseError::InvalidReplicaAssignment),
        ("a broker twice", assigned(&fresh, &[(0, vec![*node, *node])]), ResponseError::InvalidReplicaAssignment),
        (
            "a partition twice",
            assigned(&fresh, &[(0, vec![*node]), (0, vec![*node])]),
            ResponseError::InvalidReplicaAssignment,
        ),
        ("nobody", assigned(&fresh, &[(0, vec![])]), ResponseError::InvalidReplicaAssignment),
        ("a count too", assigned(&fresh, &[(0, vec![*node])]).with_num_partitions(1), ResponseError::InvalidRequest),
    ];
    let mut outcomes = Vec::new();
    for (what, topic, _) in &cases {
        outcomes.push((*what, create(&mut client, topic.clone()).await.error_code.err()));
    }
    assert_eq!(outcomes, cases.map(|(what, _, error)| (what, Some(error))));
}

fn delete_request(topics: Vec<DeleteTopicState>) -> DeleteTopicsRequest {
    DeleteTopicsRequest::default().with_timeout_ms(10_000).with_topics(topics)
}

fn delete_by_name(topic: &str) -> DeleteTopicState {
    DeleteTopicState::default().with_name(Some(str(topic).into()))
}

fn delete_by_id(id: uuid::Uuid) -> DeleteTopicState {
    DeleteTopicState::default().with_name(None).with_topic_id(id)
}

async fn delete_by_name_and_by_id(target: &Target) {
    let mut client = Client::connect(target).await;
    for named in [true, false] {
        let topic = unique("delete");
        client.create_topic(&topic, 2, &[]).await;
        let id = describe(&mut client, &topic).await.topic_id;
        let state = if named { delete_by_name(&topic) } else { delete_by_id(id) };
        let answer = client.call(DELETE_TOPICS, &delete_request(vec![state])).await;
        let deleted = &answer.responses[0];
        assert_eq!((deleted.error_code.err(), deleted.topic_id), (None, id));
        assert_eq!(deleted.name.as_ref().map(|name| name.as_str()), Some(topic.as_str()));
        wait_until_gone(&mut client, &topic).await;
        let refused = client.produce(&topic, 0, Batch::of(&["a"]).encode()).await;
        assert_eq!(refused, Err(ResponseError::UnknownTopicOrPartition));
    }
}

async fn delete_in_every_version(target: &Target) {
    let mut client = Client::connect(target).await;
    for version in client.versions::<DeleteTopicsRequest>(1..=DELETE_TOPICS - 1).await {
        let (topic, unknown) = (unique("delete"), unique("delete"));
        client.create_topic(&topic, 1, &[]).await;
        let request = DeleteTopicsRequest::default()
            .with_timeout_ms(10_000)
            .with_topic_names(vec![str(&topic).into(), str(&unknown).into()]);
        let mut answer = client.call(version, &request).await.responses;
        answer.sort_unstable_by_key(|deleted| deleted.error_code);
        let outcomes: Vec<_> = answer
            .iter()
            .map(|deleted| (deleted.name.clone().expect("a name").to_string(), deleted.error_code.err()))
            .collect();
        let expected = [(topic.clone(), None), (unknown, Some(ResponseError::UnknownTopicOrPartition))];
        assert_eq!(outcomes, expected, "v{version}");
        wait_until_gone(&mut client, &topic).await;
    }
}

async fn delete_unknown(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = unique("delete");
    let states = vec![delete_by_name(&topic), delete_by_id(id_of_nothing())];
    let mut answer = client.call(DELETE_TOPICS, &delete_request(states)).await.responses;
    answer.sort_unstable_by_key(|deleted| deleted.error_code);
    let errors: Vec<_> = answer.iter().map(|deleted| deleted.error_code.err()).collect();
    assert_eq!(errors, [Some(ResponseError::UnknownTopicOrPartition), Some(ResponseError::UnknownTopicId)]);
    assert_eq!(answer[0].name.as_ref().map(|name| name.as_str()), Some(topic.as_str()));
    assert_eq!((answer[1].topic_id, answer[1].name.clone()), (id_of_nothing(), None));
}

async fn name_used_again_is_another_topic(target: &Target) {
    let mut client = Client::connect(target).await;
    let topic = unique("again");
    client.create_topic(&topic, 1, &[]).await;
    client.produce(&topic, 0, Batch::of(&["old", "old"]).encode()).await.expect("appended");
    let old = describe(&mut client, &topic).await.topic_id;
    let request = delete_request(vec![delete_by_name(&topic)]);
    assert_eq!(client.call(DELETE_TOPICS, &request).await.responses[0].error_code.err(), None);
    wait_until_gone(&mut client, &topic).await;

    client.create_topic(&topic, 1, &[]).await;
    assert_ne!(describe(&mut client, &topic).await.topic_id, old);
    for time in [EARLIEST, LATEST] {
        assert_eq!(client.list_offset(&topic, 0, time).await.offset, 0);
    }
    assert_eq!(client.produce(&topic, 0, Batch::of(&["new"]).encode()).await, Ok(0));
    assert_eq!(values(&client.fetch(&topic, 0, 0).await), numbered(0, &["new"]));
}

const TOPIC_RESOURCE: i8 = 2;

async fn configs(client: &mut Client, version: i16, topic: &str, keys: Option<&[&str]>) -> DescribeConfigsResult {
    let keys = keys.map(|keys| keys.iter().map(|key| str(key)).collect());
    let resource = DescribeConfigsResource::default()
        .with_resource_type(TOPIC_RESOURCE)
        .with_resource_name(str(topic))
        .with_configuration_keys(keys);
    let request = DescribeConfigsRequest::default().with_resources(vec![resource]);
    client.call(version, &request).await.results.remove(0)
}

async fn configs_as_set_and_as_default(target: &Target) {
    const OF_TOPIC: i8 = 1;
    const DEFAULT: i8 = 5;
    const INT: i8 = 3;
    const LONG: i8 = 5;
    const LIST: i8 = 7;
    let mut client = Client::connect(target).await;
    let (set, unset) = (unique("configs"), unique("configs"));
    // A listed difference: a start reads the newest segment whole, so ours are smaller.
    let segment_bytes = if target.is_apache() { "1073741824" } else { "67108864" };
    let all = [
        ("cleanup.policy", "compact", "delete", LIST),
        ("retention.ms", "3600000", "604800000", LONG),
        ("retention.bytes", "1000000", "-1", LONG),
        ("segment.bytes", "2097152", segment_bytes, INT),
        ("max.message.bytes", "4096", "1048588", INT),
    ];
    client.create_topic(&set, 1, &all.map(|(name, value, _, _)| (name, value))).await;
    client.create_topic(&unset, 1, &[]).await;
    for version in client.versions::<DescribeConfigsRequest>(1..=4).await {
        for (topic, is_set) in [(&set, true), (&unset, false)] {
            for keys in [None, Some(&["retention.ms", "max.message.bytes"][..])] {
                let result = configs(&mut client, version, topic, keys).await;
                assert_eq!((result.error_code.err(), result.resource_name.as_str()), (None, topic.as_str()));
                assert_eq!(result.resource_type, TOPIC_RESOURCE);
                for (name, value, default, kind) in all {
                    let found = result.configs.iter().find(|config| config.name.as_str() == name);
                    if keys.is_some_and(|keys| !keys.contains(&name)) {
                        assert_eq!(found, None, "v{version} {name} was not asked for");
                        continue;
                    }
                    let found = found.unwrap_or_else(|| panic!("v{version}: {name}"));
                    let expected = if is_set { (value, OF_TOPIC) } else { (default, DEFAULT) };
                    let actual = found.value.as_ref().map_or("", |value| value.as_str());
                    assert_eq!((actual, found.config_source), expected, "v{version} {name}");
                    assert_eq!((found.read_only, found.is_sensitive), (false, false), "v{version} {name}");
                    assert_eq!(found.config_type, if version >= 3 { kind } else { 0 }, "v{version} {name}");
                }
            }
        }
    }
}

async fn configs_of_an_unknown_topic(target: &Target) {
    let mut client = Client::connect(target).await;
    let result = configs(&mut client, 4, &unique("configs"), None).await;
    assert_eq!(result.error_code.err(), Some(ResponseError::UnknownTopicOrPartition));
    assert_eq!(result.configs, []);
    let result = configs(&mut client, 4, "a/b", None).await;
    assert_eq!(result.error_code.err(), Some(ResponseError::InvalidTopicException));
}

async fn cluster_is_described(target: &Target) {
    let mut client = Client::connect(target).await;
    let metadata = client.call(METADATA, &MetadataRequest::default()).await;
    for version in client.versions::<DescribeClusterRequest>(0..=1).await {
        let answer = client.call(version, &DescribeClusterRequest::default()).await;
        assert_eq!((answer.error_code.err(), answer.endpoint_type), (None, 1), "v{version}");
        assert_eq!(Some(answer.cluster_id), metadata.cluster_id, "v{version}");
        assert_eq!(answer.controller_id, metadata.controller_id, "v{version}");
        assert_eq!(answer.cluster_authorized_operations, i32::MIN, "v{version}");
        let brokers: Vec<_> = answer
            .brokers
            .iter()
            .map(|broker| (broker.broker_id, format!("{}:{}", broker.host, broker.port)))
            .collect();
        assert_eq!(brokers, [(metadata.brokers[0].node_id, target.bootstrap().to_owned())]);
    }
}
