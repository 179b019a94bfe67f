//! The customer's desk: the shop, the cart, one's orders, and paying them.
//!
//! ```text
//!   Shop ──a──▶ Cart ──enter──▶ Orders: placing … ──▶ PENDING … ──▶ p: the payment form ──▶ v: the receipt
//! ```

mod across;
mod cart;
mod draw;
mod effects;
mod kept;
pub mod keys;
mod orders;
mod pay;
mod rows;
mod shop;
#[cfg(test)]
pub(crate) mod tests;
mod words;

use orderflow_contracts::{api::console::EventRecord, ids::OrderId};
use ratatui::{
    Frame,
    layout::{Position, Rect},
};
use zeroize::Zeroize as _;

use self::{
    cart::Cart,
    orders::{Orders, Receipt, Row},
    pay::Payments,
    shop::Shop,
};
pub use self::{
    effects::{Agreed, Do, Done, carry_out},
    kept::Store,
    keys::BINDINGS,
};
use crate::{
    area::{Area, Choice},
    cx::{Cx, Show},
    input::Edit,
    keys::{self as all_keys, Action, Scope},
    msg::Effect,
    widgets::search::SEARCHING,
};

/// Its screens.
pub const SCREENS: &[&str] = &["Shop", "Cart", "Orders"];
const SHOP: usize = 0;
const CART: usize = 1;
const ORDERS: usize = 2;

/// The customer's screens.
#[derive(Default)]
pub struct Customer {
    screen: usize,
    shop: Shop,
    cart: Cart,
    orders: Orders,
    pay: Payments,
    receipt: Option<Receipt>,
}

impl Area for Customer {
    fn scopes(&self) -> Vec<Scope> {
        if self.pay.open().is_some() {
            return self.pay.scopes();
        }
        match (&self.receipt, self.screen) {
            (Some(_), _) => vec![keys::RECEIPT],
            (None, SHOP) if self.shop.is_typing() => vec![SEARCHING, all_keys::LIST],
            (None, ORDERS) if self.orders.is_typing() => vec![SEARCHING, all_keys::LIST],
            (None, SHOP) => vec![keys::SHOP, all_keys::LIST],
            (None, CART) => vec![keys::CART],
            (None, _) => vec![keys::ORDERS, all_keys::LIST],
        }
    }

    fn takes_text(&self) -> bool {
        if self.pay.open().is_some() {
            return self.pay.takes_text();
        }
        let is_typing = match self.screen {
            SHOP => self.shop.is_typing(),
            ORDERS => self.orders.is_typing(),
            _ => false,
        };
        self.receipt.is_none() && is_typing
    }

    fn begin(&mut self, cx: &mut Cx<'_>) {
        cx.run(Effect::Customer(Do::Recall(cx.wall())));
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> bool {
        if self.pay.open().is_some() {
            return self.act_on_payment(action, cx);
        }
        if self.receipt.is_some() {
            return self.act_on_receipt(action, cx);
        }
        match self.screen {
            SHOP if action == keys::GO_CART => self.go(CART, cx),
            SHOP => return self.shop.act(action, &mut self.cart, cx),
            CART if action == keys::PLACE => self.place(cx),
            CART => return self.cart.act(action, cx),
            _ => return self.act_on_orders(action, cx) || self.orders.act(action, cx),
        }
        true
    }

    fn edit(&mut self, mut edit: Edit, cx: &mut Cx<'_>) {
        match self.screen {
            _ if self.pay.open().is_some() => {
                self.pay.edit(&edit);
                // It may be a card.
                if let Edit::Paste(text) = &mut edit {
                    text.zeroize();
                }
            }
            SHOP => self.shop.edit(&edit, cx),
            ORDERS => self.orders.edit(&edit),
            _ => {}
        }
    }

    fn hear(&mut self, record: &EventRecord, cx: &mut Cx<'_>) {
        self.heard(record, cx);
    }

    fn books_changed(&mut self, cx: &mut Cx<'_>) {
        self.shop.books_changed(cx.books);
        self.pay.books_changed(cx);
        if let Some(receipt) = &mut self.receipt {
            receipt.books_changed(&cx.books.payments_part);
        }
    }

    fn ask_anew(&mut self, id: OrderId, cx: &mut Cx<'_>) {
        self.ask_cancel(id, cx);
    }

    fn ticks(&self, show: &Show<'_>) -> bool {
        if self.pay.open().is_some() {
            return self.pay.ticks(show.books, show.now);
        }
        self.screen == ORDERS && self.orders.ticks(show.now)
    }

    fn waits(&self) -> bool {
        self.orders.open.waits() || self.pay.waits()
    }

    fn tick(&mut self, cx: &mut Cx<'_>) {
        self.pay.tick(cx);
    }

    fn screens(&self) -> &'static [&'static str] {
        SCREENS
    }

    fn screen(&self) -> usize {
        self.screen
    }

    fn go(&mut self, screen: usize, cx: &mut Cx<'_>) {
        self.pay.close();
        self.receipt = None;
        self.screen = screen.min(SCREENS.len() - 1);
        match self.screen {
            SHOP => self.shop.seen(cx),
            // What one is about to order is worth a look each; it is a few at most.
            CART => self.look_at_cart(cx),
            _ => {}
        }
    }

    fn choose(&mut self, what: Choice, cx: &mut Cx<'_>) {
        match (self.screen, what) {
            (SHOP, Choice::Product(id)) => self.shop.choose(id, cx),
            (ORDERS, Choice::Order(id)) => self.orders.choose(Row::Order(id)),
            _ => {}
        }
    }

    fn click(&mut self, at: Position, cx: &mut Cx<'_>) {
        if self.pay.open().is_some() || self.receipt.is_some() {
            return;
        }
        match self.screen {
            SHOP => self.shop.click(at, &mut self.cart, cx),
            CART => self.cart.click(at, cx.now),
            _ => self.orders.click(at, cx),
        }
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        match self.screen {
            SHOP => self.shop.draw(frame, area, &self.cart, show),
            CART => self.cart.draw(frame, area, show),
            _ => self.orders.draw(frame, area, &self.pay, show),
        }
        if let Some(receipt) = &mut self.receipt {
            receipt.draw(frame, area, show);
        }
        self.pay.draw(frame, area, show);
    }
}
