//! Ends clients of Kafka on a thread of their own. That waits for the broker, and for threads of librdkafka; where the
//! broker is down it takes long, and nothing else is to wait for it.

use std::{thread, time::Duration};

use tokio::sync::oneshot;

/// Drops it on another thread; tells when that is done.
pub(crate) fn drop_later<T: Send + 'static>(client: T) -> oneshot::Receiver<()> {
    let (tell, dropped) = oneshot::channel();
    thread::spawn(move || {
        drop(client);
        let _ = tell.send(());
    });
    dropped
}

/// Drops it on another thread, and waits for that within a limit.
pub(crate) async fn close<T: Send + 'static>(client: T, within: Duration) {
    let _ = tokio::time::timeout(within, drop_later(client)).await;
}
