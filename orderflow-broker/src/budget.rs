//! A budget of memory: who wants some waits until it is there.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The budget is counted in these units.
const UNIT_BYTES: usize = 1024;

/// See the module's docs.
#[derive(Debug)]
pub(crate) struct Budget {
    free: Arc<Semaphore>,
    units: u32,
}

/// A part of the budget; given back when dropped.
#[derive(Debug)]
pub(crate) struct Reserved(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl Budget {
    pub fn new(bytes: usize) -> Self {
        let units = u32::try_from(bytes / UNIT_BYTES).unwrap_or(u32::MAX).clamp(1, u32::MAX / 8);
        Self { free: Arc::new(Semaphore::new(units as usize)), units }
    }

    /// Waits for a part. Who wants more than there is gets all, alone.
    pub async fn reserve(&self, bytes: usize) -> Reserved {
        let units = u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX).min(self.units);
        let permit = Arc::clone(&self.free).acquire_many_owned(units).await;
        Reserved(permit.expect("the semaphore is never closed"))
    }
}
