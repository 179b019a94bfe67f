//! Consumer groups: the coordinator that owns the state machines, stores what they decide and keeps their time.

mod group;
mod member;
mod messages;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use kafka_protocol::error::ResponseError;
use serde_json::json;
use tokio::sync::Notify;

pub(crate) use self::{
    group::Group,
    member::Member,
    messages::{Answer, Claim, Join, JoinError, Joined, Synced},
};
use crate::{
    State,
    config::Config,
    store::{Key, Store},
};

/// Woken this much too late, the timer concludes that the whole process was stopped (SIGSTOP, a laptop that slept)
/// and that members could not reach us, rather than that they were silent.
const PAUSE_NOTICED: Duration = Duration::from_millis(500);
/// Looks at the clock at least this often while there are deadlines, or a pause would go unnoticed.
const TICK_MAX: Duration = Duration::from_secs(1);

/// All groups by id.
#[derive(Debug)]
pub(crate) struct Coordinator {
    groups: Mutex<HashMap<String, Group>>,
    /// A deadline may have come closer.
    changed: Notify,
}

impl Coordinator {
    /// Takes up the groups that the store knows, by their members or only by their offsets.
    pub fn open(config: &Config, store: &Store, now: Instant) -> io::Result<Self> {
        let mut groups = HashMap::new();
        for (key, value) in store.from(Key::Group(String::new())) {
            match key {
                Key::Group(id) => {
                    let stored = serde_json::from_value(value.clone())?;
                    let group = Group::restore(stored, config.rebalance_delay, now, config.restart_grace);
                    groups.insert(id.clone(), group);
                }
                Key::Offset(id, ..) => {
                    groups.entry(id.clone()).or_insert_with(|| Group::new(config.rebalance_delay, now));
                }
                _ => {}
            }
        }
        Ok(Self { groups: Mutex::new(groups), changed: Notify::new() })
    }

    /// The groups, to look at.
    pub fn groups(&self) -> MutexGuard<'_, HashMap<String, Group>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls a group's state machine, which must exist, and stores what came of it.
    pub fn with<T>(&self, state: &State, id: &str, call: impl FnOnce(&mut Group, Instant) -> T) -> Option<T> {
        let mut groups = self.groups();
        let group = groups.get_mut(id)?;
        let result = call(group, Instant::now());
        store_changes(state, id, group);
        self.changed.notify_one();
        Some(result)
    }

    /// Makes sure that a group exists, within the limit.
    pub fn ensure(&self, config: &Config, id: &str) -> Result<(), ResponseError> {
        let mut groups = self.groups();
        if !groups.contains_key(id) {
            if groups.len() >= config.groups_max {
                return Err(ResponseError::PolicyViolation);
            }
            groups.insert(id.to_owned(), Group::new(config.rebalance_delay, Instant::now()));
        }
        Ok(())
    }

    /// Removes a group that has no members, with its offsets.
    pub fn delete(&self, state: &State, id: &str) -> Result<(), ResponseError> {
        let mut groups = self.groups();
        let group = groups.get(id).ok_or(ResponseError::GroupIdNotFound)?;
        if !group.is_empty() {
            return Err(ResponseError::NonEmptyGroup);
        }
        let mut store = state.store();
        let first = Key::Offset(id.to_owned(), String::new(), 0);
        let offsets = store.from(first).take_while(|(key, _)| matches!(key, Key::Offset(group, ..) if group == id));
        let mut changes: Vec<_> = offsets.map(|(key, _)| (key.clone(), None)).collect();
        changes.push((Key::Group(id.to_owned()), None));
        store.apply(changes).map_err(|_| ResponseError::CoordinatorNotAvailable)?;
        groups.remove(id);
        Ok(())
    }

    /// Does what is due in all groups. Returns when to come again.
    fn tick(&self, state: &State, now: Instant, paused: bool) -> Option<Instant> {
        let mut next = None;
        for (id, group) in self.groups().iter_mut() {
            if paused {
                group.renew_sessions(now);
            }
            group.tick(now);
            store_changes(state, id, group);
            next = next.into_iter().chain(group.next_deadline(now)).min();
        }
        next
    }
}

/// Keeps the groups' time until the broker stops. An idle coordinator without members sleeps.
pub(crate) async fn keep_time(state: Arc<State>) {
    let mut paused = false;
    loop {
        let now = Instant::now();
        let next = state.groups.tick(&state, now, paused);
        let Some(next) = next else {
            state.groups.changed.notified().await;
            paused = false;
            continue;
        };
        let until = next.min(now + TICK_MAX);
        tokio::select! {
            () = tokio::time::sleep_until(until.into()) => paused = until.elapsed() > PAUSE_NOTICED,
            () = state.groups.changed.notified() => paused = until.elapsed() > PAUSE_NOTICED,
        }
        if paused {
            tracing::warn!(
                late_ms = until.elapsed().as_millis(),
                "the broker was stopped for a while; sessions begin anew"
            );
        }
    }
}

/// Stores a group's membership if it changed. A disk that fails here costs the members a rejoin after a restart.
fn store_changes(state: &State, id: &str, group: &mut Group) {
    if let Some(stored) = group.take_changed() {
        let change = (Key::Group(id.to_owned()), Some(json!(stored)));
        if let Err(error) = state.store().apply(vec![change]) {
            tracing::warn!(%error, group = id, "a group's members could not be stored");
        }
    }
}
