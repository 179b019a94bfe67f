//! Lesson 3.

use super::{CONFIRM, Expect, Help, Lesson, MARK, Piece, Step, Stock, Until};

pub(super) static LESSON: Lesson = Lesson {
    name: "last-item",
    title: "The last item",
    learns: "two want one piece, one gets it",
    piece: Piece { name: "Last teapot", cents: 5400, stock: Stock::One },
    lab: false,
    expects: Expect::OneOfTwo,
    steps: &[
        Step::ready(
            "There is one {product} left, and two people want it. If a service first looks at the stock and then takes \
             from it, both can look before either takes: one piece is sold twice. It is the oldest bug of every shop. \
             Let us see what stands in its way here.",
        ),
        Step::order("Order the {product}. Take one: there is no more than that."),
        Step {
            until: Until::Helped,
            help: Some(Help::Rival),
            auto: true,
            ..Step::read(
                "Somebody else is faster, or not",
                "Meanwhile another customer, whose account this lesson has just opened, orders the same {product}. Both \
                 orders are taken: nothing is promised before the seller confirms.",
            )
        },
        Step {
            press: &[MARK, CONFIRM],
            ..Step::confirm(
                "Both at the same moment",
                "Confirm both orders at once. Inventory is asked for the same piece twice, in any order. It takes stock \
                 with one *conditional update*, so the database decides, and all lines of an order are held or none. Who \
                 is second hears reservation_failed.",
                Until::Decided,
            )
        },
        Step::check(
            "Exactly one of the two orders may have the piece; the other must be CANCELLED as out of stock, and owe \
             nothing. Which of them is left to chance.",
        ),
    ],
    end: "Looking and taking are one step in the database. No lock was held across services, and nothing was oversold. \
          `orderflow stampede` does the same with 500 buyers.",
};
