//! What members say to a group, and what they are told.

use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::error::ResponseError;
use tokio::sync::oneshot;

/// An answer that is there, or one that comes.
#[derive(Debug)]
pub(crate) enum Answer<T> {
    Now(T),
    Later(oneshot::Receiver<T>),
}

/// What a member says when it joins.
#[derive(Debug, Clone)]
pub(crate) struct Join {
    /// Empty for a member that has no id yet.
    pub member_id: String,
    /// The id that a new member gets.
    pub new_member_id: String,
    /// Set for a static member, which keeps its place over a restart.
    pub instance_id: Option<String>,
    pub client_id: String,
    pub client_host: String,
    pub session_timeout: Duration,
    pub rebalance_timeout: Duration,
    pub protocol_type: String,
    /// Assignors the member can do, with its subscription for each, best first.
    pub protocols: Vec<(String, Bytes)>,
    /// The member can be told its id and join again (version 4 on).
    pub knows_member_id_required: bool,
    /// A leader can be told that no assignment is needed (version 9 on).
    pub knows_skip_assignment: bool,
}

/// The agreement that a member has joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Joined {
    pub member_id: String,
    pub generation: i32,
    pub protocol_type: String,
    pub protocol: String,
    pub leader: String,
    /// For the leader only: id, instance id, subscription.
    pub members: Vec<(String, Option<String>, Bytes)>,
    pub skip_assignment: bool,
}

/// A join that failed; a member that must join again with its id finds it here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JoinError {
    pub error: ResponseError,
    pub member_id: String,
}

pub(crate) type JoinAnswer = Result<Joined, JoinError>;

/// What a member is to read, as the leader has written it, with the agreed protocol's type and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Synced {
    pub protocol_type: String,
    pub protocol: String,
    pub assignment: Bytes,
}

pub(crate) type SyncAnswer = Result<Synced, ResponseError>;

/// Who a request says that it comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim<'a> {
    pub member_id: &'a str,
    pub instance_id: Option<&'a str>,
    pub generation: i32,
}
