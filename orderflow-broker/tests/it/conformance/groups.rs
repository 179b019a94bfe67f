//! Membership in the classic group protocol: generations, rebalances, and who is put out of a group and when.

use std::time::Duration;

use kafka_protocol::{
    error::{ParseResponseErrorCode as _, ResponseError},
    messages::{
        HeartbeatRequest, JoinGroupRequest, LeaveGroupRequest, SyncGroupRequest, leave_group_request::MemberIdentity,
    },
};
use tokio::time::Instant;

use super::member::{HEARTBEAT, JOIN, Member, SYNC, TYPE, alone, assignment, join_both, member_ids, pair, sync_both};
use crate::{
    raw::{Client, str},
    target::{Target, conformance, unique},
};

conformance! {
    member_id_is_given_before_the_first_join,
    older_versions_join_without_asking_for_an_id,
    first_member_leads_generation_one,
    every_version_joins_syncs_beats_and_leaves,
    second_member_makes_a_new_generation,
    follower_waits_for_the_assignment,
    leader_may_leave_a_member_without_assignment,
    heartbeat_answers_while_group_rebalances,
    heartbeat_refusals,
    sync_refusals,
    sync_in_a_stable_group_repeats_the_assignment,
    join_refusals,
    protocol_that_all_members_know_is_chosen,
    follower_rejoins_without_a_rebalance,
    follower_with_other_metadata_forces_a_rebalance,
    leader_rejoin_forces_a_rebalance,
    rejoin_before_sync_answers_the_same_generation,
    member_leaves,
    leave_refusals,
    silent_member_is_put_out_after_its_session,
    heartbeats_keep_a_short_session_alive,
    commits_do_not_join,
    rebalance_timeout_puts_out_who_does_not_rejoin,
    leader_that_never_syncs_is_put_out,
    closed_connection_does_not_leave,
}

async fn member_id_is_given_before_the_first_join(target: &Target) {
    let group = unique("group");
    let mut member = Member::new(target, &group).await;
    let mut ids = Vec::new();
    for version in member.client.versions::<JoinGroupRequest>(4..=9).await {
        let answer = member.client.call(version, &member.join_request()).await;
        assert_eq!(answer.error_code.err(), Some(ResponseError::MemberIdRequired), "v{version}");
        assert_eq!((answer.generation_id, answer.leader.as_str()), (-1, ""), "v{version}");
        assert!(answer.members.is_empty());
        assert!(answer.member_id.starts_with("conformance-"), "{}: client id first", answer.member_id);
        ids.push(answer.member_id.to_string());
    }
    let asked = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), asked, "each is another");
}

async fn older_versions_join_without_asking_for_an_id(target: &Target) {
    let mut client = Client::connect(target).await;
    for version in client.versions::<JoinGroupRequest>(0..=3).await {
        let group = unique("group");
        let mut member = Member::new(target, &group).await;
        let mut request = member.join_request();
        if version == 0 {
            request = request.with_rebalance_timeout_ms(-1);
        }
        let answer = member.client.call(version, &request).await;
        assert_eq!((answer.error_code.err(), answer.generation_id), (None, 1), "v{version}");
        assert_eq!(answer.leader, answer.member_id, "v{version}");
        assert_eq!(answer.members.len(), 1, "v{version}");
    }
}

async fn first_member_leads_generation_one(target: &Target) {
    let group = unique("group");
    let mut member = Member::new(target, &group).await;
    let answer = member.join().await;
    assert_eq!((answer.error_code.err(), answer.generation_id), (None, 1));
    assert_eq!(answer.leader, answer.member_id);
    assert_eq!(answer.protocol_type.as_ref().map(kafka_protocol::protocol::StrBytes::as_str), Some(TYPE));
    assert_eq!(answer.protocol_name.as_ref().map(kafka_protocol::protocol::StrBytes::as_str), Some("range"));
    assert_eq!(answer.members.len(), 1);
    assert_eq!(answer.members[0].member_id, answer.member_id);
    assert_eq!(answer.members[0].metadata[..], *b"metadata");
    assert_eq!(answer.members[0].group_instance_id, None);

    let request = member.sync_request(&[(&member, "all")]);
    let answer = member.client.call(SYNC, &request).await;
    assert_eq!(assignment(&answer), Ok("all".to_owned()));
    assert_eq!(answer.protocol_type.as_ref().map(kafka_protocol::protocol::StrBytes::as_str), Some(TYPE));
    assert_eq!(answer.protocol_name.as_ref().map(kafka_protocol::protocol::StrBytes::as_str), Some("range"));
    assert_eq!(member.heartbeat().await, None);
    assert_eq!(member.state().await, "Stable");
}

async fn every_version_joins_syncs_beats_and_leaves(target: &Target) {
    let supported = Client::connect(target).await.versions::<JoinGroupRequest>(0..=9).await;
    // Join, sync, heartbeat, leave as they were released together.
    for (join, sync, heartbeat, leave) in [
        (0, 0, 0, 0),
        (1, 0, 0, 0),
        (2, 1, 1, 1),
        (3, 2, 2, 2),
        (4, 2, 2, 2),
        (5, 3, 3, 3),
        (6, 4, 4, 4),
        (7, 5, 4, 4),
        (8, 5, 4, 5),
        (9, 5, 4, 5),
    ] {
        if !supported.contains(&join) {
            continue;
        }
        let group = unique("group");
        let mut member = Member::new(target, &group).await;
        let mut answer = member.client.call(join, &member.join_request()).await;
        if answer.error_code.err() == Some(ResponseError::MemberIdRequired) {
            member.id = answer.member_id.to_string();
            answer = member.client.call(join, &member.join_request()).await;
        }
        assert_eq!((answer.error_code.err(), answer.generation_id), (None, 1), "join v{join}");
        assert_eq!((answer.skip_assignment, answer.members.len()), (false, 1), "join v{join}");
        (member.id, member.generation) = (answer.member_id.to_string(), 1);
        let mut request = member.sync_request(&[(&member, "all")]);
        if sync < 5 {
            request = request.with_protocol_type(None).with_protocol_name(None);
        }
        let answer = member.client.call(sync, &request).await;
        assert_eq!(assignment(&answer), Ok("all".to_owned()), "sync v{sync}");
        let answer = member.client.call(heartbeat, &member.heartbeat_request()).await;
        assert_eq!(answer.error_code.err(), None, "heartbeat v{heartbeat}");
        let mut request = LeaveGroupRequest::default().with_group_id(str(&group).into());
        if leave < 3 {
            request.member_id = str(&member.id);
        } else {
            request.members.push(MemberIdentity::default().with_member_id(str(&member.id)));
        }
        let answer = member.client.call(leave, &request).await;
        assert_eq!(answer.error_code.err(), None, "leave v{leave}");
        assert!(answer.members.iter().all(|member| member.error_code.is_ok()), "leave v{leave}");
        assert_eq!(member.state().await, "Empty");
    }
}

async fn second_member_makes_a_new_generation(target: &Target) {
    let group = unique("group");
    let mut first = alone(target, &group).await;
    let mut second = Member::new(target, &group).await;
    second.protocols = vec![("range", "of the second")];
    let [to_first, to_second] = join_both(&mut first, &mut second).await;
    assert_eq!((to_first.generation_id, to_second.generation_id), (2, 2));
    assert_eq!((to_first.leader.as_str(), to_second.leader.as_str()), (&*first.id, &*first.id));
    let mut both = vec![first.id.clone(), second.id.clone()];
    both.sort_unstable();
    assert_eq!(member_ids(&to_first), both, "the leader learns who is there");
    let metadata = to_first.members.iter().find(|member| member.member_id.as_str() == second.id);
    assert_eq!(metadata.expect("the second").metadata[..], *b"of the second");
    assert_eq!(to_second.members, [], "a follower does not");
    sync_both(&mut first, &mut second).await;
    assert_eq!((first.heartbeat().await, second.heartbeat().await), (None, None));
}

async fn follower_waits_for_the_assignment(target: &Target) {
    let group = unique("group");
    let mut leader = alone(target, &group).await;
    let mut follower = Member::new(target, &group).await;
    join_both(&mut leader, &mut follower).await;
    follower.client.send(SYNC, &follower.sync_request(&[])).await;
    assert_eq!(leader.state().await, "CompletingRebalance");
    let request = leader.sync_request(&[(&leader, "one"), (&follower, "two")]);
    assert_eq!(assignment(&leader.client.call(SYNC, &request).await), Ok("one".to_owned()));
    let answer = follower.client.receive::<SyncGroupRequest>(SYNC).await;
    assert_eq!(assignment(&answer), Ok("two".to_owned()));
}

async fn leader_may_leave_a_member_without_assignment(target: &Target) {
    let group = unique("group");
    let mut leader = alone(target, &group).await;
    let mut follower = Member::new(target, &group).await;
    join_both(&mut leader, &mut follower).await;
    assert_eq!(leader.sync_alone("all").await, Ok("all".to_owned()));
    assert_eq!(follower.sync().await, Ok(String::new()));
    assert_eq!(follower.heartbeat().await, None);
}

async fn heartbeat_answers_while_group_rebalances(target: &Target) {
    let group = unique("group");
    let mut first = alone(target, &group).await;
    let mut second = Member::new(target, &group).await;
    second.send_join().await;
    first.heartbeat_until(ResponseError::RebalanceInProgress).await;
    assert_eq!(first.state().await, "PreparingRebalance");
    assert_eq!(first.heartbeat().await, Some(ResponseError::RebalanceInProgress), "and again");
    first.join().await;
    second.receive_join().await;
    assert_eq!(first.state().await, "CompletingRebalance");
    assert_eq!((first.heartbeat().await, second.heartbeat().await), (None, None), "all have joined");
}

async fn heartbeat_refusals(target: &Target) {
    let group = unique("group");
    let mut member = alone(target, &group).await;
    let beat = |group: &str, id: &str, generation| {
        HeartbeatRequest::default()
            .with_group_id(str(group).into())
            .with_member_id(str(id))
            .with_generation_id(generation)
    };
    let id = member.id.clone();
    let cases = [
        ("generation before", beat(&group, &id, 0), ResponseError::IllegalGeneration),
        ("generation after", beat(&group, &id, 2), ResponseError::IllegalGeneration),
        ("no generation", beat(&group, &id, -1), ResponseError::IllegalGeneration),
        ("unknown member", beat(&group, "nobody", 1), ResponseError::UnknownMemberId),
        ("no member", beat(&group, "", 1), ResponseError::UnknownMemberId),
        ("unknown group", beat(&unique("group"), &id, 1), ResponseError::UnknownMemberId),
        ("no group", beat("", &id, 1), ResponseError::InvalidGroupId),
    ];
    for (what, request, error) in cases {
        let answer = member.client.call(HEARTBEAT, &request).await;
        assert_eq!(answer.error_code.err(), Some(error), "{what}");
    }
    assert_eq!(member.heartbeat().await, None);
}

async fn sync_refusals(target: &Target) {
    let group = unique("group");
    let mut member = Member::new(target, &group).await;
    member.join().await;
    let valid = member.sync_request(&[(&member, "all")]);
    let cases = [
        ("generation before", valid.clone().with_generation_id(0), ResponseError::IllegalGeneration),
        ("generation after", valid.clone().with_generation_id(2), ResponseError::IllegalGeneration),
        ("unknown member", valid.clone().with_member_id(str("nobody")), ResponseError::UnknownMemberId),
        ("unknown group", valid.clone().with_group_id(str(&unique("group")).into()), ResponseError::UnknownMemberId),
        ("no group", valid.clone().with_group_id(str("").into()), ResponseError::InvalidGroupId),
        (
            "another protocol",
            valid.clone().with_protocol_name(Some(str("roundrobin"))),
            ResponseError::InconsistentGroupProtocol,
        ),
        (
            "another type",
            valid.clone().with_protocol_type(Some(str("connect"))),
            ResponseError::InconsistentGroupProtocol,
        ),
    ];
    for (what, request, error) in cases {
        let answer = member.client.call(SYNC, &request).await;
        assert_eq!(assignment(&answer), Err(error), "{what}");
    }
    assert_eq!(member.sync_alone("all").await, Ok("all".to_owned()), "none of them did harm");

    let mut second = Member::new(target, &group).await;
    second.send_join().await;
    member.heartbeat_until(ResponseError::RebalanceInProgress).await;
    assert_eq!(member.sync_alone("all").await, Err(ResponseError::RebalanceInProgress));
}

async fn sync_in_a_stable_group_repeats_the_assignment(target: &Target) {
    let group = unique("group");
    let (mut leader, mut follower) = pair(target, &group).await;
    assert_eq!(follower.sync().await, Ok("two".to_owned()));
    assert_eq!(leader.sync_alone("another").await, Ok("one".to_owned()), "it is not replaced");
    assert_eq!((leader.heartbeat().await, follower.heartbeat().await), (None, None));
}

async fn join_refusals(target: &Target) {
    let group = unique("group");
    let mut member = alone(target, &group).await;
    let mut other = Member::new(target, &group).await;
    let valid = other.join_request();
    let no_protocols = valid.clone().with_protocols(vec![]);
    let mut unknown_protocol = valid.clone();
    unknown_protocol.protocols[0].name = str("roundrobin");
    let cases = [
        ("no group", valid.clone().with_group_id(str("").into()), ResponseError::InvalidGroupId),
        ("unknown member", valid.clone().with_member_id(str("nobody")), ResponseError::UnknownMemberId),
        (
            "unknown group and member",
            valid.clone().with_group_id(str(&unique("group")).into()).with_member_id(str("nobody")),
            ResponseError::UnknownMemberId,
        ),
        ("session too short", valid.clone().with_session_timeout_ms(99), ResponseError::InvalidSessionTimeout),
        ("session too long", valid.clone().with_session_timeout_ms(1_800_001), ResponseError::InvalidSessionTimeout),
        ("no protocols", no_protocols, ResponseError::InconsistentGroupProtocol),
        ("no protocol in common", unknown_protocol, ResponseError::InconsistentGroupProtocol),
        ("another type", valid.clone().with_protocol_type(str("connect")), ResponseError::InconsistentGroupProtocol),
        ("no type", valid.clone().with_protocol_type(str("")), ResponseError::InconsistentGroupProtocol),
    ];
    let mut outcomes = Vec::new();
    for (what, request, _) in &cases {
        let answer = other.client.call(JOIN, request).await;
        assert_eq!((answer.generation_id, answer.members.len()), (-1, 0), "{what}");
        outcomes.push((*what, answer.error_code.err()));
    }
    assert_eq!(outcomes, cases.map(|(what, _, error)| (what, Some(error))));
    assert_eq!(member.heartbeat().await, None, "none of them began a rebalance");
}

async fn protocol_that_all_members_know_is_chosen(target: &Target) {
    let group = unique("group");
    let mut first = Member::new(target, &group).await;
    first.protocols = vec![("a", "a1"), ("b", "b1"), ("c", "c1")];
    let answer = first.join().await;
    assert_eq!(
        answer.protocol_name.as_ref().map(kafka_protocol::protocol::StrBytes::as_str),
        Some("a"),
        "its favourite"
    );
    assert_eq!(first.sync_alone("all").await, Ok("all".to_owned()));

    let mut second = Member::new(target, &group).await;
    second.protocols = vec![("c", "c2"), ("x", "x2")];
    let [to_first, to_second] = join_both(&mut first, &mut second).await;
    assert_eq!(to_first.protocol_name.as_ref().map(kafka_protocol::protocol::StrBytes::as_str), Some("c"));
    assert_eq!(to_second.protocol_name, to_first.protocol_name);
    let mut metadata: Vec<_> = to_first.members.iter().map(|member| &member.metadata[..]).collect();
    metadata.sort_unstable();
    assert_eq!(metadata, [b"c1", b"c2"], "the metadata for the one chosen");
}

async fn follower_rejoins_without_a_rebalance(target: &Target) {
    let group = unique("group");
    let (mut leader, mut follower) = pair(target, &group).await;
    let answer = follower.join().await;
    assert_eq!((answer.error_code.err(), answer.generation_id), (None, 2));
    assert_eq!((answer.leader.as_str(), answer.members.len()), (&*leader.id, 0));
    assert_eq!(leader.heartbeat().await, None);
    assert_eq!(follower.sync().await, Ok("two".to_owned()));
}

async fn follower_with_other_metadata_forces_a_rebalance(target: &Target) {
    let group = unique("group");
    let (mut leader, mut follower) = pair(target, &group).await;
    follower.protocols = vec![("range", "other topics")];
    let [to_leader, to_follower] = join_both(&mut leader, &mut follower).await;
    assert_eq!((to_leader.generation_id, to_follower.generation_id), (3, 3));
    sync_both(&mut leader, &mut follower).await;
}

async fn leader_rejoin_forces_a_rebalance(target: &Target) {
    let group = unique("group");
    let (mut leader, mut follower) = pair(target, &group).await;
    leader.send_join().await;
    follower.heartbeat_until(ResponseError::RebalanceInProgress).await;
    let to_follower = follower.join().await;
    let to_leader = leader.receive_join().await;
    assert_eq!((to_leader.generation_id, to_follower.generation_id), (3, 3));
    assert_eq!((to_leader.leader.as_str(), to_leader.members.len()), (&*leader.id, 2));
    sync_both(&mut leader, &mut follower).await;
}

async fn rejoin_before_sync_answers_the_same_generation(target: &Target) {
    let group = unique("group");
    let mut leader = alone(target, &group).await;
    let mut follower = Member::new(target, &group).await;
    join_both(&mut leader, &mut follower).await;
    let to_leader = leader.join().await;
    assert_eq!((to_leader.error_code.err(), to_leader.generation_id), (None, 2));
    assert_eq!(to_leader.members.len(), 2);
    let to_follower = follower.join().await;
    assert_eq!((to_follower.error_code.err(), to_follower.generation_id), (None, 2));
    assert_eq!(to_follower.members.len(), 0);
    sync_both(&mut leader, &mut follower).await;
}

async fn member_leaves(target: &Target) {
    let group = unique("group");
    let (mut leader, mut follower) = pair(target, &group).await;
    let answer = leader.leave().await;
    assert_eq!((answer.error_code.err(), answer.members.len()), (None, 1));
    assert_eq!(answer.members[0].member_id.as_str(), leader.id);
    assert_eq!(answer.members[0].error_code.err(), None);
    assert_eq!(leader.heartbeat().await, Some(ResponseError::UnknownMemberId));
    assert_eq!(follower.heartbeat().await, Some(ResponseError::RebalanceInProgress));
    let answer = follower.join().await;
    assert_eq!((answer.generation_id, answer.leader), (3, answer.member_id), "the next leader");
    assert_eq!(follower.sync_alone("all").await, Ok("all".to_owned()));
    follower.leave().await;
    assert_eq!(follower.state().await, "Empty");

    // The generations of a group go on where they were.
    let mut third = Member::new(target, &group).await;
    assert_eq!(third.join().await.generation_id, 5);
}

async fn leave_refusals(target: &Target) {
    let group = unique("group");
    let mut member = alone(target, &group).await;
    let mut stranger = Member::new(target, &group).await;
    stranger.id = "nobody".to_owned();
    let answer = stranger.leave().await;
    assert_eq!(answer.error_code.err(), None);
    assert_eq!(answer.members[0].error_code.err(), Some(ResponseError::UnknownMemberId));
    let old = LeaveGroupRequest::default().with_group_id(str(&group).into()).with_member_id(str("nobody"));
    let answer = stranger.client.call(2, &old).await;
    assert_eq!(answer.error_code.err(), Some(ResponseError::UnknownMemberId));
    stranger.group = unique("group");
    let answer = stranger.leave().await;
    assert_eq!(answer.error_code.err(), None, "an unknown group is one without members");
    assert_eq!(answer.members[0].error_code.err(), Some(ResponseError::UnknownMemberId));
    stranger.group = String::new();
    let answer = stranger.leave().await;
    assert_eq!(answer.error_code.err(), Some(ResponseError::InvalidGroupId), "{answer:?}");
    assert_eq!(member.heartbeat().await, None);
}

async fn silent_member_is_put_out_after_its_session(target: &Target) {
    let group = unique("group");
    let mut leader = alone(target, &group).await;
    let mut follower = Member::new(target, &group).await;
    follower.session_timeout_ms = 400;
    join_both(&mut leader, &mut follower).await;
    sync_both(&mut leader, &mut follower).await;
    let begin = Instant::now();
    leader.heartbeat_until(ResponseError::RebalanceInProgress).await;
    assert!(begin.elapsed() > Duration::from_millis(300), "not early: {:?}", begin.elapsed());
    let answer = leader.join().await;
    assert_eq!((answer.generation_id, answer.members.len()), (3, 1));
    assert_eq!(follower.heartbeat().await, Some(ResponseError::UnknownMemberId));
}

async fn heartbeats_keep_a_short_session_alive(target: &Target) {
    let group = unique("group");
    let mut member = Member::new(target, &group).await;
    member.session_timeout_ms = 1_000;
    member.join().await;
    member.sync_alone("all").await.expect("synced");
    let end = Instant::now() + Duration::from_millis(2_500);
    let mut beat = tokio::time::interval(Duration::from_millis(100));
    while Instant::now() < end {
        beat.tick().await;
        assert_eq!(member.heartbeat().await, None);
    }
    member.wait_for_state("Empty").await;
}

/// A commit by a member counts as a sign of life, one by a stranger makes no member.
async fn commits_do_not_join(target: &Target) {
    let (group, topic) = (unique("group"), unique("topic"));
    let mut member = Member::new(target, &group).await;
    member.client.create_topic(&topic, 1, &[]).await;
    assert_eq!(member.commit(&topic, 0, 1).await, None);
    let described = member.describe().await;
    assert_eq!((described.group_state.as_str(), described.members.len()), ("Empty", 0));
    assert_eq!(described.protocol_type.as_str(), "", "no member has said what it is");
}

async fn rebalance_timeout_puts_out_who_does_not_rejoin(target: &Target) {
    let group = unique("group");
    let mut slow = Member::new(target, &group).await;
    slow.rebalance_timeout_ms = 600;
    slow.join().await;
    slow.sync_alone("all").await.expect("synced");
    let mut second = Member::new(target, &group).await;
    second.rebalance_timeout_ms = 600;
    let begin = Instant::now();
    second.send_join().await;
    slow.heartbeat_until(ResponseError::RebalanceInProgress).await;
    let answer = second.receive_join().await;
    let waited = begin.elapsed();
    assert!(Duration::from_millis(500) < waited && waited < Duration::from_secs(5), "{waited:?}");
    assert_eq!((answer.error_code.err(), answer.generation_id), (None, 2));
    assert_eq!((answer.leader.as_str(), answer.members.len()), (&*second.id, 1));
    assert_eq!(slow.heartbeat().await, Some(ResponseError::UnknownMemberId));
    assert_eq!(second.sync_alone("all").await, Ok("all".to_owned()));
}

/// Else one member that hangs between join and sync would hold up the group as long as it heartbeats.
async fn leader_that_never_syncs_is_put_out(target: &Target) {
    let group = unique("group");
    let mut leader = Member::new(target, &group).await;
    leader.rebalance_timeout_ms = 600;
    leader.join().await;
    leader.sync_alone("all").await.expect("synced");
    let mut follower = Member::new(target, &group).await;
    follower.rebalance_timeout_ms = 600;
    join_both(&mut leader, &mut follower).await;
    let begin = Instant::now();
    follower.client.send(SYNC, &follower.sync_request(&[])).await;
    leader.heartbeat_until(ResponseError::UnknownMemberId).await;
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    let answer = follower.client.receive::<SyncGroupRequest>(SYNC).await;
    assert_eq!(assignment(&answer), Err(ResponseError::RebalanceInProgress));
    let answer = follower.join().await;
    assert_eq!((answer.generation_id, answer.members.len()), (3, 1));
}

/// A member may come back on another connection within its session.
async fn closed_connection_does_not_leave(target: &Target) {
    let group = unique("group");
    let (mut leader, mut follower) = pair(target, &group).await;
    follower.client = Client::connect(target).await;
    assert_eq!(leader.heartbeat().await, None);
    assert_eq!(follower.heartbeat().await, None);
    leader.send_join().await;
    leader.client = Client::connect(target).await;
    follower.heartbeat_until(ResponseError::RebalanceInProgress).await;
    follower.send_join().await;
    let answer = follower.receive_join().await;
    assert_eq!((answer.error_code.err(), answer.generation_id), (None, 3));
    leader.generation = 3;
    assert_eq!(leader.heartbeat().await, None, "its join was taken although it could not hear so");
    assert_eq!(leader.leave().await.error_code.err(), None);
}
