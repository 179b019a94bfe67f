//! Waiting until everything has come to rest, then counting.

use std::{collections::BTreeMap, time::Duration};

use orderflow_contracts::problem::Code;
use tokio::time::{Instant, sleep, timeout_at};

use super::{
    Report, check,
    findings::{Check, Findings},
    rest::{REST, unrest},
    take::{silent, take_from},
};
use crate::{Client, ClientError, endpoints::Service};

/// Between two looks.
const PAUSE_MIN: Duration = Duration::from_millis(300);
const PAUSE_MAX: Duration = Duration::from_secs(3);
/// After so many looks at which no service could be reached, there is no cluster. A cluster that starts is there in
/// between.
const NOBODY_THERE_MAX: u32 = 2;

/// Looks until everything is at rest, at most for so long, and says what is right and what is not. `say` is told what is
/// waited for. An error if nobody can be asked at all.
///
/// What is not right is looked at twice: somebody may have ordered something just then.
pub async fn settle(client: &Client, limit: Duration, mut say: impl FnMut(&str)) -> Result<Report, ClientError> {
    let until = Instant::now() + limit;
    let (mut pause, mut nobody) = (PAUSE_MIN, 0);
    let mut last: Option<Look> = None;
    loop {
        let mut silent = silent(client).await;
        if is_nobody_there(&silent) {
            nobody += 1;
            if let Some((_, error)) = silent.pop_first().filter(|_| nobody >= NOBODY_THERE_MAX) {
                return Err(error);
            }
            sleep(PAUSE_MAX).await;
            continue;
        }
        nobody = 0;
        let Ok((snapshot, errors)) = timeout_at(until, take_from(client, &silent)).await else { break };
        if let Some(error) = errors.into_iter().find(is_refused) {
            return Err(error);
        }
        let (unrest, report) = (unrest(&snapshot), check(&snapshot));
        let look = Look { unrest, moved: snapshot.moved > 0, whole: snapshot.unread.is_empty(), report };
        let is_seen_again = || look.whole && last.as_ref().is_some_and(|last| last.report == look.report);
        if look.unrest.ok && (look.report.ok || is_seen_again()) {
            return Ok(look.report.with_rest(look.unrest));
        }
        say(&look.waits_for());
        last = Some(look);
        if Instant::now() + pause >= until {
            break;
        }
        sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
    Ok(match last {
        // Whatever is counted while it moves is wrong.
        Some(Look { unrest, moved: true, .. }) => Report::nothing(unrest),
        Some(Look { unrest, report, .. }) => report.with_rest(unrest),
        None => Report::nothing(not_read(limit)),
    })
}

/// What one look has shown.
struct Look {
    unrest: Check,
    moved: bool,
    /// Everything could be read. A service that is started again can be, in a moment.
    whole: bool,
    report: Report,
}

impl Look {
    fn waits_for(&self) -> String {
        let first = self.unrest.violations.first();
        let first = first.or_else(|| self.report.checks.iter().find_map(|check| check.violations.first()));
        first.map_or_else(String::new, |violation| format!("{}: {}", violation.subject, violation.is))
    }
}

fn not_read(limit: Duration) -> Check {
    let mut findings = Findings::new(REST);
    findings.not_checked("the system".to_owned(), format!("not read within {limit:?}"), "readable");
    findings.check("nothing is on its way any more")
}

/// Whether no service can be reached. One that takes its time is there.
fn is_nobody_there(silent: &BTreeMap<Service, ClientError>) -> bool {
    let unreachable = silent.values().filter(|error| matches!(error, ClientError::Unreachable { .. }));
    unreachable.count() == Service::WITH_CLOCK.len()
}

/// What no waiting mends.
fn is_refused(error: &ClientError) -> bool {
    matches!(error, ClientError::NoToken(_)) || matches!(error.code(), Some(Code::Forbidden | Code::Unauthenticated))
}
