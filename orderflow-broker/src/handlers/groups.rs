//! The requests of the group protocol, between Kafka's words and the coordinator's.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use kafka_protocol::{
    error::ResponseError,
    messages::{
        DeleteGroupsRequest, DeleteGroupsResponse, DescribeGroupsRequest, DescribeGroupsResponse, GroupId,
        HeartbeatRequest, HeartbeatResponse, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
        LeaveGroupResponse, ListGroupsRequest, ListGroupsResponse, SyncGroupRequest, SyncGroupResponse,
        delete_groups_response::DeletableGroupResult,
        describe_groups_response::{DescribedGroup, DescribedGroupMember},
        join_group_response::JoinGroupResponseMember,
        leave_group_request::MemberIdentity,
        leave_group_response::MemberResponse,
        list_groups_response::ListedGroup,
    },
    protocol::StrBytes,
};

use super::OPERATIONS_UNKNOWN;
use crate::{
    State,
    faults::Request,
    groups::{Answer, Claim, Group, Join, JoinError, Joined, Member, Synced},
    wire::Client,
};

/// Longest that a member can make the others wait for it.
const REBALANCE_TIMEOUT_MAX: Duration = Duration::from_secs(60 * 60);
/// The only kind of group there is (`group_type`).
const CLASSIC: &str = "classic";

fn text(string: String) -> StrBytes {
    StrBytes::from_string(string)
}

fn owned(string: Option<&StrBytes>) -> Option<String> {
    string.map(|s| s.as_str().to_owned())
}

pub(crate) async fn join_group(
    state: &State,
    client: &Client,
    request: JoinGroupRequest,
    version: i16,
) -> JoinGroupResponse {
    let answer = match start_join(state, client, &request, version) {
        Ok(Answer::Now(answer)) => answer,
        Ok(Answer::Later(answer)) => tokio::select! {
            answer = answer => answer.unwrap_or_else(|_| join_failed(ResponseError::RebalanceInProgress, &request)),
            // Only the connection ends; the member has joined and may come back on another one.
            () = client.gone() => join_failed(ResponseError::NetworkException, &request),
        },
        Err(error) => join_failed(error, &request),
    };
    match answer {
        Ok(joined) => join_response(joined, version),
        Err(JoinError { error, member_id }) => JoinGroupResponse::default()
            .with_error_code(error.code())
            .with_generation_id(-1)
            .with_protocol_name(Some(StrBytes::new()))
            .with_member_id(text(member_id)),
    }
}

fn join_failed(error: ResponseError, request: &JoinGroupRequest) -> Result<Joined, JoinError> {
    Err(JoinError { error, member_id: request.member_id.to_string() })
}

fn start_join(
    state: &State,
    client: &Client,
    request: &JoinGroupRequest,
    version: i16,
) -> Result<Answer<Result<Joined, JoinError>>, ResponseError> {
    if let Some(code) = state.faults.error(Request::JoinGroup, None) {
        return Err(ResponseError::try_from_code(code).unwrap_or(ResponseError::UnknownServerError));
    }
    let id = request.group_id.as_str();
    if id.is_empty() {
        return Err(ResponseError::InvalidGroupId);
    }
    let config = &state.config;
    let session_timeout = Duration::from_millis(u64::try_from(request.session_timeout_ms).unwrap_or(0));
    if !(config.session_timeout_min..=config.session_timeout_max).contains(&session_timeout) {
        return Err(ResponseError::InvalidSessionTimeout);
    }
    // Version 0 has no rebalance time-out; the session's is taken.
    let rebalance_timeout = u64::try_from(request.rebalance_timeout_ms).map_or(session_timeout, Duration::from_millis);
    let rebalance_timeout = rebalance_timeout.min(REBALANCE_TIMEOUT_MAX);
    let join = Join {
        member_id: request.member_id.to_string(),
        new_member_id: if request.member_id.is_empty() { new_member_id(client, request) } else { String::new() },
        instance_id: owned(request.group_instance_id.as_ref()),
        client_id: client.client_id.clone(),
        client_host: format!("/{}", client.peer.ip()),
        session_timeout,
        rebalance_timeout,
        protocol_type: request.protocol_type.to_string(),
        protocols: request.protocols.iter().map(|p| (p.name.to_string(), p.metadata.clone())).collect(),
        knows_member_id_required: version >= 4,
        knows_skip_assignment: version >= 9,
    };
    if join.member_id.is_empty() {
        state.groups.ensure(state, id)?;
    }
    let joined = state.groups.with(state, id, |group, now| {
        let full = group.member_count() >= config.group_members_max;
        if full && join.member_id.is_empty() {
            return Answer::Now(Err(JoinError { error: ResponseError::GroupMaxSizeReached, member_id: String::new() }));
        }
        group.join(join, now)
    });
    joined.ok_or(ResponseError::UnknownMemberId)
}

/// A static member's id begins with its instance's, any other's with the client's (as Apache Kafka does it).
fn new_member_id(client: &Client, request: &JoinGroupRequest) -> String {
    let name = request.group_instance_id.as_ref().map_or(client.client_id.as_str(), |instance| instance.as_str());
    format!("{name}-{}", crate::random_uuid())
}

fn join_response(joined: Joined, version: i16) -> JoinGroupResponse {
    let member = |(id, instance, metadata): (String, Option<String>, Bytes)| {
        JoinGroupResponseMember::default()
            .with_member_id(text(id))
            .with_group_instance_id(instance.map(text))
            .with_metadata(metadata)
    };
    JoinGroupResponse::default()
        .with_generation_id(joined.generation)
        .with_protocol_type((version >= 7).then(|| text(joined.protocol_type)))
        .with_protocol_name(Some(text(joined.protocol)))
        .with_leader(text(joined.leader))
        .with_skip_assignment(joined.skip_assignment)
        .with_member_id(text(joined.member_id))
        .with_members(joined.members.into_iter().map(member).collect())
}

pub(crate) async fn sync_group(state: &State, client: &Client, request: SyncGroupRequest) -> SyncGroupResponse {
    let claim = Claim {
        member_id: &request.member_id,
        instance_id: request.group_instance_id.as_deref(),
        generation: request.generation_id,
    };
    let protocol = (request.protocol_type.as_deref(), request.protocol_name.as_deref());
    let assignments = request.assignments.iter().map(|a| (a.member_id.to_string(), a.assignment.clone())).collect();
    let started =
        state.groups.with(state, &request.group_id, |group, now| group.sync(claim, protocol, assignments, now));
    let answer = match started {
        None => Err(unknown_group(&request.group_id)),
        Some(Answer::Now(answer)) => answer,
        Some(Answer::Later(answer)) => tokio::select! {
            answer = answer => answer.unwrap_or(Err(ResponseError::RebalanceInProgress)),
            () = client.gone() => Err(ResponseError::NetworkException),
        },
    };
    match answer {
        Ok(Synced { protocol_type, protocol, assignment }) => SyncGroupResponse::default()
            .with_protocol_type(Some(text(protocol_type)))
            .with_protocol_name(Some(text(protocol)))
            .with_assignment(assignment),
        Err(error) => SyncGroupResponse::default().with_error_code(error.code()),
    }
}

/// What a member is told that believes in a group which does not exist.
fn unknown_group(id: &GroupId) -> ResponseError {
    if id.is_empty() { ResponseError::InvalidGroupId } else { ResponseError::UnknownMemberId }
}

pub(crate) fn heartbeat(state: &State, request: HeartbeatRequest) -> HeartbeatResponse {
    if let Some(code) = state.faults.error(Request::Heartbeat, None) {
        return HeartbeatResponse::default().with_error_code(code);
    }
    let claim = Claim {
        member_id: &request.member_id,
        instance_id: request.group_instance_id.as_deref(),
        generation: request.generation_id,
    };
    let alive = state.groups.with(state, &request.group_id, |group, now| group.heartbeat(claim, now));
    let alive = alive.unwrap_or_else(|| Err(unknown_group(&request.group_id)));
    HeartbeatResponse::default().with_error_code(alive.err().map_or(0, |error| error.code()))
}

pub(crate) fn leave_group(state: &State, request: LeaveGroupRequest, version: i16) -> LeaveGroupResponse {
    let leave = |member: &MemberIdentity| {
        let instance = member.group_instance_id.as_deref();
        let left = state.groups.with(state, &request.group_id, |g, now| g.leave(&member.member_id, instance, now));
        left.unwrap_or_else(|| Err(unknown_group(&request.group_id)))
    };
    if request.group_id.is_empty() {
        return LeaveGroupResponse::default().with_error_code(ResponseError::InvalidGroupId.code());
    }
    if version < 3 {
        let left = leave(&MemberIdentity::default().with_member_id(request.member_id.clone()));
        return LeaveGroupResponse::default().with_error_code(left.err().map_or(0, |error| error.code()));
    }
    let members = request.members.iter().map(|member| {
        MemberResponse::default()
            .with_member_id(member.member_id.clone())
            .with_group_instance_id(member.group_instance_id.clone())
            .with_error_code(leave(member).err().map_or(0, |error| error.code()))
    });
    LeaveGroupResponse::default().with_members(members.collect())
}

pub(crate) fn describe_groups(state: &State, request: DescribeGroupsRequest, version: i16) -> DescribeGroupsResponse {
    let groups = state.groups.groups();
    let asked: BTreeSet<GroupId> = request.groups.into_iter().collect();
    let described = asked.into_iter().map(|id| match groups.get(id.as_str()) {
        Some(group) => describe_group(id, group),
        None => {
            let dead = DescribedGroup::default().with_group_state(StrBytes::from_static_str("Dead"));
            // From version 6 on an unknown group is an error; before, it is a dead one.
            let error = if version >= 6 { ResponseError::GroupIdNotFound.code() } else { 0 };
            let why = (version >= 6).then(|| text(format!("Group {} not found.", id.as_str())));
            dead.with_group_id(id)
                .with_error_code(error)
                .with_error_message(why)
                .with_authorized_operations(OPERATIONS_UNKNOWN)
        }
    });
    DescribeGroupsResponse::default().with_groups(described.collect())
}

fn describe_group(id: GroupId, group: &Group) -> DescribedGroup {
    let member = |(member, subscription, assignment): (&Member, Bytes, Bytes)| {
        DescribedGroupMember::default()
            .with_member_id(text(member.id.clone()))
            .with_group_instance_id(member.instance_id.clone().map(text))
            .with_client_id(text(member.client_id.clone()))
            .with_client_host(text(member.client_host.clone()))
            .with_member_metadata(subscription)
            .with_member_assignment(assignment)
    };
    DescribedGroup::default()
        .with_group_id(id)
        .with_group_state(StrBytes::from_static_str(group.state_name()))
        .with_protocol_type(text(group.protocol_type().to_owned()))
        .with_protocol_data(text(group.protocol().to_owned()))
        .with_members(group.describe().map(member).collect())
        .with_authorized_operations(OPERATIONS_UNKNOWN)
}

pub(crate) fn list_groups(state: &State, request: ListGroupsRequest) -> ListGroupsResponse {
    let asked =
        |filter: &[StrBytes], value: &str| filter.is_empty() || filter.iter().any(|f| f.eq_ignore_ascii_case(value));
    let groups = state.groups.groups();
    let listed = groups
        .iter()
        .filter(|(_, g)| asked(&request.states_filter, g.state_name()) && asked(&request.types_filter, CLASSIC))
        .map(|(id, group)| {
            ListedGroup::default()
                .with_group_id(GroupId(text(id.clone())))
                .with_protocol_type(text(group.protocol_type().to_owned()))
                .with_group_state(StrBytes::from_static_str(group.state_name()))
                .with_group_type(StrBytes::from_static_str(CLASSIC))
        });
    ListGroupsResponse::default().with_groups(listed.collect())
}

pub(crate) fn delete_groups(state: &State, request: DeleteGroupsRequest) -> DeleteGroupsResponse {
    let results = request.groups_names.into_iter().map(|id| {
        let deleted = state.groups.delete(state, &id);
        DeletableGroupResult::default().with_error_code(deleted.err().map_or(0, |e| e.code())).with_group_id(id)
    });
    DeleteGroupsResponse::default().with_results(results.collect())
}
