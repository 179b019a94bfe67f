//! What goes across the customer's screens: ordering, paying, cancelling, and what comes of it.

use orderflow_contracts::{
    api::{
        console::EventRecord,
        orders::{Order, OrderPaymentStatus, OrderStatus},
    },
    ids::OrderId,
    timestamp::Timestamp,
};
use uuid::Uuid;

use super::{
    CART, Customer, ORDERS,
    cart::{self, Line},
    effects::{Agreed, Do, Done},
    kept::{ASKED_MS_MAX, Kept, Recalled, What},
    keys as our,
    orders::{Asked, Placing, Receipt, Row, can_cancel},
    pay::Wants,
    shop::wall,
    words,
};
use crate::{
    area::Area as _,
    books,
    cx::Cx,
    keys::{self, Action},
    msg::Effect,
    overlay::Confirm,
    text,
};

/// Lines of a cart that are looked at again when it is opened.
const LOOKED_AT_MAX: usize = 8;
/// Why the outcome of something from an earlier session is not known.
const LEFT: &str = "the console was left before its outcome was known";

impl Customer {
    /// Something was done.
    pub fn done(&mut self, done: Done, cx: &mut Cx<'_>) {
        match done {
            Done::Recalled(recalled) => self.recalled(recalled, cx),
            Done::Kept(Ok(())) => {}
            Done::Kept(Err(why)) => cx.bad(why),
            Done::Rested => self.shop.rested(cx),
            Done::Looked(id, outcome) => self.shop.looked(id, outcome, cx),
            Done::Agreed(agreed) => self.agreed(&agreed, cx),
            Done::Ordered { key, outcome: Ok(order) } => {
                cx.books.put_orders(std::slice::from_ref(&*order));
                self.placed(key, order.id, cx);
                // Its event may have come before, and another try have kept it since.
                cx.run(Effect::Customer(Do::Forget(key)));
            }
            Done::Ordered { key, outcome: Err(error) } => {
                if self.orders.open.not_placed(key, &error) {
                    cx.run(Effect::Customer(Do::Forget(key)));
                }
            }
            Done::Cancelled { id, outcome: Ok(order), .. } => {
                cx.books.put_orders(std::slice::from_ref(&*order));
                self.orders.open.cancelled(id);
                cx.good("the order is cancelled; what was held or paid goes back");
            }
            Done::Cancelled { id, outcome: Err(error), .. } => {
                if let Some(words) = self.orders.open.not_cancelled(id, &error) {
                    cx.bad(format!("not cancelled: {words}"));
                }
            }
            Done::Token { id, key, outcome } => self.pay.token(id, key, outcome, cx),
            Done::Paying { id, key, outcome } => self.pay.paying(id, key, outcome, cx),
            Done::Payment(id, outcome) => {
                if let Some(receipt) = self.receipt.as_mut().filter(|receipt| receipt.id == id) {
                    receipt.read(&outcome, wall(cx));
                }
                self.pay.read(id, outcome, cx);
            }
        }
    }

    /// An order is placed: its answer has come, or its event, whichever is first.
    fn placed(&mut self, key: Uuid, id: OrderId, cx: &mut Cx<'_>) {
        if self.orders.placed(key, id) {
            cx.good("ordered; the seller has to confirm");
        }
    }

    /// What an earlier session has asked for stands where it stood then: as not known.
    fn recalled(&mut self, recalled: Recalled, cx: &mut Cx<'_>) {
        let mut found = 0_usize;
        for Kept { key, at, what, .. } in recalled.open {
            let is_new = match what {
                What::Order { lines, total } => {
                    let asked = Asked::Unknown(LEFT.to_owned());
                    self.orders.open.recall(Placing { key, lines, total, at, asked, in_doubt: true })
                }
                What::Payment { order, token_key } => {
                    let is_new = self.pay.recall(order, key, token_key, at);
                    if is_new {
                        cx.run(Effect::Customer(Do::Payment(order)));
                    }
                    is_new
                }
            };
            found += usize::from(is_new);
        }
        match found {
            0 => {}
            1 => cx.note("something from last time is not known; among your orders, r asks again"),
            many => cx.note(format!("{many} things from last time are not known; among your orders, r asks again")),
        }
        for Kept { at, what, .. } in recalled.late {
            let day = words::when(at, Timestamp(0));
            cx.bad(match what {
                What::Order { lines, .. } => {
                    let things = cart::things(&lines);
                    format!("{things}, of {day}: too old to ask again. If it was placed, it is among your orders")
                }
                What::Payment { order, .. } => {
                    let order = text::short(order);
                    format!(
                        "the payment of order {order}, of {day}: too old to ask again. The order says what it became"
                    )
                }
            });
        }
        recalled.troubles.into_iter().for_each(|trouble| cx.bad(trouble));
    }

    fn agreed(&mut self, agreed: &Agreed, cx: &mut Cx<'_>) {
        match *agreed {
            Agreed::NewCart(id) => {
                if let Some(product) = cx.books.products.get(id) {
                    self.cart.begin_with_product(product);
                    cx.note("a new cart; u brings the old one back");
                }
            }
            Agreed::Reorder(id) => self.reorder(id, cx),
            Agreed::Cancel(id) => {
                if let Some(key) = self.orders.open.cancel(id) {
                    cx.run(Effect::Customer(Do::Cancel { id, key }));
                }
            }
        }
    }

    /// Orders what is in the cart. It stands among the orders at once, for what it is: asked for.
    pub(super) fn place(&mut self, cx: &mut Cx<'_>) {
        if self.cart.lines().is_empty() {
            return cx.note("the cart is empty");
        }
        if let Some(mixed) = self.cart.mixed(cx.books) {
            return cx.bad(mixed);
        }
        let total = self.cart.total(cx.books);
        let (key, lines) = self.cart.take();
        let placing = Placing { key, lines, total, at: cx.wall(), asked: Asked::Asking, in_doubt: false };
        cx.run(Effect::Customer(placing.wanted()));
        self.orders.open.place(placing);
        self.orders.choose(Row::Placing(key));
        self.go(ORDERS, cx);
    }

    /// A key was pressed over the orders that is more than the list's own. Whether it was.
    pub(super) fn act_on_orders(&mut self, action: Action, cx: &mut Cx<'_>) -> bool {
        match action {
            our::PAY => self.pay_chosen(cx),
            our::CANCEL => self.cancel_chosen(cx),
            our::SHOW_RECEIPT => {
                if let Some(order) = self.orders.chosen_order(cx.books) {
                    let id = order.id;
                    self.show_receipt(id, cx);
                }
            }
            our::AGAIN => self.ask_again(cx),
            our::REORDER => self.reorder_chosen(cx),
            _ => return false,
        }
        true
    }

    fn pay_chosen(&mut self, cx: &mut Cx<'_>) {
        let Some(order) = self.orders.chosen_order(cx.books) else { return };
        let id = order.id;
        if order.status == OrderStatus::Confirmed && order.payment.status == OrderPaymentStatus::Open {
            return self.pay.show(id, cx);
        }
        cx.note(match order.status {
            OrderStatus::Pending => "nothing is due before the seller confirms",
            OrderStatus::Confirming => "nothing is due before its stock is held",
            OrderStatus::Confirmed => "its payment is being opened; in a moment it can be paid",
            OrderStatus::Paid | OrderStatus::Fulfilled => "it is paid; v shows the receipt",
            OrderStatus::Cancelled => "it is cancelled; o orders the same again",
        });
    }

    fn cancel_chosen(&mut self, cx: &mut Cx<'_>) {
        let Some(id) = self.orders.chosen_order(cx.books).map(|order| order.id) else { return };
        self.ask_cancel(id, cx);
    }

    /// Asks whether an order is to be cancelled, by what is known of it now.
    pub(super) fn ask_cancel(&self, id: OrderId, cx: &mut Cx<'_>) {
        let Some(order) = cx.books.orders.get(id).map(|entry| &entry.order) else { return };
        if !can_cancel(order) {
            let is_over = order.status == OrderStatus::Cancelled;
            return cx.note(if is_over { "it is cancelled already" } else { "it is shipped, and cannot be cancelled" });
        }
        let about = format!("{}, {}", order.total, words::things(&order.lines));
        let yes = Effect::Customer(Do::Agree(Agreed::Cancel(order.id)));
        let title = format!("Cancel order {}?", text::short(order.id));
        cx.confirm(Confirm::new(title, what_goes_back(order), yes).about(about).follows(cx.role, id));
    }

    /// Asks again for what has no certain outcome, with the same key.
    fn ask_again(&mut self, cx: &mut Cx<'_>) {
        match self.orders.chosen(cx.books) {
            Some(Row::Placing(key)) => {
                let is_late = |placing: &Placing| cx.wall().0.saturating_sub(placing.at.0) > ASKED_MS_MAX;
                if self.orders.open.placing(key).is_some_and(is_late) {
                    return cx.bad("too old to ask again: the service may not know it any more, and order it twice");
                }
                if let Some(wanted) = self.orders.open.place_again(key) {
                    cx.run(Effect::Customer(wanted));
                }
            }
            Some(Row::Order(id)) if self.orders.open.cancelling(id).is_some() => {
                if let Some(key) = self.orders.open.cancel(id) {
                    cx.run(Effect::Customer(Do::Cancel { id, key }));
                }
            }
            Some(Row::Order(id)) if self.pay.stage(id).is_some() => self.pay.show(id, cx),
            _ => cx.note("its outcome is known; there is nothing to ask again"),
        }
    }

    fn reorder_chosen(&mut self, cx: &mut Cx<'_>) {
        match self.orders.chosen(cx.books) {
            Some(Row::Order(id)) => self.want_reorder(id, cx),
            Some(Row::Placing(key)) => {
                let is_over = |placing: &Placing| matches!(placing.asked, Asked::Refused(_));
                if self.orders.open.placing(key).is_some_and(is_over)
                    && let Some(placing) = self.orders.open.placed(key)
                {
                    self.fill_cart(placing.lines, cx);
                }
            }
            None => {}
        }
    }

    /// An order's things in the cart once more. What is in it already is not thrown away unasked.
    fn want_reorder(&mut self, id: OrderId, cx: &mut Cx<'_>) {
        if self.cart.lines().is_empty() {
            return self.reorder(id, cx);
        }
        let text = "The cart begins anew with what this order had; u brings back what is in it now.";
        cx.confirm(Confirm::new("Begin a new cart?", text, Effect::Customer(Do::Agree(Agreed::Reorder(id)))));
    }

    fn reorder(&mut self, id: OrderId, cx: &mut Cx<'_>) {
        let Some(order) = cx.books.orders.get(id).map(|entry| &entry.order) else { return };
        let lines = order.lines.iter().map(|line| Line::again(line, order.seller_id)).collect();
        self.fill_cart(lines, cx);
    }

    fn fill_cart(&mut self, lines: Vec<Line>, cx: &mut Cx<'_>) {
        self.cart.begin_with(lines);
        cx.note("in the cart again; enter orders it");
        self.go(CART, cx);
    }

    /// What is in the cart is looked at again.
    pub(super) fn look_at_cart(&mut self, cx: &mut Cx<'_>) {
        let ids: Vec<_> = self.cart.lines().iter().map(|line| line.id).take(LOOKED_AT_MAX).collect();
        for id in ids {
            cx.run(Effect::Books(cx.role, books::Do::Product(id)));
        }
    }

    fn show_receipt(&mut self, id: OrderId, cx: &mut Cx<'_>) {
        self.receipt = Some(Receipt::open(id, cx));
    }

    /// A key was pressed over a payment. Whether it meant anything.
    pub(super) fn act_on_payment(&mut self, action: Action, cx: &mut Cx<'_>) -> bool {
        match self.pay.act(action, cx) {
            Some(Wants::Nothing) => {}
            Some(Wants::Receipt(id)) => self.show_receipt(id, cx),
            Some(Wants::Reorder(id)) => self.want_reorder(id, cx),
            None => return false,
        }
        true
    }

    /// A key was pressed over a receipt. Whether it meant anything.
    pub(super) fn act_on_receipt(&mut self, action: Action, cx: &mut Cx<'_>) -> bool {
        let Some(receipt) = &mut self.receipt else { return false };
        match action {
            keys::BACK => self.receipt = None,
            keys::COPY => cx.copy(receipt.id.to_string()),
            action => return receipt.act(action),
        }
        true
    }

    /// An event has come.
    pub(super) fn heard(&mut self, record: &EventRecord, cx: &mut Cx<'_>) {
        if let Ok(id) = record.subject.parse::<OrderId>() {
            match record.event_type.as_str() {
                // Even if the answer was lost: its correlation id is the key with which it was asked for.
                "order.created" => {
                    if let Ok(key) = record.correlation_id.parse()
                        && self.orders.open.placing(key).is_some()
                    {
                        self.placed(key, id, cx);
                        cx.run(Effect::Customer(Do::Forget(key)));
                    }
                }
                "order.cancelled" | "order.fulfilled" => self.orders.open.cancelled(id),
                _ => {}
            }
        }
        self.pay.hear(record, cx);
        if let Some(receipt) = &mut self.receipt {
            receipt.hear(record, cx);
        }
    }
}

const fn what_goes_back(order: &Order) -> &'static str {
    match order.status {
        OrderStatus::Paid => "Your money comes back, and the stock goes back to the seller.",
        OrderStatus::Confirmed => "Nothing is charged, and the stock that is held goes back to the seller.",
        _ => "Nothing is charged.",
    }
}
