//! One function for each request: what it means, on top of topics, logs and groups.

mod cluster;
mod configs;
mod fetch;
mod groups;
mod offsets;
mod produce;
mod topics;

/// The one broker's id.
const NODE_ID: i32 = 1;
/// "Not asked for" in the fields of authorized operations.
const OPERATIONS_UNKNOWN: i32 = i32::MIN;

pub(crate) use self::{
    cluster::{describe_cluster, find_coordinator, metadata},
    configs::describe_configs,
    fetch::{fetch, list_offsets},
    groups::{delete_groups, describe_groups, heartbeat, join_group, leave_group, list_groups, sync_group},
    offsets::{offset_commit, offset_fetch},
    produce::{init_producer_id, produce},
    topics::{create_topics, delete_topics},
};
