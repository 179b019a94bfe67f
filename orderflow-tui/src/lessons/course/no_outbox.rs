//! Lesson 8.

use super::{Break, CUSTOMER_ORDERS, Expect, Help, Lesson, Look, Piece, Step, Stock, Until};

pub(super) static LESSON: Lesson = Lesson {
    name: "no-outbox",
    title: "Taking the outbox out",
    learns: "what the outbox is for; do it last",
    piece: Piece { name: "Glass vase", cents: 6600, stock: Stock::AtLeast(5) },
    lab: true,
    expects: Expect::Lost,
    steps: &[
        Step::ready(
            "In lesson 4 a crash did no harm. Was that the outbox, or luck? Take it out and see. One order will be broken \
             for good, and verify will say so from then on: do this lesson last. Only a laboratory lets patterns be taken \
             out.",
        ),
        Step::order("Order a {product}. This is the order that will be broken."),
        Step::act(
            "Take the outbox out",
            "Orders now does what so many services do: it commits, and then sends the event and hopes. A trap is set \
             between the two, once. `chaos list` calls it after-publish: it strikes where the relay would have \
             published, and here the event is ticked off before it is sent.",
            Help::Break(&[Break::Outbox, Break::CrashAfterPublish]),
        ),
        Step::confirm(
            "Spring the trap",
            "Confirm the order. The seller is told that all is well: the order is CONFIRMING. Then orders dies, and is \
             started again. But this time no row waits for its relay, and the event is nowhere.",
            Until::Seen(Look::Stuck),
        ),
        Step::read(
            "Silence",
            "Wait as long as you like: nothing happens. Inventory was never asked for stock, the customer still \
             reads pending, and orders thinks it has told them. No log shows an error. This is what a *dual write* looks like from outside: an order that hangs, now \
             and then, and nobody knows why.",
        )
        .at(CUSTOMER_ORDERS),
        Step {
            title: "Who notices?",
            ..Step::check(
                "Now verify counts, and this time it has to FAIL, and to name the event that was lost, after a while: it \
                 might still be on its way. It says published and not applied: orders has ticked it off as published, \
                 and Kafka never had it.",
            )
        },
        Step::act(
            "Put it back",
            "The outbox goes back in. What was lost meanwhile stays lost: the order hangs for ever, and verify says so \
             from now on. The other lessons still work, and take it into account. `orderflow reset` makes the cluster \
             clean again.",
            Help::Mend,
        )
        .by_itself(),
    ],
    end: "One row in the same transaction: that is all an outbox is. Now you have seen what it costs to leave it out.",
};
