//! One state of the small world, and what can happen next.

use std::collections::VecDeque;

use orderflow_contracts::{
    events::{InventoryEvent, OrderEvent, OrderLine, PaymentEvent},
    ids::ProductId,
    money::{Currency, Money},
};
use orderflow_inventory::domain::{self as inventory, Movement, Reservation, Stock};
use orderflow_orders::domain::{self as orders, Command, Order, Status};
use orderflow_payments::domain::{self as payments, Answer, Call, State};
use uuid::Uuid;

/// The time does not pass; what depends on it may happen at any time. It is before every deadline for those who pay.
const NOW: i64 = 0;
/// For reservations it is after every deadline.
const LATER: i64 = i64::MAX;
/// How long a reservation lasts, in milliseconds.
const HOLD_MS: i64 = 1;

/// An order's part of the world: its state in each service, and the events that are on their way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Life {
    order: Order,
    reservation: Reservation,
    payment: State,
    /// From orders to inventory and to payments; each reads at its own pace.
    to_inventory: VecDeque<OrderEvent>,
    to_payments: VecDeque<OrderEvent>,
    from_inventory: VecDeque<InventoryEvent>,
    from_payments: VecDeque<PaymentEvent>,
    /// What the provider was asked for and has not answered yet.
    call: Option<ProviderCall>,
    charges: u8,
    refunds: u8,
}

/// [`Call`] without the amounts, which are the order's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum ProviderCall {
    Charge,
    Refund,
}

/// A guard that is taken out, to see that the exploration would notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Broken {
    Nothing,
    Refunds,
    Shortages,
}

/// A state of the world.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    lives: Vec<Life>,
    received: u32,
    on_hand: u32,
    reserved: u32,
    broken: Broken,
}

fn product() -> ProductId {
    Uuid::nil().into()
}

impl World {
    /// So many orders of one piece each, and so many pieces.
    pub fn new(orders: u8, stock: u32) -> Self {
        let life = |number: u8| {
            let unit_price = Money::new(100, Currency::Usd);
            let line = OrderLine { product_id: product(), name: String::new(), quantity: 1, unit_price };
            let id = Uuid::from_u128(number.into()).into();
            let created = orders::create(id, Uuid::nil().into(), Uuid::nil().into(), vec![line]);
            Life {
                order: created.expect("an order of one piece can be made").0,
                reservation: Reservation::Unknown,
                payment: State::Unknown,
                to_inventory: VecDeque::new(),
                to_payments: VecDeque::new(),
                from_inventory: VecDeque::new(),
                from_payments: VecDeque::new(),
                call: None,
                charges: 0,
                refunds: 0,
            }
        };
        let lives = (0..orders).map(life).collect();
        Self { lives, received: stock, on_hand: stock, reserved: 0, broken: Broken::Nothing }
    }

    /// Takes out the refund.
    pub fn forget_refunds(&mut self) {
        self.broken = Broken::Refunds;
    }

    /// Takes out the look at what is there.
    pub fn ignore_shortages(&mut self) {
        self.broken = Broken::Shortages;
    }

    /// The statuses of the orders, by name.
    pub fn statuses(&self) -> impl Iterator<Item = String> {
        self.lives.iter().map(|life| match life.order.status {
            Status::Pending => "pending".to_owned(),
            Status::Confirming => "confirming".to_owned(),
            Status::Confirmed { .. } => "confirmed".to_owned(),
            Status::Paid => "paid".to_owned(),
            Status::Fulfilled => "fulfilled".to_owned(),
            Status::Cancelled { reason } => format!("cancelled: {reason:?}"),
        })
    }

    /// Whether nothing is on its way: what happens next is up to people and the clock.
    pub fn is_at_rest(&self) -> bool {
        self.lives.iter().all(Life::is_at_rest)
    }

    /// Everything that must not be.
    pub fn violations(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.reserved > self.on_hand {
            found.push(format!("more is reserved than there is: {} of {}", self.reserved, self.on_hand));
        }
        let held = |life: &&Life| matches!(life.reservation, Reservation::Held { .. } | Reservation::Allocated { .. });
        if self.lives.iter().filter(held).count() != self.reserved as usize {
            found.push("what is reserved is not the sum of the reservations".to_owned());
        }
        let shipped = self.lives.iter().filter(|life| life.reservation == Reservation::Committed).count();
        if self.on_hand as usize + shipped != self.received as usize {
            found.push("what is there is not what was received less what was shipped".to_owned());
        }
        found.extend(self.lives.iter().filter_map(Life::violation));
        found
    }

    /// Every state that can come next.
    pub fn successors(&self) -> Vec<Self> {
        let mut next = Vec::new();
        for index in 0..self.lives.len() {
            for command in [Command::Confirm, Command::Fulfil, Command::CancelByCustomer, Command::CancelBySeller] {
                next.extend(self.then(index, |world, life| world.tell_orders(life, &orders::Input::Command(command))));
            }
            next.extend(self.then(index, |_, life| tell_payments(life, payments::Input::Pay)));
            next.extend(self.then(index, |world, life| world.tell_inventory(life, inventory::Input::Expire)));
            next.extend(self.then(index, |world, life| {
                let event = life.to_inventory.pop_front()?;
                world.tell_inventory(life, inventory::Input::Order(&event)).or(Some(()))
            }));
            next.extend(self.then(index, |_, life| {
                let event = life.to_payments.pop_front()?;
                tell_payments(life, payments::Input::Order(&event)).or(Some(()))
            }));
            next.extend(self.then(index, |world, life| {
                let event = life.from_inventory.pop_front()?;
                world.tell_orders(life, &orders::Input::Inventory(&event)).or(Some(()))
            }));
            next.extend(self.then(index, |world, life| {
                let event = life.from_payments.pop_front()?;
                world.tell_orders(life, &orders::Input::Payment(&event)).or(Some(()))
            }));
            for answer in [
                Answer::Charged { charge_id: String::new(), amount: Money::new(100, Currency::Usd) },
                Answer::Declined { decline_code: String::new() },
                Answer::Refunded { refund_id: String::new() },
            ] {
                next.extend(self.then(index, |world, life| world.answer(life, &answer)));
            }
        }
        next
    }

    /// The world after a step of one order; `None` where the step cannot be taken.
    fn then(&self, index: usize, step: impl FnOnce(&mut Self, &mut Life) -> Option<()>) -> Option<Self> {
        let mut world = self.clone();
        let mut life = world.lives[index].clone();
        step(&mut world, &mut life)?;
        world.lives[index] = life;
        Some(world)
    }

    #[expect(clippy::unused_self, reason = "as the steps of the other services")]
    fn tell_orders(&self, life: &mut Life, input: &orders::Input<'_>) -> Option<()> {
        let Ok(orders::Decision::Apply { next, events }) = orders::decide(&life.order, input) else { return None };
        life.order = *next;
        life.to_inventory.extend(events.iter().cloned());
        life.to_payments.extend(events);
        Some(())
    }

    fn tell_inventory(&mut self, life: &mut Life, input: inventory::Input<'_>) -> Option<()> {
        let available = if self.broken == Broken::Shortages { u32::MAX } else { self.on_hand - self.reserved };
        let stock = Stock::from([(product(), available)]);
        let now = if input == inventory::Input::Expire { LATER } else { NOW };
        let inventory::Decision::Apply { next, movement, event } =
            inventory::decide(&life.reservation, input, &stock, now, HOLD_MS)
        else {
            return None;
        };
        life.reservation = next;
        life.from_inventory.extend(event);
        if let Some((movement, lines)) = movement {
            let quantity: u32 = lines.values().sum();
            match movement {
                Movement::Reserve => self.reserved += quantity,
                Movement::Release => self.reserved -= quantity,
                Movement::Ship => {
                    self.reserved -= quantity;
                    self.on_hand -= quantity;
                }
            }
        }
        Some(())
    }

    /// The provider answers what it was asked for, and does it.
    fn answer(&self, life: &mut Life, answer: &Answer) -> Option<()> {
        match (life.call?, answer) {
            (ProviderCall::Charge, Answer::Charged { .. }) => life.charges += 1,
            (ProviderCall::Charge, Answer::Declined { .. }) => {}
            (ProviderCall::Refund, Answer::Refunded { .. }) if self.broken != Broken::Refunds => life.refunds += 1,
            (ProviderCall::Refund, Answer::Refunded { .. }) => {}
            _ => return None,
        }
        life.call = None;
        tell_payments(life, payments::Input::Answer(answer))
    }
}

fn tell_payments(life: &mut Life, input: payments::Input<'_>) -> Option<()> {
    let Ok(payments::Decision::Apply { next, event, call }) = payments::decide(&life.payment, input, NOW) else {
        return None;
    };
    life.payment = next;
    life.from_payments.extend(event);
    if let Some(call) = call {
        life.call = Some(match call {
            Call::Charge(_) => ProviderCall::Charge,
            Call::Refund { .. } => ProviderCall::Refund,
        });
    }
    Some(())
}

impl Life {
    fn is_at_rest(&self) -> bool {
        self.call.is_none()
            && self.to_inventory.is_empty()
            && self.to_payments.is_empty()
            && self.from_inventory.is_empty()
            && self.from_payments.is_empty()
    }

    fn violation(&self) -> Option<String> {
        if self.charges > 1 {
            return Some(format!("charged {} times", self.charges));
        }
        if self.refunds > self.charges {
            return Some("more was refunded than charged".to_owned());
        }
        self.is_at_rest().then(|| self.violation_at_rest()).flatten()
    }

    /// What an order must look like when nothing is on its way to it.
    fn violation_at_rest(&self) -> Option<String> {
        let kept = self.charges - self.refunds;
        let holds = matches!(self.reservation, Reservation::Held { .. } | Reservation::Allocated { .. });
        match self.order.status {
            Status::Confirming => Some("at rest while it waits for stock".to_owned()),
            Status::Cancelled { .. } if kept > 0 => Some("charged and not refunded".to_owned()),
            Status::Cancelled { .. } if holds => Some("cancelled and still holding stock".to_owned()),
            Status::Cancelled { .. } if !self.compensation_is_known() => {
                Some("cancelled, compensated, and the order does not know".to_owned())
            }
            Status::Paid if kept != 1 || !matches!(self.reservation, Reservation::Allocated { .. }) => {
                Some("paid, and money or stock is missing".to_owned())
            }
            Status::Paid if self.order.reservation != orders::Reservation::Allocated => {
                Some("allocated, and the order does not know".to_owned())
            }
            Status::Fulfilled if kept != 1 || self.reservation != Reservation::Committed => {
                Some("fulfilled, and money or stock is wrong".to_owned())
            }
            Status::Confirmed { .. } if !holds || !matches!(self.payment, State::Open(_)) => {
                Some("confirmed, and cannot be paid".to_owned())
            }
            _ => None,
        }
    }

    /// Whether the order of a cancelled life knows that nothing is held or owed: `cancel --wait` waits for it.
    fn compensation_is_known(&self) -> bool {
        let stock = !matches!(
            self.order.reservation,
            orders::Reservation::Requested | orders::Reservation::Held | orders::Reservation::Allocated
        );
        let money = !matches!(self.order.payment, orders::Payment::Open | orders::Payment::Succeeded);
        stock && money
    }
}
