//! What blocks, in a thread of its own.

use std::{future, panic};

/// Does it. If it panics, whoever waits for it does too: nothing dies unseen.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await.map_err(tokio::task::JoinError::try_into_panic) {
        Ok(done) => done,
        Err(Ok(panic)) => panic::resume_unwind(panic),
        // The program has ended before it was begun.
        Err(Err(_)) => future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_for_a_panic_panics() {
        assert_eq!(blocking(|| 7).await, 7);
        let waiting = tokio::spawn(blocking(|| panic!("this is a test of panics")));
        assert!(waiting.await.is_err_and(|error| error.is_panic()));
    }
}
