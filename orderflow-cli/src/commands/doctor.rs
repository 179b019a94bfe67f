//! `orderflow doctor`

use clap::Args;
use orderflow_cluster::doctor::{Check, checks};
use serde::Serialize;

use crate::{
    cli::Named,
    context::Context,
    exit::{Failure, Outcome},
    output::{Paint, safe},
};

/// Look at whether a cluster can run here, and what to do if not
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow doctor\n  orderflow doctor --any-port -o json\n")]
pub struct Doctor {
    #[command(flatten)]
    pub named: Named,
    /// As for `up --any-port`: it does not matter which ports are free
    #[arg(long)]
    any_port: bool,
}

#[derive(Serialize)]
struct Found<'a> {
    ok: bool,
    checks: Vec<FoundCheck<'a>>,
}

#[derive(Serialize)]
struct FoundCheck<'a> {
    name: &'a str,
    ok: bool,
    detail: &'a str,
    remedy: Option<&'a str>,
}

impl<'a> FoundCheck<'a> {
    fn of(check: &'a Check) -> Self {
        let Check { name, ok, detail, remedy } = check;
        Self { name, ok: *ok, detail, remedy: remedy.as_deref() }
    }
}

impl Doctor {
    /// Looks.
    pub async fn run(self, context: &Context) -> Outcome {
        let mut spec = context.spec()?;
        spec.any_port = self.any_port;
        let found = checks(&spec).await;
        let bad: Vec<&str> = found.iter().filter(|check| !check.ok).map(|check| check.name).collect();
        let document = Found { ok: bad.is_empty(), checks: found.iter().map(FoundCheck::of).collect() };
        context.out.document(&document, |paint| found.iter().map(|check| text(check, paint)).collect())?;
        if bad.is_empty() { Ok(()) } else { Err(Failure::new(format!("not as it has to be: {}", bad.join(", ")))) }
    }
}

fn text(check: &Check, paint: Paint) -> String {
    let sign = if check.ok { paint.good("✓ ok ") } else { paint.bad("✗ bad") };
    let remedy = check.remedy.as_ref().filter(|_| !check.ok);
    let remedy = remedy.map(|remedy| format!("{:8}{} {}\n", "", paint.strong("→"), safe(remedy))).unwrap_or_default();
    format!("{sign}  {:<15} {}\n{remedy}", check.name, safe(&check.detail))
}
