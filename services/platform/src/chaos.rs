//! Faults that are made on purpose, in a local cluster only. Each strikes at one place of the code, which asks
//! [`Chaos::strikes`]; while none is set, asking costs one atomic load.
//!
//! They are kept in the service's database, so that a service that kills itself comes back with what is left of them.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use orderflow_contracts::{
    api::{
        chaos::{Bites, CrashPoint, Fault, FaultName, SetFault},
        ops::Pattern,
    },
    problem::Code,
    timestamp::Timestamp,
    words::{read, word},
};
use rustix::process::{Signal, getpid, kill_process};
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use tokio::sync::{Mutex as Writing, Notify, OwnedMutexGuard, watch};

use crate::{http::ApiError, tasks::Stop};

/// Longest that something can be made to take, in milliseconds.
const MS_MAX: u64 = 600_000;
/// Longest code that a charge can be declined with, in bytes.
const DECLINE_CODE_BYTES_MAX: usize = 50;
/// Longest that a fault can last, in milliseconds: a day.
const FOR_MS_MAX: u64 = 24 * 3600 * 1000;

/// How long nobody is kept from what is being decided about, in a laboratory without the guard.
const UNGUARDED_PAUSE: Duration = Duration::from_millis(300);

/// How long bites are counted in memory before they are written down, and with them how far each fault has come. Who
/// asks for them sees them at once; who kills the process from outside takes so many of them away.
const SAVE_AFTER: Duration = Duration::from_secs(1);

/// What stands before the name of a pattern that is out, among the names of faults.
const PATTERN: &str = "lab:";

/// What can be taken out in a laboratory.
const PATTERNS: [Pattern; 6] = [
    Pattern::Outbox,
    Pattern::Inbox,
    Pattern::StockGuard,
    Pattern::IdempotencyKey,
    Pattern::Tombstone,
    Pattern::VersionCheck,
];

fn bit(pattern: Pattern) -> u32 {
    1 << PATTERNS.iter().position(|known| *known == pattern).unwrap_or(31)
}

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

#[derive(Debug, Clone)]
struct Active {
    set: SetFault,
    struck: u64,
    /// How often it was asked: the number of the next random number.
    asked: u64,
    /// How often that was when it was written down. It says of `struck` too whether that is in the database.
    saved: u64,
    ends_ms: Option<i64>,
    /// Which setting of its name it is.
    setting: u64,
}

impl Active {
    /// Whether it strikes now. Which of its chances it takes is decided by the seed and by which fault it is: two of one
    /// seed that strike at the same place would otherwise always do so together.
    fn draw(&mut self, name: FaultName) -> bool {
        if self.set.times.is_some_and(|times| self.struck >= times) || self.is_over(now_ms()) {
            return false;
        }
        let seed = splitmix64(self.set.seed.unwrap_or(0)) ^ splitmix64(!(name as u64));
        let chance = splitmix64(seed ^ self.asked.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        self.asked += 1;
        let percent = self.set.percent.unwrap_or(100.0);
        // 53 bits make an even number between 0 and 1.
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
        let strikes = (chance >> 11) as f64 / (1_u64 << 53) as f64 * 100.0 < percent;
        self.struck += u64::from(strikes);
        strikes
    }

    fn is_over(&self, now_ms: i64) -> bool {
        self.ends_ms.is_some_and(|ends| now_ms >= ends)
    }
}

/// The machine's clock: faults are about the machine.
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

const fn splitmix64(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
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

    fn unsaved(&self) -> MutexGuard<'_, BTreeMap<FaultName, u64>> {
        self.0.unsaved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count_bite(&self, name: FaultName) {
        *self.unsaved().entry(name).or_default() += 1;
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

    /// How often each fault has struck since the data of this service began.
    pub async fn bites(&self) -> Result<Vec<Bites>, sqlx::Error> {
        self.save_bites().await?;
        let rows: Vec<(String, i64)> =
            sqlx::query_as("select name, bites from fault_bites order by name").fetch_all(&self.0.pool).await?;
        let bites = |(name, bites): (String, i64)| Some(Bites { name: read(&name)?, bites: bites.unsigned_abs() });
        Ok(rows.into_iter().filter_map(bites).collect())
    }

    /// Writes down what has struck, and how far each fault has come. The bites are added to those that are there, since
    /// replicas count together.
    async fn save_bites(&self) -> Result<(), sqlx::Error> {
        let _writing = self.0.writing.lock().await;
        let counted = std::mem::take(&mut *self.unsaved());
        let come: Vec<_> = self.active().iter().filter(|(_, a)| a.asked != a.saved).map(Come::of).collect();
        if counted.is_empty() && come.is_empty() {
            return Ok(());
        }
        let saved = save(&self.0.pool, &counted, &come).await;
        if saved.is_err() {
            let mut unsaved = self.unsaved();
            counted.into_iter().for_each(|(name, bites)| *unsaved.entry(name).or_default() += bites);
        } else {
            let mut active = self.active();
            for come in come {
                active.entry(come.name).and_modify(|active| active.saved = come.asked);
            }
        }
        saved
    }

    /// Writes down what has struck, a moment after it has, until it is told to stop. What cannot be written down now is
    /// the next time. Told to stop, it lets go whatever a fault holds up.
    pub async fn keep_bites(self, mut stop: Stop) -> Result<(), sqlx::Error> {
        let mut is_ending = false;
        while !is_ending {
            tokio::select! {
                () = self.0.bitten.notified() => {}
                () = stop.wait() => {}
            }
            is_ending = !stop.sleep(SAVE_AFTER).await;
            if is_ending {
                self.0.changed.send_replace(true);
            }
            if let Err(error) = self.save_bites().await {
                tracing::debug!(%error, "how often faults have struck is written down later");
                self.0.bitten.notify_one();
            }
        }
        Ok(())
    }

    /// Whether a pattern is taken out, in a laboratory.
    pub fn is_out(&self, pattern: Pattern) -> bool {
        self.0.out.load(Ordering::Relaxed) & bit(pattern) != 0
    }

    /// Waits while a pattern is taken out: what it would have prevented needs time to happen.
    pub async fn linger_without(&self, pattern: Pattern) {
        if self.is_out(pattern) {
            tokio::time::sleep(UNGUARDED_PAUSE).await;
        }
    }

    /// Takes a pattern out, or puts it back, in the caller's transaction. As faults do, it outlives a restart.
    pub async fn set_pattern(
        &self,
        conn: &mut PgConnection,
        pattern: Pattern,
        disabled: bool,
    ) -> Result<Change, sqlx::Error> {
        let writing = Arc::clone(&self.0.writing).lock_owned().await;
        let name = format!("{PATTERN}{}", word(pattern));
        let statement = if disabled {
            "insert into faults (name, set) values ($1, '{}') on conflict do nothing"
        } else {
            "delete from faults where name = $1"
        };
        sqlx::query(statement).bind(name).execute(conn).await?;
        Ok(Change { chaos: self.clone(), what: What::Pattern { pattern, disabled }, _writing: writing })
    }

    /// The patterns that are out.
    pub fn patterns_out(&self) -> Vec<Pattern> {
        PATTERNS.into_iter().filter(|pattern| self.is_out(*pattern)).collect()
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

    /// Sets a fault, in place of one of the same name, in the caller's transaction.
    pub async fn set(
        &self,
        conn: &mut PgConnection,
        name: FaultName,
        mut set: SetFault,
    ) -> Result<(Fault, Change), ApiError> {
        check(name, &set)?;
        if !self.0.possible.contains(&name) {
            let possible: Vec<_> = self.0.possible.iter().map(word).collect();
            let detail = format!("this service can make {}", possible.join(", "));
            return Err(ApiError::new(Code::ValidationFailed, detail));
        }
        if name == FaultName::Crash {
            set.times = set.times.or(Some(1));
        }
        let writing = Arc::clone(&self.0.writing).lock_owned().await;
        let ends_ms = set.for_ms.map(|ms| now_ms().saturating_add(i64::try_from(ms).unwrap_or(i64::MAX)));
        sqlx::query(
            "insert into faults (name, set, ends_at) values ($1, $2, to_timestamp($3::double precision / 1000))
             on conflict (name) do update
             set set = excluded.set, struck = 0, asked = 0, ends_at = excluded.ends_at",
        )
        .bind(word(name))
        .bind(serde_json::to_value(&set).unwrap_or_default())
        .bind(ends_ms)
        .execute(conn)
        .await?;
        let setting = self.0.settings.fetch_add(1, Ordering::Relaxed);
        let active = Active { set: set.clone(), struck: 0, asked: 0, saved: 0, ends_ms, setting };
        let change = Change { chaos: self.clone(), what: What::Set { name, active }, _writing: writing };
        Ok((Fault { name, set, struck: 0, ends_at: ends_ms.map(Timestamp) }, change))
    }

    /// Takes back one fault, or all, in the caller's transaction.
    pub async fn clear(&self, conn: &mut PgConnection, name: Option<FaultName>) -> Result<Change, sqlx::Error> {
        let writing = Arc::clone(&self.0.writing).lock_owned().await;
        sqlx::query("delete from faults where ($1::text is null and not starts_with(name, 'lab:')) or name = $1")
            .bind(name.map(word))
            .execute(conn)
            .await?;
        Ok(Change { chaos: self.clone(), what: What::Cleared { name }, _writing: writing })
    }
}

/// A change of the faults that is written and not committed. Dropped, nothing has changed.
#[derive(Debug)]
#[must_use = "after the commit it is still to be made"]
pub struct Change {
    chaos: Chaos,
    what: What,
    _writing: OwnedMutexGuard<()>,
}

#[derive(Debug)]
enum What {
    Set {
        name: FaultName,
        active: Active,
    },
    /// One, or all.
    Cleared {
        name: Option<FaultName>,
    },
    Pattern {
        pattern: Pattern,
        disabled: bool,
    },
}

impl Change {
    /// Makes it, once it is committed.
    pub fn make(self) {
        let inner = &self.chaos.0;
        match self.what {
            What::Set { name, active } => {
                self.chaos.active().insert(name, active);
                inner.any.store(true, Ordering::Relaxed);
                tracing::warn!(fault = word(name), "a fault is set");
            }
            What::Cleared { name } => {
                let mut active = self.chaos.active();
                active.retain(|set, _| name.is_some_and(|name| name != *set));
                inner.any.store(!active.is_empty(), Ordering::Relaxed);
                tracing::warn!(fault = name.map(word), "faults are taken back");
            }
            What::Pattern { pattern, disabled } => {
                if disabled {
                    inner.out.fetch_or(bit(pattern), Ordering::Relaxed);
                } else {
                    inner.out.fetch_and(!bit(pattern), Ordering::Relaxed);
                }
                let pattern = word(pattern);
                tracing::warn!(pattern, disabled, "A PATTERN IS TAKEN OUT OR PUT BACK: this is a laboratory");
            }
        }
        inner.changed.send_modify(|_| ());
    }
}

/// How far a fault has come.
struct Come {
    name: FaultName,
    struck: u64,
    asked: u64,
}

impl Come {
    fn of((name, active): (&FaultName, &Active)) -> Self {
        Self { name: *name, struck: active.struck, asked: active.asked }
    }
}

/// In one statement: what is known of a bite is known of the fault too.
async fn save(pool: &PgPool, counted: &BTreeMap<FaultName, u64>, come: &[Come]) -> Result<(), sqlx::Error> {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    sqlx::query(
        "with counted as (
             insert into fault_bites (name, bites) select * from unnest($1::text[], $2::bigint[])
             on conflict (name) do update set bites = fault_bites.bites + excluded.bites
         )
         update faults set struck = come.struck, asked = come.asked
         from unnest($3::text[], $4::bigint[], $5::bigint[]) as come (name, struck, asked)
         where faults.name = come.name",
    )
    .bind(counted.keys().map(word).collect::<Vec<_>>())
    .bind(counted.values().map(|bites| number(*bites)).collect::<Vec<_>>())
    .bind(come.iter().map(|come| word(come.name)).collect::<Vec<_>>())
    .bind(come.iter().map(|come| number(come.struck)).collect::<Vec<_>>())
    .bind(come.iter().map(|come| number(come.asked)).collect::<Vec<_>>())
    .execute(pool)
    .await
    .map(drop)
}

fn check(name: FaultName, set: &SetFault) -> Result<(), ApiError> {
    let refused = |detail: &str| Err(ApiError::new(Code::ValidationFailed, detail));
    if set.percent.is_some_and(|percent| !(0.0..=100.0).contains(&percent)) {
        return refused("percent is between 0 and 100");
    }
    if set.ms.is_some_and(|ms| ms > MS_MAX) || set.for_ms.is_some_and(|ms| ms > FOR_MS_MAX) {
        return refused("ms is at most 600000, for_ms at most a day");
    }
    let takes_time = matches!(
        name,
        FaultName::HttpLatency
            | FaultName::DbSlow
            | FaultName::ConsumerSlow
            | FaultName::DeliverLate
            | FaultName::ProviderLatency
    );
    if takes_time != set.ms.is_some() {
        return refused("ms says how long it takes, for what takes its time, and for nothing else");
    }
    if (name == FaultName::Crash) != set.point.is_some() {
        return refused("point says where to crash, for a crash and for nothing else");
    }
    if set.decline.is_some() && name != FaultName::PaymentFailure {
        return refused("decline is for payment-failure");
    }
    if set.decline.as_deref().is_some_and(|code| !is_decline_code(code)) {
        return refused("decline is 1 to 50 small letters and underscores, as insufficient_funds");
    }
    Ok(())
}

/// Whether a provider could decline with this code.
pub fn is_decline_code(code: &str) -> bool {
    (1..=DECLINE_CODE_BYTES_MAX).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn active(set: SetFault) -> Active {
        Active { set, struck: 0, asked: 0, saved: 0, ends_ms: None, setting: 0 }
    }

    fn drawn(name: FaultName, seed: u64, percent: f64) -> Vec<bool> {
        let mut fault = active(SetFault { percent: Some(percent), seed: Some(seed), ..SetFault::default() });
        (0..1000).map(|_| fault.draw(name)).collect()
    }

    #[test]
    fn the_same_seed_makes_the_same_decisions_and_another_makes_others() {
        assert_eq!(drawn(FaultName::DbSlow, 7, 50.0), drawn(FaultName::DbSlow, 7, 50.0));
        assert_ne!(drawn(FaultName::DbSlow, 7, 50.0), drawn(FaultName::DbSlow, 8, 50.0));
        assert_ne!(drawn(FaultName::DbSlow, 7, 50.0), drawn(FaultName::DbRefused, 7, 50.0));
    }

    #[test]
    fn it_strikes_about_as_often_as_it_is_told_to() {
        let count = |percent| drawn(FaultName::DbSlow, 1, percent).into_iter().filter(|strikes| *strikes).count();
        assert_eq!((count(0.0), count(100.0)), (0, 1000));
        assert!((250..350).contains(&count(30.0)), "{}", count(30.0));
    }

    #[test]
    fn it_strikes_no_more_than_so_often_and_not_when_it_is_over() {
        let mut twice = active(SetFault { times: Some(2), ..SetFault::default() });
        assert_eq!(
            (0..5).map(|_| twice.draw(FaultName::DbSlow)).collect::<Vec<_>>(),
            [true, true, false, false, false]
        );
        let mut over = Active { ends_ms: Some(0), ..active(SetFault::default()) };
        assert!(!over.draw(FaultName::DbSlow));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let ms = SetFault { ms: Some(5), ..SetFault::default() };
        assert!(check(FaultName::DbSlow, &ms).is_ok() && check(FaultName::DbSlow, &SetFault::default()).is_err());
        assert!(check(FaultName::RelayTwice, &ms).is_err());
        assert!(check(FaultName::Crash, &SetFault::default()).is_err());
        assert!(check(FaultName::RelayTwice, &SetFault { percent: Some(101.0), ..SetFault::default() }).is_err());
        assert!(check(FaultName::RelayTwice, &SetFault { percent: Some(f64::NAN), ..SetFault::default() }).is_err());
        let decline = |code: &str| SetFault { decline: Some(code.to_owned()), ..SetFault::default() };
        assert!(check(FaultName::PaymentFailure, &decline("insufficient_funds")).is_ok());
        for code in ["", "Card declined", "card-declined", "card_declined, hang", "ü", &"x".repeat(51)] {
            assert!(check(FaultName::PaymentFailure, &decline(code)).is_err(), "{code}");
        }
    }
}
