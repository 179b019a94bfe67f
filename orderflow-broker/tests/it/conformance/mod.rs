//! One set of tests, two targets: where the two brokers differ, ours is wrong.

mod api_versions;
mod fetch;
mod idempotence;
mod list_offsets;
mod produce;
mod topics;
