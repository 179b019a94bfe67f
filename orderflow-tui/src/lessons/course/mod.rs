//! What a lesson is made of, and the eight that there are. Nothing here happens: it is a text with stage directions.
//!
//! ```text
//!   Lesson ── a product of its own ── steps: text, keys, until when, and what the lesson can do in the person's place
//!      └────── what must have come of it in the end (Expect), beside what `verify` says
//! ```

mod crash;
mod declined_card;
mod duplicate;
mod first_order;
mod last_item;
mod lost_kafka;
mod no_outbox;
mod too_late;

use orderflow_contracts::api::console::Role;

/// A guided tour.
#[derive(Debug, PartialEq, Eq)]
pub struct Lesson {
    /// Its name, which is remembered when it is done.
    pub name: &'static str,
    /// For the list and the panel's head.
    pub title: &'static str,
    /// What one learns, in one line.
    pub learns: &'static str,
    /// What is ordered in it.
    pub piece: Piece,
    /// It takes a pattern out: it needs a laboratory.
    pub lab: bool,
    /// What must have come of it.
    pub expects: Expect,
    /// From begin to end.
    pub steps: &'static [Step],
    /// What to take along.
    pub end: &'static str,
}

/// What is ordered in a lesson.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// What it is called.
    pub name: &'static str,
    /// What one costs, in cents.
    pub cents: i64,
    /// Pieces that can be had at the lesson's begin.
    pub stock: Stock,
}

/// How many pieces there are at the begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stock {
    /// So many or more.
    AtLeast(u32),
    /// One and no more.
    One,
}

/// What must have come of a lesson, beside that everything adds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// The order is shipped and paid.
    Sold,
    /// The card was declined, and the stock is back.
    Declined,
    /// Of two orders one has the piece, and the other was told that there is none.
    OneOfTwo,
    /// Orders has died and is back, and the order goes on.
    Survived,
    /// Something came twice, and was done once.
    OnlyOnce,
    /// It was paid too late, and the money is back.
    Refunded,
    /// It has waited for Kafka, and goes on.
    Waited,
    /// An event is lost, and the checker says which.
    Lost,
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// A few words.
    pub title: &'static str,
    /// Two to five sentences. `{product}` stands for what is ordered.
    pub text: &'static str,
    /// At whose desk it happens.
    pub at: Option<Place>,
    /// What to press there.
    pub press: &'static [Press],
    /// When it is done.
    pub until: Until,
    /// What the lesson can do in the person's place.
    pub help: Option<Help>,
    /// It does so by itself when the step begins.
    pub auto: bool,
}

/// A desk, and the screen of it that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Whose desk.
    pub role: Role,
    /// The screen's title; the one that is open if none is named.
    pub screen: &'static str,
}

/// A key, by the action that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Press {
    /// Names of actions; the key of the first one that exists is shown.
    pub actions: &'static [&'static str],
    /// What it does.
    pub does: &'static str,
}

/// When a step is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// When it was read.
    Read,
    /// When these events of the person's order were heard.
    Heard(&'static [&'static str]),
    /// When each of the two orders is confirmed or cancelled.
    Decided,
    /// When what the lesson does in it is done.
    Helped,
    /// When this is seen.
    Seen(Look),
}

/// What a lesson can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Help {
    /// Makes ready what the lesson needs.
    Prepare,
    /// Orders one, as the customer.
    Order,
    /// Somebody else orders one.
    Rival,
    /// Confirms, as the seller: both orders at the same moment, where there are two.
    Confirm,
    /// Pays with this token, as the customer.
    Pay(&'static str),
    /// Ships, as the seller.
    Fulfil,
    /// Breaks something.
    Break(&'static [Break]),
    /// Moves the clock of all services forward, by so many minutes.
    MoveClock(i64),
    /// Mends whatever was broken.
    Mend,
    /// Looks whether all is as it must be.
    Check,
}

/// What can be broken. All of it but the pattern ends by itself, if the console dies before it has mended it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// Orders kills itself when it has committed something, once.
    CrashAfterCommit,
    /// Orders kills itself when it has published something, once.
    CrashAfterPublish,
    /// Every event is handled twice.
    DeliverTwice,
    /// The provider takes so long that nobody waits for its answers.
    SlowProvider,
    /// The broker is killed, and nobody reaches it.
    Kafka,
    /// The outbox of orders is taken out.
    Outbox,
}

/// What is looked for every second while a step waits for it: no event tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Orders was started again.
    Restarted,
    /// An event of the order waits in an outbox.
    Waits,
    /// An event of the order came again, and was passed over.
    CameTwice,
    /// The provider is being asked for the order's money.
    BeingPaid,
    /// The order waits for stock, and nobody has heard of it.
    Stuck,
    /// Orders was started again, and the order is not even confirmed: something else has sprung the trap.
    Wasted,
}

/// All of them, in the order in which they are best done.
pub static LESSONS: [&Lesson; 8] = [
    &first_order::LESSON,
    &declined_card::LESSON,
    &last_item::LESSON,
    &crash::LESSON,
    &duplicate::LESSON,
    &too_late::LESSON,
    &lost_kafka::LESSON,
    &no_outbox::LESSON,
];

impl Step {
    /// A step that is there to be read.
    const fn read(title: &'static str, text: &'static str) -> Self {
        Self { title, text, at: None, press: &[], until: Until::Read, help: None, auto: false }
    }

    /// The first step: read while everything is made ready.
    const fn ready(text: &'static str) -> Self {
        let step = Self::read("What this is about", text);
        Self { help: Some(Help::Prepare), auto: true, ..step }
    }

    /// The customer orders.
    const fn order(text: &'static str) -> Self {
        let step = Self::read("Order", text).at(CUSTOMER_SHOP);
        Self { press: &[ADD, CART, PLACE], until: Until::Heard(&["order.created"]), help: Some(Help::Order), ..step }
    }

    /// The seller confirms.
    const fn confirm(title: &'static str, text: &'static str, until: Until) -> Self {
        let step = Self::read(title, text).at(SELLER_ORDERS);
        Self { press: &[CONFIRM], until, help: Some(Help::Confirm), ..step }
    }

    /// The customer pays.
    const fn pay(title: &'static str, text: &'static str, token: &'static str, until: Until) -> Self {
        let step = Self::read(title, text).at(CUSTOMER_ORDERS);
        Self { press: &[PAY, CARDS], until, help: Some(Help::Pay(token)), ..step }
    }

    /// Something that the lesson does when it is told to.
    const fn act(title: &'static str, text: &'static str, help: Help) -> Self {
        Self { until: Until::Helped, help: Some(help), ..Self::read(title, text) }
    }

    /// The last step.
    const fn check(text: &'static str) -> Self {
        Self { auto: true, ..Self::act("Is all of that true?", text, Help::Check) }
    }

    const fn at(self, place: Place) -> Self {
        Self { at: Some(place), ..self }
    }

    const fn by_itself(self) -> Self {
        Self { auto: true, ..self }
    }
}

const CUSTOMER_SHOP: Place = Place { role: Role::Customer, screen: "Shop" };
const CUSTOMER_ORDERS: Place = Place { role: Role::Customer, screen: "Orders" };
const SELLER_ORDERS: Place = Place { role: Role::Seller, screen: "Orders" };
const ADMIN_ORDERS: Place = Place { role: Role::Admin, screen: "Orders" };
const ADMIN_CHAOS: Place = Place { role: Role::Admin, screen: "Chaos" };

const ADD: Press = press(&["customer.add", "customer.add_to_cart"], "puts it into the cart");
const CART: Press = press(&["customer.cart"], "opens the cart");
const PLACE: Press = press(&["customer.place", "customer.place_order"], "places the order");
const PAY: Press = press(&["customer.pay"], "opens the payment form");
const CARDS: Press = press(&["customer.test_cards"], "offers the test cards");
const CONFIRM: Press = press(&["seller.confirm"], "confirms the order");
const FULFIL: Press = press(&["seller.fulfil", "seller.fulfill"], "ships it");
const MARK: Press = press(&["seller.mark", "list.mark"], "twice: marks both orders");
pub(super) const TIMELINE: Press =
    press(&["customer.timeline", "customer.open", "seller.timeline", "list.open"], "opens its timeline");

const fn press(actions: &'static [&'static str], does: &'static str) -> Press {
    Press { actions, does }
}
