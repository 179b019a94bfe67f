//! What `kafka-consumer-groups` shows and does: groups listed, described, deleted, and their coordinator found.

use kafka_protocol::{
    error::{ParseResponseErrorCode as _, ResponseError},
    messages::{
        DeleteGroupsRequest, DescribeGroupsRequest, FindCoordinatorRequest, ListGroupsRequest, MetadataRequest,
        OffsetFetchRequest, list_groups_response::ListedGroup,
    },
};

use super::member::{Member, TYPE, alone, pair, sync_both};
use crate::{
    raw::{Client, str},
    target::{Target, conformance, unique},
};

conformance! {
    listed_in_every_version,
    listed_by_state,
    described_in_every_state,
    described_in_every_version,
    unknown_group_is_dead,
    deleted_when_empty,
    coordinator_of_a_group_in_every_version,
    coordinators_of_several_groups,
    coordinator_of_the_empty_group,
}

async fn listed(client: &mut Client, version: i16, states: &[&str], group: &str) -> Option<ListedGroup> {
    let request = ListGroupsRequest::default().with_states_filter(states.iter().map(|state| str(state)).collect());
    let answer = client.call(version, &request).await;
    assert_eq!(answer.error_code.err(), None, "v{version}");
    answer.groups.into_iter().find(|found| found.group_id.as_str() == group)
}

async fn listed_in_every_version(target: &Target) {
    let group = unique("group");
    let mut member = alone(target, &group).await;
    for version in member.client.versions::<ListGroupsRequest>(0..=5).await {
        let found = listed(&mut member.client, version, &[], &group).await.expect("listed");
        assert_eq!(found.protocol_type.as_str(), TYPE, "v{version}");
        assert_eq!(found.group_state.as_str(), if version >= 4 { "Stable" } else { "" }, "v{version}");
        assert_eq!(found.group_type.as_str(), if version >= 5 { "classic" } else { "" }, "v{version}");
    }
    for (kind, is_there) in [("classic", true), ("Classic", true), ("consumer", false)] {
        let request = ListGroupsRequest::default().with_types_filter(vec![str(kind)]);
        let answer = member.client.call(5, &request).await;
        let found = answer.groups.iter().any(|found| found.group_id.as_str() == group);
        assert_eq!(found, is_there, "{kind}");
    }
}

async fn listed_by_state(target: &Target) {
    let group = unique("group");
    let mut member = alone(target, &group).await;
    for (states, is_there) in [
        (&["Stable"][..], true),
        (&["Empty", "Stable"], true),
        (&["stable"], true),
        (&["Empty"], false),
        (&["PreparingRebalance", "CompletingRebalance", "Dead"], false),
    ] {
        let found = listed(&mut member.client, 4, states, &group).await;
        assert_eq!(found.is_some(), is_there, "{states:?}");
    }
    member.leave().await;
    let found = listed(&mut member.client, 4, &["Empty"], &group).await.expect("listed");
    assert_eq!(found.group_state.as_str(), "Empty");
    assert_eq!(found.protocol_type.as_str(), TYPE, "it is remembered");
    assert_eq!(listed(&mut member.client, 4, &["Stable"], &group).await, None);
}

async fn described_in_every_state(target: &Target) {
    let group = unique("group");
    let mut first = alone(target, &group).await;
    let mut second = Member::new(target, &group).await;
    let described = first.describe().await;
    assert_eq!((described.error_code.err(), described.group_id.as_str()), (None, &*group));
    assert_eq!((described.group_state.as_str(), described.protocol_type.as_str()), ("Stable", TYPE));
    assert_eq!(described.protocol_data.as_str(), "range");
    assert_eq!(described.members.len(), 1);
    let member = &described.members[0];
    assert_eq!(member.member_id.as_str(), first.id);
    assert_eq!((member.client_id.as_str(), member.client_host.as_str()), ("conformance", "/127.0.0.1"));
    assert_eq!(member.member_metadata[..], *b"metadata");
    assert_eq!(member.member_assignment[..], *b"all");

    second.send_join().await;
    first.wait_for_state("PreparingRebalance").await;
    let described = first.describe().await;
    assert_eq!((described.protocol_type.as_str(), described.protocol_data.as_str()), (TYPE, ""));
    assert_eq!(described.members.len(), 2);
    assert!(described.members.iter().all(|member| member.member_metadata.is_empty()));

    first.join().await;
    second.receive_join().await;
    let described = first.describe().await;
    assert_eq!(described.group_state.as_str(), "CompletingRebalance");
    assert_eq!(described.protocol_data.as_str(), "");
    assert_eq!(described.members.len(), 2);

    sync_both(&mut first, &mut second).await;
    let described = first.describe().await;
    assert_eq!(described.group_state.as_str(), "Stable");
    let assigned = described.members.iter().find(|member| member.member_id.as_str() == second.id);
    assert_eq!(assigned.expect("the second").member_assignment[..], *b"two");

    first.leave().await;
    second.leave().await;
    let described = first.describe().await;
    assert_eq!((described.group_state.as_str(), described.members.len()), ("Empty", 0));
    assert_eq!((described.protocol_type.as_str(), described.protocol_data.as_str()), (TYPE, ""));
}

async fn described_in_every_version(target: &Target) {
    let group = unique("group");
    let (mut leader, _follower) = pair(target, &group).await;
    for version in leader.client.versions::<DescribeGroupsRequest>(0..=6).await {
        let request = DescribeGroupsRequest::default().with_groups(vec![str(&group).into()]);
        let answer = leader.client.call(version, &request).await;
        let described = &answer.groups[0];
        assert_eq!((described.error_code.err(), described.group_state.as_str()), (None, "Stable"));
        assert_eq!(described.members.len(), 2, "v{version}");
        assert_eq!(described.authorized_operations, i32::MIN, "v{version}");
    }
}

async fn unknown_group_is_dead(target: &Target) {
    let mut client = Client::connect(target).await;
    let group = unique("group");
    client.wait_for_coordinator(&group).await;
    let request = DescribeGroupsRequest::default().with_groups(vec![str(&group).into()]);
    for version in client.versions::<DescribeGroupsRequest>(0..=6).await {
        let answer = client.call(version, &request).await;
        let described = &answer.groups[0];
        let error = (version >= 6).then_some(ResponseError::GroupIdNotFound);
        assert_eq!((described.error_code.err(), described.group_state.as_str()), (error, "Dead"), "v{version}");
        assert_eq!((described.group_id.as_str(), described.members.len()), (&*group, 0));
    }
    assert_eq!(listed(&mut client, 4, &[], &group).await, None, "asking makes no group");
}

async fn deleted_when_empty(target: &Target) {
    let (busy, empty, unknown) = (unique("group"), unique("group"), unique("group"));
    let topic = unique("topic");
    let _busy = alone(target, &busy).await;
    let mut member = Member::new(target, &empty).await;
    member.client.create_topic(&topic, 1, &[]).await;
    assert_eq!(member.commit(&topic, 0, 3).await, None);
    let names = [&busy, &empty, &unknown].map(|group| str(group).into()).to_vec();
    let request = DeleteGroupsRequest::default().with_groups_names(names);
    let answer = member.client.call(2, &request).await;
    let error_of = |group: &str| {
        let result = answer.results.iter().find(|result| result.group_id.as_str() == group);
        result.expect("an answer for each group").error_code.err()
    };
    assert_eq!(error_of(&busy), Some(ResponseError::NonEmptyGroup));
    assert_eq!(error_of(&empty), None);
    assert_eq!(error_of(&unknown), Some(ResponseError::GroupIdNotFound));
    assert_eq!(member.state().await, "Dead");
    let request = OffsetFetchRequest::default().with_group_id(str(&empty).into()).with_topics(None);
    assert_eq!(member.client.call(7, &request).await.topics, [], "its offsets are gone");
    assert_eq!(member.join().await.generation_id, 1, "a new group begins at one");
    for version in member.client.versions::<DeleteGroupsRequest>(0..=1).await {
        let group = unique("group");
        let mut member = Member::new(target, &group).await;
        member.commit(&topic, 0, 3).await;
        let request = DeleteGroupsRequest::default().with_groups_names(vec![str(&group).into()]);
        assert_eq!(member.client.call(version, &request).await.results[0].error_code.err(), None);
    }
}

async fn coordinator_of_a_group_in_every_version(target: &Target) {
    let mut client = Client::connect(target).await;
    let group = unique("group");
    client.wait_for_coordinator(&group).await;
    let node = client.call(12, &MetadataRequest::default()).await.brokers[0].node_id;
    for version in client.versions::<FindCoordinatorRequest>(0..=3).await {
        let request = FindCoordinatorRequest::default().with_key(str(&group));
        let found = client.call(version, &request).await;
        assert_eq!((found.error_code.err(), found.node_id), (None, node), "v{version}");
        assert_eq!(format!("{}:{}", found.host, found.port), target.bootstrap(), "v{version}");
    }
}

async fn coordinators_of_several_groups(target: &Target) {
    let mut client = Client::connect(target).await;
    let groups = [unique("group"), unique("group")];
    client.wait_for_coordinator(&groups[0]).await;
    for version in client.versions::<FindCoordinatorRequest>(4..=6).await {
        let keys = groups.iter().map(|group| str(group)).collect();
        let request = FindCoordinatorRequest::default().with_coordinator_keys(keys);
        let answer = client.call(version, &request).await;
        let mut keys: Vec<_> = answer.coordinators.iter().map(|found| found.key.to_string()).collect();
        keys.sort_unstable();
        let mut expected = groups.to_vec();
        expected.sort_unstable();
        assert_eq!(keys, expected, "v{version}");
        for found in &answer.coordinators {
            assert_eq!(found.error_code.err(), None);
            assert_eq!(format!("{}:{}", found.host, found.port), target.bootstrap());
        }
    }
}

async fn coordinator_of_the_empty_group(target: &Target) {
    let mut client = Client::connect(target).await;
    client.wait_for_coordinator(&unique("group")).await;
    let found = client.call(3, &FindCoordinatorRequest::default().with_key(str(""))).await;
    assert_eq!(found.error_code.err(), None);
}
