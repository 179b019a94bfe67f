//! The group's state machine, with the time in the tests' hands.

use bytes::Bytes;
use tokio::sync::oneshot;

use super::{
    group::StoredGroup,
    messages::{JoinAnswer, SyncAnswer},
    *,
};

const SESSION: Duration = Duration::from_secs(6);
const REBALANCE: Duration = Duration::from_secs(30);

fn at(start: Instant, ms: u64) -> Instant {
    start + Duration::from_millis(ms)
}

fn request(member_id: &str, new_member_id: &str) -> Join {
    Join {
        member_id: member_id.into(),
        new_member_id: new_member_id.into(),
        instance_id: None,
        client_id: "client".into(),
        client_host: "/127.0.0.1".into(),
        session_timeout: SESSION,
        rebalance_timeout: REBALANCE,
        protocol_type: "consumer".into(),
        protocols: vec![("range".into(), Bytes::from_static(b"topics"))],
        knows_member_id_required: false,
        knows_skip_assignment: true,
    }
}

fn claim(member_id: &str, generation: i32) -> Claim<'_> {
    Claim { member_id, instance_id: None, generation }
}

fn later<T>(answer: Answer<T>) -> oneshot::Receiver<T> {
    match answer {
        Answer::Later(receiver) => receiver,
        Answer::Now(_) => panic!("an answer came at once"),
    }
}

fn joined(receiver: &mut oneshot::Receiver<JoinAnswer>) -> Joined {
    receiver.try_recv().expect("the rebalance is over").expect("the member has joined")
}

fn error(answer: Answer<JoinAnswer>) -> ResponseError {
    match answer {
        Answer::Now(Err(JoinError { error, .. })) => error,
        other => panic!("no error but {other:?}"),
    }
}

/// A stable group of the members "a" (the leader) and "b", in generation 2.
fn stable_pair(start: Instant) -> Group {
    let mut group = Group::new(Duration::ZERO, start);
    joined(&mut later(group.join(request("", "a"), start)));
    let mut b = later(group.join(request("", "b"), start));
    let mut a = later(group.join(request("a", ""), start));
    let (a, b) = (joined(&mut a), joined(&mut b));
    assert_eq!((a.generation, b.generation, a.leader.as_str()), (2, 2, "a"));
    assert_eq!((a.members.len(), b.members.len()), (2, 0), "the leader alone sees the members");
    let mut followed = later(group.sync(claim("b", 2), (None, None), vec![], start));
    let parts = vec![("a".to_owned(), Bytes::from_static(b"0")), ("b".to_owned(), Bytes::from_static(b"1"))];
    let mut led = later(group.sync(claim("a", 2), (None, None), parts, start));
    let assignment = |receiver: &mut oneshot::Receiver<SyncAnswer>| receiver.try_recv().unwrap().unwrap().assignment;
    assert_eq!((assignment(&mut led), assignment(&mut followed)), ("0".into(), "1".into()));
    assert_eq!(group.state_name(), "Stable");
    group
}

#[test]
fn the_first_member_waits_for_nobody_unless_told_to() {
    let start = Instant::now();
    let mut group = Group::new(Duration::ZERO, start);
    let alone = joined(&mut later(group.join(request("", "a"), start)));
    assert_eq!((alone.generation, alone.leader.as_str()), (1, "a"));

    let mut group = Group::new(Duration::from_secs(3), start);
    let mut waiting = later(group.join(request("", "a"), start));
    group.tick(at(start, 2_999));
    assert!(waiting.try_recv().is_err());
    assert_eq!(group.next_deadline(at(start, 2_999)), Some(at(start, 3_000)));
    group.tick(at(start, 3_000));
    assert_eq!(joined(&mut waiting).generation, 1);
}

#[test]
fn a_new_member_is_told_its_id_first_if_it_can_bear_it() {
    let start = Instant::now();
    let mut group = Group::new(Duration::ZERO, start);
    let careful = Join { knows_member_id_required: true, ..request("", "a") };
    match group.join(careful, start) {
        Answer::Now(Err(JoinError { error: ResponseError::MemberIdRequired, member_id })) => assert_eq!(member_id, "a"),
        other => panic!("{other:?}"),
    }
    assert_eq!((group.state_name(), group.member_count()), ("Empty", 1));
    assert_eq!(joined(&mut later(group.join(request("a", ""), start))).member_id, "a");
}

#[test]
fn an_id_that_is_never_used_holds_a_rebalance_up_for_one_session_at_most() {
    let start = Instant::now();
    let mut group = Group::new(Duration::ZERO, start);
    let careful = Join { knows_member_id_required: true, ..request("", "ghost") };
    group.join(careful, start);
    let mut waiting = later(group.join(request("", "a"), at(start, 1_000)));
    group.tick(at(start, 5_999));
    assert!(waiting.try_recv().is_err());
    group.tick(at(start, 6_000));
    assert_eq!(joined(&mut waiting).generation, 1);
    assert_eq!(error(group.join(request("ghost", ""), at(start, 6_001))), ResponseError::UnknownMemberId);
}

#[test]
fn silence_ends_a_membership_and_a_heartbeat_keeps_it() {
    let start = Instant::now();
    let mut group = stable_pair(start);
    assert_eq!(group.next_deadline(start), Some(start + SESSION));
    group.heartbeat(claim("a", 2), at(start, 4_000)).unwrap();
    group.tick(at(start, 6_000));
    assert_eq!((group.member_count(), group.state_name()), (1, "PreparingRebalance"), "b is out, a has to join again");
    assert_eq!(group.heartbeat(claim("a", 2), at(start, 6_100)), Err(ResponseError::RebalanceInProgress));
    assert_eq!(group.heartbeat(claim("b", 2), at(start, 6_100)), Err(ResponseError::UnknownMemberId));
    let again = joined(&mut later(group.join(request("a", ""), at(start, 6_200))));
    assert_eq!((again.generation, again.members.len()), (3, 1));
}

#[test]
fn who_does_not_join_again_in_time_is_left_behind() {
    let start = Instant::now();
    let mut group = stable_pair(start);
    let mut c = later(group.join(request("", "c"), start));
    let mut a = later(group.join(request("a", ""), start));
    for ms in (0..30_000).step_by(1_000) {
        // b goes on beating its heart but never joins
        assert_eq!(group.heartbeat(claim("b", 2), at(start, ms)), Err(ResponseError::RebalanceInProgress));
        group.tick(at(start, ms));
    }
    assert!(a.try_recv().is_err());
    group.tick(at(start, 30_000));
    assert_eq!((joined(&mut a).members.len(), joined(&mut c).generation), (2, 3));
    assert_eq!(group.heartbeat(claim("b", 2), at(start, 30_001)), Err(ResponseError::UnknownMemberId));
}

#[test]
fn a_client_that_goes_away_while_it_waits_holds_nobody_up() {
    let start = Instant::now();
    let mut group = stable_pair(start);
    let c = later(group.join(request("", "c"), start));
    drop(c);
    let mut a = later(group.join(request("a", ""), start));
    let mut b = later(group.join(request("b", ""), start));
    assert_eq!((joined(&mut a).members.len(), joined(&mut b).generation), (3, 3), "c may come back");
    group.heartbeat(claim("a", 3), at(start, 3_000)).unwrap();
    group.heartbeat(claim("b", 3), at(start, 3_000)).unwrap();
    group.tick(at(start, 6_000));
    assert_eq!((group.member_count(), group.state_name()), (2, "PreparingRebalance"));
}

#[test]
fn a_leader_that_never_assigns_is_replaced() {
    let start = Instant::now();
    let mut group = Group::new(Duration::ZERO, start);
    joined(&mut later(group.join(request("", "a"), start)));
    let mut b = later(group.join(request("", "b"), start));
    joined(&mut later(group.join(request("a", ""), start)));
    joined(&mut b);
    let mut waiting = later(group.sync(claim("b", 2), (None, None), vec![], start));
    for ms in (0..30_000).step_by(1_000) {
        group.heartbeat(claim("a", 2), at(start, ms)).unwrap();
        group.tick(at(start, ms));
    }
    group.tick(at(start, 30_000));
    assert_eq!(waiting.try_recv().unwrap(), Err(ResponseError::RebalanceInProgress));
    group.tick(at(start, 30_100));
    assert_eq!(group.member_count(), 1, "b has waited for a and was not silent");
    let again = joined(&mut later(group.join(request("b", ""), at(start, 30_101))));
    assert_eq!((again.leader.as_str(), again.members.len()), ("b", 1));
}

#[test]
fn zombies_are_fenced_by_generation() {
    let start = Instant::now();
    let mut group = stable_pair(start);
    assert_eq!(group.may_commit(claim("a", 1), start), Err(ResponseError::IllegalGeneration));
    assert_eq!(group.may_commit(claim("z", 2), start), Err(ResponseError::UnknownMemberId));
    assert_eq!(group.may_commit(claim("", -1), start), Err(ResponseError::UnknownMemberId), "the group is in use");
    assert_eq!(group.may_commit(claim("a", 2), start), Ok(()));
    let mut empty = Group::new(Duration::ZERO, start);
    assert_eq!(empty.may_commit(claim("", -1), start), Ok(()));
}

#[test]
fn the_assignor_is_one_that_all_can_do_and_most_prefer() {
    let start = Instant::now();
    let mut group = Group::new(Duration::ZERO, start);
    let with = |id: &str, names: &[&str]| Join {
        protocols: names.iter().map(|n| ((*n).to_owned(), Bytes::new())).collect(),
        ..request("", id)
    };
    joined(&mut later(group.join(with("a", &["range", "sticky"]), start)));
    let mut b = later(group.join(with("b", &["sticky", "range"]), start));
    let mut c = later(group.join(with("c", &["sticky", "range", "other"]), start));
    assert_eq!(error(group.join(with("d", &["other"]), start)), ResponseError::InconsistentGroupProtocol);
    let mut again = with("", &["range", "sticky"]);
    again.member_id = "a".into();
    assert_eq!(joined(&mut later(group.join(again, start))).protocol, "sticky");
    assert_eq!((joined(&mut b).protocol, joined(&mut c).protocol), ("sticky".into(), "sticky".into()));
}

fn static_request(instance: &str, new_member_id: &str) -> Join {
    Join { instance_id: Some(instance.into()), ..request("", new_member_id) }
}

#[test]
fn a_static_member_comes_back_to_its_place_and_its_old_self_is_fenced() {
    let start = Instant::now();
    let mut group = Group::new(Duration::ZERO, start);
    joined(&mut later(group.join(static_request("one", "one-1"), start)));
    let parts = vec![("one-1".to_owned(), Bytes::from_static(b"all"))];
    later(group.sync(claim("one-1", 1), (None, None), parts, start)).try_recv().unwrap().unwrap();
    let back = match group.join(static_request("one", "one-2"), at(start, 5_000)) {
        Answer::Now(Ok(back)) => back,
        other => panic!("a rebalance: {other:?}"),
    };
    assert_eq!((back.generation, back.member_id.as_str(), back.skip_assignment), (1, "one-2", true));
    let old = Claim { instance_id: Some("one"), ..claim("one-1", 1) };
    assert_eq!(group.heartbeat(old, at(start, 5_001)), Err(ResponseError::FencedInstanceId));
    match group.sync(claim("one-2", 1), (None, None), vec![], at(start, 5_002)) {
        Answer::Now(Ok(synced)) => assert_eq!(synced.assignment, "all"),
        other => panic!("{other:?}"),
    }
    assert_eq!(group.leave("", Some("two"), start), Err(ResponseError::UnknownMemberId));
    group.leave("", Some("one"), start).unwrap();
    assert_eq!(group.state_name(), "Empty");
}

fn restored(group: &mut Group, start: Instant, grace: Duration) -> Group {
    let stored = group.take_changed().expect("the membership has changed");
    let json = serde_json::to_string(&stored).unwrap();
    let stored: StoredGroup = serde_json::from_str(&json).unwrap();
    Group::restore(stored, Duration::ZERO, start, grace)
}

#[test]
fn members_need_not_join_again_after_a_restart() {
    let start = Instant::now();
    let mut group = restored(&mut stable_pair(start), start, Duration::from_secs(1));
    group.heartbeat(claim("a", 2), at(start, 100)).unwrap();
    group.may_commit(claim("b", 2), at(start, 100)).unwrap();
    match group.sync(claim("b", 2), (None, None), vec![], at(start, 100)) {
        Answer::Now(Ok(synced)) => assert_eq!(synced.assignment, "1"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn after_a_restart_the_dead_do_not_hold_up_the_living() {
    let start = Instant::now();
    let mut group = restored(&mut stable_pair(start), start, Duration::from_secs(1));
    let mut new = later(group.join(request("", "new"), at(start, 200)));
    let mut a = later(group.join(request("a", ""), at(start, 300)));
    assert_eq!(group.next_deadline(at(start, 300)), Some(at(start, 1_000)));
    group.tick(at(start, 999));
    assert!(new.try_recv().is_err(), "b could still be coming");
    group.tick(at(start, 1_000));
    assert_eq!((joined(&mut new).generation, joined(&mut a).members.len()), (3, 2));
}

#[test]
fn a_restart_in_the_middle_of_a_rebalance_makes_everybody_join_anew() {
    let start = Instant::now();
    let mut group = stable_pair(start);
    let _c = group.join(request("", "c"), start);
    let _a = group.join(request("a", ""), start);
    let _b = group.join(request("b", ""), start);
    assert_eq!(group.state_name(), "CompletingRebalance");
    let mut group = restored(&mut group, start, Duration::from_secs(1));
    assert_eq!(group.heartbeat(claim("a", 3), start), Err(ResponseError::UnknownMemberId));
    assert_eq!(
        joined(&mut later(group.join(request("", "a2"), start))).generation,
        4,
        "generations are never used twice"
    );
}

#[test]
fn members_are_forgiven_a_silence_that_was_ours() {
    let start = Instant::now();
    let mut group = stable_pair(start);
    let woken = at(start, 60_000);
    group.postpone(Duration::from_secs(60));
    group.tick(woken);
    assert_eq!((group.member_count(), group.state_name()), (2, "Stable"));
    group.tick(woken + SESSION);
    assert_eq!(group.state_name(), "Empty");
}

#[test]
fn a_forced_rebalance_makes_everybody_join_again() {
    let start = Instant::now();
    let mut group = stable_pair(start);
    group.force_rebalance(start);
    assert_eq!(group.heartbeat(claim("b", 2), start), Err(ResponseError::RebalanceInProgress));
    let mut a = later(group.join(request("a", ""), start));
    let mut b = later(group.join(request("b", ""), start));
    assert_eq!((joined(&mut a).generation, joined(&mut b).generation), (3, 3));
}
