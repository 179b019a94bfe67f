//! Lesson 2.

use super::{CUSTOMER_ORDERS, Expect, Lesson, Piece, Step, Stock, TIMELINE, Until};

pub(super) static LESSON: Lesson = Lesson {
    name: "declined-card",
    title: "A declined card",
    learns: "compensation: taking steps back",
    piece: Piece { name: "Desk lamp", cents: 3900, stock: Stock::AtLeast(5) },
    lab: false,
    expects: Expect::Declined,
    steps: &[
        Step::ready(
            "A transaction that fails is rolled back: as if nothing had been. A saga cannot do that, since its earlier \
             steps are committed, and others may have seen them. What it can do is take them back by a new step. That is \
             called *compensation*. Here a card is declined when stock is held already.",
        ),
        Step::order("You are the customer again. Order a {product}, and remember how many there are."),
        Step::confirm(
            "The seller confirms",
            "Confirm it. Inventory will hold one {product} for you, and nobody else can have it. That is the step which \
             will have to be taken back.",
            Until::Heard(&["inventory.reserved", "payment.opened"]),
        ),
        Step::pay(
            "Pay with a bad card",
            "The piece is held: the seller's Inventory shows one fewer. Now pay with 4000 0000 0000 0002. The provider \
             declines it, always. A decline is an answer, not a fault: it is certain, so the saga can act on it at once.",
            "tok_chargeDeclined",
            Until::Heard(&["payment.failed", "order.cancelled", "inventory.released"]),
        ),
        Step {
            press: &[TIMELINE],
            ..Step::read(
                "It went back by itself",
                "payment.failed made orders cancel the order, and order.cancelled made inventory give the piece back: \
                 inventory.released. That is the compensation, marked ↺ in the timeline. Nobody cleaned up by hand, and \
                 the history is still there: taken back is not the same as never happened.",
            )
            .at(CUSTOMER_ORDERS)
        },
        Step::check("The order must be CANCELLED for that reason, nothing paid, and the stock as it was before."),
    ],
    end: "A saga does not roll back, it compensates: each step has another one that takes it back.",
};
