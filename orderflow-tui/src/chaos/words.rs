//! One line about everything that can be broken: what it does, and what saves you.

use orderflow_cluster::Need;
use orderflow_contracts::api::{
    chaos::{CrashPoint, FaultName},
    ops::Pattern,
};

/// What something does, and what saves you.
pub type Words = (&'static str, &'static str);

/// Of a fault.
pub const fn of_fault(name: FaultName, point: CrashPoint) -> Words {
    match name {
        FaultName::HttpLatency => {
            ("requests wait before they are handled", "bounded time, and asking again with the same key")
        }
        FaultName::DbRefused => {
            ("the database refuses: requests get 503, events wait", "what may pass is tried again, never dead-lettered")
        }
        FaultName::DbSlow => ("every transaction begins late, batches grow", "a batch of events is one transaction"),
        FaultName::CommitLost => (
            "the answer of a commit is lost: was it done or not?",
            "key and event are claimed in the transaction itself",
        ),
        FaultName::RelayPaused => (
            "nothing is published: sagas stand still, orders are taken",
            "events were committed with what they tell of",
        ),
        FaultName::RelayTwice => ("records stand in the topic twice", "an event is applied once, by its id"),
        FaultName::ConsumerPaused => ("a service hears nothing", "it reads on from its committed offsets"),
        FaultName::ConsumerSlow => ("a service is late, its batches are larger", "the others do not wait for it"),
        FaultName::DeliverTwice => ("a record is handled twice", "the inbox passes it over"),
        FaultName::DeliverLate => (
            "events of different topics overtake each other",
            "every input is decided in every state; a cancellation leaves a tombstone",
        ),
        FaultName::Crash => of_crash(point),
        FaultName::PaymentFailure => {
            ("cards are declined: CANCELLED payment_failed", "compensation: the stock is released")
        }
        FaultName::ProviderLatency => ("payments take longer", "calls run side by side, and none in a transaction"),
        FaultName::ProviderTimeout => (
            "charged, and the answer is lost: PROCESSING for a while",
            "asked again with the same key until it is certain",
        ),
        FaultName::ProviderError => {
            ("the provider answers 500 and does nothing", "asked again with the same key until it is certain")
        }
    }
}

const fn of_crash(point: CrashPoint) -> Words {
    match point {
        CrashPoint::BeforeCommit => {
            ("dies before the commit: the request comes to nothing", "rolled back; asked again with the same key")
        }
        CrashPoint::AfterCommit => {
            ("dies after the commit: nothing is published", "the next process publishes the outbox")
        }
        CrashPoint::AfterPublish => ("dies after publishing: it is published again", "the inbox knows it"),
        CrashPoint::AfterHandling => ("dies before its offsets: it is delivered again", "the inbox knows it"),
        CrashPoint::AfterAnswer => {
            ("dies charged, before that is written down", "the call is in the database; it is made again, same key")
        }
    }
}

/// Of a process.
pub const fn of_process() -> Words {
    (
        "K kills it as kill -9 does, P stops it in its tracks, R ends it gently",
        "the supervisor starts it again; outbox, inbox and offsets say where it was",
    )
}

/// Of a line.
pub const fn of_line(from: Need) -> Words {
    match from {
        Need::Broker => ("its events wait, and it hears nothing", "the outbox, and committed offsets"),
        Need::Postgres => ("it refuses requests with 503 and holds its events up", "nothing is dead-lettered for that"),
        Need::Provider => ("payments stay PROCESSING", "asked again until it answers"),
    }
}

/// Of all clocks, and of one.
pub const fn of_clock(one: bool) -> Words {
    if one {
        ("one service's time is another one", "no service compares its time with another's, but for deadlines")
    } else {
        ("all clocks jump ahead: unpaid reservations expire", "inventory alone decides what is over, with a grace")
    }
}

/// Of a pattern: what becomes of everything without it.
pub const fn of_pattern(pattern: Pattern) -> &'static str {
    match pattern {
        Pattern::Outbox => "events are published beside the transaction: a crash loses them",
        Pattern::Inbox => "nobody knows what was applied: some things happen twice",
        Pattern::StockGuard => "stock is promised unseen: more is sold than there is",
        Pattern::IdempotencyKey => "every try is a charge of its own: some pay twice",
        Pattern::Tombstone => "an early cancellation leaves no trace: stock is held for ever",
        Pattern::VersionCheck => "rows are not locked or compared: one change undoes another",
    }
}
