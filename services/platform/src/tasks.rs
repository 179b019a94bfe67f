//! Background tasks and their owner. A task ends when it is told to; if one ends otherwise, the process stops and says
//! which, and whoever supervises the process starts it anew.

use std::{future::Future, time::Duration};

use tokio::{sync::watch, task::JoinSet};

/// How long tasks may take to end once they are told to. Longer than a batch, shorter than a supervisor's patience.
const DRAIN_MAX: Duration = Duration::from_secs(5);

/// Tells tasks to end. Every clone hears it.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Whether it is time to end.
    pub fn is_now(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is time to end.
    pub async fn wait(&mut self) {
        // An error means that the owner is gone: it is time, too.
        let _ = self.0.wait_for(|stop| *stop).await;
    }

    /// Waits so long, or until it is time to end; whether it is not.
    pub async fn sleep(&mut self, duration: Duration) -> bool {
        tokio::select! {
            () = self.wait() => false,
            () = tokio::time::sleep(duration) => true,
        }
    }
}

/// A task has ended though nobody told it to.
#[derive(Debug, thiserror::Error)]
#[error("the task {name} died: {reason}")]
pub struct TaskDied {
    name: &'static str,
    reason: String,
}

/// Owns tasks.
#[derive(Debug)]
pub struct Tasks {
    stop: watch::Sender<bool>,
    set: JoinSet<(&'static str, Result<(), String>)>,
}

impl Default for Tasks {
    fn default() -> Self {
        Self { stop: watch::Sender::new(false), set: JoinSet::new() }
    }
}

impl Tasks {
    /// What tells the tasks to end.
    pub fn stop(&self) -> Stop {
        Stop(self.stop.subscribe())
    }

    /// Starts a task. It is to end when told to, and not before; an error is a reason to stop the process.
    pub fn spawn<F, E>(&mut self, name: &'static str, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: std::fmt::Display,
    {
        // A task of its own, so that a panic is caught and told with the task's name.
        let running = tokio::spawn(async move { task.await.map_err(|error| format!("{error:#}")) });
        let abort = AbortOnDrop(running.abort_handle());
        self.set.spawn(async move {
            let _abort = abort;
            (name, running.await.unwrap_or_else(|panic| Err(panic.to_string())))
        });
    }

    /// Waits for a task to die.
    pub async fn died(&mut self) -> TaskDied {
        match self.set.join_next().await {
            Some(Ok((name, ended))) => {
                TaskDied { name, reason: ended.err().unwrap_or_else(|| "it ended by itself".to_owned()) }
            }
            Some(Err(error)) => TaskDied { name: "unknown", reason: error.to_string() },
            None => std::future::pending().await,
        }
    }

    /// Tells all tasks to end and waits for them, within a limit. Those that do not end are dropped.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        let drain = async {
            while let Some(ended) = self.set.join_next().await {
                if let Ok((name, Err(reason))) = ended {
                    tracing::warn!(task = name, reason, "a task failed while it was ending");
                }
            }
        };
        if tokio::time::timeout(DRAIN_MAX, drain).await.is_err() {
            tracing::warn!("not every task has ended in time");
        }
    }
}

struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_task_dies_unseen() {
        let mut tasks = Tasks::default();
        tasks.spawn("sleeper", async { std::future::pending::<Result<(), String>>().await });
        tasks.spawn("panics", async {
            assert!(std::env::args().count() == 0, "on purpose");
            Ok::<_, String>(())
        });
        let died = tasks.died().await.to_string();
        assert!(died.contains("panics") && died.contains("on purpose"), "{died}");
    }

    #[tokio::test]
    async fn tasks_end_when_told_to() {
        let mut tasks = Tasks::default();
        let mut stop = tasks.stop();
        let (done, ended) = tokio::sync::oneshot::channel();
        tasks.spawn("waits", async move {
            stop.wait().await;
            done.send(()).map_err(|()| "nobody listens")
        });
        tasks.shutdown().await;
        ended.await.unwrap();
    }
}
