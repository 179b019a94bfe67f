//! Asks the provider for what was committed, until it answers for certain (race 3), and commits the answer.

use std::{sync::Arc, time::Duration};

use orderflow_contracts::api::chaos::CrashPoint;
use orderflow_platform::{
    app::AppBuilder,
    db::{Db, Tx},
    outbox::Outbox,
    tasks::Stop,
    unreadable::Unreadable,
};
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{
    domain::{Answer, Input},
    handle::Batch,
    provider::{Definite, Provider, Unknown},
    store::{self, Due},
};

/// Calls under way at once.
const IN_FLIGHT_MAX: usize = 32;
/// After so long a call that nothing was heard of is made again by another process: this one was killed, and nobody of its
/// name was started again. So many times as long as the provider may take to answer, and no shorter than the minimum.
const LEASE_TIMEOUTS: u32 = 3;
const LEASE_MIN: Duration = Duration::from_secs(1);
/// Longest sleep while nothing is due: finds what other replicas have committed.
const SLEEP_MAX: Duration = Duration::from_secs(1);
/// After a call without an answer, doubled with every try up to the maximum.
const BACKOFF_MIN: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(10);
/// How long calls that are under way may take once the service stops. Those that do not end are made again later.
const DRAIN_MAX: Duration = Duration::from_secs(2);

/// Makes calls.
#[derive(Clone)]
pub struct Collector {
    db: Db,
    outbox: Outbox,
    wake: Arc<Notify>,
    provider: Provider,
    lease: Duration,
    /// The name of this replica, if it has one of its own.
    instance: Option<Arc<str>>,
    unreadable: Unreadable,
}

impl Collector {
    /// For the calls in the service's database. Under the name of an instance, which no other process has at the same
    /// time, it goes on with what the one before it had taken.
    pub fn new(app: &AppBuilder, wake: Arc<Notify>, provider: Provider) -> Self {
        let lease = provider.timeout().saturating_mul(LEASE_TIMEOUTS).max(LEASE_MIN);
        let instance = app.config.instance.as_deref().map(Into::into);
        let (db, outbox, unreadable) = (app.db.clone(), app.outbox.clone(), app.unreadable.clone());
        Self { db, outbox, wake, provider, lease, instance, unreadable }
    }

    /// Goes on until it is told to stop; an error is a reason to try again.
    pub async fn run(self, mut stop: Stop) -> Result<(), sqlx::Error> {
        let mut calls = JoinSet::new();
        let mut has_taken_over = false;
        while !stop.is_now() {
            while calls.try_join_next().is_some() {}
            let sleep = match self.start_due(&mut calls, &mut has_taken_over).await {
                Ok(sleep) => sleep,
                Err(error) => {
                    tracing::warn!(%error, "the calls that are due cannot be read");
                    BACKOFF_MIN * 5
                }
            };
            tokio::select! {
                () = self.wake.notified() => {}
                Some(ended) = calls.join_next() => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "a call died; its lease ends, and it is made again");
                    }
                }
                _ = stop.sleep(sleep) => {}
            }
        }
        let drained = async { while calls.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(DRAIN_MAX, drained).await;
        Ok(())
    }

    /// Starts the calls that are due, as many as may be under way; how long nothing more is.
    async fn start_due(&self, calls: &mut JoinSet<()>, has_taken_over: &mut bool) -> Result<Duration, sqlx::Error> {
        let free = IN_FLIGHT_MAX.saturating_sub(calls.len());
        if free == 0 {
            return Ok(SLEEP_MAX);
        }
        let mut conn = self.db.acquire().await?;
        if let Some(instance) = self.instance.as_deref().filter(|_| !*has_taken_over) {
            let calls = store::take_over(&mut conn, instance).await?;
            tracing::info!(instance, calls, "calls that were under way when this service ended are made again");
            *has_taken_over = true;
        }
        let instance = self.instance.as_deref();
        let due = store::take_due(&mut conn, self.lease, instance, i64::try_from(free).unwrap_or(1)).await?;
        for due in due {
            let collector = self.clone();
            match due {
                Ok(due) => drop(calls.spawn(async move { collector.call(due).await })),
                // It is met again when its lease ends.
                Err((call, error)) => self.unreadable.note("provider_calls", call, error.to_string()),
            }
        }
        let seconds = store::seconds_to_next(&mut conn).await?.unwrap_or(SLEEP_MAX.as_secs_f64());
        Ok(Duration::try_from_secs_f64(seconds).unwrap_or_default().clamp(Duration::from_millis(5), SLEEP_MAX))
    }

    async fn call(&self, due: Due) {
        let done = match self.decline_if_late(&due).await {
            Ok(true) => Ok(()),
            Ok(false) => match self.provider.ask(&due).await {
                Ok(definite) => {
                    self.db.chaos().crash_at(CrashPoint::AfterAnswer).await;
                    self.commit(&due, definite).await
                }
                Err(unknown) => {
                    let is_refused = matches!(unknown, Unknown::Refused(_));
                    self.postpone(&due, &unknown.to_string(), is_refused).await
                }
            },
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            self.give_back(&due, &error).await;
        }
    }

    /// It is not known whether the answer was written down. The provider is asked again with the same key, and soon: the
    /// end of the lease is for a process that is no more. If the answer was written down all the same, nothing changes.
    async fn give_back(&self, due: &Due, error: &sqlx::Error) {
        tracing::warn!(order_id = %due.order_id, kind = due.kind, %error, "the answer could not be written down");
        if let sqlx::Error::ColumnDecode { .. } = error {
            self.unreadable.note("payments", due.order_id.to_string(), error.to_string());
        }
        let text = format!("the provider's answer could not be written down: {error}");
        let (until, mut pause) = (Instant::now() + self.lease, BACKOFF_MIN);
        while let Err(error) = self.postpone(due, &text, false).await {
            tracing::warn!(order_id = %due.order_id, kind = due.kind, %error, "the call cannot be given back");
            if Instant::now() + pause > until {
                return;
            }
            sleep(pause).await;
            pause = (pause * 2).min(BACKOFF_MAX);
        }
        self.wake.notify_one();
    }

    /// A charge that is about to be asked for the first time, and too late, since the service was down: it is declined
    /// instead. The call is locked and still ours meanwhile, so nobody is asking the provider for it.
    async fn decline_if_late(&self, due: &Due) -> Result<bool, sqlx::Error> {
        if due.tries > 1 || due.token.is_none() {
            return Ok(false);
        }
        let mut tx = self.db.begin().await?;
        if !store::is_late(&mut tx, due).await? {
            return Ok(false);
        }
        let answer = Answer::Declined { decline_code: "payment_deadline_passed".to_owned() };
        self.commit_in(tx, due, Definite { answer, card: None }).await?;
        Ok(true)
    }

    async fn commit(&self, due: &Due, definite: Definite) -> Result<(), sqlx::Error> {
        let tx = self.db.begin().await?;
        self.commit_in(tx, due, definite).await
    }

    async fn commit_in(&self, mut tx: Tx, due: &Due, definite: Definite) -> Result<(), sqlx::Error> {
        let Definite { answer, card } = definite;
        let mut batch = Batch::load(&mut tx, &[due.order_id]).await?;
        batch.note_card(due.order_id, card);
        // An answer is never rejected, at most ignored: it was committed before.
        if let Err(rejection) = batch.apply(due.order_id, Input::Answer(&answer), None, &due.context) {
            tracing::error!(order_id = %due.order_id, %rejection, "the provider's answer was rejected");
        }
        batch.save(&mut tx).await?;
        store::answered(&mut tx, due).await?;
        tx.commit().await?;
        self.outbox.wake();
        self.wake.notify_one();
        tracing::info!(
            order_id = %due.order_id, correlation_id = due.context.correlation_id, kind = due.kind, tries = due.tries,
            ?answer, "the provider has answered"
        );
        Ok(())
    }

    async fn postpone(&self, due: &Due, error: &str, is_refused: bool) -> Result<(), sqlx::Error> {
        let doublings = due.tries.saturating_sub(1).min(10);
        let after = (BACKOFF_MIN * 2_u32.pow(doublings)).min(BACKOFF_MAX);
        tracing::warn!(
            order_id = %due.order_id, correlation_id = due.context.correlation_id, kind = due.kind, tries = due.tries,
            error, "the outcome is unknown; the provider is asked again with the same key"
        );
        store::postpone(&mut *self.db.acquire().await?, due, after, error, is_refused).await
    }
}
