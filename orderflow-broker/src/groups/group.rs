//! One consumer group as a state machine: Kafka's classic protocol, without sockets, clock or disk.
//!
//! ```text
//!            join                all joined              leader's assignment
//!   Empty ─────────▶ Preparing ─────────────▶ Completing ─────────────────▶ Stable
//!     ▲                 ▲  │ nobody left          │ join, leave, expiry       │
//!     └─────────────────┼──┘                      ▼                           │
//!                       └─────────────────────────┴───────────────────────────┘
//! ```
//!
//! Every call takes the time as an argument. A request that has to wait gets a receiver; its answer is sent by the
//! call that completes the step. A member whose client has gone away meanwhile still counts as joined, as in Kafka:
//! it may come back on another connection until its session ends.
//! A generation is one agreement about who reads what; requests of an older one are refused, which fences zombies.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::{Duration, Instant},
};

use bytes::Bytes;
use kafka_protocol::error::ResponseError;
use serde::{Deserialize, Serialize};

use super::{
    member::{Member, StoredMember},
    messages::{Answer, Claim, Join, JoinAnswer, JoinError, Joined, SyncAnswer, Synced},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Empty,
    /// Members join until `deadline`; the rebalance does not end before `not_before`.
    Preparing {
        deadline: Instant,
        not_before: Instant,
    },
    /// The leader computes the assignment; who has not asked for it by `deadline` is out.
    Completing {
        deadline: Instant,
    },
    Stable,
}

/// A stable group as it is stored over a restart.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredGroup {
    generation: i32,
    protocol_type: String,
    protocol: String,
    leader: String,
    members: Vec<StoredMember>,
}

/// See the module's docs.
#[derive(Debug)]
pub(crate) struct Group {
    phase: Phase,
    generation: i32,
    protocol_type: String,
    protocol: String,
    leader: String,
    members: BTreeMap<String, Member>,
    /// Ids that were given out and have not joined yet, with their end.
    pending: HashMap<String, Instant>,
    /// How long the first rebalance of an empty group lasts at least.
    rebalance_delay: Duration,
    /// Until then a rebalance waits for members that are silent since a restart.
    grace_until: Instant,
    /// The membership has changed since [`Group::take_changed`].
    changed: bool,
}

impl Group {
    pub fn new(rebalance_delay: Duration, now: Instant) -> Self {
        Self {
            phase: Phase::Empty,
            generation: 0,
            protocol_type: String::new(),
            protocol: String::new(),
            leader: String::new(),
            members: BTreeMap::new(),
            pending: HashMap::new(),
            rebalance_delay,
            grace_until: now,
            changed: false,
        }
    }

    /// The group as it was before a restart. Its members need not join again if they are heard from in time.
    pub fn restore(stored: StoredGroup, rebalance_delay: Duration, now: Instant, grace: Duration) -> Self {
        let members: BTreeMap<_, _> =
            stored.members.into_iter().map(|m| (m.id.clone(), Member::restore(m, now))).collect();
        Self {
            phase: if members.is_empty() { Phase::Empty } else { Phase::Stable },
            generation: stored.generation,
            protocol_type: stored.protocol_type,
            protocol: stored.protocol,
            leader: stored.leader,
            members,
            grace_until: now + grace,
            ..Self::new(rebalance_delay, now)
        }
    }

    /// What has to be stored if the membership has changed since the last call. Members are stored only while they
    /// have an agreement: after a restart in the middle of a rebalance they find that they are unknown and join anew.
    pub fn take_changed(&mut self) -> Option<StoredGroup> {
        let stable = self.phase == Phase::Stable;
        std::mem::take(&mut self.changed).then(|| StoredGroup {
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            members: self.members.values().filter(|_| stable).map(Member::to_stored).collect(),
        })
    }

    pub fn is_empty(&self) -> bool {
        self.members.is_empty() && self.pending.is_empty()
    }

    pub fn member_count(&self) -> usize {
        self.members.len() + self.pending.len()
    }

    /// Kafka's name of the phase.
    pub fn state_name(&self) -> &'static str {
        match self.phase {
            Phase::Empty => "Empty",
            Phase::Preparing { .. } => "PreparingRebalance",
            Phase::Completing { .. } => "CompletingRebalance",
            Phase::Stable => "Stable",
        }
    }

    pub fn protocol_type(&self) -> &str {
        &self.protocol_type
    }

    /// The agreed assignor, once there is an agreement.
    pub fn protocol(&self) -> &str {
        if self.phase == Phase::Stable { &self.protocol } else { "" }
    }

    /// The members, with their subscriptions and assignments once there is an agreement.
    pub fn describe(&self) -> impl Iterator<Item = (&Member, Bytes, Bytes)> {
        let stable = self.phase == Phase::Stable;
        self.members.values().map(move |m| {
            if stable {
                (m, m.subscription(&self.protocol), m.assignment.clone())
            } else {
                (m, Bytes::new(), Bytes::new())
            }
        })
    }

    /// A member joins or joins again.
    pub fn join(&mut self, join: Join, now: Instant) -> Answer<JoinAnswer> {
        let refused = |error| Answer::Now(Err(JoinError { error, member_id: join.member_id.clone() }));
        if !self.can_agree_with(&join) {
            return refused(ResponseError::InconsistentGroupProtocol);
        }
        let held_by = join.instance_id.as_deref().and_then(|instance| self.static_member(instance));
        if join.member_id.is_empty() {
            return match held_by {
                Some(old_id) => self.replace_static(&old_id, join, now),
                None => self.join_new(join, now),
            };
        }
        if held_by.is_some_and(|id| id != join.member_id) {
            return refused(ResponseError::FencedInstanceId);
        }
        if self.pending.remove(&join.member_id).is_some() {
            let id = join.member_id.clone();
            return self.add(id, join, now);
        }
        let Some(member) = self.members.get_mut(&join.member_id) else {
            return refused(ResponseError::UnknownMemberId);
        };
        let same = member.protocols == join.protocols;
        let leads = self.leader == join.member_id;
        member.heard(now);
        match self.phase {
            Phase::Completing { .. } if same => Answer::Now(Ok(self.agreement(&join.member_id))),
            Phase::Stable if same && !leads => Answer::Now(Ok(self.agreement(&join.member_id))),
            Phase::Empty => refused(ResponseError::UnknownMemberId),
            _ => {
                member.update(&join);
                self.rejoin(&join.member_id, now)
            }
        }
    }

    fn join_new(&mut self, join: Join, now: Instant) -> Answer<JoinAnswer> {
        let id = join.new_member_id.clone();
        if join.knows_member_id_required && join.instance_id.is_none() {
            self.pending.insert(id.clone(), now + join.session_timeout);
            return Answer::Now(Err(JoinError { error: ResponseError::MemberIdRequired, member_id: id }));
        }
        self.add(id, join, now)
    }

    fn add(&mut self, id: String, join: Join, now: Instant) -> Answer<JoinAnswer> {
        if self.members.is_empty() {
            self.protocol_type.clone_from(&join.protocol_type);
            self.leader.clone_from(&id);
        }
        self.members.insert(id.clone(), Member::new(id.clone(), &join, now));
        self.rejoin(&id, now)
    }

    /// A static member comes back under a new id. If the group keeps its assignor it takes its old place.
    fn replace_static(&mut self, old_id: &str, join: Join, now: Instant) -> Answer<JoinAnswer> {
        let Some(mut member) = self.members.remove(old_id) else {
            return self.join_new(join, now);
        };
        let id = join.new_member_id.clone();
        member.answer_join(Err(JoinError { error: ResponseError::FencedInstanceId, member_id: old_id.to_owned() }));
        member.answer_sync(Err(ResponseError::FencedInstanceId));
        member.id.clone_from(&id);
        member.update(&join);
        member.heard(now);
        let led = self.leader == old_id;
        if led {
            self.leader.clone_from(&id);
        }
        self.members.insert(id.clone(), member);
        self.changed = true;
        if self.phase != Phase::Stable || self.vote() != self.protocol {
            return self.rejoin(&id, now);
        }
        let mut agreement = self.agreement(&id);
        if led && join.knows_skip_assignment {
            agreement.skip_assignment = true;
        } else if led {
            // A client that cannot skip the assignment is told that somebody else leads.
            agreement.leader = old_id.to_owned();
            agreement.members.clear();
        }
        Answer::Now(Ok(agreement))
    }

    /// A member waits for the next agreement.
    fn rejoin(&mut self, id: &str, now: Instant) -> Answer<JoinAnswer> {
        let Some(member) = self.members.get_mut(id) else {
            return Answer::Now(Err(JoinError { error: ResponseError::UnknownMemberId, member_id: id.to_owned() }));
        };
        let answer = member.wait_for_join();
        self.prepare_rebalance(now);
        Answer::Later(answer)
    }

    /// A member asks what it is to read; the leader says it for all.
    pub fn sync(
        &mut self,
        claim: Claim<'_>,
        protocol: (Option<&str>, Option<&str>),
        assignments: Vec<(String, Bytes)>,
        now: Instant,
    ) -> Answer<SyncAnswer> {
        if let Err(error) = self.check(claim) {
            return Answer::Now(Err(error));
        }
        let (of_type, name) = protocol;
        if of_type.is_some_and(|t| t != self.protocol_type) || name.is_some_and(|n| n != self.protocol) {
            return Answer::Now(Err(ResponseError::InconsistentGroupProtocol));
        }
        let leads = self.leader == claim.member_id;
        let Some(member) = self.members.get_mut(claim.member_id) else {
            return Answer::Now(Err(ResponseError::UnknownMemberId));
        };
        member.heard(now);
        match self.phase {
            Phase::Empty => Answer::Now(Err(ResponseError::UnknownMemberId)),
            Phase::Preparing { .. } => Answer::Now(Err(ResponseError::RebalanceInProgress)),
            Phase::Stable => Answer::Now(Ok(self.synced(claim.member_id))),
            Phase::Completing { .. } => {
                let answer = member.wait_for_sync();
                if leads {
                    self.assign(assignments, now);
                }
                Answer::Later(answer)
            }
        }
    }

    /// The leader's word: everybody gets their part and the group is stable.
    fn assign(&mut self, assignments: Vec<(String, Bytes)>, now: Instant) {
        let mut assignments: HashMap<String, Bytes> = assignments.into_iter().collect();
        self.phase = Phase::Stable;
        self.changed = true;
        let ids: Vec<String> = self.members.keys().cloned().collect();
        for id in ids {
            let assignment = assignments.remove(&id).unwrap_or_default();
            if let Some(member) = self.members.get_mut(&id) {
                member.assignment = assignment;
            }
            let synced = self.synced(&id);
            if let Some(member) = self.members.get_mut(&id).filter(|m| m.has_synced()) {
                member.heard(now);
                member.answer_sync(Ok(synced));
            }
        }
    }

    /// A sign of life. Tells a member that it has to join again.
    pub fn heartbeat(&mut self, claim: Claim<'_>, now: Instant) -> Result<(), ResponseError> {
        self.check(claim)?;
        self.heard(claim.member_id, now);
        match self.phase {
            Phase::Preparing { .. } => Err(ResponseError::RebalanceInProgress),
            _ => Ok(()),
        }
    }

    /// Whether an offset may be committed in this name. A commit is a sign of life.
    pub fn may_commit(&mut self, claim: Claim<'_>, now: Instant) -> Result<(), ResponseError> {
        if claim.generation < 0 && self.members.is_empty() {
            return Ok(()); // a consumer without a group's protocol, or an administrator
        }
        self.check(claim)?;
        self.heard(claim.member_id, now);
        match self.phase {
            Phase::Completing { .. } => Err(ResponseError::RebalanceInProgress),
            _ => Ok(()),
        }
    }

    /// A member leaves, by its id or as a static member by its instance.
    pub fn leave(&mut self, member_id: &str, instance_id: Option<&str>, now: Instant) -> Result<(), ResponseError> {
        let id = match instance_id.map(|instance| self.static_member(instance)) {
            None => member_id.to_owned(),
            Some(None) => return Err(ResponseError::UnknownMemberId),
            Some(Some(id)) if !member_id.is_empty() && member_id != id => return Err(ResponseError::FencedInstanceId),
            Some(Some(id)) => id,
        };
        if self.pending.remove(&id).is_some() {
            self.try_complete_join(now);
            return Ok(());
        }
        if !self.members.contains_key(&id) {
            return Err(ResponseError::UnknownMemberId);
        }
        self.remove(&[id], now);
        Ok(())
    }

    /// Makes every member join again.
    pub fn force_rebalance(&mut self, now: Instant) {
        if !self.members.is_empty() {
            self.prepare_rebalance(now);
        }
    }

    /// Does what is due: sessions that ended, rebalances that waited long enough.
    pub fn tick(&mut self, now: Instant) {
        self.pending.retain(|_, ends| *ends > now);
        let gone = |m: &Member| m.expires <= now && !m.is_waiting();
        let expired: Vec<String> = self.members.values().filter(|m| gone(m)).map(|m| m.id.clone()).collect();
        self.remove(&expired, now);
        if let Phase::Completing { deadline } = self.phase
            && deadline <= now
        {
            let late = self.members.values().filter(|m| !m.has_synced()).map(|m| m.id.clone());
            let late: Vec<String> = late.collect();
            self.remove(&late, now);
        }
        self.try_complete_join(now);
    }

    /// When [`Group::tick`] has something to do at the earliest.
    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let sessions = self.members.values().filter(|m| !m.is_waiting()).map(|m| m.expires);
        let pending = self.pending.values().copied();
        let phase = match self.phase {
            Phase::Preparing { deadline, not_before } => {
                let silent = self.members.values().any(|m| m.silent_since_restart);
                [Some(deadline), Some(not_before), silent.then_some(self.grace_until)]
            }
            Phase::Completing { deadline } => [Some(deadline), None, None],
            Phase::Empty | Phase::Stable => [None, None, None],
        };
        let phase = phase.into_iter().flatten().filter(|at| *at > now);
        sessions.chain(pending).chain(phase).min()
    }

    /// Moves every deadline: the broker itself was not running for so long.
    pub fn postpone(&mut self, by: Duration) {
        self.members.values_mut().for_each(|member| member.expires += by);
        self.pending.values_mut().for_each(|ends| *ends += by);
        self.grace_until += by;
        match &mut self.phase {
            Phase::Preparing { deadline, not_before } => {
                *deadline += by;
                *not_before += by;
            }
            Phase::Completing { deadline } => *deadline += by,
            Phase::Empty | Phase::Stable => {}
        }
    }

    /// What [`Group::take_changed`] returned could not be stored.
    pub fn mark_changed(&mut self) {
        self.changed = true;
    }

    fn can_agree_with(&self, join: &Join) -> bool {
        let names: BTreeSet<&str> = join.protocols.iter().map(|(name, _)| name.as_str()).collect();
        if join.protocol_type.is_empty() || names.is_empty() {
            return false;
        }
        let others = || self.members.values().filter(|m| m.id != join.member_id);
        if others().next().is_none() {
            return true;
        }
        let common = |name: &&str| others().all(|m| m.can(name));
        self.protocol_type == join.protocol_type && names.iter().any(common)
    }

    fn static_member(&self, instance_id: &str) -> Option<String> {
        self.members.values().find(|m| m.instance_id.as_deref() == Some(instance_id)).map(|m| m.id.clone())
    }

    /// Whether a request's member and generation are the present ones.
    fn check(&self, claim: Claim<'_>) -> Result<(), ResponseError> {
        if let Some(instance) = claim.instance_id {
            match self.static_member(instance) {
                None => return Err(ResponseError::UnknownMemberId),
                Some(id) if id != claim.member_id => return Err(ResponseError::FencedInstanceId),
                Some(_) => {}
            }
        }
        if !self.members.contains_key(claim.member_id) {
            return Err(ResponseError::UnknownMemberId);
        }
        if claim.generation != self.generation {
            return Err(ResponseError::IllegalGeneration);
        }
        Ok(())
    }

    fn heard(&mut self, member_id: &str, now: Instant) {
        if let Some(member) = self.members.get_mut(member_id) {
            member.heard(now);
        }
    }

    fn agreement(&self, member_id: &str) -> Joined {
        let all = |m: &Member| (m.id.clone(), m.instance_id.clone(), m.subscription(&self.protocol));
        let leads = self.leader == member_id;
        Joined {
            member_id: member_id.to_owned(),
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            members: if leads { self.members.values().map(all).collect() } else { Vec::new() },
            skip_assignment: false,
        }
    }

    fn synced(&self, member_id: &str) -> Synced {
        Synced {
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            assignment: self.members.get(member_id).map(|m| m.assignment.clone()).unwrap_or_default(),
        }
    }

    /// Removes members and lets the others agree anew.
    fn remove(&mut self, ids: &[String], now: Instant) {
        let before = self.members.len();
        for id in ids {
            if let Some(mut member) = self.members.remove(id) {
                member.answer_join(Err(JoinError { error: ResponseError::UnknownMemberId, member_id: id.clone() }));
                member.answer_sync(Err(ResponseError::UnknownMemberId));
            }
        }
        if self.members.len() < before {
            self.changed = true;
            self.prepare_rebalance(now);
        }
    }

    /// Begins a rebalance, or goes on with the one that is under way.
    fn prepare_rebalance(&mut self, now: Instant) {
        if let Phase::Preparing { .. } = self.phase {
            return self.try_complete_join(now);
        }
        // Who waited for the leader was not silent: its session begins with the answer.
        for member in self.members.values_mut().filter(|m| m.has_synced()) {
            member.answer_sync(Err(ResponseError::RebalanceInProgress));
            member.heard(now);
        }
        let delay = if self.phase == Phase::Empty { self.rebalance_delay } else { Duration::ZERO };
        self.phase = Phase::Preparing { deadline: now + self.rebalance_timeout(), not_before: now + delay };
        self.try_complete_join(now);
    }

    /// The longest that a member wants to be waited for.
    fn rebalance_timeout(&self) -> Duration {
        self.members.values().map(|m| m.rebalance_timeout).max().unwrap_or_default()
    }

    /// Ends the first half of a rebalance when everybody has joined, or the time is over.
    fn try_complete_join(&mut self, now: Instant) {
        let Phase::Preparing { deadline, not_before } = self.phase else { return };
        let settled = |m: &Member| m.has_joined() || (m.silent_since_restart && now >= self.grace_until);
        let everybody = self.members.values().all(settled) && self.pending.is_empty() && now >= not_before;
        if everybody || now >= deadline {
            self.complete_join(now);
        }
    }

    fn complete_join(&mut self, now: Instant) {
        // A static member keeps its place until its session ends, joined or not.
        self.members.retain(|_, m| m.has_joined() || m.instance_id.is_some());
        if !self.members.is_empty() && !self.members.values().any(Member::has_joined) {
            let deadline = now + self.rebalance_timeout();
            self.phase = Phase::Preparing { deadline, not_before: deadline };
            return;
        }
        self.changed = true;
        self.generation = self.generation.checked_add(1).unwrap_or(1);
        if !self.members.get(&self.leader).is_some_and(Member::has_joined) {
            self.leader = self.members.values().find(|m| m.has_joined()).map(|m| m.id.clone()).unwrap_or_default();
        }
        if self.members.is_empty() {
            self.phase = Phase::Empty;
            self.protocol.clear();
            return;
        }
        self.protocol = self.vote();
        self.phase = Phase::Completing { deadline: now + self.rebalance_timeout() };
        let joined: Vec<String> = self.members.values().filter(|m| m.has_joined()).map(|m| m.id.clone()).collect();
        for id in joined {
            let agreement = self.agreement(&id);
            if let Some(member) = self.members.get_mut(&id) {
                member.expires = now + member.session_timeout;
                member.answer_join(Ok(agreement));
            }
        }
    }

    /// The assignor that most members like best among those that all can do.
    fn vote(&self) -> String {
        let can = |name: &str| self.members.values().all(|m| m.can(name));
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for member in self.members.values() {
            if let Some((name, _)) = member.protocols.iter().find(|(name, _)| can(name)) {
                *votes.entry(name).or_default() += 1;
            }
        }
        votes.into_iter().max_by_key(|(_, count)| *count).map(|(name, _)| name.to_owned()).unwrap_or_default()
    }
}
