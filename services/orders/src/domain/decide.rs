//! The table: what an order does on an input.

use orderflow_contracts::{
    events::{CancelReason, InventoryEvent, OrderEvent, OrderLine, PaymentEvent},
    ids::{AccountId, OrderId},
    money::{Money, MoneyError},
};

use super::{Order, Payment, Reservation, Status};

/// Most lines of one order.
const LINES_MAX: usize = 50;
/// Most pieces of one product in one order.
const QUANTITY_MAX: u32 = 10_000;

/// What a person wants. Who may want it was checked before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    /// The seller will deliver.
    Confirm,
    /// The seller has shipped.
    Fulfil,
    /// The customer does not want it any more.
    CancelByCustomer,
    /// The seller will not deliver.
    CancelBySeller,
}

/// Whatever can happen to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input<'a> {
    /// A person's wish.
    Command(Command),
    /// An event of the inventory service.
    Inventory(&'a InventoryEvent),
    /// An event of the payments service.
    Payment(&'a PaymentEvent),
}

/// What comes of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The order's next state, and what is to be told to the world in the same transaction.
    Apply {
        /// The state to save.
        next: Box<Order>,
        /// The events to append to the outbox, in this order.
        events: Vec<OrderEvent>,
    },
    /// Late, repeated or of no meaning now; nothing changes.
    Ignored(&'static str),
}

/// Why a person's wish is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The order is not in a state in which this can be done.
    #[error("this cannot be done while the order is {0:?}")]
    IllegalTransition(Status),
    /// Paid, but inventory has not said yet that the stock is the order's.
    #[error("the stock is not allocated yet")]
    NotAllocated,
    /// An order without lines, or with too many.
    #[error("an order has between 1 and {LINES_MAX} lines, not {0}")]
    Lines(usize),
    /// A quantity of nothing, or of too much.
    #[error("a quantity is between 1 and {QUANTITY_MAX}, not {0}")]
    Quantity(u32),
    /// The same product twice.
    #[error("a product stands in one line only")]
    RepeatedProduct,
    /// A sum that cannot be had.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// A new order. Prices come from the service's own copy of the catalogue, never from the client.
pub fn create(
    id: OrderId,
    customer_id: AccountId,
    seller_id: AccountId,
    lines: Vec<OrderLine>,
) -> Result<(Order, OrderEvent), Rejection> {
    let total = check_lines(&lines)?;
    let created = OrderEvent::Created { customer_id, seller_id, lines: lines.clone(), total };
    let (reservation, payment) = (Reservation::None, Payment::None);
    let order = Order { id, customer_id, seller_id, lines, total, status: Status::Pending, reservation, payment };
    Ok((order, created))
}

/// The sum of the lines, if they can be ordered.
fn check_lines(lines: &[OrderLine]) -> Result<Money, Rejection> {
    let first = lines.first().filter(|_| lines.len() <= LINES_MAX).ok_or(Rejection::Lines(lines.len()))?;
    let mut total = Money::new(0, first.unit_price.currency);
    for (index, line) in lines.iter().enumerate() {
        if !(1..=QUANTITY_MAX).contains(&line.quantity) {
            return Err(Rejection::Quantity(line.quantity));
        }
        if lines[..index].iter().any(|other| other.product_id == line.product_id) {
            return Err(Rejection::RepeatedProduct);
        }
        total = total.plus(line.unit_price.times(line.quantity)?)?;
    }
    Ok(total)
}

/// What the order does on the input. The only place where an order's status changes.
pub fn decide(order: &Order, input: &Input<'_>) -> Result<Decision, Rejection> {
    match input {
        Input::Command(command) => on_command(order, *command),
        Input::Inventory(event) => Ok(on_inventory(order, event)),
        Input::Payment(event) => Ok(on_payment(order, event)),
    }
}

fn on_command(order: &Order, command: Command) -> Result<Decision, Rejection> {
    match (order.status, command) {
        (Status::Pending, Command::Confirm) => {
            let (customer_id, seller_id) = (order.customer_id, order.seller_id);
            let requested = OrderEvent::ConfirmationRequested { customer_id, seller_id, lines: order.lines.clone() };
            Ok(apply(order, Status::Confirming, requested, |next| next.reservation = Reservation::Requested))
        }
        (Status::Paid, Command::Fulfil) if order.reservation == Reservation::Allocated => {
            Ok(apply(order, Status::Fulfilled, OrderEvent::Fulfilled, |_| {}))
        }
        (Status::Paid, Command::Fulfil) => Err(Rejection::NotAllocated),
        (Status::Pending | Status::Confirming | Status::Confirmed { .. } | Status::Paid, Command::CancelByCustomer) => {
            Ok(cancel(order, CancelReason::ByCustomer, |_| {}))
        }
        (Status::Pending | Status::Confirming | Status::Confirmed { .. } | Status::Paid, Command::CancelBySeller) => {
            Ok(cancel(order, CancelReason::BySeller, |_| {}))
        }
        (status, _) => Err(Rejection::IllegalTransition(status)),
    }
}

fn on_inventory(order: &Order, event: &InventoryEvent) -> Decision {
    match (order.status, event) {
        (Status::Confirming, InventoryEvent::Reserved { expires_at }) => {
            let confirmed = OrderEvent::Confirmed {
                customer_id: order.customer_id,
                seller_id: order.seller_id,
                total: order.total,
                pay_until: *expires_at,
            };
            let status = Status::Confirmed { pay_until: *expires_at };
            apply(order, status, confirmed, |next| next.reservation = Reservation::Held)
        }
        (Status::Confirming, InventoryEvent::ReservationFailed { .. }) => {
            cancel(order, CancelReason::OutOfStock, |next| next.reservation = Reservation::Failed)
        }
        (Status::Confirmed { .. }, InventoryEvent::ReservationExpired) => {
            cancel(order, CancelReason::Expired, |next| next.reservation = Reservation::Expired)
        }
        (Status::Paid, InventoryEvent::AllocationFailed { .. }) => {
            cancel(order, CancelReason::StockLost, |next| next.reservation = Reservation::Failed)
        }
        // Race 1: the money was faster than the expiry. Inventory tries again when it hears that the order is paid.
        (Status::Paid, InventoryEvent::ReservationExpired) => note_stock(order, Reservation::Expired),
        (Status::Paid, InventoryEvent::Allocated) => note_stock(order, Reservation::Allocated),
        (Status::Fulfilled, InventoryEvent::Committed) => note_stock(order, Reservation::Committed),
        // Whatever inventory still does for a cancelled order ends in the release that order.cancelled asks for.
        (Status::Cancelled { .. }, event) => note_stock(order, heard_of_stock(event)),
        _ => Decision::Ignored("inventory's word is late or repeated"),
    }
}

fn on_payment(order: &Order, event: &PaymentEvent) -> Decision {
    match (order.status, event) {
        (Status::Confirmed { .. }, PaymentEvent::Opened { .. }) => note_money(order, Payment::Open),
        (Status::Confirmed { .. }, PaymentEvent::Succeeded { .. }) => {
            apply(order, Status::Paid, OrderEvent::Paid, |next| next.payment = Payment::Succeeded)
        }
        (Status::Confirmed { .. }, PaymentEvent::Failed { .. }) => {
            cancel(order, CancelReason::PaymentFailed, |next| next.payment = Payment::Failed)
        }
        // Race 2: payments refunds or voids by itself when it hears that the order is cancelled.
        (Status::Cancelled { .. }, event) => note_money(order, heard_of_money(event)),
        _ => Decision::Ignored("the payment's word is late or repeated"),
    }
}

/// A new status, told to the world.
fn apply(order: &Order, status: Status, event: OrderEvent, change: impl FnOnce(&mut Order)) -> Decision {
    let mut next = Box::new(Order { status, ..order.clone() });
    change(&mut next);
    Decision::Apply { next, events: vec![event] }
}

fn cancel(order: &Order, reason: CancelReason, change: impl FnOnce(&mut Order)) -> Decision {
    apply(order, Status::Cancelled { reason }, OrderEvent::Cancelled { reason }, change)
}

fn heard_of_stock(event: &InventoryEvent) -> Reservation {
    match event {
        InventoryEvent::Reserved { .. } => Reservation::Held,
        InventoryEvent::ReservationExpired => Reservation::Expired,
        InventoryEvent::ReservationFailed { .. } | InventoryEvent::AllocationFailed { .. } => Reservation::Failed,
        InventoryEvent::Allocated => Reservation::Allocated,
        InventoryEvent::Committed => Reservation::Committed,
        InventoryEvent::Released => Reservation::Released,
    }
}

fn heard_of_money(event: &PaymentEvent) -> Payment {
    match event {
        PaymentEvent::Opened { .. } => Payment::Open,
        PaymentEvent::Failed { .. } => Payment::Failed,
        PaymentEvent::Voided => Payment::Voided,
        PaymentEvent::Succeeded { .. } => Payment::Succeeded,
        PaymentEvent::Refunded { .. } => Payment::Refunded,
    }
}

/// Something heard of the stock that changes no status.
fn note_stock(order: &Order, reservation: Reservation) -> Decision {
    note(order, Order { reservation: order.reservation.max(reservation), ..order.clone() })
}

/// Something heard of the money that changes no status.
fn note_money(order: &Order, payment: Payment) -> Decision {
    note(order, Order { payment: order.payment.max(payment), ..order.clone() })
}

fn note(order: &Order, next: Order) -> Decision {
    if next == *order {
        return Decision::Ignored("known already");
    }
    Decision::Apply { next: Box::new(next), events: Vec::new() }
}
