//! The seller's screens: orders that come in, products, reservations, sales.

mod draw;
mod effects;
mod inventory;
mod orders;
mod reservations;
mod sales;
#[cfg(test)]
mod tests;
mod work;

use orderflow_contracts::{api::console::EventRecord, ids::OrderId};
use ratatui::{
    Frame,
    layout::{Position, Rect},
};

pub use self::effects::{Before, Change, Do, Done, NotChanged, Verb, carry_out};
use self::{inventory::Inventory, orders::Orders, reservations::Reservations, sales::Sales};
use crate::{
    area::{Area, Choice},
    cx::{Cx, Show},
    input::Edit,
    keys::{self, Action, Binding, Scope},
    widgets::search::{SEARCHING, Search},
};

/// Incoming orders.
pub const ORDERS: Scope = Scope("seller: orders");
/// Products and their stock.
pub const INVENTORY: Scope = Scope("seller: inventory");
/// Reservations.
pub const RESERVATIONS: Scope = Scope("seller: reservations");
/// Sales.
pub const SALES: Scope = Scope("seller: sales");

/// Confirms an order, or those that are marked.
pub const CONFIRM: Action = Action("seller.confirm");
/// Says that it was shipped.
pub const FULFIL: Action = Action("seller.fulfil");
/// Calls it off.
pub const CANCEL: Action = Action("seller.cancel");
/// Confirms all that wait.
pub const CONFIRM_ALL: Action = Action("seller.confirm_all");
/// Says of all that can be shipped that they were.
pub const FULFIL_ALL: Action = Action("seller.fulfil_all");
/// Marks all that are shown.
pub const MARK_ALL: Action = Action("seller.mark_all");
/// Asks again about what is not known.
pub const RETRY: Action = Action("seller.retry");
/// Takes the filter before.
pub const FILTER_BACK: Action = Action("seller.filter_back");
/// Adds a product.
pub const ADD: Action = Action("seller.add_product");
/// Changes a product.
pub const EDIT: Action = Action("seller.edit_product");
/// Adds to its stock.
pub const RESTOCK: Action = Action("seller.restock");
/// Takes the last edit back.
pub const UNDO: Action = Action("seller.undo");
/// Shows something else in the chart.
pub const CHART: Action = Action("seller.chart");
/// Shows the day before.
pub const PREVIOUS_DAY: Action = Action("seller.previous_day");
/// Shows the day after.
pub const NEXT_DAY: Action = Action("seller.next_day");
/// Shows today.
pub const TODAY: Action = Action("seller.today");

/// The keys of the seller's screens.
pub const BINDINGS: &[Binding] = &[
    Binding::new(ORDERS, CONFIRM, &["c"], "confirm", "confirm the order, or the marked ones"),
    Binding::new(ORDERS, FULFIL, &["f"], "fulfil", "ship the order, or the marked ones"),
    Binding::new(ORDERS, CANCEL, &["x"], "cancel", "cancel the order, or the marked ones"),
    Binding::new(ORDERS, keys::MARK, &["space"], "mark", "mark the order, for what is done to several"),
    Binding::new(ORDERS, keys::OPEN, &["enter"], "timeline", "open the order's timeline"),
    Binding::new(ORDERS, keys::FILTER, &["right", "l"], "", "show the orders of the next status"),
    Binding::new(ORDERS, FILTER_BACK, &["left", "h"], "", "show the orders of the status before"),
    Binding::new(ORDERS, CONFIRM_ALL, &["C"], "", "confirm all orders that wait for it"),
    Binding::new(ORDERS, FULFIL_ALL, &["F"], "", "ship all orders that are paid and allocated"),
    Binding::new(ORDERS, MARK_ALL, &["a"], "", "mark all orders that are shown, or none"),
    Binding::new(ORDERS, keys::SORT, &["s"], "", "those that wait for you first, or the newest first"),
    Binding::new(ORDERS, RETRY, &["r"], "", "ask again where an outcome is not known"),
    Binding::new(INVENTORY, ADD, &["n"], "new", "add a product"),
    Binding::new(INVENTORY, EDIT, &["e"], "edit", "change the product's name or price"),
    Binding::new(INVENTORY, RESTOCK, &["+"], "restock", "add to the product's stock"),
    Binding::new(INVENTORY, UNDO, &["u"], "undo", "take the last edit of a product back"),
    Binding::new(INVENTORY, keys::SORT, &["s"], "sort", "sort by name, stock, price or age"),
    Binding::new(INVENTORY, keys::OPEN, &["enter"], "", "change the product's name or price"),
    Binding::new(RESERVATIONS, keys::OPEN, &["enter"], "timeline", "open the order's timeline"),
    Binding::new(SALES, PREVIOUS_DAY, &["left", "h"], "day before", "show the day before"),
    Binding::new(SALES, NEXT_DAY, &["right", "l"], "day after", "show the day after"),
    Binding::new(SALES, TODAY, &["t"], "today", "show today"),
    Binding::new(SALES, CHART, &["m"], "orders or money", "show orders or money in the chart"),
];

/// Its screens.
pub const SCREENS: [&str; 4] = ["Orders", "Inventory", "Reservations", "Sales"];

/// Which screen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Screen {
    #[default]
    Orders,
    Inventory,
    Reservations,
    Sales,
}

/// The seller's screens.
#[derive(Default)]
pub struct Seller {
    screen: Screen,
    // Boxed, so that all roles' screens are of about one size.
    orders: Box<Orders>,
    inventory: Box<Inventory>,
    reservations: Box<Reservations>,
    sales: Box<Sales>,
}

impl Seller {
    /// Something was done.
    pub fn done(&mut self, done: Done, cx: &mut Cx<'_>) {
        match done {
            Done::Begin(verb, ids) => self.orders.begin(verb, &ids, cx),
            Done::Told { id, key, answer, .. } => self.orders.told(id, key, answer, cx),
            Done::Changed { change, key, answer } => self.inventory.changed(change, key, answer, cx),
        }
    }

    fn search(&self) -> Option<&Search> {
        match self.screen {
            Screen::Orders => Some(&self.orders.search),
            Screen::Inventory if !self.inventory.has_form() => Some(&self.inventory.search),
            Screen::Reservations => Some(&self.reservations.search),
            Screen::Inventory | Screen::Sales => None,
        }
    }
}

impl Area for Seller {
    fn scopes(&self) -> Vec<Scope> {
        if self.search().is_some_and(Search::is_open) {
            return vec![SEARCHING, keys::LIST];
        }
        match self.screen {
            Screen::Orders => vec![ORDERS, keys::LIST],
            Screen::Inventory if self.inventory.has_form() => vec![keys::FORM],
            Screen::Inventory => vec![INVENTORY, keys::LIST],
            Screen::Reservations => vec![RESERVATIONS, keys::LIST],
            Screen::Sales => vec![SALES],
        }
    }

    fn takes_text(&self) -> bool {
        let is_form = self.screen == Screen::Inventory && self.inventory.has_form();
        is_form || self.search().is_some_and(Search::is_open)
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> bool {
        match self.screen {
            Screen::Orders => self.orders.act(action, cx),
            Screen::Inventory => self.inventory.act(action, cx),
            Screen::Reservations => self.reservations.act(action, cx),
            Screen::Sales => self.sales.act(action),
        }
    }

    fn edit(&mut self, edit: Edit, _: &mut Cx<'_>) {
        match self.screen {
            Screen::Orders => self.orders.edit(&edit),
            Screen::Inventory => self.inventory.edit(&edit),
            Screen::Reservations => self.reservations.edit(&edit),
            Screen::Sales => {}
        }
    }

    fn hear(&mut self, record: &EventRecord, cx: &mut Cx<'_>) {
        self.orders.hear(record, cx);
        self.inventory.look(cx.books, cx.now);
    }

    fn ask_anew(&mut self, id: OrderId, cx: &mut Cx<'_>) {
        self.orders.ask_anew(id, cx);
    }

    fn books_changed(&mut self, cx: &mut Cx<'_>) {
        self.inventory.look(cx.books, cx.now);
    }

    fn ticks(&self, show: &Show<'_>) -> bool {
        self.inventory.ticks()
            || match self.screen {
                Screen::Orders => self.orders.ticks(show),
                Screen::Reservations => Reservations::ticks(show),
                Screen::Inventory | Screen::Sales => false,
            }
    }

    fn waits(&self) -> bool {
        self.orders.work.waits() || self.inventory.waits()
    }

    fn tick(&mut self, cx: &mut Cx<'_>) {
        self.inventory.tick(cx.now);
    }

    fn screens(&self) -> &'static [&'static str] {
        &SCREENS
    }

    fn screen(&self) -> usize {
        self.screen as usize
    }

    fn go(&mut self, screen: usize, _: &mut Cx<'_>) {
        self.screen = match screen {
            0 => Screen::Orders,
            1 => Screen::Inventory,
            2 => Screen::Reservations,
            _ => Screen::Sales,
        };
    }

    fn choose(&mut self, what: Choice, cx: &mut Cx<'_>) {
        if let (Screen::Orders, Choice::Order(id)) = (self.screen, what) {
            self.orders.choose(id, cx.books);
        }
    }

    fn click(&mut self, at: Position, cx: &mut Cx<'_>) {
        match self.screen {
            Screen::Orders => self.orders.click(at, cx),
            Screen::Inventory => self.inventory.click(at, cx),
            Screen::Reservations => self.reservations.click(at, cx),
            Screen::Sales => {}
        }
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        match self.screen {
            Screen::Orders => self.orders.draw(frame, area, show),
            Screen::Inventory => self.inventory.draw(frame, area, show),
            Screen::Reservations => self.reservations.draw(frame, area, show),
            Screen::Sales => self.sales.draw(frame, area, show),
        }
    }
}
