//! Faults are set and taken back in the caller's transaction, and patterns taken out and put back. What is written is
//! made once it is committed.

use std::sync::{Arc, atomic::Ordering};

use orderflow_contracts::{
    api::{
        chaos::{Fault, FaultName, SetFault},
        ops::Pattern,
    },
    problem::Code,
    timestamp::Timestamp,
    words::word,
};
use sqlx::PgConnection;
use tokio::sync::OwnedMutexGuard;

use super::{
    Active, Chaos,
    active::now_ms,
    limits::check,
    patterns::{PATTERN, bit},
};
use crate::http::ApiError;

impl Chaos {
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
