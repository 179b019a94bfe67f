//! `orderflow verify`

use std::{collections::BTreeMap, time::Duration};

use clap::Args;
use orderflow_client::verify::{COULD_NOT_BE_CHECKED, Check, LetterCounts, Rare, Report, Violation, settle};

use crate::{
    context::Context,
    exit::{Exit, Failure, Outcome},
    output::{Paint, safe},
};

/// How long the system may take to come to rest where nothing is said.
const REST_MAX: Duration = Duration::from_secs(60);
/// Violations of one check that are shown to people; JSON has more.
const SHOWN_MAX: usize = 20;

/// Count every piece, every cent and every event, once the system has come to rest
///
/// Reads everything that the services and the payment provider have, and compares it. Exit code 0 if all is right, 7 if
/// something is not, or could not be checked: it is named. --timeout is how long the system may take to come to rest
/// [default: 60s].
#[derive(Args)]
#[command(
    before_help = "Examples:\n  orderflow verify\n  orderflow verify --timeout 2m -o json | jq '.checks[] | select(.ok | not)'\n"
)]
pub struct Verify {}

impl Verify {
    /// Waits and counts.
    pub async fn run(self, context: &Context) -> Outcome {
        let client = context.admin_client()?;
        let limit = context.settings.timeout.unwrap_or(REST_MAX);
        let mut said = String::new();
        let report = settle(&client, limit, |what| {
            if what != said {
                context.out.note(&format!("waiting: {what}"));
                what.clone_into(&mut said);
            }
        });
        let report = report.await?;
        context.out.document(&report, |paint| text(&report, paint))?;
        if report.ok {
            return Ok(());
        }
        Err(Failure::with(Exit::Violation, report.verdict()).hint("`orderflow why ORDER` tells the story of an order"))
    }
}

fn text(report: &Report, paint: Paint) -> String {
    let mut text: String = report.checks.iter().map(|check| check_text(check, paint)).collect();
    text.push('\n');
    match (&report.rare, &report.dead_letters) {
        (Some(counts), Some(dead)) => text.push_str(&format!("{}{}", rare(counts, paint), letters(dead, paint))),
        _ => text.push_str("rare states and dead letters are not counted: not everything could be read at rest\n"),
    }
    text
}

fn check_text(check: &Check, paint: Paint) -> String {
    let sign = if check.ok { paint.good("✓") } else { paint.bad("✗") };
    let looked_at = paint.dim(&format!("({} looked at)", check.looked_at));
    let mut text = format!("{sign} {:<20} {} {looked_at}\n", check.name, check.says);
    let (not_checked, found): (Vec<_>, Vec<_>) =
        check.violations.iter().partition(|violation| violation.kind == COULD_NOT_BE_CHECKED);
    text.push_str(&not_checked_text(&not_checked, paint));
    for violation in found.iter().take(SHOWN_MAX) {
        text.push_str(&violation_text(violation, paint));
    }
    let more = check.more.saturating_add(found.len().saturating_sub(SHOWN_MAX) as u64);
    if more > 0 {
        text.push_str(&format!("    and {more} more; -o json names them\n"));
    }
    text
}

fn violation_text(violation: &Violation, paint: Paint) -> String {
    let Violation { subject, is, should_be, .. } = violation;
    let (is, should_be) = (safe(is), safe(should_be));
    let subject = paint.strong(&safe(subject));
    format!("    {subject}\n      {}        {is}\n      {} {should_be}\n", paint.dim("is"), paint.dim("should be"))
}

/// What could not be looked at, all that has the same reason together.
fn not_checked_text(violations: &[&Violation], paint: Paint) -> String {
    let mut subjects: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for violation in violations {
        subjects.entry(&violation.is).or_default().push(&violation.subject);
    }
    let line = |(is, subjects): (&str, Vec<&str>)| {
        format!("    {}: {}: {}\n", paint.warn(COULD_NOT_BE_CHECKED), safe(&subjects.join(", ")), safe(is))
    };
    subjects.into_iter().map(line).collect()
}

fn rare(rare: &Rare, paint: Paint) -> String {
    let counts = [
        (rare.duplicates_suppressed, "duplicates passed over"),
        (rare.out_of_stock, "out of stock"),
        (rare.reservations_expired, "reservations expired"),
        (rare.allocated_after_expiry, "allocated again after that"),
        (rare.stock_lost, "paid too late, stock lost"),
        (rare.tombstones, "cancelled before stock was asked for"),
        (rare.declined, "declined"),
        (rare.refunded, "refunded"),
        (rare.late_successes_refunded, "of them money that came after the end"),
    ];
    let counts: Vec<String> = counts.iter().map(|(count, what)| format!("{count} {what}")).collect();
    format!("{} {}\n", paint.dim("rare states reached:"), counts.join(", "))
}

fn letters(letters: &LetterCounts, paint: Paint) -> String {
    let LetterCounts { open, replayed, discarded } = letters;
    format!("{} {open} open, {replayed} replayed, {discarded} discarded\n", paint.dim("dead letters:"))
}
