//! Faults that are made on purpose, in a local cluster only. Each strikes at one place of the code, which asks
//! [`Chaos::strikes`]; while none is set, asking costs one atomic load.
//!
//! They are kept in the service's database, so that a service that kills itself comes back with what is left of them.

mod active;
mod bites;
mod change;
mod limits;
mod patterns;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use orderflow_contracts::{
    api::chaos::{CrashPoint, Fault, FaultName, SetFault},
    timestamp::Timestamp,
    words::{read, word},
};
use rustix::process::{Signal, getpid, kill_process};
use serde_json::Value;
use sqlx::PgPool;
use tokio::sync::{Mutex as Writing, Notify, watch};

use self::{
    active::{Active, now_ms},
    patterns::{PATTERN, bit},
};

pub use self::{change::Change, limits::is_decline_code};

/// A fault that strikes.
#[derive(Debug, Clone)]
pub struct Strike {
    /// How it was set.
    pub set: SetFault,
    /// Which time it is, from 1 on.
    pub number: u64,
    name: FaultName,
    setting: u64,
    ends_ms: Option<i64>,
}

/// The faults of one service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Chaos(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Not through the faults: this is how they are set.
    pool: PgPool,
    possible: &'static [FaultName],
    any: AtomicBool,
    /// The patterns that are out, a bit for each. Only in a laboratory is any ever set.
    out: AtomicU32,
    active: Mutex<BTreeMap<FaultName, Active>>,
    /// What has struck and is not in the database yet. Taken after `active`, or alone.
    unsaved: Mutex<BTreeMap<FaultName, u64>>,
    bitten: Notify,
    /// Held while anything of faults is written down and until memory says the same: what has struck is never written into
    /// the row of a later setting.
    writing: Arc<Writing<()>>,
    /// How often a fault was set: the name of the next setting.
    settings: AtomicU64,
    /// Told when faults are set or taken back; whether the service is ending. Never told while `active` is held, since
    /// whoever hears it looks there.
    changed: watch::Sender<bool>,
}

impl Chaos {
    /// The faults that are kept in the database; `possible` are those that this service knows how to make.
    pub async fn load(pool: PgPool, possible: &'static [FaultName]) -> Result<Self, sqlx::Error> {
        let rows: Vec<(String, Value, i64, i64, Option<i64>)> = sqlx::query_as(
            "select name, set, struck, asked, (extract(epoch from ends_at) * 1000)::bigint from faults
             where ends_at is null or ends_at > clock_timestamp()",
        )
        .fetch_all(&pool)
        .await?;
        let out = rows
            .iter()
            .filter_map(|(name, ..)| read(name.strip_prefix(PATTERN)?))
            .map(bit)
            .fold(0, |all, bit| all | bit);
        let active = rows.into_iter().filter_map(|(name, set, struck, asked, ends_ms)| {
            let (set, struck, asked) = (serde_json::from_value(set).ok()?, struck.unsigned_abs(), asked.unsigned_abs());
            Some((read(&name)?, Active { set, struck, asked, saved: asked, ends_ms, setting: 0 }))
        });
        let active: BTreeMap<FaultName, Active> = active.collect();
        let any = AtomicBool::new(!active.is_empty());
        let (out, active) = (AtomicU32::new(out), Mutex::new(active));
        let (unsaved, bitten) = (Mutex::default(), Notify::new());
        let (settings, changed) = (AtomicU64::new(1), watch::Sender::new(false));
        let writing = Arc::default();
        Ok(Self(Arc::new(Inner { pool, possible, any, out, active, unsaved, bitten, writing, settings, changed })))
    }

    fn active(&self) -> MutexGuard<'_, BTreeMap<FaultName, Active>> {
        self.0.active.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fault, if it strikes now.
    pub fn strike(&self, name: FaultName) -> Option<Strike> {
        if !self.0.any.load(Ordering::Relaxed) {
            return None;
        }
        let mut active = self.active();
        let fault = active.get_mut(&name)?;
        let strikes = fault.draw(name);
        // What has not struck is written down as well: which of its chances comes next.
        self.0.bitten.notify_one();
        if !strikes {
            return None;
        }
        self.count_bite(name);
        let Active { set, struck: number, ends_ms, setting, .. } = fault.clone();
        Some(Strike { set, number, name, setting, ends_ms })
    }

    /// How the fault is set, if it strikes now.
    pub fn strikes(&self, name: FaultName) -> Option<SetFault> {
        self.strike(name).map(|strike| strike.set)
    }

    /// Takes as long as the fault says, if it strikes now.
    pub async fn delay(&self, name: FaultName) {
        if let Some(strike) = self.strike(name) {
            self.sit_out(&strike).await;
        }
    }

    /// Takes as long as a fault says that has struck. It is over at once when the fault ends by itself, is taken back or
    /// set anew, and when the service ends.
    pub async fn sit_out(&self, strike: &Strike) {
        let mut changed = self.0.changed.subscribe();
        let ms = strike.set.ms.unwrap_or(0);
        let left = strike.ends_ms.map_or(ms, |ends_ms| ms.min(u64::try_from(ends_ms - now_ms()).unwrap_or(0)));
        let over = changed.wait_for(|is_ending| *is_ending || !self.is_set(strike));
        let _ = tokio::time::timeout(Duration::from_millis(left), over).await;
    }

    /// Whether what has struck is still set as it was.
    fn is_set(&self, strike: &Strike) -> bool {
        self.active().get(&strike.name).is_some_and(|active| active.setting == strike.setting)
    }

    /// Kills this process as `kill -9` does, if it is to crash at this point.
    pub async fn crash_at(&self, point: CrashPoint) {
        if !self.0.any.load(Ordering::Relaxed) {
            return;
        }
        {
            let mut active = self.active();
            let Some(fault) = active.get_mut(&FaultName::Crash) else { return };
            if fault.set.point != Some(point) || !fault.draw(FaultName::Crash) {
                return;
            }
        }
        self.count_bite(FaultName::Crash);
        // Counted before, or it would crash for ever.
        if self.save_bites().await.is_ok() {
            tracing::warn!(point = word(point), "crashing, as was asked for");
            let _ = kill_process(getpid(), Signal::KILL);
        }
    }

    /// All that are set.
    pub fn list(&self) -> Vec<Fault> {
        let now_ms = now_ms();
        let active = self.active();
        let set = active.iter().filter(|(_, fault)| !fault.is_over(now_ms));
        let fault = |(name, active): (&FaultName, &Active)| Fault {
            name: *name,
            set: active.set.clone(),
            struck: active.struck,
            ends_at: active.ends_ms.map(Timestamp),
        };
        set.map(fault).collect()
    }
}
