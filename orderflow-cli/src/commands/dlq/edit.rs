//! `orderflow dlq edit`

use std::{
    fs::File,
    io::{self, Read},
    path::PathBuf,
};

use clap::Args;
use orderflow_contracts::api::ops::EditLetter;
use serde_json::Value;
use uuid::Uuid;

use super::{
    pile::{There, one},
    show::text,
};
use crate::{
    context::Context,
    exit::{Failure, Outcome},
};

/// Largest payload that is read, in bytes: what a service takes.
const PAYLOAD_BYTES_MAX: u64 = 64 * 1024;

/// Mend a dead letter; replay it then
///
/// What is not given stays as it is. Every edit is in the audit log.
#[derive(Args)]
#[command(before_help = "\
Examples:
  orderflow dlq show LETTER -o json | jq '.payload | .quantity = 1' | orderflow dlq edit LETTER --payload -
  orderflow dlq edit LETTER --header ce_type=order.created --key ORDER
")]
pub struct Edit {
    /// Which
    letter: Uuid,
    /// Another value: JSON from a file, or from standard input with -
    #[arg(long, value_name = "FILE")]
    payload: Option<PathBuf>,
    /// Another value of a header, or one more; can be given several times
    #[arg(long = "header", value_name = "NAME=VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// Another key
    #[arg(long)]
    key: Option<String>,
    /// Show what it would be, and change nothing
    #[arg(long)]
    dry_run: bool,
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a header is written as NAME=VALUE")?;
    if name.is_empty() { Err("a header has a name".to_owned()) } else { Ok((name.to_owned(), value.to_owned())) }
}

impl Edit {
    /// Mends it.
    pub async fn run(self, context: &Context) -> Outcome {
        if self.payload.is_none() && self.headers.is_empty() && self.key.is_none() {
            return Err(Failure::usage("what is to be changed? --payload, --header or --key"));
        }
        let payload = match self.payload {
            Some(path) => Some(tokio::task::spawn_blocking(move || read(&path)).await.map_err(io::Error::other)??),
            None => None,
        };
        let client = context.admin_client()?;
        let mut there = one(&client, self.letter).await?;
        let headers = (!self.headers.is_empty()).then(|| merged(there.letter.headers.clone(), self.headers));
        let edit = EditLetter { key: self.key, headers, payload };
        if self.dry_run {
            apply(&mut there, edit);
            context.out.note("a dry run: nothing is changed");
        } else {
            there.letter = client.edit_dead_letter(there.service, self.letter, &edit).await?;
        }
        context.out.document(&there, |paint| text(&there, paint))
    }
}

fn apply(there: &mut There, edit: EditLetter) {
    let letter = &mut there.letter;
    letter.key = edit.key.or(letter.key.take());
    letter.headers = edit.headers.unwrap_or_else(|| std::mem::take(&mut letter.headers));
    letter.payload = edit.payload.unwrap_or_else(|| letter.payload.take());
}

/// The headers with these in their places, or behind them.
fn merged(mut headers: Vec<(String, String)>, others: Vec<(String, String)>) -> Vec<(String, String)> {
    for (name, value) in others {
        match headers.iter_mut().find(|(other, _)| *other == name) {
            Some((_, old)) => *old = value,
            None => headers.push((name, value)),
        }
    }
    headers
}

fn read(path: &PathBuf) -> Outcome<Value> {
    let mut text = Vec::new();
    if path.as_os_str() == "-" {
        io::stdin().lock().take(PAYLOAD_BYTES_MAX + 1).read_to_end(&mut text)?;
    } else {
        let file = File::open(path).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
        file.take(PAYLOAD_BYTES_MAX + 1).read_to_end(&mut text)?;
    }
    if text.len() as u64 > PAYLOAD_BYTES_MAX {
        return Err(Failure::usage(format!("a payload has at most {PAYLOAD_BYTES_MAX} bytes")));
    }
    serde_json::from_slice(&text).map_err(|error| Failure::usage(format!("the payload is no JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_replaced_or_added() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let now = merged(vec![pair("a", "1"), pair("b", "2")], vec![pair("b", "3"), pair("c", "4")]);
        assert_eq!(now, [pair("a", "1"), pair("b", "3"), pair("c", "4")]);
        assert_eq!(header("x=y=z"), Ok(pair("x", "y=z")));
        assert!(header("x").is_err() && header("=y").is_err());
    }
}
