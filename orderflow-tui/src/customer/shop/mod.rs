//! The shop: the catalogue, searched, filtered and sorted here as one types.
//!
//! A customer hears only of their own orders, so stock that others move is not heard of. What somebody settles on is
//! looked at again; everything else says as of when it is.

mod draw;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use orderflow_client::ClientError;
use orderflow_contracts::{api::inventory::Product, ids::ProductId, timestamp::Timestamp};
use ratatui::layout::Position;

use super::{Cart, effects::Do, keys as our, rows::Rows};
use crate::{
    books::{Books, Part, ReadNo},
    cx::Cx,
    input::Edit,
    keys::{self, Action},
    msg::Effect,
    widgets::Search,
};

/// What was looked at so short a time ago is not looked at again by itself, in milliseconds.
const FRESH_MS: i64 = 5_000;

/// In which order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Sort {
    #[default]
    Newest,
    Name,
    Price,
    Available,
}

impl Sort {
    const fn next(self) -> Self {
        match self {
            Self::Newest => Self::Name,
            Self::Name => Self::Price,
            Self::Price => Self::Available,
            Self::Available => Self::Newest,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Newest => "newest first",
            Self::Name => "by name",
            Self::Price => "cheapest first",
            Self::Available => "most available first",
        }
    }
}

/// What the rows are made of.
type Of = (u64, String, bool, Sort);

/// The catalogue.
#[derive(Default)]
pub struct Shop {
    search: Search,
    in_stock: bool,
    sort: Sort,
    rows: Rows<Of, ProductId>,
    /// When single products were looked at, by our clock.
    looked_at: BTreeMap<ProductId, Timestamp>,
    /// Somebody is being waited for to settle; on what they were then.
    resting_on: Option<ProductId>,
    /// What is being looked at, since when, and by which read: what comes is as of then, or newer.
    looking_at: Option<(ProductId, Timestamp, ReadNo)>,
}

impl Shop {
    /// Makes the rows, unless they are as they have to be.
    fn sync(&mut self, books: &Books) {
        let of = (books.products.version(), self.search.needle().to_owned(), self.in_stock, self.sort);
        let (query, in_stock, sort) = (of.1.clone(), self.in_stock, self.sort);
        self.rows.sync(of, || {
            let wanted = |product: &&Product| {
                product.name.to_lowercase().contains(&query) && (!in_stock || product.available > 0)
            };
            let mut found: Vec<&Product> = books.products.iter().filter(wanted).collect();
            // Ids are the last word, so that what is alike does not change places.
            match sort {
                Sort::Newest => found.sort_by_key(|product| (std::cmp::Reverse(product.created_at), product.id)),
                Sort::Name => found.sort_by_cached_key(|product| (product.name.to_lowercase(), product.id)),
                Sort::Price => found.sort_by_key(|product| (product.price.currency, product.price.minor, product.id)),
                Sort::Available => found.sort_by_key(|product| (std::cmp::Reverse(product.available), product.id)),
            }
            found.into_iter().map(|product| product.id).collect()
        });
    }

    fn chosen<'a>(&mut self, books: &'a Books) -> Option<&'a Product> {
        self.sync(books);
        self.rows.chosen().and_then(|id| books.products.get(id))
    }

    /// Whether letters go into the field.
    pub const fn is_typing(&self) -> bool {
        self.search.is_open()
    }

    /// As of when what is shown of a product is, by our clock.
    fn as_of(&self, id: ProductId, books: &Books) -> Option<Timestamp> {
        let list = match &books.products_part {
            Part::Read { at, .. } => Some(*at),
            Part::Failed { read_at, .. } => *read_at,
            Part::Loading => None,
        };
        list.max(self.looked_at.get(&id).copied())
    }

    /// Somebody looks here, or at another row: once they have settled it is looked at again.
    pub fn seen(&mut self, cx: &mut Cx<'_>) {
        let Some(id) = self.chosen(cx.books).map(|product| product.id) else { return };
        let now = cx.wall();
        let is_fresh = self.as_of(id, cx.books).is_some_and(|at| now.0.saturating_sub(at.0) < FRESH_MS);
        if self.resting_on.is_some() || self.is_looking_at(id) || is_fresh {
            return;
        }
        self.resting_on = Some(id);
        cx.run(Effect::Customer(Do::Rest));
    }

    /// It was waited: whoever is still there has settled; whoever is not is waited for again.
    pub fn rested(&mut self, cx: &mut Cx<'_>) {
        let was = self.resting_on.take();
        let is = self.chosen(cx.books).map(|product| product.id);
        match is {
            Some(id) if was == is => self.look(id, cx),
            _ => self.seen(cx),
        }
    }

    /// Looks at a product again, at once.
    pub fn look(&mut self, id: ProductId, cx: &mut Cx<'_>) {
        if self.is_looking_at(id) {
            return;
        }
        self.looking_at = Some((id, cx.wall(), cx.books.products.begin()));
        cx.run(Effect::Customer(Do::Look(id)));
    }

    /// A product was looked at.
    pub fn looked(&mut self, id: ProductId, outcome: Result<Box<Product>, ClientError>, cx: &mut Cx<'_>) {
        let Some((_, since, by)) = self.looking_at.take_if(|(looking, ..)| *looking == id) else { return };
        // What could not be read stays as old as it says.
        if let Ok(product) = outcome {
            self.looked_at.insert(id, since);
            cx.books.products.put(by, *product);
        }
    }

    fn is_looking_at(&self, id: ProductId) -> bool {
        self.looking_at.is_some_and(|(looking, ..)| looking == id)
    }

    /// The catalogue was read, or a part of it.
    pub fn books_changed(&mut self, books: &Books) {
        self.looked_at.retain(|id, _| books.products.get(*id).is_some());
    }

    /// A key was pressed. Whether it meant anything here.
    pub fn act(&mut self, action: Action, cart: &mut Cart, cx: &mut Cx<'_>) -> bool {
        self.sync(cx.books);
        if let Some(changed) = self.search.act(action) {
            if changed {
                self.rows.anew();
            }
            self.seen(cx);
            return true;
        }
        let chosen = self.rows.chosen().and_then(|id| cx.books.products.get(id)).cloned();
        match action {
            our::ADD => {
                if let Some(product) = chosen {
                    cart.add(&product, cx);
                    self.look(product.id, cx);
                }
            }
            our::LESS => {
                if let Some(product) = chosen {
                    cart.less(product.id);
                }
            }
            our::UNDO => cart.undo(cx),
            keys::FILTER => {
                self.in_stock = !self.in_stock;
                self.rows.anew();
            }
            keys::SORT => {
                self.sort = self.sort.next();
                self.rows.choose_first();
            }
            keys::COPY => {
                if let Some(product) = chosen {
                    cx.copy(product.id.to_string());
                }
            }
            action if self.rows.act(action) => {}
            _ => return false,
        }
        self.seen(cx);
        true
    }

    /// Chooses a product; one that is hidden is shown.
    pub fn choose(&mut self, id: ProductId, cx: &mut Cx<'_>) {
        self.search.clear();
        self.in_stock = false;
        self.rows.choose(id);
        self.seen(cx);
    }

    /// Somebody types.
    pub fn edit(&mut self, edit: &Edit, cx: &mut Cx<'_>) {
        if self.search.edit(edit) {
            self.rows.choose_first();
        }
        self.seen(cx);
    }

    /// Somebody clicked; twice at the same row puts it into the cart.
    pub fn click(&mut self, at: Position, cart: &mut Cart, cx: &mut Cx<'_>) {
        if self.rows.click(at, cx.now) {
            self.act(our::ADD, cart, cx);
        }
        self.seen(cx);
    }
}

/// What time it is by our clock.
pub fn wall(cx: &Cx<'_>) -> Timestamp {
    Timestamp(cx.now.0.saturating_sub(cx.books.clock_ahead_ms))
}
