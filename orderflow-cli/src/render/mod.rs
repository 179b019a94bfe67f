//! Data as text for people.

mod order;
mod stock;

use orderflow_client::{saga_view::SagaView, view::Line, why::span};
use orderflow_contracts::api::console::Account;

pub use self::{
    order::{order, orders, payment, payments},
    stock::{product, products, reservation, reservations},
};
use crate::output::{Paint, safe};

/// Names and values, one pair a line, the values below one another.
pub fn pairs(pairs: &[(&str, String)], paint: Paint) -> String {
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let line = |(name, value): &(&str, String)| {
        let name = paint.dim(&format!("{name:width$}"));
        format!("{name}  {}\n", paint.status(&safe(value)))
    };
    pairs.iter().filter(|(_, value)| !value.is_empty()).map(line).collect()
}

/// An account.
pub fn account(account: &Account, paint: Paint) -> String {
    let role = account.role.as_str().to_owned();
    pairs(&[("email", account.email.clone()), ("role", role), ("id", account.id.to_string())], paint)
}

/// One line of an order's life.
pub fn life_line(line: &Line, paint: Paint) -> String {
    let sign = paint.tone(line.what.tone, &format!("{} {:<10}", line.what.tone.glyph(), line.what.word));
    let elapsed = paint.dim(&format!("{:>9}", elapsed(line.elapsed_ms)));
    format!("{elapsed}  {sign} {:<9}  {}", safe(&line.service), safe(&line.text))
}

/// The same, and how long it took since what had led to it.
pub fn life_row(view: &SagaView, index: usize, paint: Paint) -> String {
    let Some(row) = view.rows.get(index) else { return String::new() };
    let cause = row.cause.and_then(|cause| view.rows.get(cause));
    let hop = row.hop_ms.zip(cause).map(|(ms, cause)| format!("  {} after {}", span(ms), cause.line.what.word));
    format!("{}{}", life_line(&row.line, paint), paint.dim(&hop.unwrap_or_default()))
}

/// `+1.234s`, `+31m0s`.
fn elapsed(ms: i64) -> String {
    match ms {
        ..60_000 => format!("+{}.{:03}s", ms / 1000, ms.rem_euclid(1000)),
        _ => format!("+{}m{}s", ms / 60_000, ms % 60_000 / 1000),
    }
}

#[cfg(test)]
mod tests {
    use orderflow_client::view::what;
    use orderflow_contracts::timestamp::Timestamp;

    use super::*;

    #[test]
    fn a_line_has_its_time_its_sign_and_its_detail() {
        let event = "inventory.released".to_owned();
        let line = Line {
            at: Timestamp(0),
            elapsed_ms: 1234,
            service: "inventory".into(),
            what: what(&event),
            event,
            text: "stock is given back\u{1b}".into(),
        };
        let text = life_line(&line, Paint::none());
        assert_eq!(text, "  +1.234s  ↺ released   inventory  stock is given back\u{fffd}");
        assert_eq!(elapsed(1_860_000), "+31m0s");
    }
}
