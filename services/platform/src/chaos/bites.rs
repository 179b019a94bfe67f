//! How often each fault has struck: counted in memory, and kept in the database beside how far each has come.

use std::{
    collections::BTreeMap,
    sync::{MutexGuard, PoisonError},
    time::Duration,
};

use orderflow_contracts::{
    api::chaos::{Bites, FaultName},
    words::{read, word},
};
use sqlx::PgPool;

use super::{Active, Chaos};
use crate::tasks::Stop;

/// How long bites are counted in memory before they are written down, and with them how far each fault has come. Who
/// asks for them sees them at once; who kills the process from outside takes so many of them away.
const SAVE_AFTER: Duration = Duration::from_secs(1);

impl Chaos {
    fn unsaved(&self) -> MutexGuard<'_, BTreeMap<FaultName, u64>> {
        self.0.unsaved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn count_bite(&self, name: FaultName) {
        *self.unsaved().entry(name).or_default() += 1;
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
    pub(super) async fn save_bites(&self) -> Result<(), sqlx::Error> {
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
