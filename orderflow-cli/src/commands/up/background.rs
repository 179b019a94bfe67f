//! The supervisor in a process of its own, which is watched until everything is ready.

use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder, File, Permissions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use orderflow_cluster::{Spec, State, attach, control};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use super::{POLL, POSTGRES_URL, Up, ready};
use crate::{
    commands::logs::SUPERVISOR,
    context::Context,
    exit::{Exit, Failure, Outcome},
    interrupt::Signals,
};

/// Most of the supervisor's log that is shown, in bytes.
const LOG_BYTES_MAX: u64 = 8 << 10;
/// How long a start that was interrupted may take to end.
const STOP_MAX: Duration = Duration::from_secs(30);

/// Starts the cluster in the background.
pub async fn start(up: &Up, spec: Spec, context: &Context) -> Outcome {
    let log = open_log(&spec.data_dir)?;
    let mut signals = Signals::new()?;
    let mut child = spawn(up, &spec, context, &log)?;
    context.out.note(&format!("starting cluster {} in the background", spec.name));
    if up.no_wait {
        return Ok(());
    }
    let until = context.settings.timeout.map(|limit| Instant::now() + limit);
    let outcome = tokio::select! {
        outcome = watch(&mut child, &spec, &log, until, context) => outcome,
        _ = signals.told() => Err(Failure::interrupted()),
    };
    if matches!(&outcome, Err(failure) if failure.exit == Exit::Interrupted) {
        context.out.note("stopping what was started; once more leaves it alone");
        signals.force_on_next();
        end(&child, &spec).await;
    }
    outcome
}

struct Log {
    path: PathBuf,
    file: File,
    /// Where this start begins in it.
    begins: u64,
}

fn open_log(data_dir: &Path) -> Outcome<Log> {
    let cannot =
        |error: io::Error| Failure::new(format!("the data directory {} cannot be used: {error}", data_dir.display()));
    // As root others may go through: the account of PostgreSQL has to.
    let outer = if rustix::process::geteuid().is_root() { 0o711 } else { 0o700 };
    if !data_dir.is_dir() {
        DirBuilder::new().recursive(true).mode(outer).create(data_dir).map_err(cannot)?;
        fs::set_permissions(data_dir, Permissions::from_mode(outer)).map_err(cannot)?;
    }
    let logs = data_dir.join("logs");
    DirBuilder::new().recursive(true).mode(0o700).create(&logs).map_err(cannot)?;
    let path = logs.join(format!("{SUPERVISOR}.log"));
    let file = File::options().create(true).append(true).mode(0o600).open(&path).map_err(cannot)?;
    let begins = file.metadata().map_err(cannot)?.len();
    Ok(Log { path, file, begins })
}

/// The same program once more. The database's URL goes through a pipe: there is a password in it.
fn spawn(up: &Up, spec: &Spec, context: &Context, log: &Log) -> Outcome<Child> {
    let mut command = Command::new(&spec.exe);
    command.args(["up", "--detached", "--cluster", &spec.name, "--output", "text", "--data-dir"]).arg(&spec.data_dir);
    if up.any_port {
        command.arg("--any-port");
    }
    if up.lab {
        command.arg("--lab");
    }
    for (process, port) in &up.ports {
        command.args(["--port", &format!("{process}={port}")]);
    }
    if let Some(broker) = &spec.broker {
        command.args(["--broker", broker]);
    }
    if let Some(limit) = context.settings.timeout {
        command.args(["--timeout", &format!("{}ms", limit.as_millis())]);
    }
    if spec.postgres.is_some() {
        command.args(["--postgres-url-file", "-"]);
    }
    command.env_remove(POSTGRES_URL);
    let input = if spec.postgres.is_some() { Stdio::piped() } else { Stdio::null() };
    command.stdin(input).stdout(log.file.try_clone()?).stderr(log.file.try_clone()?);
    let mut child = command.spawn()?;
    if let (Some(mut input), Some(url)) = (child.stdin.take(), &spec.postgres) {
        input.write_all(url.as_bytes())?;
    }
    Ok(child)
}

/// Until everything is ready, or the supervisor has given up.
async fn watch(child: &mut Child, spec: &Spec, log: &Log, until: Option<Instant>, context: &Context) -> Outcome {
    let mut said = BTreeSet::new();
    loop {
        if let Ok(status) = control::status(&spec.data_dir).await {
            for process in status.processes.iter().filter(|process| process.state == State::Ready) {
                if said.insert(process.name.clone()) {
                    context.out.note(&format!("✓ ready    {:<10} {}", process.name, process.address));
                }
            }
            if status.healthy {
                return ready(context, &status);
            }
        }
        // Somebody else may have been faster; then our child leaves it at that.
        if let Some(ended) = child.try_wait()?
            && (!ended.success() || attach::running(&spec.data_dir).is_none())
        {
            let message = format!("the cluster did not start\n{}", log.since()?);
            return Err(Failure::new(message).hint(format!("all of it is in {}", log.path.display())));
        }
        if until.is_some_and(|until| Instant::now() >= until) {
            return Err(Failure::with(Exit::TimedOut, "the cluster is not ready yet; it goes on starting")
                .hint("`orderflow status` says what is not ready, `orderflow logs` why"));
        }
        sleep(POLL).await;
    }
}

impl Log {
    /// The end of what this start has written.
    fn since(&self) -> io::Result<String> {
        let mut file = File::open(&self.path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(self.begins.max(length.saturating_sub(LOG_BYTES_MAX))))?;
        let mut text = Vec::new();
        file.take(LOG_BYTES_MAX).read_to_end(&mut text)?;
        Ok(String::from_utf8_lossy(&text).trim_end().to_owned())
    }
}

/// Ends a start that is not wanted any more.
async fn end(child: &Child, spec: &Spec) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // It is our child and has not been waited for, so the number is its own. It may have ended by itself.
        let _ = kill_process(pid, Signal::TERM);
    }
    attach::wait_stopped(&spec.data_dir, STOP_MAX).await;
}
