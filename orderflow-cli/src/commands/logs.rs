//! `orderflow logs`

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use orderflow_cluster::{BROKER, POSTGRES, SERVICES};
use serde::Serialize;
use tokio::time::sleep;

use crate::{
    cli::Named,
    context::Context,
    exit::{Failure, Outcome},
    output::{Format, Output, safe},
};

const POLL: Duration = Duration::from_millis(200);
/// Most that is read at once, and most that is looked at for the last lines, in bytes.
const CHUNK_BYTES_MAX: u64 = 1 << 20;
/// The supervisor itself, when it runs in the background.
pub const SUPERVISOR: &str = "supervisor";

/// What its processes have written
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow logs orders -f\n  orderflow logs --lines 5\n")]
pub struct Logs {
    #[command(flatten)]
    pub named: Named,
    /// Of which process: orders, inventory, payments, console, psp, broker, postgres, supervisor [default: all]
    service: Option<String>,
    /// Go on with what they write from now on
    #[arg(short, long)]
    follow: bool,
    /// How many lines of the end
    #[arg(long, default_value_t = 50, value_name = "N")]
    lines: usize,
}

#[derive(Serialize)]
struct Line<'a> {
    process: &'a str,
    line: &'a str,
}

/// One log, read up to somewhere.
struct Log {
    process: &'static str,
    path: PathBuf,
    read_to: u64,
    inode: u64,
    /// A line that has not ended yet.
    begun: String,
}

impl Logs {
    /// Shows them.
    pub async fn run(self, context: &Context) -> Outcome {
        let all = SERVICES.into_iter().chain([BROKER, POSTGRES, SUPERVISOR]);
        let wanted: Vec<_> =
            all.clone().filter(|name| self.service.as_deref().is_none_or(|one| is_same(one, name))).collect();
        if wanted.is_empty() {
            let message = format!("there is no process {:?}", self.service.unwrap_or_default());
            return Err(Failure::usage(message).hint(all.collect::<Vec<_>>().join(", ")));
        }
        let dir = context.settings.data_dir.join("logs");
        if !dir.is_dir() {
            return Err(Failure::new(format!("there are no logs in {}", dir.display()))
                .hint("`orderflow up --detach` starts a cluster"));
        }
        let names = wanted.len() > 1;
        let mut logs: Vec<Log> = wanted.into_iter().map(|process| Log::new(process, &dir)).collect();
        for log in &mut logs {
            log.last(self.lines, context.out, names)?;
        }
        if !self.follow {
            return Ok(());
        }
        loop {
            sleep(POLL).await;
            logs.iter_mut().try_for_each(|log| log.more(context.out, names))?;
        }
    }
}

/// The provider is known under two names.
fn is_same(asked: &str, name: &str) -> bool {
    asked == name || (asked == "provider" && name == "psp")
}

impl Log {
    fn new(process: &'static str, dir: &Path) -> Self {
        let path = dir.join(format!("{process}.log"));
        Self { process, path, read_to: 0, inode: 0, begun: String::new() }
    }

    /// Writes the last lines.
    fn last(&mut self, lines: usize, out: Output, names: bool) -> Outcome {
        let Some(mut file) = self.open()? else { return Ok(()) };
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(CHUNK_BYTES_MAX)))?;
        let mut end = Vec::new();
        file.take(CHUNK_BYTES_MAX).read_to_end(&mut end)?;
        self.read_to = length;
        let end = String::from_utf8_lossy(&end);
        let all: Vec<&str> = end.lines().collect();
        let last = all.get(all.len().saturating_sub(lines)..).unwrap_or_default();
        last.iter().try_for_each(|line| self.write(line, out, names))
    }

    /// Writes the lines that have come since.
    fn more(&mut self, out: Output, names: bool) -> Outcome {
        let Some(mut file) = self.open()? else { return Ok(()) };
        file.seek(SeekFrom::Start(self.read_to))?;
        let mut new = Vec::new();
        let read = file.take(CHUNK_BYTES_MAX).read_to_end(&mut new)?;
        self.read_to += u64::try_from(read).unwrap_or(0);
        let text = format!("{}{}", self.begun, String::from_utf8_lossy(&new));
        let (whole, begun) = text.rsplit_once('\n').unwrap_or(("", &text));
        begun.clone_into(&mut self.begun);
        whole.lines().try_for_each(|line| self.write(line, out, names))
    }

    /// Opens it; from its beginning if it is another file than before, or was cut.
    fn open(&mut self) -> io::Result<Option<File>> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let found = file.metadata()?;
        if found.ino() != self.inode || found.len() < self.read_to {
            (self.inode, self.read_to) = (found.ino(), 0);
        }
        Ok(Some(file))
    }

    fn write(&self, line: &str, out: Output, names: bool) -> Outcome {
        match out.format {
            Format::Text if names => {
                out.text(&format!("{} {}", out.paint.dim(&format!("{:>10} │", self.process)), safe(line)))
            }
            Format::Text => out.text(&format!("{}\n", safe(line))),
            Format::Json | Format::Jsonl => {
                let line = serde_json::to_string(&Line { process: self.process, line })?;
                out.text(&line)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_followed_through_its_replacement() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("orders.log");
        let mut log = Log::new("orders", dir.path());
        assert!(log.open().unwrap().is_none());
        std::fs::write(&path, "one\ntwo").unwrap();
        let out = Output::new(Format::Text, true, true);
        log.more(out, false).unwrap();
        assert_eq!((log.read_to, log.begun.as_str()), (7, "two"));
        std::fs::write(dir.path().join("new"), "x").unwrap();
        std::fs::rename(dir.path().join("new"), &path).unwrap();
        log.more(out, false).unwrap();
        assert_eq!((log.read_to, log.begun.as_str()), (1, "twox"));
    }
}
