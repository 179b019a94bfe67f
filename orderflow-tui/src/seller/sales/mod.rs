//! Sales of a day: a chart by the hour, what came in, what was cancelled and why, what sells best.

mod day;
mod draw;

use orderflow_contracts::{api::orders::OrderStatus, money::Currency, timestamp::Timestamp};

use self::day::{Day, day_of};
use super::{
    CHART, NEXT_DAY, PREVIOUS_DAY, TODAY,
    orders::{Group, group},
};
use crate::{
    books::Books,
    keys::{self, Action},
};

/// What the chart shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Measure {
    /// How many orders.
    #[default]
    Orders,
    /// How much money: amounts of different currencies do not add up.
    Revenue(Currency),
}

/// The screen of sales.
#[derive(Default)]
pub struct Sales {
    /// Days before today.
    back: i64,
    measure: Measure,
    /// What was counted last: the books' version, and of which day.
    made_of: Option<(u64, i64)>,
    day: Day,
    /// Orders that wait for the seller: to be confirmed, and to be shipped.
    waiting: (usize, usize),
}

impl Sales {
    /// Counts anew if something is not as it was.
    fn refresh(&mut self, books: &Books, now: Timestamp) -> i64 {
        let day = day_of(now) - self.back;
        let made_of = Some((books.orders.version(), day));
        if self.made_of != made_of {
            self.day = Day::of(day, &books.orders);
            self.waiting = waiting(books);
            self.made_of = made_of;
        }
        day
    }

    /// A key. Whether it meant anything here.
    pub fn act(&mut self, action: Action) -> bool {
        match action {
            PREVIOUS_DAY => self.back += 1,
            NEXT_DAY => self.back = (self.back - 1).max(0),
            TODAY | keys::BACK if self.back > 0 => self.back = 0,
            CHART => self.measure = self.next_measure(),
            _ => return false,
        }
        true
    }

    /// Orders, then the money of each currency in which something was sold.
    fn next_measure(&self) -> Measure {
        let mut currencies = self.day.revenue.keys().copied();
        let next = match self.measure {
            Measure::Orders => currencies.next(),
            Measure::Revenue(currency) => currencies.find(|other| *other > currency),
        };
        next.map_or(Measure::Orders, Measure::Revenue)
    }
}

fn waiting(books: &Books) -> (usize, usize) {
    let yours = books.orders.newest().filter(|entry| group(&entry.order) == Group::Yours);
    let (mut confirm, mut ship) = (0, 0);
    for entry in yours {
        let waits = if entry.order.status == OrderStatus::Pending { &mut confirm } else { &mut ship };
        *waits += 1;
    }
    (confirm, ship)
}
