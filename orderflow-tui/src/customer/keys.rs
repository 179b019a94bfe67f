//! What keys do at the customer's desk.

use crate::keys::{self, Action, Binding, Scope};

/// The catalogue.
pub const SHOP: Scope = Scope("shop");
/// What one wants to order.
pub const CART: Scope = Scope("cart");
/// One's orders.
pub const ORDERS: Scope = Scope("my orders");
/// The form that pays.
pub const PAY_FORM: Scope = Scope("payment form");
/// Choosing a test card for it.
pub const TEST_CARDS: Scope = Scope("test cards");
/// A payment that is under way.
pub const PAYMENT: Scope = Scope("payment");
/// A payment that was made.
pub const PAID: Scope = Scope("paid");
/// A payment that came to nothing.
pub const NOT_PAID: Scope = Scope("not paid");
/// A receipt.
pub const RECEIPT: Scope = Scope("receipt");

/// One more into the cart.
pub const ADD: Action = Action("customer.add");
/// One less of it.
pub const LESS: Action = Action("customer.less");
/// Takes a line out of the cart.
pub const REMOVE: Action = Action("customer.remove");
/// Takes the last change of the cart back.
pub const UNDO: Action = Action("customer.undo");
/// Begins a new cart.
pub const EMPTY: Action = Action("customer.empty_cart");
/// Shows the cart.
pub const GO_CART: Action = Action("customer.cart");
/// Orders what is in the cart.
pub const PLACE: Action = Action("customer.place");
/// Opens the payment form.
pub const PAY: Action = Action("customer.pay");
/// Cancels an order.
pub const CANCEL: Action = Action("customer.cancel");
/// Shows the receipt.
pub const SHOW_RECEIPT: Action = Action("customer.receipt");
/// Asks again for what has no certain outcome.
pub const AGAIN: Action = Action("customer.ask_again");
/// Puts an order's things into the cart once more.
pub const REORDER: Action = Action("customer.reorder");
/// Offers the test cards.
pub const CHOOSE_TEST_CARD: Action = Action("customer.test_cards");

/// The keys of the customer's screens.
pub const BINDINGS: &[Binding] = &[
    Binding::new(SHOP, ADD, &["enter", "a", "+", "="], "add", "put one into the cart"),
    Binding::new(SHOP, LESS, &["-"], "", "take one out of the cart"),
    Binding::new(SHOP, GO_CART, &["c"], "cart", "look into the cart"),
    Binding::new(SHOP, keys::FILTER, &["f"], "in stock", "show only what is in stock, or everything"),
    Binding::new(SHOP, keys::SORT, &["s"], "sort", "sort by newest, name, price, most available"),
    Binding::new(SHOP, UNDO, &["u"], "", "take the last change of the cart back"),
    Binding::new(CART, PLACE, &["enter"], "order", "order what is in the cart"),
    Binding::new(CART, ADD, &["+", "=", "right"], "more", "one more of it"),
    Binding::new(CART, LESS, &["-", "left"], "less", "one less of it"),
    Binding::new(CART, REMOVE, &["d", "delete"], "remove", "take the line out"),
    Binding::new(CART, keys::UP, &["up", "k"], "", "one line up"),
    Binding::new(CART, keys::DOWN, &["down", "j"], "", "one line down"),
    Binding::new(CART, keys::COPY, &["y"], "", "copy the product's id"),
    Binding::new(CART, UNDO, &["u"], "undo", "take the last change back"),
    Binding::new(CART, EMPTY, &["n"], "", "begin a new cart"),
    Binding::new(ORDERS, keys::OPEN, &["enter"], "timeline", "open the order's timeline"),
    Binding::new(ORDERS, PAY, &["p"], "pay", "pay the order"),
    Binding::new(ORDERS, CANCEL, &["x"], "cancel", "cancel the order"),
    Binding::new(ORDERS, SHOW_RECEIPT, &["v"], "receipt", "show the receipt"),
    Binding::new(ORDERS, keys::FILTER, &["f"], "filter", "show all orders, those under way, to pay, done, cancelled"),
    Binding::new(ORDERS, AGAIN, &["r"], "", "ask again where the outcome is not known; nothing is done twice"),
    Binding::new(ORDERS, REORDER, &["o"], "", "put the same things into the cart again"),
    Binding::new(PAY_FORM, keys::SUBMIT, &["enter"], "pay", "pay; from a field above, go on to the next"),
    Binding::new(PAY_FORM, keys::NEXT_FIELD, &["tab", "down"], "next field", "the next field"),
    Binding::new(PAY_FORM, keys::PREVIOUS_FIELD, &["shift-tab", "up"], "", "the field before"),
    Binding::new(
        PAY_FORM,
        CHOOSE_TEST_CARD,
        &["ctrl-t"],
        "test cards",
        "offer the cards that the provider has for tests",
    ),
    Binding::new(PAY_FORM, keys::BACK, &["esc"], "close", "close; nothing is paid"),
    Binding::new(TEST_CARDS, keys::OPEN, &["enter"], "take it", "write this card into the form"),
    Binding::new(TEST_CARDS, keys::UP, &["up", "k"], "", "one card up"),
    Binding::new(TEST_CARDS, keys::DOWN, &["down", "j"], "", "one card down"),
    Binding::new(TEST_CARDS, keys::BACK, &["esc", "ctrl-t"], "back", "back to the form"),
    Binding::new(PAYMENT, AGAIN, &["r"], "ask again", "ask again with the same key; nothing is paid twice"),
    Binding::new(PAYMENT, keys::BACK, &["esc"], "close", "close; the payment goes on"),
    Binding::new(PAID, SHOW_RECEIPT, &["v"], "receipt", "show the receipt"),
    Binding::new(PAID, keys::BACK, &["esc", "enter"], "close", "close"),
    Binding::new(NOT_PAID, REORDER, &["o"], "order again", "put the same things into the cart again"),
    Binding::new(NOT_PAID, keys::BACK, &["esc", "enter"], "close", "close"),
    Binding::new(RECEIPT, keys::UP, &["up", "k"], "", "one line up"),
    Binding::new(RECEIPT, keys::DOWN, &["down", "j"], "", "one line down"),
    Binding::new(RECEIPT, keys::COPY, &["y"], "copy", "copy the order's id"),
    Binding::new(RECEIPT, keys::BACK, &["esc", "enter", "v"], "close", "close the receipt"),
];
