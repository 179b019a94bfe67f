//! What comes to the console, and what it wants done: the two sides of its core.
//!
//! The core ([`crate::app`]) is a function of messages; whatever waits is an [`Effect`], carried out elsewhere
//! ([`crate::links`]), whose outcome comes back as a message.

use orderflow_contracts::api::console::Role;

use crate::{admin, books, chaos, customer, input::Input, lessons, live::Heard, login, seller, timeline};

/// What comes to the console.
pub enum Msg {
    /// From the person.
    Input(Input),
    /// From a desk's stream.
    Live(Role, Heard),
    /// Something was done.
    Done(Done),
    /// The terminal was closed, or a signal came: it is over.
    End,
}

/// What came of an effect.
pub enum Done {
    /// Of logging in at a desk, or starting a cluster.
    Login(Role, login::Done),
    /// Of reading for a desk's books.
    Books(Role, books::Done),
    /// Of the customer's doing.
    Customer(customer::Done),
    /// Of the seller's.
    Seller(seller::Done),
    /// Of the admin's.
    Admin(admin::Done),
    /// Of the chaos board's.
    Chaos(chaos::Done),
    /// Of a desk's timeline.
    Timeline(Role, timeline::Done),
    /// Of the lessons.
    Lessons(lessons::Done),
}

/// What the console wants done.
#[derive(Clone)]
pub enum Effect {
    /// Logs in at a desk, or starts a cluster.
    Login(Role, login::Do),
    /// Reads for a desk's books.
    Books(Role, books::Do),
    /// As the customer.
    Customer(customer::Do),
    /// As the seller.
    Seller(seller::Do),
    /// As the admin.
    Admin(admin::Do),
    /// For the chaos board.
    Chaos(chaos::Do),
    /// For a desk's timeline.
    Timeline(Role, timeline::Do),
    /// For the lessons.
    Lessons(lessons::Do),
    /// Ends a desk's session.
    Logout(Role),
    /// Puts text on the clipboard (OSC 52).
    Copy(String),
    /// Switches the mouse on or off.
    Mouse(bool),
    /// Remembers the layout and the theme.
    Save(crate::config::Remembered),
    /// Draws everything anew.
    Redraw,
    /// Stops the program in its shell.
    Suspend,
    /// Leaves.
    Quit,
}
