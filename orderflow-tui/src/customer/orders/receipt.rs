//! A receipt, as a till would print it. It is read when it is opened and whenever its payment has moved; what was read
//! before says as of when it is.

use orderflow_client::ClientError;
use orderflow_contracts::{
    api::{
        console::EventRecord,
        orders::{Order, OrderPaymentStatus},
        payments::{Payment, PaymentStatus},
    },
    ids::OrderId,
    money::Money,
    timestamp::Timestamp,
};
use ratatui::{Frame, layout::Rect, text::Line};

use super::detail::entry;
use crate::{
    books::Part,
    customer::effects::Do,
    cx::{Cx, Show},
    keys::{self, Action},
    msg::Effect,
    text,
    widgets::frames,
};

/// Columns of the paper.
const WIDE: u16 = 42;

/// How far its payment was read.
enum Reading {
    /// It is on its way.
    Asked,
    /// It was.
    Done,
    /// It could not be, and why.
    Failed(String),
}

/// The receipt of an order.
pub struct Receipt {
    /// Which order's.
    pub id: OrderId,
    reading: Reading,
    /// When it was read last, by our clock.
    read_at: Option<Timestamp>,
    first: usize,
    last: usize,
}

impl Receipt {
    /// Of an order, whose payment is read now.
    pub fn open(id: OrderId, cx: &mut Cx<'_>) -> Self {
        cx.run(Effect::Customer(Do::Payment(id)));
        Self { id, reading: Reading::Asked, read_at: None, first: 0, last: 0 }
    }

    /// Its payment was read, or not.
    pub fn read(&mut self, outcome: &Result<Box<Payment>, ClientError>, now: Timestamp) {
        match outcome {
            Ok(_) => (self.reading, self.read_at) = (Reading::Done, Some(now)),
            Err(error) => self.reading = Reading::Failed(error.to_string()),
        }
    }

    /// An event has come: whatever has happened to its payment, the payment itself says more.
    pub fn hear(&mut self, record: &EventRecord, cx: &mut Cx<'_>) {
        if record.event_type.starts_with("payment.") && record.subject.parse() == Ok(self.id) {
            self.reading = Reading::Asked;
            cx.run(Effect::Customer(Do::Payment(self.id)));
        }
    }

    /// The books have changed: all payments may have been read again since.
    pub fn books_changed(&mut self, payments: &Part) {
        let at = read_at(payments);
        if matches!(self.reading, Reading::Failed(_)) && matches!(payments, Part::Read { .. }) && at > self.read_at {
            (self.reading, self.read_at) = (Reading::Done, at);
        }
    }

    /// A key was pressed. Whether it meant anything here.
    pub fn act(&mut self, action: Action) -> bool {
        self.first = match action {
            keys::UP => self.first.saturating_sub(1),
            keys::DOWN => (self.first + 1).min(self.last),
            _ => return false,
        };
        true
    }

    /// Draws it, over what is there.
    pub fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        let Some(order) = show.books.orders.get(self.id).map(|entry| &entry.order) else { return };
        let payment = show.books.payments.iter().find(|payment| payment.order_id == self.id);
        let wide = area.width.min(WIDE);
        // Between the borders, with a cell on each side where there is room.
        let margin = u16::from(wide == WIDE);
        let columns = usize::from(wide.saturating_sub(2 + 2 * margin));
        let mut lines = lines(order, columns, show);
        lines.extend(self.paid(order, payment, columns, show));
        let tall = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
        let inside = frames::popup(frame, area, (wide, tall), "receipt", show.theme);
        self.last = lines.len().saturating_sub(usize::from(inside.height));
        self.first = self.first.min(self.last);
        for (line, y) in lines.into_iter().skip(self.first).zip(inside.y..inside.bottom()) {
            let x = inside.x + margin.min(inside.width);
            frame.render_widget(line, Rect { x, y, width: inside.width.saturating_sub(margin), height: 1 });
        }
        if self.first < self.last && inside.height > 1 {
            let place = Rect {
                x: inside.right().saturating_sub(6),
                y: inside.bottom() - 1,
                width: 6.min(inside.width),
                height: 1,
            };
            frame.render_widget(Line::styled("↓ more", show.theme.accent), place);
        }
    }
}

fn lines(order: &Order, wide: usize, show: &Show<'_>) -> Vec<Line<'static>> {
    let theme = show.theme;
    let rule = || Line::styled("-".repeat(wide), theme.muted);
    let centred = |words: &str| Line::raw(format!("{words:^wide$}"));
    let mut lines = vec![Line::styled(format!("{:^wide$}", "O R D E R F L O W"), theme.accent)];
    lines.push(centred(order.created_at.to_string().replace('T', "  ").get(..20).unwrap_or_default()));
    for part in parts(&order.id.to_string(), wide) {
        lines.push(Line::styled(format!("{part:^wide$}"), theme.muted));
    }
    lines.push(rule());
    for line in &order.lines {
        let amount = line.unit_price.times(line.quantity).map(number).unwrap_or_default();
        lines.push(entry(&text::plain(&line.name), &amount, wide));
        if line.quantity > 1 {
            lines.push(Line::styled(format!("  {} × {}", line.quantity, number(line.unit_price)), theme.muted));
        }
    }
    lines.push(rule());
    lines.push(entry("TOTAL", &text::money(order.total), wide).style(theme.accent));
    lines.push(Line::raw(""));
    lines
}

/// Without the currency, which the total has.
fn number(amount: Money) -> String {
    amount.to_string().split(' ').next().unwrap_or_default().to_owned()
}

/// When the list of payments was read last.
const fn read_at(payments: &Part) -> Option<Timestamp> {
    match payments {
        Part::Read { at, .. } => Some(*at),
        Part::Failed { read_at, .. } => *read_at,
        Part::Loading => None,
    }
}

/// How far a payment is: the order hears of it even while the payments service does not answer.
fn standing(order: &Order, payment: Option<&Payment>) -> Option<PaymentStatus> {
    let known = payment.map(|payment| payment.status);
    let is_behind = matches!(known, None | Some(PaymentStatus::Open | PaymentStatus::Processing));
    match order.payment.status {
        OrderPaymentStatus::Refunded => Some(PaymentStatus::Refunded),
        OrderPaymentStatus::Succeeded if is_behind => Some(PaymentStatus::Succeeded),
        OrderPaymentStatus::Failed if is_behind => Some(PaymentStatus::Failed),
        OrderPaymentStatus::Voided if is_behind => Some(PaymentStatus::Voided),
        _ => known,
    }
}

impl Receipt {
    fn paid(&self, order: &Order, payment: Option<&Payment>, wide: usize, show: &Show<'_>) -> Vec<Line<'static>> {
        let theme = show.theme;
        let status = standing(order, payment);
        let standing = status.map(|status| match status {
            PaymentStatus::Open => Line::styled("○ NOT PAID YET", theme.warn),
            PaymentStatus::Processing => Line::styled("… BEING PAID, NOT CERTAIN YET", theme.warn),
            PaymentStatus::Succeeded => Line::styled("✓ PAID", theme.good),
            PaymentStatus::Failed => Line::styled("✗ DECLINED", theme.bad),
            PaymentStatus::Voided => Line::styled("✗ NOTHING WAS CHARGED", theme.bad),
            PaymentStatus::Refunding => Line::styled("↺ PAID, BEING GIVEN BACK", theme.back),
            PaymentStatus::Refunded => Line::styled("↺ PAID AND GIVEN BACK", theme.back),
        });
        let details = payment.map(|payment| details(payment, status, wide)).unwrap_or_default();
        // What may be old is said before it.
        self.trouble(wide, show).into_iter().chain(standing).chain(details).collect()
    }

    /// What is to be said if what stands here may be old.
    fn trouble(&self, wide: usize, show: &Show<'_>) -> Vec<Line<'static>> {
        match &self.reading {
            Reading::Done => Vec::new(),
            Reading::Asked => vec![Line::styled("… reading the payment", show.theme.warn)],
            Reading::Failed(why) => {
                let said = match self.read_at.max(read_at(&show.books.payments_part)) {
                    Some(at) => format!("as of {}; cannot be read now:", text::clock(at)),
                    None => "the payment cannot be read:".to_owned(),
                };
                let style = show.theme.bad;
                let why = text::wrap(&text::plain(why), wide);
                let again = show.keys.key_in(keys::EVERYWHERE, keys::REFRESH).map(|key| format!("{key} tries again"));
                let lines = std::iter::once(format!("✗ {said}")).chain(why).chain(again);
                lines.map(|line| Line::styled(text::cut(&line, wide), style)).collect()
            }
        }
    }
}

/// What is known of it besides; when it came to this standing only if it says so itself.
fn details(payment: &Payment, standing: Option<PaymentStatus>, wide: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    if let Some(card) = &payment.card {
        lines.push(entry("card", &format!("{} ···· {}", text::plain(&card.brand), text::plain(&card.last4)), wide));
    }
    if let Some(code) = &payment.decline_code {
        lines.push(entry("declined", &text::plain(code), wide));
    }
    for (name, id) in [("charge", &payment.charge_id), ("refund", &payment.refund_id)] {
        let Some(id) = id.as_deref().map(text::plain) else { continue };
        if text::width(&id) + name.len() + 3 <= wide {
            lines.push(entry(name, &id, wide));
        } else {
            lines.push(Line::raw(name));
            lines.extend(parts(&id, wide - 1).into_iter().map(|part| Line::raw(format!("  {part}"))));
        }
    }
    if standing == Some(payment.status) {
        let at = payment.updated_at.to_string().replace('T', "  ");
        lines.push(entry("at", at.get(..20).unwrap_or_default(), wide));
    }
    lines
}

/// A text that is too long for one line, in several.
fn parts(text: &str, wide: usize) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(wide.max(8)).map(|part| part.iter().collect()).collect()
}
