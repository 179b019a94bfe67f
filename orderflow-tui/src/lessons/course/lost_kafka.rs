//! Lesson 7.

use super::{Break, CUSTOMER_ORDERS, Expect, Help, Lesson, Look, Piece, Step, Stock, TIMELINE, Until};

pub(super) static LESSON: Lesson = Lesson {
    name: "losing-kafka",
    title: "Losing Kafka",
    learns: "the broker is dead, orders go on",
    piece: Piece { name: "Message bottle", cents: 1200, stock: Stock::AtLeast(5) },
    lab: false,
    expects: Expect::Waited,
    steps: &[
        Step::ready(
            "Everything here goes through Kafka. So what if it is gone in the middle of an order? Kafka is only how \
             events travel; where they are kept is the outbox, in each service's own database. Let us kill the broker and \
             see who notices.",
        ),
        Step::order("Order a {product}, while everything is well."),
        Step::act(
            "Kill the broker",
            "The broker is killed as by kill -9. Since it would be back in a second, all lines to it are cut as well, for \
             at most five minutes. Services stay up: only their events have nowhere to go.",
            Help::Break(&[Break::Kafka]),
        ),
        Step::confirm(
            "Confirm all the same",
            "Confirm the order. The seller gets an answer at once: orders needs its own database for that, and nothing \
             else. The order is CONFIRMING, and the event that asks for stock waits in the outbox. No other \
             service can hear of it yet, and the customer's desk still says pending.",
            Until::Seen(Look::Waits),
        ),
        Step {
            until: Until::Heard(&["order.confirmation_requested", "order.confirmed", "payment.opened"]),
            ..Step::act(
                "Bring it back",
                "Heal the lines. Each relay finds a broker again and publishes what has waited, in order; the consumers \
                 read on from where they were. A few seconds, and the saga goes on by itself.",
                Help::Mend,
            )
        },
        Step {
            press: &[TIMELINE],
            ..Step::read(
                "What it cost",
                "Look at the timeline: one hop took as long as Kafka was away. Nothing was lost, nothing came in the \
                 wrong order, and nobody had to do anything. What is down makes the saga late, not wrong.",
            )
            .at(CUSTOMER_ORDERS)
        },
        Step::check("The order must be payable, and every event published and applied."),
    ],
    end: "The databases are the truth, and Kafka is transport. Even a broker that has lost its data can be fed again: \
          `orderflow outbox replay`.",
};
