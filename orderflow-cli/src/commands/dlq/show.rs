//! `orderflow dlq show`

use clap::Args;
use orderflow_contracts::words::word;
use uuid::Uuid;

use super::pile::{There, one};
use crate::{
    context::Context,
    exit::Outcome,
    output::{Paint, safe_lines},
    render,
};

/// One dead letter, with all that came
#[derive(Args)]
#[command(before_help = "Examples:\n  orderflow dlq show LETTER\n  orderflow dlq show LETTER -o json | jq .payload\n")]
pub struct Show {
    /// Which
    letter: Uuid,
}

impl Show {
    /// Shows it.
    pub async fn run(self, context: &Context) -> Outcome {
        let there = one(&context.admin_client()?, self.letter).await?;
        context.out.document(&there, |paint| text(&there, paint))
    }
}

/// All of it.
pub fn text(there: &There, paint: Paint) -> String {
    let letter = &there.letter;
    let head = render::pairs(
        &[
            ("letter", letter.id.to_string()),
            ("service", there.service.name().to_owned()),
            ("status", word(letter.status)),
            ("reason", letter.reason.clone()),
            ("from", format!("{} {} @{}", letter.topic, letter.partition, letter.offset)),
            ("key", letter.key.clone().unwrap_or_default()),
            ("created", letter.created_at.to_string()),
        ],
        paint,
    );
    let headers: Vec<_> = letter.headers.iter().map(|(name, value)| format!("  {name}: {value}\n")).collect();
    let payload = serde_json::to_string_pretty(&letter.payload).unwrap_or_default();
    format!("{head}headers\n{}payload\n{}\n", safe_lines(&headers.concat()), safe_lines(&payload))
}
