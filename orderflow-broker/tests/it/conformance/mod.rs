//! One set of tests, two targets: where the two brokers differ, ours is wrong.

mod api_versions;
mod fetch;
mod garbage;
mod group_admin;
mod groups;
mod idempotence;
mod librdkafka;
mod list_offsets;
pub mod member;
mod offsets;
mod produce;
mod static_members;
mod topics;
