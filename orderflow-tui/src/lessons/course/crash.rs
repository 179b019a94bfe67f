//! Lesson 4.

use super::{ADMIN_CHAOS, Break, CUSTOMER_ORDERS, Expect, Help, Lesson, Look, Piece, Step, Stock, TIMELINE, Until};

pub(super) static LESSON: Lesson = Lesson {
    name: "crash-after-commit",
    title: "A crash between commit and publish",
    learns: "the outbox: no event is lost",
    piece: Piece { name: "Field compass", cents: 1950, stock: Stock::AtLeast(5) },
    lab: false,
    expects: Expect::Survived,
    steps: &[
        Step::ready(
            "A service has to do two things: change its database and tell Kafka. No transaction spans both. If it dies \
             in between, the change is there and nobody hears of it. That is the *dual-write problem*. The cure is an \
             *outbox*: the event is a row in the same transaction, and a *relay* publishes it later.",
        ),
        Step::order("Order a {product}. So far everything is well."),
        Step::act(
            "Set the trap",
            "Now a fault is set in orders: after its next commit, before anything is published, the process kills \
             itself with SIGKILL. There is no worse moment. It strikes once. An admin can set it here, on the chaos \
             board; let the lesson do it.",
            Help::Break(&[Break::CrashAfterCommit]),
        )
        .at(ADMIN_CHAOS),
        Step::confirm(
            "Spring it",
            "Confirm the order. Orders commits CONFIRMING together with the outbox row, and dies. Your request is sent \
             again with the same *idempotency key*, so that it counts once. The supervisor starts orders anew, and its \
             relay finds the row.",
            Until::Heard(&["order.confirmation_requested", "order.confirmed", "payment.opened"]),
        ),
        Step {
            press: &[TIMELINE],
            until: Until::Seen(Look::Restarted),
            ..Step::read(
                "It is back",
                "The event came late, and it came. Look at the timeline: ↻ says where orders was started again, and \
                 the next event's hop took as long as orders was away. Then the saga goes on as if nothing had been.",
            )
            .at(CUSTOMER_ORDERS)
        },
        Step::check("Orders must have died, and the order must be payable all the same."),
    ],
    end: "State and event commit together, and the relay publishes what is committed until it is told that Kafka has \
          it. Lesson 8 takes this away.",
};
