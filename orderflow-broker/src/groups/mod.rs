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
                    let stored = serde_json::from_str(value.as_str().unwrap_or_default())?;
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
    pub fn ensure(&self, state: &State, id: &str) -> Result<(), ResponseError> {
        let config = &state.config;
        let mut groups = self.groups();
        if !groups.contains_key(id) {
            if groups.len() >= config.groups_max {
                forget_unused(&mut groups, &mut state.store());
            }
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
    fn tick(&self, state: &State, now: Instant, paused: Duration) -> Option<Instant> {
        let mut next = None;
        for (id, group) in self.groups().iter_mut() {
            group.postpone(paused);
            group.tick(now);
            store_changes(state, id, group);
            next = next.into_iter().chain(group.next_deadline(now)).min();
        }
        next
    }
}

/// Keeps the groups' time until the broker stops. An idle coordinator without members sleeps.
pub(crate) async fn keep_time(state: Arc<State>) {
    let mut paused = Duration::ZERO;
    loop {
        let now = Instant::now();
        let next = state.groups.tick(&state, now, std::mem::take(&mut paused));
        let Some(next) = next else {
            state.groups.changed.notified().await;
            continue;
        };
        let until = next.min(now + TICK_MAX);
        tokio::select! {
            () = tokio::time::sleep_until(until.into()) => {}
            () = state.groups.changed.notified() => {}
        }
        if until.elapsed() > PAUSE_NOTICED {
            paused = until.elapsed();
            tracing::warn!(paused_ms = paused.as_millis(), "the broker was stopped for a while; its deadlines move");
        }
    }
}

/// Makes room: a group without members and without offsets has nothing that anybody could miss.
fn forget_unused(groups: &mut HashMap<String, Group>, store: &mut Store) {
    let has_offsets = |id: &str| {
        let first = store.from(Key::Offset(id.to_owned(), String::new(), 0)).next();
        first.is_some_and(|(key, _)| matches!(key, Key::Offset(of, ..) if of == id))
    };
    let unused: Vec<String> =
        groups.iter().filter(|(id, group)| group.is_empty() && !has_offsets(id)).map(|(id, _)| id.clone()).collect();
    groups.retain(|id, _| !unused.contains(id));
    let changes = unused.into_iter().map(|id| (Key::Group(id), None)).collect();
    if let Err(error) = store.apply(changes) {
        tracing::warn!(%error, "groups that are not used any more could not be removed from the state file");
    }
}

/// Stores a group's membership if it changed. A disk that fails here costs the members a rejoin after a restart.
fn store_changes(state: &State, id: &str, group: &mut Group) {
    if let Some(stored) = group.take_changed() {
        // As text: a tree of JSON values takes ten times the memory.
        let stored = serde_json::to_string(&stored).map(serde_json::Value::String).map_err(io::Error::from);
        let change = stored.and_then(|stored| state.store().apply(vec![(Key::Group(id.to_owned()), Some(stored))]));
        if let Err(error) = change {
            group.mark_changed();
            tracing::warn!(%error, group = id, "a group's members could not be stored");
        }
    }
}
