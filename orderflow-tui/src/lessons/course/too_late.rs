//! Lesson 6.

use super::{Break, CUSTOMER_ORDERS, Expect, Help, Lesson, Look, Piece, Step, Stock, TIMELINE, Until};

pub(super) static LESSON: Lesson = Lesson {
    name: "paying-too-late",
    title: "Paying too late",
    learns: "time-outs, and money after the end",
    piece: Piece { name: "Slow clock", cents: 7200, stock: Stock::AtLeast(5) },
    lab: false,
    expects: Expect::Refunded,
    steps: &[
        Step::ready(
            "Stock is held for half an hour, then it is somebody else's. But what if you pay in the last second, and the \
             provider does not answer? Has it taken the money? An answer that is missing says neither yes nor no: the \
             outcome is *unknown*. Let us make just that happen, with a clock that can be moved.",
        ),
        Step::order("Order a {product}."),
        Step::confirm(
            "The seller confirms",
            "Confirm it. The reservation has a deadline now, which counts down at the customer's desk.",
            Until::Heard(&["inventory.reserved", "payment.opened"]),
        ),
        Step::act(
            "Slow the provider down",
            "A fault makes the provider take ten minutes for an answer, and payments waits five seconds. Is the card \
             charged then? Payments cannot know. But it writes down what it asks before it asks, with an idempotency key. \
             So it can ask again, and never charges twice.",
            Help::Break(&[Break::SlowProvider]),
        ),
        Step::pay(
            "Pay in time",
            "Pay with 4242 4242 4242 4242. You are in time, but no answer comes: the payment stays PROCESSING. It is not \
             called failed, for nobody knows.",
            "tok_visa",
            Until::Seen(Look::BeingPaid),
        ),
        Step {
            until: Until::Heard(&["inventory.reservation_expired", "order.cancelled", "inventory.released"]),
            ..Step::act(
                "Half an hour passes",
                "Now the clock of all services goes 35 minutes forward. Inventory alone decides what is expired, by its \
                 own clock. The order is CANCELLED, and its stock is free. The money is still in the air.",
                Help::MoveClock(35),
            )
        },
        Step {
            until: Until::Heard(&["payment.refunded"]),
            auto: true,
            ..Step::act(
                "The answer comes",
                "The provider is quick again. Payments asks once more, with the same key, and hears: charged. But the \
                 order is over, so the money goes straight back: compensation, late but certain. It can take some \
                 seconds until it asks.",
                Help::Mend,
            )
        },
        Step {
            press: &[TIMELINE],
            ..Step::read(
                "Look back",
                "Read the timeline: expired, cancelled, released, refunded. The clock stays where it is: time only goes \
                 forward here, and other unpaid orders have expired as well. `orderflow clock reset` makes it the \
                 machine's again.",
            )
            .at(CUSTOMER_ORDERS)
        },
        Step::check("The order must be CANCELLED as expired, the money REFUNDED, and the stock as it was before."),
    ],
    end: "No answer is not a no. Write down what you ask before you ask it, ask again with the same key, and decide when \
          you know.",
};
