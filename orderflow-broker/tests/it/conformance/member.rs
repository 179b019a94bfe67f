//! A member of a consumer group that does one step at a time, on a connection of its own: a join waits for all other
//! members, and a connection answers in order.

use bytes::Bytes;
use kafka_protocol::{
    error::{ParseResponseErrorCode as _, ResponseError},
    messages::{
        DescribeGroupsRequest, HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
        LeaveGroupResponse, OffsetCommitRequest, SyncGroupRequest, SyncGroupResponse,
        describe_groups_response::DescribedGroup,
        join_group_request::JoinGroupRequestProtocol,
        leave_group_request::MemberIdentity,
        offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic},
        sync_group_request::SyncGroupRequestAssignment,
    },
};

use crate::{
    raw::{Client, eventually, str},
    target::Target,
};

/// The versions that tests speak which are not about versions. A join of 5 is answered without `skip_assignment`.
pub const JOIN: i16 = 7;
pub const SYNC: i16 = 5;
pub const HEARTBEAT: i16 = 4;
pub const LEAVE: i16 = 4;
pub const OFFSET_COMMIT: i16 = 8;
pub const DESCRIBE_GROUPS: i16 = 5;

/// Not "consumer", since Apache Kafka reads the metadata of consumers, and these are free text. (Given such text by a
/// "consumer" it never answers the join.)
pub const TYPE: &str = "conformance";

pub type Outcome = Option<ResponseError>;

pub struct Member {
    pub client: Client,
    pub group: String,
    /// Empty until the broker has given one.
    pub id: String,
    pub instance: Option<String>,
    pub generation: i32,
    pub session_timeout_ms: i32,
    pub rebalance_timeout_ms: i32,
    /// Name and metadata, the preferred one first.
    pub protocols: Vec<(&'static str, &'static str)>,
    /// The one that the group has chosen.
    pub protocol: String,
}

impl Member {
    pub async fn new(target: &Target, group: &str) -> Self {
        let mut client = Client::connect(target).await;
        if !group.is_empty() {
            client.wait_for_coordinator(group).await;
        }
        Self {
            client,
            group: group.to_owned(),
            id: String::new(),
            instance: None,
            generation: -1,
            session_timeout_ms: 30_000,
            rebalance_timeout_ms: 30_000,
            protocols: vec![("range", "metadata")],
            protocol: "range".to_owned(),
        }
    }

    pub async fn of_instance(target: &Target, group: &str, instance: &str) -> Self {
        let mut member = Self::new(target, group).await;
        member.instance = Some(instance.to_owned());
        member
    }

    pub fn join_request(&self) -> JoinGroupRequest {
        let protocols = self
            .protocols
            .iter()
            .map(|(name, metadata)| {
                JoinGroupRequestProtocol::default()
                    .with_name(str(name))
                    .with_metadata(Bytes::from_static(metadata.as_bytes()))
            })
            .collect();
        JoinGroupRequest::default()
            .with_group_id(str(&self.group).into())
            .with_session_timeout_ms(self.session_timeout_ms)
            .with_rebalance_timeout_ms(self.rebalance_timeout_ms)
            .with_member_id(str(&self.id))
            .with_group_instance_id(self.instance.as_deref().map(str))
            .with_protocol_type(str(TYPE))
            .with_protocols(protocols)
    }

    /// Sends a join; asks for a member id first where it has none and is not static.
    pub async fn send_join(&mut self) {
        if self.id.is_empty() && self.instance.is_none() {
            let answer = self.client.call(JOIN, &self.join_request()).await;
            assert_eq!(answer.error_code.err(), Some(ResponseError::MemberIdRequired));
            self.id = answer.member_id.to_string();
        }
        self.client.send(JOIN, &self.join_request()).await;
    }

    /// Takes over member id and generation from the answer.
    pub async fn receive_join(&mut self) -> JoinGroupResponse {
        let answer = self.client.receive::<JoinGroupRequest>(JOIN).await;
        if answer.error_code.is_ok() {
            self.id = answer.member_id.to_string();
            self.generation = answer.generation_id;
            self.protocol = answer.protocol_name.as_ref().expect("a protocol").to_string();
        }
        answer
    }

    pub async fn join(&mut self) -> JoinGroupResponse {
        self.send_join().await;
        self.receive_join().await
    }

    pub fn sync_request(&self, assignments: &[(&Self, &'static str)]) -> SyncGroupRequest {
        let assignments = assignments
            .iter()
            .map(|(member, assignment)| {
                SyncGroupRequestAssignment::default()
                    .with_member_id(str(&member.id))
                    .with_assignment(Bytes::from_static(assignment.as_bytes()))
            })
            .collect();
        SyncGroupRequest::default()
            .with_group_id(str(&self.group).into())
            .with_generation_id(self.generation)
            .with_member_id(str(&self.id))
            .with_group_instance_id(self.instance.as_deref().map(str))
            .with_protocol_type(Some(str(TYPE)))
            .with_protocol_name(Some(str(&self.protocol)))
            .with_assignments(assignments)
    }

    /// Syncs as a follower, or as a leader that assigns nothing.
    pub async fn sync(&mut self) -> Result<String, ResponseError> {
        let request = self.sync_request(&[]);
        assignment(&self.client.call(SYNC, &request).await)
    }

    /// Syncs as the only member.
    pub async fn sync_alone(&mut self, assigned: &'static str) -> Result<String, ResponseError> {
        let request = self.sync_request(&[(self, assigned)]);
        assignment(&self.client.call(SYNC, &request).await)
    }

    pub fn heartbeat_request(&self) -> HeartbeatRequest {
        HeartbeatRequest::default()
            .with_group_id(str(&self.group).into())
            .with_generation_id(self.generation)
            .with_member_id(str(&self.id))
            .with_group_instance_id(self.instance.as_deref().map(str))
    }

    pub async fn heartbeat(&mut self) -> Outcome {
        let request = self.heartbeat_request();
        self.client.call(HEARTBEAT, &request).await.error_code.err()
    }

    /// Heartbeats, as a client does while it works, until the broker answers this.
    pub async fn heartbeat_until(&mut self, error: ResponseError) {
        eventually(&format!("a heartbeat answers {error:?}"), async || match self.heartbeat().await {
            None => None,
            Some(found) if found == error => Some(()),
            Some(other) => panic!("a heartbeat answers {other:?}, not {error:?}"),
        })
        .await;
    }

    pub async fn leave(&mut self) -> LeaveGroupResponse {
        let request = LeaveGroupRequest::default().with_group_id(str(&self.group).into()).with_members(vec![
            MemberIdentity::default()
                .with_member_id(str(&self.id))
                .with_group_instance_id(self.instance.as_deref().map(str)),
        ]);
        self.client.call(LEAVE, &request).await
    }

    pub fn commit_request(&self, topic: &str, partition: i32, offset: i64) -> OffsetCommitRequest {
        OffsetCommitRequest::default()
            .with_group_id(str(&self.group).into())
            .with_generation_id_or_member_epoch(self.generation)
            .with_member_id(str(&self.id))
            .with_group_instance_id(self.instance.as_deref().map(str))
            .with_topics(vec![OffsetCommitRequestTopic::default().with_name(str(topic).into()).with_partitions(vec![
                OffsetCommitRequestPartition::default().with_partition_index(partition).with_committed_offset(offset),
            ])])
    }

    pub async fn commit(&mut self, topic: &str, partition: i32, offset: i64) -> Outcome {
        let request = self.commit_request(topic, partition, offset);
        let answer = self.client.call(OFFSET_COMMIT, &request).await;
        answer.topics[0].partitions[0].error_code.err()
    }

    pub async fn describe(&mut self) -> DescribedGroup {
        let request = DescribeGroupsRequest::default().with_groups(vec![str(&self.group).into()]);
        self.client.call(DESCRIBE_GROUPS, &request).await.groups.remove(0)
    }

    pub async fn state(&mut self) -> String {
        self.describe().await.group_state.to_string()
    }

    pub async fn wait_for_state(&mut self, state: &str) {
        eventually(state, async || (self.state().await == state).then_some(())).await;
    }
}

pub fn assignment(answer: &SyncGroupResponse) -> Result<String, ResponseError> {
    let text = String::from_utf8(answer.assignment.to_vec()).expect("tests assign text");
    answer.error_code.err().map_or(Ok(text), Err)
}

/// Member ids of a join's answer, sorted.
pub fn member_ids(answer: &JoinGroupResponse) -> Vec<String> {
    let mut ids: Vec<_> = answer.members.iter().map(|member| member.member_id.to_string()).collect();
    ids.sort_unstable();
    ids
}

/// A stable group of one in generation 1, its assignment "all".
pub async fn alone(target: &Target, group: &str) -> Member {
    let mut member = Member::new(target, group).await;
    assert_eq!(member.join().await.error_code.err(), None);
    assert_eq!(member.sync_alone("all").await, Ok("all".to_owned()));
    member
}

/// Lets a second member into a stable group of one; neither has synced. The first one stays the leader.
pub async fn join_both(first: &mut Member, second: &mut Member) -> [JoinGroupResponse; 2] {
    second.send_join().await;
    first.heartbeat_until(ResponseError::RebalanceInProgress).await;
    let answer = first.join().await;
    [answer, second.receive_join().await]
}

/// A stable group of a leader and a follower in generation 2, with the assignments "one" and "two".
pub async fn pair(target: &Target, group: &str) -> (Member, Member) {
    let (mut leader, mut follower) = (alone(target, group).await, Member::new(target, group).await);
    for answer in join_both(&mut leader, &mut follower).await {
        assert_eq!((answer.error_code.err(), answer.generation_id), (None, 2));
        assert_eq!(answer.leader.as_str(), leader.id);
    }
    sync_both(&mut leader, &mut follower).await;
    (leader, follower)
}

/// The leader gives "one" to itself and "two" to the follower.
pub async fn sync_both(leader: &mut Member, follower: &mut Member) {
    let request = leader.sync_request(&[(leader, "one"), (follower, "two")]);
    assert_eq!(assignment(&leader.client.call(SYNC, &request).await), Ok("one".to_owned()));
    assert_eq!(follower.sync().await, Ok("two".to_owned()));
}
