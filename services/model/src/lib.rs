//! Every interleaving of the choreography, over the very `decide` functions that run.
//!
//! A small world: a few orders for one product, and everything that can happen to them in any order. People confirm,
//! pay, cancel and ship when they please; reservations expire whenever they like; the provider charges or declines;
//! each topic delivers in order for each order, and there is no order between topics. Handling is exactly-once, as
//! outbox and inbox make it. [`explore`] visits every state that can be reached and asks [`World::violations`] of each.

mod world;

use std::{
    collections::{HashSet, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
};

pub use self::world::World;

/// What an exploration has found.
#[derive(Debug, Default)]
pub struct Explored {
    /// How many different states there are.
    pub states: usize,
    /// In how many of them nothing moves by itself.
    pub at_rest: usize,
    /// The names of the statuses that an order was seen in.
    pub statuses: HashSet<String>,
    /// What must not be, with the steps that led there; the first one ends the exploration.
    pub violation: Option<String>,
}

/// Stands for a state in the set of those already seen. With 64 bits, among a million states the chance that two share
/// one, so that one of them would be passed over, is one in thirty million.
fn fingerprint(world: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    world.hash(&mut hasher);
    hasher.finish()
}

/// Visits every state that can be reached from `start`.
pub fn explore(start: World) -> Explored {
    let mut explored = Explored::default();
    let mut seen = HashSet::from([fingerprint(&start)]);
    let mut queue = VecDeque::from([start]);
    while let Some(world) = queue.pop_front() {
        explored.states += 1;
        explored.at_rest += usize::from(world.is_at_rest());
        explored.statuses.extend(world.statuses());
        if let Some(what) = world.violations().into_iter().next() {
            explored.violation = Some(format!("{what}\n{world:#?}"));
            return explored;
        }
        for next in world.successors() {
            if seen.insert(fingerprint(&next)) {
                queue.push_back(next);
            }
        }
    }
    explored
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [&str; 11] = [
        "pending",
        "confirming",
        "confirmed",
        "paid",
        "fulfilled",
        "cancelled: ByCustomer",
        "cancelled: BySeller",
        "cancelled: OutOfStock",
        "cancelled: PaymentFailed",
        "cancelled: Expired",
        "cancelled: StockLost",
    ];

    #[test]
    fn two_orders_for_one_piece_reach_every_end_and_break_no_promise() {
        let explored = explore(World::new(2, 1));
        assert_eq!(explored.violation, None);
        let expected: HashSet<String> = ALL.iter().map(|s| (*s).to_owned()).collect();
        assert_eq!(explored.statuses, expected);
        println!("{} states, {} at rest", explored.states, explored.at_rest);
        assert!(explored.states > 100_000 && explored.at_rest > 100, "{explored:?}");
    }

    #[test]
    fn a_promise_that_is_broken_is_found() {
        let mut world = World::new(1, 1);
        world.forget_refunds();
        let explored = explore(world);
        assert!(explored.violation.is_some_and(|what| what.contains("charged and not refunded")));
        let mut world = World::new(2, 1);
        world.ignore_shortages();
        let explored = explore(world);
        assert!(explored.violation.is_some_and(|what| what.contains("more is reserved than there is")));
    }
}
