//! Lesson 1.

use super::{Expect, FULFIL, Help, Lesson, Piece, SELLER_ORDERS, Step, Stock, TIMELINE, Until};

pub(super) static LESSON: Lesson = Lesson {
    name: "first-order",
    title: "Your first order",
    learns: "a saga, walked from end to end",
    piece: Piece { name: "Copper kettle", cents: 2490, stock: Stock::AtLeast(5) },
    lab: false,
    expects: Expect::Sold,
    steps: &[
        Step::ready(
            "One order touches three services: orders, inventory and payments. Each has a database of its own, and no \
             transaction spans all three. So an order goes in small steps: each is a transaction in one place, and tells \
             the next one by an event. Such a chain is called a *saga*. You play everybody in it.",
        ),
        Step::order(
            "You are the customer. Put a {product} into the cart and place the order. The orders service writes it down \
             as PENDING and says so with an event, order.created. Nobody is called: whoever cares will read it.",
        ),
        Step::confirm(
            "The seller confirms",
            "The order is at the seller's desk already. Confirm it. Orders now asks for stock; inventory holds a piece \
             for half an hour, which is a *reservation*; and payments opens a payment. Three services, three small \
             transactions, and events in between.",
            Until::Heard(&["inventory.reserved", "order.confirmed", "payment.opened"]),
        ),
        Step::pay(
            "Pay",
            "Now it is the customer's turn again. Pay with the test card 4242 4242 4242 4242, any date to come and any \
             CVC. The number goes to the payment provider alone; our services only see a token that stands for it.",
            "tok_visa",
            Until::Heard(&["payment.succeeded", "order.paid", "inventory.allocated"]),
        ),
        Step {
            press: &[FULFIL],
            until: Until::Heard(&["order.fulfilled", "inventory.committed"]),
            help: Some(Help::Fulfil),
            ..Step::read(
                "Ship",
                "The order is PAID, and its piece is allocated: no time limit any more. Ship it as the seller, and the \
                 piece leaves the stock for good. That is the last step of the saga.",
            )
            .at(SELLER_ORDERS)
        },
        Step {
            press: &[TIMELINE],
            ..Step::read(
                "Look back",
                "Open the order's timeline and read it from the top. There is a lane for each service, and each event \
                 stands with the time it took. Nobody conducts this: each service reacts to what it hears. That style of \
                 saga is called *choreography*.",
            )
        },
        Step::check(
            "A lesson ends with proof. First the order itself is looked at, then verify counts every piece of stock, \
             every cent and every event of the whole cluster.",
        ),
    ],
    end: "You have walked a saga: local transactions, chained by events. The next lessons break it, step by step.",
};
