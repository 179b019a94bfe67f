//! The forms of a product: a new one, another name or price, more pieces.

use orderflow_client::ClientError;
use orderflow_contracts::{
    api::inventory::{CreateProduct, EditProduct, Product},
    money::{Currency, Money},
};

use crate::{
    seller::effects::{Before, Change, NotChanged, why as why_of},
    text,
    widgets::{
        Field,
        form::{Check, Form},
    },
};

/// Longest name, in characters; the service says the same.
const NAME_MAX: usize = 200;
/// Highest price, in minor units.
const PRICE_MINOR_MAX: i64 = 100_000_000;
/// Most pieces of a product.
const STOCK_MAX: u32 = 1_000_000;

const NAME: usize = 0;
const PRICE: usize = 1;
const STOCK: usize = 2;
/// The one field of the form for more pieces.
const QUANTITY: usize = 0;

/// What the form is for.
enum Kind {
    Add,
    /// Of the product as it was when the form was opened, or as it was shown since.
    Edit(Box<Product>),
    Restock(Box<Product>),
}

/// A form of a product that is open.
pub struct ProductForm {
    kind: Kind,
    /// Its fields.
    pub form: Form,
    /// What was sent, and the key of a try whose outcome is not known.
    sent: Option<(Change, Option<String>)>,
}

impl ProductForm {
    /// For a new product.
    pub fn add() -> Self {
        let form = name_and_price(Form::new("New product"), Field::default(), Field::default());
        let form = form.with("stock", "how many are in the house", Field::default().at_most(7), check_stock);
        Self { kind: Kind::Add, form, sent: None }
    }

    /// For another name or price.
    pub fn edit(product: &Product) -> Self {
        let title = format!("Edit {}", text::cut(&text::plain(&product.name), 40));
        let (name, price) = (Field::with(&product.name), Field::with(&product.price.to_string()));
        Self {
            kind: Kind::Edit(Box::new(product.clone())),
            form: name_and_price(Form::new(title), name, price),
            sent: None,
        }
    }

    /// For more pieces.
    pub fn restock(product: &Product) -> Self {
        let title = format!("Restock {}", text::cut(&text::plain(&product.name), 40));
        let check: Check = check_quantity;
        let form = Form::new(title).with("pieces", "how many have arrived", Field::default().at_most(7), check);
        Self { kind: Kind::Restock(Box::new(product.clone())), form, sent: None }
    }

    /// What is to be sent, now that the form is whole, with the key of the try before if that is asked again; nothing if
    /// there is nothing to change.
    pub fn send(&mut self) -> Option<(Change, Option<String>)> {
        if let Some((change, key @ Some(_))) = &self.sent {
            return Some((change.clone(), key.clone()));
        }
        let change = self.change()?;
        self.sent = Some((change.clone(), None));
        Some((change, None))
    }

    fn change(&self) -> Option<Change> {
        let text = |row| self.form.text(row);
        Some(match &self.kind {
            Kind::Add => {
                let (price, stock) = (read_price(&text(PRICE)).ok()?, read_count(&text(STOCK)).ok()?);
                Change::Add(CreateProduct { name: text(NAME), price, stock })
            }
            Kind::Edit(base) => {
                let name = Some(text(NAME)).filter(|name| *name != text::plain(&base.name));
                let price = read_price(&text(PRICE)).ok().filter(|price| *price != base.price);
                if name.is_none() && price.is_none() {
                    return None;
                }
                let edit = EditProduct { name, price, expected_version: Some(base.version) };
                Change::Edit(base.id, edit, Box::new(Before::of(base)))
            }
            Kind::Restock(base) => Change::Restock(base.id, read_count(&text(QUANTITY)).ok()?),
        })
    }

    /// Whether this is what the form has sent.
    pub fn has_sent(&self, change: &Change) -> bool {
        self.form.is_sending() && self.sent.as_ref().is_some_and(|(sent, _)| sent == change)
    }

    /// Whether what came of the last try is not known.
    pub const fn is_unknown(&self) -> bool {
        matches!(self.sent, Some((_, Some(_))))
    }

    /// The service says no, or nothing.
    pub fn not_changed(&mut self, key: String, why: NotChanged) {
        match why {
            NotChanged::Conflict(now) => {
                self.sent = None;
                self.conflict(*now);
            }
            NotChanged::Error(error) if error.is_outcome_unknown() => {
                self.sent = self.sent.take().map(|(change, _)| (change, Some(key)));
                self.form.unknown(format!(
                    "not known whether it was saved: {}. enter asks again, and nothing is done twice",
                    why_of(&error)
                ));
            }
            NotChanged::Error(error) => {
                self.sent = None;
                match self.field_of(&error) {
                    Some(row) => self.form.refuse(row, error.to_string()),
                    None => self.form.refuse_all(error.to_string()),
                }
            }
        }
    }

    /// Which field the service's words are about: they begin with its name.
    fn field_of(&self, error: &ClientError) -> Option<usize> {
        let ClientError::Problem(problem) = error else { return None };
        let begins = |word: &str| problem.detail.starts_with(word);
        match self.kind {
            Kind::Add | Kind::Edit(_) if begins("name") => Some(NAME),
            Kind::Add | Kind::Edit(_) if begins("price") => Some(PRICE),
            Kind::Add if begins("there are at most") => Some(STOCK),
            Kind::Restock(_) if begins("quantity") || begins("there are at most") => Some(QUANTITY),
            _ => None,
        }
    }

    /// Somebody was quicker: what they have changed is shown, what is written here stays.
    fn conflict(&mut self, now: Product) {
        let Kind::Edit(base) = &mut self.kind else { return };
        let mut changed = Vec::new();
        if now.name != base.name {
            changed.push(format!("the name is “{}” now", text::plain(&now.name)));
            // A field in which nobody has written shows what is true.
            if self.form.text(NAME) == base.name {
                self.form.set(NAME, &now.name);
            }
        }
        if now.price != base.price {
            changed.push(format!("the price is {} now", now.price));
            if self.form.text(PRICE) == base.price.to_string() {
                self.form.set(PRICE, &now.price.to_string());
            }
        }
        let what = if changed.is_empty() { "it was changed and changed back".to_owned() } else { changed.join(", ") };
        self.form.warn(format!("changed meanwhile: {what}. enter saves yours, esc leaves theirs"));
        **base = now;
    }
}

fn name_and_price(form: Form, name: Field, price: Field) -> Form {
    form.with("name", "what it is called", name.at_most(NAME_MAX), check_name).with(
        "price",
        "29.99 or 29.99 EUR",
        price.at_most(20),
        check_price,
    )
}

fn check_name(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("a product has a name".into()) } else { Ok(String::new()) }
}

fn check_price(text: &str) -> Result<String, String> {
    read_price(text).map(|price| price.to_string())
}

/// `29.99`, `29.99 USD` or `29.99 eur`.
fn read_price(text: &str) -> Result<Money, String> {
    let (amount, currency) = text.split_once(' ').unwrap_or((text, "USD"));
    let currency: Currency = currency.trim().to_uppercase().parse().map_err(|_| "the currency is USD or EUR")?;
    let (whole, cents) = amount.split_once('.').unwrap_or((amount, "00"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(cents) {
        return Err("written as 29.99 or 29.99 EUR".into());
    }
    if cents.len() > 2 {
        return Err("at most two decimals".into());
    }
    let most = Money::new(PRICE_MINOR_MAX, currency);
    let minor = format!("{whole}{cents:0<2}").parse::<i64>().ok().filter(|minor| *minor <= PRICE_MINOR_MAX);
    match minor {
        Some(0) => Err("it costs more than nothing".into()),
        Some(minor) => Ok(Money::new(minor, currency)),
        None => Err(format!("at most {most}")),
    }
}

fn read_count(text: &str) -> Result<u32, String> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let count = text.parse().ok().filter(|count| is_number && *count <= STOCK_MAX);
    count.ok_or_else(
        || if is_number { format!("at most {STOCK_MAX} pieces") } else { "a whole number is wanted".into() },
    )
}

fn check_stock(text: &str) -> Result<String, String> {
    read_count(text).map(|_| String::new())
}

fn check_quantity(text: &str) -> Result<String, String> {
    match read_count(text)? {
        0 => Err("at least one".into()),
        _ => Ok(String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_exact() {
        for (text, price) in [
            ("29.99", "29.99 USD"),
            ("7", "7.00 USD"),
            ("0.1 eur", "0.10 EUR"),
            ("007.50  USD", "7.50 USD"),
            ("1000000", "1000000.00 USD"),
        ] {
            assert_eq!(check_price(text), Ok(price.into()));
        }
        for text in ["", ".5", "5.", "-1", "+1", "1e3", "1,50", "29.999", "0", "0.00", "5 CHF", "1000000.01", "٣", "$5"]
        {
            assert!(check_price(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn counts_are_whole() {
        assert!(check_stock("0").is_ok() && check_quantity("0").is_err() && check_stock("1000000").is_ok());
        for text in ["", "-1", "+1", "1.5", "1000001", "99999999999"] {
            assert!(check_stock(text).is_err(), "{text:?}");
        }
    }
}
