//! Money: what the provider has taken and given back, against the orders and against what payments believes.

use std::collections::{BTreeMap, HashMap};

use orderflow_contracts::{
    api::{
        orders::OrderStatus,
        payments::{Payment, PaymentStatus},
        psp::{Charge, ChargeStatus, Refund},
    },
    ids::OrderId,
    money::{Currency, Money},
};

use super::{findings::Findings, snapshot::Snapshot};

fn taken(snapshot: &Snapshot) -> impl Iterator<Item = &Charge> {
    snapshot.charges.iter().filter(|charge| charge.status == ChargeStatus::Succeeded)
}

pub(super) fn charged_once(snapshot: &Snapshot, findings: &mut Findings) {
    let mut of_order: BTreeMap<&str, Vec<&Charge>> = BTreeMap::new();
    for charge in taken(snapshot) {
        of_order.entry(&charge.reference).or_default().push(charge);
    }
    for (reference, charges) in of_order {
        findings.look();
        if charges.len() > 1 {
            let told = charges.iter().map(|charge| format!("{} of {}", charge.id, charge.amount)).collect::<Vec<_>>();
            let is = format!("charged {} times: {}", charges.len(), told.join(", "));
            findings.add(format!("order {reference}"), is, "charged once at most");
        }
    }
}

/// Amounts by currency; those that are nothing are left out in the end.
type Balance = BTreeMap<Currency, i64>;

fn text(balance: &Balance) -> String {
    if balance.is_empty() {
        return "nothing".to_owned();
    }
    balance.iter().map(|(currency, minor)| Money::new(*minor, *currency).to_string()).collect::<Vec<_>>().join(" and ")
}

pub(super) fn balance(snapshot: &Snapshot, findings: &mut Findings) {
    let mut kept: HashMap<&str, Balance> = HashMap::new();
    let mut note = |reference, money: Money, sign: i64| {
        let balance = kept.entry(reference).or_default().entry(money.currency).or_default();
        *balance = balance.saturating_add(money.minor.saturating_mul(sign));
    };
    taken(snapshot).for_each(|charge| note(charge.reference.as_str(), charge.amount, 1));
    snapshot.refunds.iter().for_each(|refund| note(refund.reference.as_str(), refund.amount, -1));
    for (id, order) in &snapshot.orders {
        findings.look();
        // The provider may have done it, and its answer is on the way.
        if snapshot.payments.get(id).is_some_and(|payment| payment.call.is_some()) {
            continue;
        }
        let mut is = kept.remove(id.to_string().as_str()).unwrap_or_default();
        is.retain(|_, minor| *minor != 0);
        let mut should_be = Balance::new();
        if matches!(order.status, OrderStatus::Paid | OrderStatus::Fulfilled) {
            should_be.insert(order.total.currency, order.total.minor);
        }
        if is != should_be {
            let should_be = format!("{}: it is {}", text(&should_be), order.status.as_str());
            findings.add(format!("order {id}"), format!("the provider has kept {}", text(&is)), should_be);
        }
    }
}

pub(super) fn ledgers_agree(snapshot: &Snapshot, findings: &mut Findings) {
    let charges: HashMap<&str, &Charge> = snapshot.charges.iter().map(|charge| (charge.id.as_str(), charge)).collect();
    let refunds: HashMap<&str, &Refund> = snapshot.refunds.iter().map(|refund| (refund.id.as_str(), refund)).collect();
    for (id, payment) in &snapshot.payments {
        findings.look();
        check_amount(snapshot, *id, payment, findings);
        if payment.call.is_none() {
            check_charge(*id, payment, &charges, findings);
            check_refund(*id, payment, &refunds, findings);
        }
    }
    let mut given_back: HashMap<&str, i64> = HashMap::new();
    for refund in &snapshot.refunds {
        findings.look();
        let sum = given_back.entry(&refund.charge_id).or_default();
        *sum = sum.saturating_add(refund.amount.minor);
        let known = payment_of(snapshot, &refund.reference);
        let is_known = known.is_some_and(|payment| knows(payment, payment.refund_id.as_deref(), &refund.id));
        findings.unless(is_known, &format!("refund {}", refund.id), || not_known(&refund.reference, known), KNOWN);
    }
    for charge in taken(snapshot) {
        findings.look();
        let subject = format!("charge {}", charge.id);
        let known = payment_of(snapshot, &charge.reference);
        let is_known = known.is_some_and(|payment| knows(payment, payment.charge_id.as_deref(), &charge.id));
        // A second charge of an order is told of by another check.
        let is_second =
            known.is_some_and(|payment| payment.charge_id.as_ref().is_some_and(|id| is_taken(&charges, id)));
        findings.unless(is_known || is_second, &subject, || not_known(&charge.reference, known), KNOWN);
        let sum = given_back.get(charge.id.as_str()).copied().unwrap_or(0);
        if charge.refunded_minor != sum {
            let amount = |minor| Money::new(minor, charge.amount.currency);
            let should_be = format!("{}: the sum of its refunds", amount(sum));
            findings.add(subject, format!("{} given back", amount(charge.refunded_minor)), should_be);
        }
    }
}

const KNOWN: &str = "known to the payment of its order";

fn payment_of<'a>(snapshot: &'a Snapshot, reference: &str) -> Option<&'a Payment> {
    snapshot.payments.get(&reference.parse().ok()?)
}

/// Whether a payment has it, or cannot have it yet.
fn knows(payment: &Payment, has: Option<&str>, id: &str) -> bool {
    has == Some(id) || payment.call.is_some()
}

fn is_taken(charges: &HashMap<&str, &Charge>, id: &str) -> bool {
    charges.get(id).is_some_and(|charge| charge.status == ChargeStatus::Succeeded)
}

fn not_known(reference: &str, payment: Option<&Payment>) -> String {
    match payment {
        None => format!("the provider has it, and payments has no payment for {reference}"),
        Some(payment) => {
            format!("the provider has it, and the payment of order {reference} ({}) does not", payment.status.as_str())
        }
    }
}

fn check_amount(snapshot: &Snapshot, id: OrderId, payment: &Payment, findings: &mut Findings) {
    let (Some(order), Some(amount)) = (snapshot.orders.get(&id), payment.amount) else { return };
    if amount != order.total {
        findings.add(format!("payment of order {id}"), format!("{amount} is due"), format!("{}", order.total));
    }
}

const fn has_charge(status: PaymentStatus) -> bool {
    matches!(status, PaymentStatus::Succeeded | PaymentStatus::Refunding | PaymentStatus::Refunded)
}

fn check_charge(id: OrderId, payment: &Payment, charges: &HashMap<&str, &Charge>, findings: &mut Findings) {
    let (subject, status) = (format!("payment of order {id}"), payment.status.as_str());
    match &payment.charge_id {
        None => {
            findings.unless(!has_charge(payment.status), &subject, || format!("{status} without a charge"), "a charge");
        }
        Some(charge_id) if !has_charge(payment.status) => {
            findings.add(subject, format!("{status} with charge {charge_id}"), "no charge");
        }
        Some(charge_id) => match charges.get(charge_id.as_str()).filter(|_| is_taken(charges, charge_id)) {
            None => {
                let is = format!("{status} by charge {charge_id}, which the provider has not taken");
                findings.add(subject, is, "a charge in the provider's books");
            }
            Some(charge) => {
                let is = || format!("charge {charge_id} of {} for {}", charge.amount, charge.reference);
                let fits = charge.reference == id.to_string() && payment.amount.is_none_or(|it| it == charge.amount);
                let amount = payment.amount.map(|amount| amount.to_string()).unwrap_or_default();
                findings.unless(fits, &subject, is, &format!("{amount} for {id}"));
            }
        },
    }
}

fn check_refund(id: OrderId, payment: &Payment, refunds: &HashMap<&str, &Refund>, findings: &mut Findings) {
    let (subject, status) = (format!("payment of order {id}"), payment.status.as_str());
    let is_refunded = payment.status == PaymentStatus::Refunded;
    match &payment.refund_id {
        None => findings.unless(!is_refunded, &subject, || format!("{status} without a refund"), "a refund"),
        Some(refund_id) if !is_refunded => {
            findings.add(subject, format!("{status} with refund {refund_id}"), "no refund");
        }
        Some(refund_id) => match refunds.get(refund_id.as_str()) {
            None => {
                let is = format!("{status} by refund {refund_id}, which the provider does not know");
                findings.add(subject, is, "a refund in the provider's books");
            }
            Some(refund) => {
                let is = || format!("refund {refund_id} of {} for charge {}", refund.amount, refund.charge_id);
                let fits = Some(&refund.charge_id) == payment.charge_id.as_ref()
                    && payment.amount.is_none_or(|amount| amount == refund.amount);
                let amount = payment.amount.map(|amount| amount.to_string()).unwrap_or_default();
                let charge = payment.charge_id.as_deref().unwrap_or("none");
                findings.unless(fits, &subject, is, &format!("{amount} for charge {charge}"));
            }
        },
    }
}
