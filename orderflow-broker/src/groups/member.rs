//! One member of a group: what it can do, what it was given, and what it waits for.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::messages::{Join, JoinAnswer, SyncAnswer};

/// See the module's docs.
#[derive(Debug)]
pub(crate) struct Member {
    pub id: String,
    pub instance_id: Option<String>,
    pub client_id: String,
    pub client_host: String,
    pub(super) session_timeout: Duration,
    pub(super) rebalance_timeout: Duration,
    pub(super) protocols: Vec<(String, Bytes)>,
    pub assignment: Bytes,
    /// Out when nothing was heard until then.
    pub(super) expires: Instant,
    /// Known from before a restart and not heard from since.
    pub(super) silent_since_restart: bool,
    join: Option<oneshot::Sender<JoinAnswer>>,
    sync: Option<oneshot::Sender<SyncAnswer>>,
}

/// A member as it is stored over a restart.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct StoredMember {
    pub(super) id: String,
    instance_id: Option<String>,
    client_id: String,
    client_host: String,
    session_timeout_ms: u64,
    rebalance_timeout_ms: u64,
    protocols: Vec<(String, Bytes)>,
    assignment: Bytes,
}

impl Member {
    /// One that has just said that it joins.
    pub(super) fn new(id: String, join: &Join, now: Instant) -> Self {
        Self {
            id,
            instance_id: join.instance_id.clone(),
            client_id: join.client_id.clone(),
            client_host: join.client_host.clone(),
            session_timeout: join.session_timeout,
            rebalance_timeout: join.rebalance_timeout,
            protocols: join.protocols.clone(),
            assignment: Bytes::new(),
            expires: now + join.session_timeout,
            silent_since_restart: false,
            join: None,
            sync: None,
        }
    }

    /// One from before a restart, with a fresh session.
    pub(super) fn restore(stored: StoredMember, now: Instant) -> Self {
        let session_timeout = Duration::from_millis(stored.session_timeout_ms);
        Self {
            id: stored.id,
            instance_id: stored.instance_id,
            client_id: stored.client_id,
            client_host: stored.client_host,
            session_timeout,
            rebalance_timeout: Duration::from_millis(stored.rebalance_timeout_ms),
            protocols: stored.protocols,
            assignment: stored.assignment,
            expires: now + session_timeout,
            silent_since_restart: true,
            join: None,
            sync: None,
        }
    }

    pub(super) fn to_stored(&self) -> StoredMember {
        let ms = |d: Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
        StoredMember {
            id: self.id.clone(),
            instance_id: self.instance_id.clone(),
            client_id: self.client_id.clone(),
            client_host: self.client_host.clone(),
            session_timeout_ms: ms(self.session_timeout),
            rebalance_timeout_ms: ms(self.rebalance_timeout),
            protocols: self.protocols.clone(),
            assignment: self.assignment.clone(),
        }
    }

    pub(super) fn update(&mut self, join: &Join) {
        self.protocols.clone_from(&join.protocols);
        self.session_timeout = join.session_timeout;
        self.rebalance_timeout = join.rebalance_timeout;
        self.client_id.clone_from(&join.client_id);
        self.client_host.clone_from(&join.client_host);
    }

    pub(super) fn heard(&mut self, now: Instant) {
        self.expires = now + self.session_timeout;
        self.silent_since_restart = false;
    }

    pub(super) fn subscription(&self, protocol: &str) -> Bytes {
        let found = self.protocols.iter().find(|(name, _)| name == protocol);
        found.map(|(_, subscription)| subscription.clone()).unwrap_or_default()
    }

    pub(super) fn can(&self, protocol: &str) -> bool {
        self.protocols.iter().any(|(name, _)| name == protocol)
    }

    pub(super) fn wait_for_join(&mut self) -> oneshot::Receiver<JoinAnswer> {
        let (sender, receiver) = oneshot::channel();
        self.join = Some(sender);
        receiver
    }

    pub(super) fn wait_for_sync(&mut self) -> oneshot::Receiver<SyncAnswer> {
        let (sender, receiver) = oneshot::channel();
        self.sync = Some(sender);
        receiver
    }

    /// Has asked for its assignment in this rebalance.
    pub(super) fn has_synced(&self) -> bool {
        self.sync.is_some()
    }

    /// Has asked to join and still waits for the answer.
    pub(super) fn has_joined(&self) -> bool {
        self.join.is_some()
    }

    /// It waits for us, so its silence means nothing.
    pub(super) fn is_waiting(&self) -> bool {
        self.join.is_some() || self.sync.is_some()
    }

    pub(super) fn answer_join(&mut self, answer: JoinAnswer) {
        if let Some(join) = self.join.take() {
            let _ = join.send(answer); // the client may have gone away
        }
    }

    pub(super) fn answer_sync(&mut self, answer: SyncAnswer) {
        if let Some(sync) = self.sync.take() {
            let _ = sync.send(answer); // the client may have gone away
        }
    }
}
