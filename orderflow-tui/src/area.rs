//! What every part of a desk can do: the three roles' screens and the timeline.

use orderflow_contracts::{
    api::console::EventRecord,
    ids::{OrderId, ProductId},
};
use ratatui::{
    Frame,
    layout::{Position, Rect},
};

use crate::{
    cx::{Cx, Show},
    input::{Edit, Wheel},
    keys::{self, Action, Scope},
};

/// A part of a desk. Nothing in it waits: what does is an effect.
pub trait Area {
    /// Where keys are looked up, the innermost first; what works everywhere comes after these by itself.
    fn scopes(&self) -> Vec<Scope>;

    /// Whether letters go into a field.
    fn takes_text(&self) -> bool {
        false
    }

    /// Somebody has just come to work here.
    fn begin(&mut self, cx: &mut Cx<'_>) {
        let _ = cx;
    }

    /// A key was pressed, or a command chosen. Whether it meant anything here.
    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> bool;

    /// Somebody writes in a field.
    fn edit(&mut self, edit: Edit, cx: &mut Cx<'_>) {
        let _ = (edit, cx);
    }

    /// An event has come; the books have it already.
    fn hear(&mut self, record: &EventRecord, cx: &mut Cx<'_>) {
        let _ = (record, cx);
    }

    /// The books have changed: something was read.
    fn books_changed(&mut self, cx: &mut Cx<'_>) {
        let _ = cx;
    }

    /// A question about an order is open, and something was heard or read: it is asked as it would be now, or what has
    /// made an end of it is told.
    fn ask_anew(&mut self, id: OrderId, cx: &mut Cx<'_>) {
        let _ = (id, cx);
    }

    /// Whether something on the screen goes on by itself, as a countdown: then [`Area::tick`] is called and the screen
    /// drawn every second. Nothing is drawn while nothing happens otherwise.
    fn ticks(&self, show: &Show<'_>) -> bool {
        let _ = show;
        false
    }

    /// Whether a service was asked for something that a person waits for, and has not answered. Beside what the books
    /// read.
    fn waits(&self) -> bool {
        false
    }

    /// A second has passed.
    fn tick(&mut self, cx: &mut Cx<'_>) {
        let _ = cx;
    }

    /// The screens one can move between, by their titles.
    fn screens(&self) -> &'static [&'static str] {
        &[]
    }

    /// Which of them is shown.
    fn screen(&self) -> usize {
        0
    }

    /// Shows another one.
    fn go(&mut self, screen: usize, cx: &mut Cx<'_>) {
        let _ = (screen, cx);
    }

    /// Chooses something on the screen that is shown, past any filter or search that hides it.
    fn choose(&mut self, what: Choice, cx: &mut Cx<'_>) {
        let _ = (what, cx);
    }

    /// Somebody clicked.
    fn click(&mut self, at: Position, cx: &mut Cx<'_>) {
        let _ = (at, cx);
    }

    /// Somebody turned the wheel.
    fn wheel(&mut self, at: Position, wheel: Wheel, cx: &mut Cx<'_>) {
        let _ = at;
        let action = if wheel == Wheel::Up { keys::UP } else { keys::DOWN };
        for _ in 0..WHEEL_ROWS {
            self.act(action, cx);
        }
    }

    /// Draws itself. Only what can be seen is made.
    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>);
}

/// Something in a list, whether or not it is there yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// An order.
    Order(OrderId),
    /// A product.
    Product(ProductId),
}

/// Rows that a turn of the wheel moves.
const WHEEL_ROWS: usize = 3;
