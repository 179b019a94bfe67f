//! Static members (`group.instance.id`): a restart within the session costs no rebalance, and the process that was
//! replaced learns it.

use std::time::Duration;

use kafka_protocol::{
    error::{ParseResponseErrorCode as _, ResponseError},
    messages::LeaveGroupRequest,
};
use tokio::time::Instant;

use super::member::{HEARTBEAT, Member, SYNC, assignment, join_both, sync_both};
use crate::{
    raw::str,
    target::{Target, conformance, unique},
};

conformance! {
    instance_joins_without_asking_for_an_id,
    restart_of_a_follower_keeps_its_assignment,
    restart_of_the_leader_keeps_its_assignment,
    restart_of_the_leader_in_version_nine,
    restart_with_other_metadata_keeps_its_assignment,
    restart_that_changes_the_protocol_rebalances,
    replaced_member_is_fenced,
    replaced_member_that_waits_is_fenced,
    leave_by_instance_id,
    leave_of_an_unknown_instance,
    silent_instance_is_put_out_after_its_session,
}

async fn instance_joins_without_asking_for_an_id(target: &Target) {
    let group = unique("group");
    let mut member = Member::of_instance(target, &group, "one").await;
    let answer = member.join().await;
    assert_eq!((answer.error_code.err(), answer.generation_id), (None, 1));
    assert!(answer.member_id.starts_with("one-"), "{}: instance id first", answer.member_id);
    let listed = answer.members[0].group_instance_id.as_ref();
    assert_eq!(listed.map(kafka_protocol::protocol::StrBytes::as_str), Some("one"));
    assert_eq!(member.sync_alone("all").await, Ok("all".to_owned()));
    assert_eq!(member.heartbeat().await, None);
    let described = member.describe().await;
    let instance = described.members[0].group_instance_id.as_ref();
    assert_eq!(instance.map(kafka_protocol::protocol::StrBytes::as_str), Some("one"));
}

/// A stable group of two instances in generation 2.
async fn instances(target: &Target, group: &str) -> (Member, Member) {
    let mut leader = Member::of_instance(target, group, "one").await;
    leader.join().await;
    leader.sync_alone("all").await.expect("synced");
    let mut follower = Member::of_instance(target, group, "two").await;
    join_both(&mut leader, &mut follower).await;
    sync_both(&mut leader, &mut follower).await;
    (leader, follower)
}

async fn restart_of_a_follower_keeps_its_assignment(target: &Target) {
    let group = unique("group");
    let (mut leader, follower) = instances(target, &group).await;
    let mut restarted = Member::of_instance(target, &group, "two").await;
    let answer = restarted.join().await;
    assert_eq!((answer.error_code.err(), answer.generation_id), (None, 2));
    assert_ne!(answer.member_id.as_str(), follower.id);
    assert_eq!((answer.leader.as_str(), answer.members.len()), (&*leader.id, 0));
    assert_eq!(restarted.sync().await, Ok("two".to_owned()));
    assert_eq!((leader.heartbeat().await, restarted.heartbeat().await), (None, None));
    assert_eq!(leader.describe().await.members.len(), 2);
}

/// Up to version 8 the answer names the old leader's id, so that the member takes itself for a follower and does not
/// assign anew.
async fn restart_of_the_leader_keeps_its_assignment(target: &Target) {
    let group = unique("group");
    let (leader, mut follower) = instances(target, &group).await;
    let mut restarted = Member::of_instance(target, &group, "one").await;
    let answer = restarted.join().await;
    assert_eq!((answer.error_code.err(), answer.generation_id), (None, 2));
    assert_ne!(answer.member_id.as_str(), leader.id);
    assert_eq!((answer.leader.as_str(), answer.members.len()), (&*leader.id, 0));
    assert_eq!(restarted.sync().await, Ok("one".to_owned()));
    assert_eq!((follower.heartbeat().await, restarted.heartbeat().await), (None, None));

    // It is the leader all the same: when it joins again, the group rebalances.
    restarted.send_join().await;
    follower.heartbeat_until(ResponseError::RebalanceInProgress).await;
    follower.join().await;
    let answer = restarted.receive_join().await;
    assert_eq!((answer.generation_id, answer.leader.as_str()), (3, &*restarted.id));
}

/// KIP-814: the leader learns that it leads and that there is nothing to assign.
async fn restart_of_the_leader_in_version_nine(target: &Target) {
    let group = unique("group");
    let (leader, mut follower) = instances(target, &group).await;
    let mut restarted = Member::of_instance(target, &group, "one").await;
    let answer = restarted.client.call(9, &restarted.join_request()).await;
    assert_eq!((answer.error_code.err(), answer.generation_id), (None, 2));
    assert_ne!(answer.member_id.as_str(), leader.id);
    assert_eq!((answer.skip_assignment, &answer.leader), (true, &answer.member_id));
    assert_eq!(answer.members.len(), 2);
    (restarted.id, restarted.generation) = (answer.member_id.to_string(), 2);
    assert_eq!(restarted.sync().await, Ok("one".to_owned()));
    assert_eq!(follower.heartbeat().await, None);
}

/// Only the choice of the protocol counts, not what the members say about themselves for it.
async fn restart_with_other_metadata_keeps_its_assignment(target: &Target) {
    let group = unique("group");
    let (mut leader, _) = instances(target, &group).await;
    let mut restarted = Member::of_instance(target, &group, "two").await;
    restarted.protocols = vec![("range", "other topics")];
    let answer = restarted.join().await;
    assert_eq!((answer.error_code.err(), answer.generation_id), (None, 2));
    assert_eq!(restarted.sync().await, Ok("two".to_owned()));
    assert_eq!(leader.heartbeat().await, None);
}

async fn restart_that_changes_the_protocol_rebalances(target: &Target) {
    let group = unique("group");
    let both = vec![("range", "metadata"), ("roundrobin", "metadata")];
    let mut leader = Member::of_instance(target, &group, "one").await;
    leader.protocols.clone_from(&both);
    leader.join().await;
    leader.sync_alone("all").await.expect("synced");
    let mut follower = Member::of_instance(target, &group, "two").await;
    follower.protocols = both;
    join_both(&mut leader, &mut follower).await;
    sync_both(&mut leader, &mut follower).await;
    let mut restarted = Member::of_instance(target, &group, "two").await;
    restarted.protocols = vec![("roundrobin", "metadata")];
    restarted.send_join().await;
    leader.heartbeat_until(ResponseError::RebalanceInProgress).await;
    leader.join().await;
    let answer = restarted.receive_join().await;
    assert_eq!((answer.error_code.err(), answer.generation_id), (None, 3));
    assert_eq!(restarted.protocol, "roundrobin");
    sync_both(&mut leader, &mut restarted).await;
}

async fn replaced_member_is_fenced(target: &Target) {
    let (group, topic) = (unique("group"), unique("topic"));
    let (mut leader, mut old) = instances(target, &group).await;
    leader.client.create_topic(&topic, 1, &[]).await;
    let mut restarted = Member::of_instance(target, &group, "two").await;
    restarted.join().await;
    let fenced = Some(ResponseError::FencedInstanceId);
    assert_eq!(old.heartbeat().await, fenced);
    assert_eq!(old.sync().await, Err(ResponseError::FencedInstanceId));
    assert_eq!(old.join().await.error_code.err(), fenced);
    assert_eq!(old.commit(&topic, 0, 1).await, fenced);
    assert_eq!(old.leave().await.members[0].error_code.err(), fenced);
    // A client that does not say which instance it is cannot be told more than this.
    let anonymous = old.heartbeat_request().with_group_instance_id(None);
    let answer = old.client.call(HEARTBEAT, &anonymous).await;
    assert_eq!(answer.error_code.err(), Some(ResponseError::UnknownMemberId));
    assert_eq!((leader.heartbeat().await, restarted.heartbeat().await), (None, None));
}

async fn replaced_member_that_waits_is_fenced(target: &Target) {
    let group = unique("group");
    let mut leader = Member::of_instance(target, &group, "one").await;
    leader.join().await;
    leader.sync_alone("all").await.expect("synced");
    let mut waiting = Member::of_instance(target, &group, "two").await;
    waiting.send_join().await;
    leader.heartbeat_until(ResponseError::RebalanceInProgress).await;
    let mut replacing = Member::of_instance(target, &group, "two").await;
    replacing.send_join().await;
    let answer = waiting.receive_join().await;
    assert_eq!(answer.error_code.err(), Some(ResponseError::FencedInstanceId));
    leader.join().await;
    assert_eq!(replacing.receive_join().await.generation_id, 2);
    sync_both(&mut leader, &mut replacing).await;
}

async fn leave_by_instance_id(target: &Target) {
    let group = unique("group");
    let (mut leader, mut follower) = instances(target, &group).await;
    follower.id = String::new();
    let answer = follower.leave().await;
    assert_eq!((answer.error_code.err(), answer.members[0].error_code.err()), (None, None));
    let named = answer.members[0].group_instance_id.as_ref();
    assert_eq!(named.map(kafka_protocol::protocol::StrBytes::as_str), Some("two"));
    leader.heartbeat_until(ResponseError::RebalanceInProgress).await;
    assert_eq!(leader.join().await.members.len(), 1);
}

async fn leave_of_an_unknown_instance(target: &Target) {
    let group = unique("group");
    let (mut leader, mut follower) = instances(target, &group).await;
    (follower.id, follower.instance) = (String::new(), Some("three".to_owned()));
    let answer = follower.leave().await;
    assert_eq!(answer.error_code.err(), None);
    assert_eq!(answer.members[0].error_code.err(), Some(ResponseError::UnknownMemberId));
    let nobody = LeaveGroupRequest::default().with_group_id(str(&group).into());
    let answer = leader.client.call(4, &nobody).await;
    assert_eq!((answer.error_code.err(), answer.members.len()), (None, 0));
    assert_eq!(leader.heartbeat().await, None);
    let unknown = leader.heartbeat_request().with_group_instance_id(Some(str("three")));
    let answer = leader.client.call(HEARTBEAT, &unknown).await;
    assert_eq!(answer.error_code.err(), Some(ResponseError::UnknownMemberId));
    let request = leader.sync_request(&[]).with_group_instance_id(Some(str("two")));
    let answer = leader.client.call(SYNC, &request).await;
    assert_eq!(assignment(&answer), Err(ResponseError::FencedInstanceId), "the id of another");
}

async fn silent_instance_is_put_out_after_its_session(target: &Target) {
    let group = unique("group");
    let mut leader = Member::of_instance(target, &group, "one").await;
    leader.join().await;
    leader.sync_alone("all").await.expect("synced");
    let mut follower = Member::of_instance(target, &group, "two").await;
    follower.session_timeout_ms = 400;
    join_both(&mut leader, &mut follower).await;
    sync_both(&mut leader, &mut follower).await;
    let begin = Instant::now();
    leader.heartbeat_until(ResponseError::RebalanceInProgress).await;
    assert!(begin.elapsed() > Duration::from_millis(300), "not early: {:?}", begin.elapsed());
    assert_eq!(leader.join().await.members.len(), 1);
    assert_eq!(follower.heartbeat().await, Some(ResponseError::UnknownMemberId));
}
