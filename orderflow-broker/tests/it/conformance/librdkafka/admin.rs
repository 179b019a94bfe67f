//! Administration through librdkafka.

use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication},
    client::DefaultClientContext,
    consumer::Consumer as _,
    types::RDKafkaErrorCode,
};

use super::{Consumer, WITHIN, blocking, config, poll_until};
use crate::{
    raw::{Client, eventually},
    target::{Target, conformance, unique},
};

conformance! {
    topics_are_created_described_and_deleted,
    groups_are_listed_and_deleted,
    metadata_names_the_broker,
}

fn admin(target: &Target) -> (AdminClient<DefaultClientContext>, AdminOptions) {
    let options = AdminOptions::new().request_timeout(Some(WITHIN)).operation_timeout(Some(WITHIN));
    (config(target).create().expect("an admin client"), options)
}

async fn topics_are_created_described_and_deleted(target: &Target) {
    let (admin, options) = admin(target);
    let topic = unique("admin");
    let new = NewTopic::new(&topic, 2, TopicReplication::Fixed(1)).set("retention.ms", "60000");
    let created = admin.create_topics([&new], &options).await.expect("an answer");
    assert_eq!(created, [Ok(topic.clone())]);
    let again = admin.create_topics([&new], &options).await.expect("an answer");
    assert_eq!(again, [Err((topic.clone(), RDKafkaErrorCode::TopicAlreadyExists))]);
    Client::connect(target).await.wait_for_topic(&topic, 2).await;

    let resource = [ResourceSpecifier::Topic(&topic)];
    let described = admin.describe_configs(&resource, &options).await.expect("an answer").remove(0);
    let described = described.expect("described");
    let value = |name: &str| described.get(name).and_then(|entry| entry.value.as_deref());
    assert_eq!(value("retention.ms"), Some("60000"));
    assert_eq!(value("cleanup.policy"), Some("delete"));

    let deleted = admin.delete_topics(&[&topic], &options).await.expect("an answer");
    assert_eq!(deleted, [Ok(topic.clone())]);
    eventually("the topic is gone", async || {
        let again = admin.delete_topics(&[&topic], &options).await.expect("an answer");
        let gone = [Err((topic.clone(), RDKafkaErrorCode::UnknownTopicOrPartition))];
        (again == gone).then_some(())
    })
    .await;
}

async fn groups_are_listed_and_deleted(target: &Target) {
    let (topic, group) = (unique("topic"), unique("group"));
    Client::connect(target).await.create_topic(&topic, 1, &[]).await;
    let (config, name) = (config(target), group.clone());
    let consumer = blocking(move || {
        let mut consumer = Consumer::subscribed(&config, &name, &topic, &[]);
        poll_until(&mut [&mut consumer], "it has joined", |consumers| !consumers[0].partitions().is_empty());
        let list = consumer.inner.fetch_group_list(Some(&name), WITHIN).expect("a list");
        assert_eq!(list.groups().len(), 1);
        let found = &list.groups()[0];
        assert_eq!((found.name(), found.state()), (&*name, "Stable"));
        assert_eq!((found.protocol_type(), found.protocol()), ("consumer", "range"));
        assert_eq!(found.members().len(), 1);
        assert_eq!(found.members()[0].client_id(), "conformance");
        assert!(found.members()[0].assignment().is_some_and(|assignment| !assignment.is_empty()));
        consumer
    })
    .await;
    let (admin, options) = admin(target);
    let refused = admin.delete_groups(&[&group], &options).await.expect("an answer");
    assert_eq!(refused, [Err((group.clone(), RDKafkaErrorCode::NonEmptyGroup))]);
    blocking(move || drop(consumer)).await;
    let deleted = admin.delete_groups(&[&group], &options).await.expect("an answer");
    assert_eq!(deleted, [Ok(group.clone())]);
    let unknown = admin.delete_groups(&[&group], &options).await.expect("an answer");
    assert_eq!(unknown, [Err((group, RDKafkaErrorCode::GroupIdNotFound))]);
}

async fn metadata_names_the_broker(target: &Target) {
    let topic = unique("topic");
    Client::connect(target).await.create_topic(&topic, 3, &[]).await;
    let (config, bootstrap) = (config(target), target.bootstrap().to_owned());
    blocking(move || {
        let consumer = Consumer::new(&config, &unique("group"), &[]);
        for name in [Some(&*topic), None] {
            let metadata = consumer.inner.fetch_metadata(name, WITHIN).expect("metadata");
            let broker = &metadata.brokers()[0];
            assert_eq!(format!("{}:{}", broker.host(), broker.port()), bootstrap);
            let found = metadata.topics().iter().find(|found| found.name() == topic);
            let found = found.expect("the topic");
            assert_eq!((found.error(), found.partitions().len()), (None, 3));
            for partition in found.partitions() {
                assert_eq!((partition.error(), partition.leader()), (None, broker.id()));
                assert_eq!((partition.replicas(), partition.isr()), (&[broker.id()][..], &[broker.id()][..]));
            }
        }
    })
    .await;
}
