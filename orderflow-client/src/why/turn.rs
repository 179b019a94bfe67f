//! Whose turn it is with an order: one person's, some services', or nobody's, since it is over.

use orderflow_contracts::{
    api::{
        inventory::{Reservation, ReservationStatus},
        orders::{Order, OrderPaymentStatus, OrderReservationStatus, OrderStatus},
        payments::{Payment, PaymentStatus},
    },
    timestamp::Timestamp,
};

use crate::endpoints::Service;

/// Who can do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// The customer.
    Customer,
    /// The seller.
    Seller,
    /// A service, which does it by itself.
    Service(Service),
}

impl Who {
    /// One word for them.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Seller => "seller",
            Self::Service(service) => service.name(),
        }
    }

    /// Whether somebody has to want it.
    pub const fn is_person(self) -> bool {
        matches!(self, Self::Customer | Self::Seller)
    }
}

/// Something that somebody is to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Who.
    pub who: Who,
    /// What, in a few words behind the name.
    pub what: &'static str,
}

/// What is known of something that another service keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known<T> {
    /// It could not be asked.
    Unknown,
    /// The service has not heard of the order.
    Absent,
    /// As it is.
    There(T),
}

impl<T> Known<T> {
    /// Of a list that has everything.
    pub fn of(found: Option<T>) -> Self {
        found.map_or(Self::Absent, Self::There)
    }

    /// What is there.
    pub fn there(self) -> Option<T> {
        match self {
            Self::There(it) => Some(it),
            Self::Unknown | Self::Absent => None,
        }
    }

    /// The same, borrowed.
    pub const fn as_ref(&self) -> Known<&T> {
        match self {
            Self::Unknown => Known::Unknown,
            Self::Absent => Known::Absent,
            Self::There(it) => Known::There(it),
        }
    }
}

const fn turn(service: Service, what: &'static str) -> Turn {
    Turn { who: Who::Service(service), what }
}

const ORDERS_HEAR_OF_STOCK: Turn = turn(Service::Orders, "takes note of what has become of the stock");
const ORDERS_HEAR_OF_MONEY: Turn = turn(Service::Orders, "takes note of what has become of the payment");
const CHARGES: Turn = turn(Service::Provider, "says whether it has taken the money");

/// Who is to do what next; nobody if the order is over. `now` is inventory's time, which decides what is over.
pub fn turns(order: &Order, reservation: Known<&Reservation>, payment: Known<&Payment>, now: Timestamp) -> Vec<Turn> {
    let stock = stock_of(order, reservation);
    let money = money_of(order, payment);
    match order.status {
        OrderStatus::Pending => vec![Turn { who: Who::Seller, what: "confirms the order, or calls it off" }],
        OrderStatus::Confirming => vec![match stock {
            None => turn(Service::Inventory, "holds the stock, or says that there is not enough"),
            Some(_) => ORDERS_HEAR_OF_STOCK,
        }],
        OrderStatus::Confirmed => vec![confirmed(stock, money, reservation, now)],
        OrderStatus::Paid => vec![match stock {
            Some(ReservationStatus::Allocated) if order.reservation.status == OrderReservationStatus::Allocated => {
                Turn { who: Who::Seller, what: "ships the order" }
            }
            Some(ReservationStatus::Held | ReservationStatus::Expired) | None => {
                turn(Service::Inventory, "allocates the stock, or says that it is gone")
            }
            Some(_) => ORDERS_HEAR_OF_STOCK,
        }],
        OrderStatus::Fulfilled => match stock {
            Some(ReservationStatus::Committed) if order.reservation.status == OrderReservationStatus::Committed => {
                vec![]
            }
            Some(ReservationStatus::Committed) => vec![ORDERS_HEAR_OF_STOCK],
            _ => vec![turn(Service::Inventory, "takes the stock off the books")],
        },
        OrderStatus::Cancelled => cancelled(order, stock, money, reservation, payment),
    }
}

fn confirmed(
    stock: Option<ReservationStatus>,
    money: Option<PaymentStatus>,
    reservation: Known<&Reservation>,
    now: Timestamp,
) -> Turn {
    let expires_at = reservation.there().and_then(|reservation| reservation.expires_at);
    match (stock, money) {
        (_, Some(PaymentStatus::Processing)) => CHARGES,
        (_, Some(PaymentStatus::Succeeded | PaymentStatus::Failed)) => ORDERS_HEAR_OF_MONEY,
        (Some(ReservationStatus::Expired), _) => ORDERS_HEAR_OF_STOCK,
        (_, None) => turn(Service::Payments, "opens the payment"),
        _ if expires_at.is_some_and(|at| at < now) => {
            turn(Service::Inventory, "ends the reservation: the time is over")
        }
        _ => Turn { who: Who::Customer, what: "pays" },
    }
}

fn cancelled(
    order: &Order,
    stock: Option<ReservationStatus>,
    money: Option<PaymentStatus>,
    reservation: Known<&Reservation>,
    payment: Known<&Payment>,
) -> Vec<Turn> {
    let mut turns = Vec::new();
    match stock {
        None if matches!(reservation, Known::Absent) => {
            turns.push(turn(Service::Inventory, "takes note that the order is over"));
        }
        Some(ReservationStatus::Held | ReservationStatus::Allocated | ReservationStatus::Expired) => {
            turns.push(turn(Service::Inventory, "gives the stock back"));
        }
        _ if !has_heard_of_stock(order, reservation) => turns.push(ORDERS_HEAR_OF_STOCK),
        _ => {}
    }
    match money {
        None if matches!(payment, Known::Absent) => {
            turns.push(turn(Service::Payments, "takes note that the order is over"));
        }
        Some(PaymentStatus::Open) => turns.push(turn(Service::Payments, "voids the payment")),
        Some(PaymentStatus::Succeeded) => turns.push(turn(Service::Payments, "gives the money back")),
        Some(PaymentStatus::Processing) => turns.push(CHARGES),
        Some(PaymentStatus::Refunding) => turns.push(turn(Service::Provider, "gives the money back")),
        _ if !has_heard_of_money(order, payment) => turns.push(ORDERS_HEAR_OF_MONEY),
        _ => {}
    }
    turns
}

/// Whether a cancelled order knows how its stock has ended. What was never asked for ends without a word.
fn has_heard_of_stock(order: &Order, reservation: Known<&Reservation>) -> bool {
    let Known::There(reservation) = reservation else { return true };
    let heard = order.reservation.status;
    match reservation.status {
        ReservationStatus::Released if reservation.lines.is_empty() => true,
        ReservationStatus::Released => heard == OrderReservationStatus::Released,
        ReservationStatus::Refused | ReservationStatus::Lost => heard == OrderReservationStatus::Failed,
        _ => true,
    }
}

/// Whether a cancelled order knows how its payment has ended. What was never due ends without a word.
fn has_heard_of_money(order: &Order, payment: Known<&Payment>) -> bool {
    let Known::There(payment) = payment else { return true };
    let heard = order.payment.status;
    match payment.status {
        PaymentStatus::Voided if payment.amount.is_none() => true,
        PaymentStatus::Voided => heard == OrderPaymentStatus::Voided,
        PaymentStatus::Failed => heard == OrderPaymentStatus::Failed,
        PaymentStatus::Refunded => heard == OrderPaymentStatus::Refunded,
        _ => true,
    }
}

/// How far the stock is; as the order has heard, where inventory could not be asked.
fn stock_of(order: &Order, reservation: Known<&Reservation>) -> Option<ReservationStatus> {
    match reservation {
        Known::There(reservation) => Some(reservation.status),
        Known::Absent => None,
        Known::Unknown => match order.reservation.status {
            OrderReservationStatus::None | OrderReservationStatus::Requested => None,
            OrderReservationStatus::Held => Some(ReservationStatus::Held),
            OrderReservationStatus::Expired => Some(ReservationStatus::Expired),
            OrderReservationStatus::Failed => Some(ReservationStatus::Refused),
            OrderReservationStatus::Allocated => Some(ReservationStatus::Allocated),
            OrderReservationStatus::Committed => Some(ReservationStatus::Committed),
            OrderReservationStatus::Released => Some(ReservationStatus::Released),
        },
    }
}

/// How far the money is; as the order has heard, where payments could not be asked.
fn money_of(order: &Order, payment: Known<&Payment>) -> Option<PaymentStatus> {
    match payment {
        Known::There(payment) => Some(payment.status),
        Known::Absent => None,
        Known::Unknown => match order.payment.status {
            OrderPaymentStatus::None => None,
            OrderPaymentStatus::Open => Some(PaymentStatus::Open),
            OrderPaymentStatus::Failed => Some(PaymentStatus::Failed),
            OrderPaymentStatus::Voided => Some(PaymentStatus::Voided),
            // Paid; and a cancelled order's is being given back until that was heard of.
            OrderPaymentStatus::Succeeded => Some(PaymentStatus::Succeeded),
            OrderPaymentStatus::Refunded => Some(PaymentStatus::Refunded),
        },
    }
}
