//! The seller's products and their stock, which moves before one's eyes.

mod draw;
mod form;

use std::collections::HashMap;

use orderflow_contracts::{
    api::inventory::{EditProduct, Product},
    ids::ProductId,
    timestamp::Timestamp,
};
use ratatui::layout::Position;

use self::form::ProductForm;
use super::{
    ADD, EDIT, RESTOCK, UNDO,
    effects::{self, Before, Change, Do, NotChanged},
};
use crate::{
    books::{Books, Part},
    cx::Cx,
    input::Edit,
    keys::{self, Action},
    msg::Effect,
    text,
    widgets::{Pick, Search, form::Event, search},
};

/// So long it is seen that a product has moved.
const MOVED_MS: i64 = 5_000;
/// Edits that can be undone.
const UNDO_MAX: usize = 20;
/// With so many left or fewer, stock is low.
const LOW: u32 = 3;

/// In which order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Sort {
    #[default]
    Name,
    Least,
    Price,
    Newest,
}

/// What has just happened to a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Move {
    New,
    Edited,
    /// So many more, or fewer, can be had.
    Stock(i64),
}

/// An edit that can be undone: by another one, which expects the version that it has made.
struct Undo {
    id: ProductId,
    edit: EditProduct,
    /// The version that it was made of.
    of: i64,
    /// Of a try whose outcome is not known.
    key: Option<String>,
}

/// The screen of products.
pub struct Inventory {
    pick: Pick<ProductId>,
    pub(super) search: Search,
    sort: Sort,
    rows: Vec<ProductId>,
    /// The products as they were last seen, to know what has moved.
    seen: HashMap<ProductId, (u32, u32, i64)>,
    was_read: bool,
    moved: HashMap<ProductId, (Timestamp, Move)>,
    form: Option<ProductForm>,
    /// The last one is undone first.
    undo: Vec<Undo>,
    /// An undo is on its way.
    is_undoing: bool,
}

impl Default for Inventory {
    fn default() -> Self {
        Self {
            pick: Pick::firm(),
            search: Search::default(),
            sort: Sort::default(),
            rows: Vec::new(),
            seen: HashMap::new(),
            was_read: false,
            moved: HashMap::new(),
            form: None,
            undo: Vec::new(),
            is_undoing: false,
        }
    }
}

impl Inventory {
    /// Whether a form is open.
    pub const fn has_form(&self) -> bool {
        self.form.is_some()
    }

    /// The rows, sorted and searched; the chosen product stays the chosen one. There are at most 2,000.
    fn refresh(&mut self, books: &Books) {
        let words = self.search.words();
        let found = |product: &&Product| {
            words.is_empty() || search::has_all(&format!("{} {}", product.name, product.id).to_lowercase(), &words)
        };
        let mut rows: Vec<&Product> = books.products.iter().filter(found).collect();
        match self.sort {
            Sort::Name => rows.sort_by_cached_key(|product| product.name.to_lowercase()),
            Sort::Least => rows.sort_by_key(|product| (product.available, product.id)),
            Sort::Price => rows.sort_by_key(|product| (product.price.currency, product.price.minor)),
            Sort::Newest => rows.sort_by_key(|product| (std::cmp::Reverse(product.created_at), product.id)),
        }
        self.rows = rows.into_iter().map(|product| product.id).collect();
        self.pick.settle(&self.rows);
    }

    fn product<'a>(&self, books: &'a Books) -> Option<&'a Product> {
        books.products.get(self.pick.chosen(&self.rows)?)
    }

    /// Compares the products with what they were: what has moved is marked for a few seconds.
    pub fn look(&mut self, books: &Books, now: Timestamp) {
        let was_read = std::mem::replace(&mut self.was_read, matches!(books.products_part, Part::Read { .. }));
        for product in books.products.iter() {
            let is = (product.on_hand, product.reserved, product.version);
            let was = self.seen.insert(product.id, is);
            let free = |(on_hand, reserved, _): (u32, u32, i64)| i64::from(on_hand) - i64::from(reserved);
            let moved = match was {
                None => Move::New,
                Some(was) if was == is => continue,
                Some(was) if free(was) != free(is) => Move::Stock(free(is) - free(was)),
                Some(was) if was.2 != is.2 => Move::Edited,
                // Reserved stock has left the house: nothing that can be had has moved.
                Some(_) => Move::Stock(0),
            };
            if was_read {
                self.moved.insert(product.id, (now, moved));
            }
        }
    }

    /// A second has passed.
    pub fn tick(&mut self, now: Timestamp) {
        self.moved.retain(|_, (at, _)| now.0.saturating_sub(at.0) < MOVED_MS);
    }

    /// Whether what a form has sent has no answer yet.
    pub fn waits(&self) -> bool {
        self.form.as_ref().is_some_and(|open| open.form.is_sending())
    }

    /// Whether something goes on by itself.
    pub fn ticks(&self) -> bool {
        !self.moved.is_empty()
    }

    /// A key. Whether it meant anything here.
    pub fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> bool {
        if self.form.is_some() {
            return self.act_in_form(action, cx);
        }
        self.refresh(cx.books);
        if self.search.act_over(action, &mut self.pick, &self.rows).is_some() {
            return true;
        }
        if self.pick.act(action, &self.rows) {
            return true;
        }
        let product = self.product(cx.books);
        match (action, product) {
            (ADD, _) => self.form = Some(ProductForm::add()),
            (EDIT | keys::OPEN, Some(product)) => self.form = Some(ProductForm::edit(product)),
            (RESTOCK, Some(product)) => self.form = Some(ProductForm::restock(product)),
            (EDIT | RESTOCK | keys::OPEN, None) => cx.note("no product is chosen; n adds one"),
            (UNDO, _) => self.undo(cx),
            (keys::SORT, _) => {
                self.sort = match self.sort {
                    Sort::Name => Sort::Least,
                    Sort::Least => Sort::Price,
                    Sort::Price => Sort::Newest,
                    Sort::Newest => Sort::Name,
                };
            }
            (keys::COPY, Some(product)) => cx.copy(product.id.to_string()),
            _ => return false,
        }
        true
    }

    fn act_in_form(&mut self, action: Action, cx: &mut Cx<'_>) -> bool {
        let Some(open) = &mut self.form else { return false };
        match open.form.act(action) {
            Event::Stayed => {}
            Event::Closed => {
                if open.is_unknown() {
                    cx.note("it may have been saved; the list shows it if it was");
                }
                self.form = None;
            }
            Event::Sent => match open.send() {
                Some((change, key)) => cx.run(Effect::Seller(Do::Change(change, key))),
                None => {
                    self.form = None;
                    cx.note("nothing was changed");
                }
            },
        }
        matches!(action, keys::BACK | keys::NEXT_FIELD | keys::PREVIOUS_FIELD | keys::SUBMIT)
    }

    /// The name and the price of before the last edit, as a new edit.
    fn undo(&mut self, cx: &mut Cx<'_>) {
        if self.is_undoing {
            return cx.note("one after the other: the undo before is still on its way");
        }
        let Some(Undo { id, edit, of, key }) = self.undo.pop() else {
            return cx.note("there is nothing to undo");
        };
        self.is_undoing = true;
        cx.run(Effect::Seller(Do::Change(Change::Undo(id, edit, of), key)));
    }

    /// An edit was saved, and can be undone from now on.
    fn edited(&mut self, product: &Product, edit: EditProduct, before: Before) {
        let back = EditProduct {
            name: edit.name.map(|_| before.name),
            price: edit.price.map(|_| before.price),
            expected_version: Some(product.version),
        };
        self.undo.push(Undo { id: product.id, edit: back, of: before.version, key: None });
        let spare = self.undo.len().saturating_sub(UNDO_MAX);
        self.undo.drain(..spare);
    }

    /// An edit was undone: it is as it was in version `of`, so what was edited to that can be undone from here.
    fn undone(&mut self, product: &Product, of: i64) {
        for below in self.undo.iter_mut().filter(|undo| undo.id == product.id) {
            let version = &mut below.edit.expected_version;
            *version = version.map(|expected| if expected == of { product.version } else { expected });
        }
    }

    /// An answer has come, or none.
    pub fn changed(&mut self, change: Change, key: String, answer: Result<Product, NotChanged>, cx: &mut Cx<'_>) {
        self.is_undoing &= !matches!(change, Change::Undo(..));
        let is_form = self.form.as_ref().is_some_and(|form| form.has_sent(&change));
        match answer {
            Ok(product) => {
                if is_form {
                    self.form = None;
                }
                self.was_changed(change, product, cx);
            }
            Err(why) => match &mut self.form {
                Some(form) if is_form => form.not_changed(key, why),
                _ => self.not_changed(change, key, why, cx),
            },
        }
    }

    fn was_changed(&mut self, change: Change, product: Product, cx: &mut Cx<'_>) {
        let name = text::plain(&product.name);
        match change {
            Change::Add(_) => cx.good(format!("added {name}")),
            Change::Restock(_, quantity) => {
                cx.good(format!("{quantity} more of {name}, {} available", product.available));
            }
            Change::Undo(_, _, of) => {
                cx.good(format!("undone: {name}, {}", product.price));
                self.undone(&product, of);
            }
            Change::Edit(_, edit, before) => {
                cx.good(format!("saved {name}, {}; u undoes it", product.price));
                self.edited(&product, edit, *before);
            }
        }
        self.pick.choose(product.id);
        cx.books.put_product(product);
        self.look(cx.books, cx.now);
        self.refresh(cx.books);
    }

    /// The form is closed, or there was none.
    fn not_changed(&mut self, change: Change, key: String, why: NotChanged, cx: &mut Cx<'_>) {
        let what = match &change {
            Change::Undo(..) => "undone",
            _ => "saved",
        };
        match why {
            NotChanged::Conflict(now) => {
                cx.bad(format!("not {what}: {} was changed again meanwhile", text::plain(&now.name)));
                cx.books.put_product(*now);
                self.look(cx.books, cx.now);
            }
            NotChanged::Error(error) if error.is_outcome_unknown() => match (change, effects::why(&error)) {
                (Change::Undo(id, edit, of), why) => {
                    cx.bad(format!("not known whether it is undone: {why}; u asks again"));
                    self.undo.push(Undo { id, edit, of, key: Some(key) });
                }
                (_, why) => cx.bad(format!("not known whether it is saved: {why}; the list shows it if it is")),
            },
            NotChanged::Error(error) => cx.bad(format!("not {what}: {error}")),
        }
    }

    /// Somebody writes, in the form or in the search.
    pub fn edit(&mut self, edit: &Edit) {
        match &mut self.form {
            Some(open) => open.form.edit(edit),
            None => {
                if self.search.edit(edit) {
                    self.pick.choose_first();
                }
            }
        }
    }

    /// Somebody clicked.
    pub fn click(&mut self, at: Position, cx: &mut Cx<'_>) {
        if self.form.is_none() && self.pick.click(at, &self.rows, cx.now) {
            self.act(EDIT, cx);
        }
    }
}
