//! Committed offsets: who may commit, and what a group finds again.

use kafka_protocol::{
    error::{ParseResponseErrorCode as _, ResponseError},
    messages::{
        OffsetCommitRequest, OffsetFetchRequest,
        offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics},
    },
};

use super::member::{Member, OFFSET_COMMIT, alone, pair};
use crate::{
    raw::{Client, str},
    target::{Target, conformance, unique},
};

conformance! {
    every_version_commits,
    every_version_fetches,
    several_groups_in_one_request,
    all_topics_of_a_group,
    nothing_committed,
    later_commit_replaces,
    metadata_is_kept,
    leader_epoch_is_kept,
    by_members_of_a_group,
    by_nobody_in_particular,
    while_the_group_rebalances,
    of_unknown_topics_and_partitions,
    to_a_group_that_does_not_exist,
    without_a_group,
    stay_after_the_last_member_left,
}

/// Offset, metadata and error of a partition, in whichever shape the version has.
type Found = (i64, String, Option<ResponseError>);

/// What a group has committed for a partition.
async fn committed(client: &mut Client, version: i16, group: &str, topic: &str, partition: i32) -> Found {
    let text = |text: &Option<kafka_protocol::protocol::StrBytes>| {
        text.as_ref().map_or_else(|| "null".to_owned(), ToString::to_string)
    };
    let request = OffsetFetchRequest::default();
    if version < 8 {
        let topic =
            OffsetFetchRequestTopic::default().with_name(str(topic).into()).with_partition_indexes(vec![partition]);
        let request = request.with_group_id(str(group).into()).with_topics(Some(vec![topic]));
        let answer = client.call(version, &request).await;
        assert_eq!(answer.error_code.err(), None, "v{version}");
        let found = &answer.topics[0].partitions[0];
        assert_eq!(found.partition_index, partition);
        return (found.committed_offset, text(&found.metadata), found.error_code.err());
    }
    let topic =
        OffsetFetchRequestTopics::default().with_name(str(topic).into()).with_partition_indexes(vec![partition]);
    let group = OffsetFetchRequestGroup::default()
        .with_group_id(str(group).into())
        .with_member_id(None)
        .with_member_epoch(-1)
        .with_topics(Some(vec![topic]));
    let answer = client.call(version, &request.with_groups(vec![group])).await;
    assert_eq!(answer.groups[0].error_code.err(), None, "v{version}");
    let found = &answer.groups[0].topics[0].partitions[0];
    assert_eq!(found.partition_index, partition);
    (found.committed_offset, text(&found.metadata), found.error_code.err())
}

async fn offset(client: &mut Client, group: &str, topic: &str) -> i64 {
    committed(client, 7, group, topic, 0).await.0
}

/// A group without members, and a topic of two partitions.
async fn simple(target: &Target) -> (Member, String) {
    let (group, topic) = (unique("group"), unique("topic"));
    let mut member = Member::new(target, &group).await;
    member.client.create_topic(&topic, 2, &[]).await;
    (member, topic)
}

async fn every_version_commits(target: &Target) {
    let (mut member, topic) = simple(target).await;
    for (version, value) in member.client.versions::<OffsetCommitRequest>(2..=9).await.zip(10..) {
        let request = member.commit_request(&topic, 0, value);
        let answer = member.client.call(version, &request).await;
        assert_eq!(answer.topics[0].name.as_str(), topic, "v{version}");
        let partition = &answer.topics[0].partitions[0];
        assert_eq!((partition.partition_index, partition.error_code.err()), (0, None), "v{version}");
        assert_eq!(offset(&mut member.client, &member.group, &topic).await, value, "v{version}");
    }
}

async fn every_version_fetches(target: &Target) {
    let (mut member, topic) = simple(target).await;
    let mut request = member.commit_request(&topic, 0, 42);
    request.topics[0].partitions[0].committed_metadata = Some(str("note"));
    member.client.call(OFFSET_COMMIT, &request).await;
    for version in member.client.versions::<OffsetFetchRequest>(1..=9).await {
        let found = committed(&mut member.client, version, &member.group, &topic, 0).await;
        assert_eq!(found, (42, "note".to_owned(), None), "v{version}");
        let found = committed(&mut member.client, version, &member.group, &topic, 1).await;
        assert_eq!(found, (-1, String::new(), None), "v{version}");
    }
}

async fn several_groups_in_one_request(target: &Target) {
    let (mut one, topic) = simple(target).await;
    let mut two = Member::new(target, &unique("group")).await;
    let three = unique("group");
    assert_eq!(one.commit(&topic, 0, 1).await, None);
    assert_eq!(two.commit(&topic, 1, 2).await, None);
    let group = |group: &str, partitions: Option<Vec<i32>>| {
        let topics = partitions.map(|partitions| {
            vec![OffsetFetchRequestTopics::default().with_name(str(&topic).into()).with_partition_indexes(partitions)]
        });
        OffsetFetchRequestGroup::default()
            .with_group_id(str(group).into())
            .with_member_id(None)
            .with_member_epoch(-1)
            .with_topics(topics)
    };
    for version in one.client.versions::<OffsetFetchRequest>(8..=9).await {
        let request = OffsetFetchRequest::default().with_groups(vec![
            group(&one.group, Some(vec![0, 1])),
            group(&two.group, None),
            group(&three, Some(vec![0])),
        ]);
        let answer = one.client.call(version, &request).await;
        let mut found: Vec<_> = answer
            .groups
            .iter()
            .flat_map(|group| group.topics.iter().map(|topic| (group.group_id.to_string(), topic)))
            .flat_map(|(group, topic)| {
                topic
                    .partitions
                    .iter()
                    .map(move |partition| (group.clone(), partition.partition_index, partition.committed_offset))
            })
            .collect();
        found.sort_unstable();
        let mut expected = vec![
            (one.group.clone(), 0, 1),
            (one.group.clone(), 1, -1),
            (two.group.clone(), 1, 2),
            (three.clone(), 0, -1),
        ];
        expected.sort_unstable();
        assert_eq!(found, expected, "v{version}");
    }
}

async fn all_topics_of_a_group(target: &Target) {
    let (mut member, first) = simple(target).await;
    let second = unique("topic");
    member.client.create_topic(&second, 1, &[]).await;
    assert_eq!(member.commit(&first, 1, 5).await, None);
    assert_eq!(member.commit(&second, 0, 6).await, None);
    for version in member.client.versions::<OffsetFetchRequest>(2..=7).await {
        let request = OffsetFetchRequest::default().with_group_id(str(&member.group).into()).with_topics(None);
        let answer = member.client.call(version, &request).await;
        let mut found: Vec<_> = answer
            .topics
            .iter()
            .flat_map(|topic| topic.partitions.iter().map(move |partition| (topic, partition)))
            .map(|(topic, partition)| (topic.name.to_string(), partition.partition_index, partition.committed_offset))
            .collect();
        found.sort_unstable();
        let mut expected = vec![(first.clone(), 1, 5), (second.clone(), 0, 6)];
        expected.sort_unstable();
        assert_eq!((answer.error_code.err(), found), (None, expected), "v{version}");
    }
}

async fn nothing_committed(target: &Target) {
    let (mut member, topic) = simple(target).await;
    for (name, partition) in [(topic.as_str(), 0), (&topic, 99), (&unique("nowhere"), 0)] {
        let found = committed(&mut member.client, 7, &member.group, name, partition).await;
        assert_eq!(found, (-1, String::new(), None), "{name}/{partition}");
    }
    let request = OffsetFetchRequest::default().with_group_id(str(&member.group).into()).with_topics(None);
    let answer = member.client.call(7, &request).await;
    assert_eq!((answer.error_code.err(), answer.topics.len()), (None, 0));
}

async fn later_commit_replaces(target: &Target) {
    let (mut member, topic) = simple(target).await;
    for value in [5, 9, 3, 0] {
        assert_eq!(member.commit(&topic, 0, value).await, None);
        assert_eq!(offset(&mut member.client, &member.group, &topic).await, value, "backwards too");
    }
}

async fn metadata_is_kept(target: &Target) {
    let (mut member, topic) = simple(target).await;
    let longest = "x".repeat(4096);
    let too_long = "x".repeat(4097);
    for (text, error) in
        [("", None), ("note", None), (&*longest, None), (&*too_long, Some(ResponseError::OffsetMetadataTooLarge))]
    {
        let mut request = member.commit_request(&topic, 0, 1);
        request.topics[0].partitions[0].committed_metadata = Some(str(text));
        let answer = member.client.call(OFFSET_COMMIT, &request).await;
        assert_eq!(answer.topics[0].partitions[0].error_code.err(), error, "{} bytes", text.len());
        let found = committed(&mut member.client, 7, &member.group, &topic, 0).await.1;
        assert_eq!(found, if error.is_none() { text } else { &longest });
    }
    let mut request = member.commit_request(&topic, 0, 1);
    request.topics[0].partitions[0].committed_metadata = None;
    member.client.call(OFFSET_COMMIT, &request).await;
    assert_eq!(committed(&mut member.client, 7, &member.group, &topic, 0).await.1, "", "null is empty");
}

async fn leader_epoch_is_kept(target: &Target) {
    let (mut member, topic) = simple(target).await;
    for epoch in [-1, 0, 3] {
        let mut request = member.commit_request(&topic, 0, 1);
        request.topics[0].partitions[0].committed_leader_epoch = epoch;
        member.client.call(OFFSET_COMMIT, &request).await;
        let request = OffsetFetchRequest::default().with_group_id(str(&member.group).into()).with_topics(None);
        let answer = member.client.call(7, &request).await;
        assert_eq!(answer.topics[0].partitions[0].committed_leader_epoch, epoch);
    }
}

async fn by_members_of_a_group(target: &Target) {
    let (group, topic) = (unique("group"), unique("topic"));
    let (mut leader, mut follower) = pair(target, &group).await;
    leader.client.create_topic(&topic, 1, &[]).await;
    assert_eq!(leader.commit(&topic, 0, 7).await, None);
    assert_eq!(follower.commit(&topic, 0, 8).await, None);
    for (generation, id, error) in [
        (1, follower.id.as_str(), ResponseError::IllegalGeneration),
        (3, &follower.id, ResponseError::IllegalGeneration),
        (-1, &follower.id, ResponseError::IllegalGeneration),
        (2, "nobody", ResponseError::UnknownMemberId),
        (2, "", ResponseError::UnknownMemberId),
    ] {
        let request = follower
            .commit_request(&topic, 0, 100)
            .with_generation_id_or_member_epoch(generation)
            .with_member_id(str(id));
        let answer = leader.client.call(OFFSET_COMMIT, &request).await;
        let found = answer.topics[0].partitions[0].error_code.err();
        assert_eq!(found, Some(error), "generation {generation}, member {id:?}");
    }
    assert_eq!(offset(&mut leader.client, &group, &topic).await, 8);
}

/// As `assign` without `subscribe` commits: it must not overwrite what a live group commits.
async fn by_nobody_in_particular(target: &Target) {
    let (mut nobody, topic) = simple(target).await;
    assert_eq!(nobody.commit(&topic, 0, 1).await, None, "the group is empty");
    let mut member = alone(target, &nobody.group).await;
    assert_eq!(nobody.commit(&topic, 0, 2).await, Some(ResponseError::UnknownMemberId));
    assert_eq!(member.commit(&topic, 0, 3).await, None);
    member.leave().await;
    assert_eq!(offset(&mut nobody.client, &member.group, &topic).await, 3);
    assert_eq!(nobody.commit(&topic, 0, 4).await, None, "it is empty again");
    assert_eq!(member.commit(&topic, 0, 5).await, Some(ResponseError::UnknownMemberId));
    assert_eq!(offset(&mut nobody.client, &member.group, &topic).await, 4);
}

async fn while_the_group_rebalances(target: &Target) {
    let (group, topic) = (unique("group"), unique("topic"));
    let mut first = alone(target, &group).await;
    first.client.create_topic(&topic, 1, &[]).await;
    let mut second = Member::new(target, &group).await;
    second.send_join().await;
    first.heartbeat_until(ResponseError::RebalanceInProgress).await;
    assert_eq!(first.commit(&topic, 0, 1).await, None, "what was read before is still committed");
    first.join().await;
    second.receive_join().await;
    let error = Some(ResponseError::RebalanceInProgress);
    assert_eq!(first.commit(&topic, 0, 2).await, error, "nobody has an assignment now");
    assert_eq!(offset(&mut first.client, &group, &topic).await, 1);
}

async fn of_unknown_topics_and_partitions(target: &Target) {
    let (mut member, topic) = simple(target).await;
    let nowhere = unique("nowhere");
    let mut request = member.commit_request(&nowhere, 0, 1);
    request.topics.extend(member.commit_request(&topic, 0, 2).topics);
    let answer = member.client.call(OFFSET_COMMIT, &request).await;
    let mut errors: Vec<_> =
        answer.topics.iter().map(|topic| (topic.name.to_string(), topic.partitions[0].error_code.err())).collect();
    errors.sort_unstable_by_key(|(name, _)| *name != nowhere);
    assert_eq!(errors, [(nowhere, Some(ResponseError::UnknownTopicOrPartition)), (topic.clone(), None)]);
    assert_eq!(offset(&mut member.client, &member.group, &topic).await, 2);
}

async fn to_a_group_that_does_not_exist(target: &Target) {
    let (mut member, topic) = simple(target).await;
    (member.generation, member.id) = (1, "nobody".to_owned());
    assert_eq!(member.commit(&topic, 0, 1).await, Some(ResponseError::IllegalGeneration));
}

async fn without_a_group(target: &Target) {
    let (mut member, topic) = simple(target).await;
    member.group = String::new();
    assert_eq!(member.commit(&topic, 0, 1).await, None);
}

async fn stay_after_the_last_member_left(target: &Target) {
    let (group, topic) = (unique("group"), unique("topic"));
    let mut member = alone(target, &group).await;
    member.client.create_topic(&topic, 1, &[]).await;
    assert_eq!(member.commit(&topic, 0, 11).await, None);
    member.leave().await;
    assert_eq!(member.state().await, "Empty");
    assert_eq!(offset(&mut member.client, &group, &topic).await, 11);
}
