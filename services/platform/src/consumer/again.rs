//! Dead letters that are tried again.

use futures_util::{FutureExt, future::BoxFuture};
use orderflow_contracts::api::ops::LetterStatus;
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Apply, Consumer, RawRecord, batch::read_one};
use crate::{
    auth::Principal,
    db::{Meaning, meaning},
    dead_letters,
    http::{ApiError, commit},
    inbox, outbox,
};

/// Tries dead letters again. For whoever does not know what the service does with events.
pub trait TryAgain: Send + Sync {
    /// Tries the dead letter with this id for somebody, and tells the audit log of it. It stays open, with its new reason,
    /// if it still cannot be applied. False if there is no open one of this id.
    fn try_again<'a>(&'a self, id: Uuid, principal: &'a Principal) -> BoxFuture<'a, Result<bool, ApiError>>;
}

impl<A: Apply> TryAgain for Consumer<A> {
    fn try_again<'a>(&'a self, id: Uuid, principal: &'a Principal) -> BoxFuture<'a, Result<bool, ApiError>> {
        Self::try_again(self, id, principal).boxed()
    }
}

impl<A: Apply> Consumer<A> {
    /// Tries a dead letter again, as it is now, and tells the audit log of it in the same transaction. It stays open, with
    /// its new reason, if it still cannot be applied. False if there is no open one of this id.
    async fn try_again(&self, id: Uuid, principal: &Principal) -> Result<bool, ApiError> {
        let mut tx = self.db.begin().await?;
        let Some(record) = dead_letters::open_for_update(&mut tx, id).await? else { return Ok(false) };
        sqlx::query("savepoint untried").execute(&mut *tx).await?;
        let reason = self.try_record(&mut tx, &record).await?;
        if let Some(reason) = &reason {
            sqlx::query("rollback to savepoint untried").execute(&mut *tx).await?;
            dead_letters::set_reason(&mut tx, id, reason).await?;
        } else {
            dead_letters::close(&mut tx, id, LetterStatus::Replayed).await?;
        }
        let (is_applied, detail) = (reason.is_none(), json!({ "applied": reason.is_none(), "reason": reason }));
        outbox::audit(&mut tx, self.service, principal, "dead-letter.replay", id, detail).await?;
        commit(tx).await?;
        self.outbox.wake();
        if is_applied {
            self.apply.applied();
        }
        Ok(true)
    }

    /// Why a record still cannot be applied; nothing if it was.
    async fn try_record(&self, conn: &mut PgConnection, record: &RawRecord) -> Result<Option<String>, sqlx::Error> {
        if let Ok(event) = read_one(record) {
            inbox::forget(&mut *conn, &event).await?;
        }
        match self.handle(conn, std::slice::from_ref(record)).await {
            Ok(handled) => Ok(handled.letters.into_iter().next().map(|letter| letter.reason)),
            Err(error) if meaning(&error) == Meaning::Permanent => Ok(Some(error.to_string())),
            Err(error) => Err(error),
        }
    }
}
