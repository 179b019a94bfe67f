//! Lesson 5.

use super::{ADMIN_CHAOS, ADMIN_ORDERS, Break, Expect, Help, Lesson, Look, Piece, Step, Stock, TIMELINE, Until};

pub(super) static LESSON: Lesson = Lesson {
    name: "duplicate-delivery",
    title: "Everything comes twice",
    learns: "the inbox: applied only once",
    piece: Piece { name: "Twin mugs", cents: 1800, stock: Stock::AtLeast(5) },
    lab: false,
    expects: Expect::OnlyOnce,
    steps: &[
        Step::ready(
            "A relay that dies after publishing and before writing that down publishes again. Kafka, too, may hand a \
             record out twice. Whoever wants no event lost has to live with that: delivery is *at least once*. So each \
             service has an *inbox*, where it writes down which events it has applied.",
        ),
        Step::act(
            "Double everything",
            "A fault is set in orders, inventory and payments: each record is handled a second time right after the \
             first. Without care that reserves twice, and charges twice. The chaos board shows it.",
            Help::Break(&[Break::DeliverTwice]),
        )
        .at(ADMIN_CHAOS),
        Step::order("Order one of the {product}."),
        Step::confirm(
            "The seller confirms",
            "Confirm it. Stock is asked for twice, by the same event. The inbox claims an \
             event's id in the same transaction that applies it; the second time the id is there already, and the event \
             is passed over. That is *idempotency*: twice is as good as once.",
            Until::Heard(&["inventory.reserved", "payment.opened"]),
        ),
        Step::pay(
            "Pay",
            "One piece is held, not two: the seller's Inventory shows it. Pay with 4242 4242 4242 4242. The charge carries an idempotency key as well, so that even the provider, \
             which knows nothing of our inbox, takes the money once.",
            "tok_visa",
            Until::Heard(&["order.paid", "inventory.allocated"]),
        ),
        Step {
            press: &[TIMELINE],
            until: Until::Seen(Look::CameTwice),
            ..Step::read(
                "What was passed over",
                "The inboxes count what came again. No customer notices any of it, so look as an admin: the timeline of \
                 the order marks each event that was suppressed, and `orderflow why` says how often.",
            )
            .at(ADMIN_ORDERS)
        },
        Step::check("Something must have come twice; the stock may be held once and the card charged once."),
    ],
    end: "Exactly once does not exist on the wire. At least once, and an inbox, comes to the same.",
};
