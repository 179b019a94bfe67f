//! The cart: what one wants to order, all of one seller. Its last changes can be taken back.

mod draw;

use orderflow_contracts::{
    api::{inventory::Product, orders::CreateLine},
    events::OrderLine,
    ids::{AccountId, ProductId},
    money::{Currency, Money},
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    effects::{Agreed, Do},
    keys as our,
};
use crate::{
    books::Books,
    cx::Cx,
    keys::{self, Action},
    msg::Effect,
    overlay::Confirm,
    text,
    widgets::ListState,
};

/// Changes that can be taken back.
const CHANGES_MAX: usize = 50;
/// Most of one thing; the service takes no more either.
const QUANTITY_MAX: u32 = 10_000;
/// Most different things; the service takes no more either.
const LINES_MAX: usize = 50;

/// So many of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Which.
    pub id: ProductId,
    /// Whose it is; not known of what an old order had, until the catalogue says it.
    pub seller_id: AccountId,
    /// Its name when it was put in.
    pub name: String,
    /// Its price when it was put in.
    pub price: Money,
    /// How many.
    pub quantity: u32,
}

impl Line {
    /// One of a product.
    fn of(product: &Product) -> Self {
        let (id, seller_id, price) = (product.id, product.seller_id, product.price);
        Self { id, seller_id, name: product.name.clone(), price, quantity: 1 }
    }

    /// What an order had, once more.
    pub fn again(line: &OrderLine, seller_id: AccountId) -> Self {
        let (id, price, quantity) = (line.product_id, line.unit_price, line.quantity);
        Self { id, seller_id, name: line.name.clone(), price, quantity }
    }
}

/// What is wanted.
#[derive(Default)]
pub struct Cart {
    lines: Vec<Line>,
    /// As it was before each change.
    before: Vec<Vec<Line>>,
    /// Makes ordering it safe to repeat: one for what is in it now.
    key: Option<Uuid>,
    state: ListState,
}

impl Cart {
    /// What is in it.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// How many of a product are in it.
    pub fn count(&self, id: ProductId) -> u32 {
        self.lines.iter().find(|line| line.id == id).map_or(0, |line| line.quantity)
    }

    /// How many things are in it.
    pub fn pieces(&self) -> u64 {
        self.lines.iter().map(|line| u64::from(line.quantity)).sum()
    }

    /// What it costs, as far as is known here; nothing if it cannot be said.
    pub fn total(&self, books: &Books) -> Option<Money> {
        total(&self.lines, books)
    }

    /// What is to be said if its lines are in more than one currency: the service refuses such an order.
    pub fn mixed(&self, books: &Books) -> Option<String> {
        let mut counts: Vec<(Currency, usize)> = Vec::new();
        for line in &self.lines {
            let currency = price(line, books).currency;
            match counts.iter_mut().find(|(known, _)| *known == currency) {
                Some((_, count)) => *count += 1,
                None => counts.push((currency, 1)),
            }
        }
        // Most of it stays; if there is as much of each, what was put in first.
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let others: Vec<&str> = counts.iter().skip(1).map(|(currency, _)| currency.code()).collect();
        (!others.is_empty()).then(|| format!("an order has one currency: take out the lines in {}", others.join(", ")))
    }

    fn change(&mut self, change: impl FnOnce(&mut Vec<Line>)) -> bool {
        let before = self.lines.clone();
        change(&mut self.lines);
        if self.lines == before {
            return false;
        }
        self.key = None;
        self.before.push(before);
        if self.before.len() > CHANGES_MAX {
            self.before.remove(0);
        }
        true
    }

    /// Puts one more of a product in. Of another seller's nothing goes in: a new cart is offered.
    pub fn add(&mut self, product: &Product, cx: &mut Cx<'_>) {
        let name = text::plain(&product.name);
        if self.lines.first().is_some_and(|line| line.seller_id != product.seller_id) {
            let had = self.lines.len();
            let things = if had == 1 { "another seller's thing is".into() } else { format!("{had} things are") };
            let words = format!(
                "An order has one seller, and {things} in the cart. A new cart begins; u brings the old one back."
            );
            let yes = Effect::Customer(Do::Agree(Agreed::NewCart(product.id)));
            cx.confirm(Confirm::new("Begin a new cart?", words, yes).about(format!("The new one begins with {name}.")));
            return;
        }
        let has = self.count(product.id);
        if has == 0 && self.lines.len() >= LINES_MAX {
            return cx.note(format!("an order has at most {LINES_MAX} lines"));
        }
        self.change(|lines| match lines.iter_mut().find(|line| line.id == product.id) {
            Some(line) => line.quantity = (line.quantity + 1).min(QUANTITY_MAX),
            None => lines.push(Line::of(product)),
        });
        let now = self.count(product.id);
        if now > product.available {
            let left = product.available;
            cx.note(format!("{now}× {name} in the cart; only {left} are there now, and the seller may have to say no"));
        }
    }

    /// Begins anew with this.
    pub fn begin_with(&mut self, lines: Vec<Line>) {
        self.change(|all| *all = lines);
        self.state.choose(0);
    }

    /// Begins anew with a product.
    pub fn begin_with_product(&mut self, product: &Product) {
        self.begin_with(vec![Line::of(product)]);
    }

    /// One less of a product; the last one takes the line with it.
    pub fn less(&mut self, id: ProductId) {
        self.change(|lines| {
            if let Some(at) = lines.iter().position(|line| line.id == id) {
                lines[at].quantity -= 1;
                if lines[at].quantity == 0 {
                    lines.remove(at);
                }
            }
        });
    }

    /// Takes the last change back.
    pub fn undo(&mut self, cx: &mut Cx<'_>) {
        let Some(before) = self.before.pop() else {
            return cx.note("nothing to take back");
        };
        self.lines = before;
        self.key = None;
    }

    /// Gives everything away to be ordered, and the key that goes with it.
    pub fn take(&mut self) -> (Uuid, Vec<Line>) {
        let key = self.key.take().unwrap_or_else(Uuid::new_v4);
        // What was ordered cannot be taken back here: that is cancelling.
        self.before.clear();
        self.state.choose(0);
        (key, std::mem::take(&mut self.lines))
    }

    fn chosen(&self) -> Option<ProductId> {
        self.state.chosen(self.lines.len()).map(|at| self.lines[at].id)
    }

    /// A key was pressed. Whether it meant anything here. What orders it is not its own to do.
    pub fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> bool {
        match (action, self.chosen()) {
            (our::ADD, Some(id)) => {
                self.change(|lines| {
                    let line = lines.iter_mut().find(|line| line.id == id);
                    line.into_iter().for_each(|line| line.quantity = (line.quantity + 1).min(QUANTITY_MAX));
                });
            }
            (our::LESS, Some(id)) => self.less(id),
            (our::REMOVE, Some(id)) => {
                self.change(|lines| lines.retain(|line| line.id != id));
            }
            (our::EMPTY, Some(_)) => {
                self.begin_with(Vec::new());
                cx.note("the cart is empty; u brings it back");
            }
            (our::UNDO, _) => self.undo(cx),
            (keys::COPY, Some(id)) => cx.copy(id.to_string()),
            (our::ADD | our::LESS | our::REMOVE | our::EMPTY | keys::COPY, None) => {}
            (action, _) => return self.state.act(action, self.lines.len()),
        }
        true
    }

    /// Somebody clicked.
    pub fn click(&mut self, at: ratatui::layout::Position, now: Timestamp) {
        let _ = self.state.click(at, self.lines.len(), now);
    }
}

/// The price of the catalogue as it is known now.
fn price(line: &Line, books: &Books) -> Money {
    books.products.get(line.id).map_or(line.price, |product| product.price)
}

/// What lines cost by the prices of the catalogue as it is known now; nothing if they do not add up to one amount.
pub fn total(lines: &[Line], books: &Books) -> Option<Money> {
    let mut sum: Option<Money> = None;
    for line in lines {
        let amount = price(line, books).times(line.quantity).ok()?;
        sum = Some(match sum {
            Some(sum) => sum.plus(amount).ok()?,
            None => amount,
        });
    }
    sum
}

/// `2× Mug, Lamp`
pub fn things(lines: &[Line]) -> String {
    let one = |line: &Line| {
        let name = text::plain(&line.name);
        if line.quantity == 1 { name } else { format!("{}× {name}", line.quantity) }
    };
    lines.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// As the service wants them.
pub fn wanted(lines: &[Line]) -> Vec<CreateLine> {
    lines.iter().map(|line| CreateLine { product_id: line.id, quantity: line.quantity }).collect()
}
