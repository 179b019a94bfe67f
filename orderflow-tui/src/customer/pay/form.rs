//! The form for a card: what is typed is checked as it is typed, and wiped when it is not needed any more.

use orderflow_contracts::{api::psp::CreateToken, timestamp::Timestamp};

use super::{
    card::{self, Brand, Check},
    digits::Digits,
    test_cards::TestCard,
};
use crate::{
    customer::effects::{CardData, Sending},
    input::Edit,
};

/// Digits of month and year.
const EXPIRY_DIGITS: usize = 4;
/// Years for which a test card is good.
const TEST_YEARS: u32 = 4;

/// One of the fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The card's number.
    Number,
    /// Month and year.
    Expiry,
    /// The security code.
    Cvc,
}

impl At {
    /// All, from top to bottom.
    pub const ALL: [Self; 3] = [Self::Number, Self::Expiry, Self::Cvc];

    fn index(self) -> usize {
        Self::ALL.iter().position(|at| *at == self).unwrap_or(0)
    }

    /// Another one, so many further.
    pub fn moved(self, by: usize) -> Self {
        Self::ALL[(self.index() + by) % Self::ALL.len()]
    }

    /// By the name that the provider has for it.
    pub fn of_field(name: &str) -> Option<Self> {
        match name {
            "number" => Some(Self::Number),
            "exp_month" | "exp_year" => Some(Self::Expiry),
            "cvc" => Some(Self::Cvc),
            _ => None,
        }
    }
}

/// The fields.
pub struct Form {
    number: Digits,
    expiry: Digits,
    cvc: Digits,
    /// The card is being sent; whatever ends the form ends that.
    sending: Option<Sending>,
    /// Where letters go.
    pub at: At,
}

impl Default for Form {
    fn default() -> Self {
        let (number, expiry, cvc) = (Digits::default(), Digits::default(), Digits::default());
        Self { number, expiry, cvc, sending: None, at: At::Number }
    }
}

impl Form {
    /// The brand, as far as the number says it.
    pub fn brand(&self) -> Brand {
        Brand::of(self.number.bytes())
    }

    /// A field as it is shown, and the column of the cursor.
    pub fn shown(&self, at: At) -> (String, u16) {
        match at {
            At::Number => self.number.shown(self.brand().gaps(), ' ', false),
            At::Expiry => self.expiry.shown(&[2], '/', false),
            At::Cvc => self.cvc.shown(&[], ' ', true),
        }
    }

    /// Whether nothing stands in a field.
    pub const fn is_blank(&self, at: At) -> bool {
        let field = match at {
            At::Number => &self.number,
            At::Expiry => &self.expiry,
            At::Cvc => &self.cvc,
        };
        field.len() == 0
    }

    /// What a field is so far.
    pub fn check(&self, at: At, now: Timestamp) -> Check {
        match at {
            At::Number => card::number(self.number.bytes()),
            At::Expiry => card::expiry(self.expiry.bytes(), now),
            At::Cvc => card::cvc(self.cvc.bytes(), self.brand()),
        }
    }

    /// The first field that cannot be sent yet.
    pub fn unfinished(&self, now: Timestamp) -> Option<At> {
        At::ALL.into_iter().find(|at| self.check(*at, now) != Check::Good)
    }

    /// Somebody types. Whether the card is another one now.
    pub fn edit(&mut self, edit: &Edit) -> bool {
        match self.at {
            // A number says its brand, and with it how long it may be.
            At::Number => match edit {
                Edit::Paste(text) => self.number.paste(text, card::is_whole, |digits| Brand::of(digits).digits_max()),
                edit => self.number.edit(edit, self.brand().digits_max()),
            },
            At::Expiry => self.edit_expiry(edit),
            At::Cvc => self.cvc.edit(edit, self.brand().cvc_digits()),
        }
    }

    fn edit_expiry(&mut self, edit: &Edit) -> bool {
        match edit {
            Edit::Paste(text) => {
                self.expiry.set(&card::month_and_year(text), EXPIRY_DIGITS);
                true
            }
            // `5` can only be May, and so is `5/`.
            Edit::Insert(c @ '2'..='9') if self.expiry.len() == 0 => {
                self.expiry.set(&format!("0{c}"), EXPIRY_DIGITS);
                true
            }
            Edit::Insert('/') if self.expiry.len() == 1 => {
                self.expiry.set(&format!("0{}", self.expiry.text()), EXPIRY_DIGITS);
                true
            }
            edit => self.expiry.edit(edit, EXPIRY_DIGITS),
        }
    }

    /// A test card, with a month to come and some code.
    pub fn take(&mut self, card: &TestCard, now: Timestamp) {
        let year = now.to_string().get(2..4).and_then(|year| year.parse::<u32>().ok()).unwrap_or(30);
        self.number.set(card.number, Brand::Unknown.digits_max());
        self.expiry.set(&format!("12{:02}", (year + TEST_YEARS) % 100), EXPIRY_DIGITS);
        let code = if self.brand() == Brand::Amex { "1234" } else { "123" };
        self.cvc.set(code, self.brand().cvc_digits());
        self.at = At::Cvc;
    }

    /// The card to be sent, if it can be. It is only as long as there is this form with this card.
    pub fn card(&mut self, now: Timestamp) -> Option<CardData> {
        if self.unfinished(now).is_some() {
            return None;
        }
        let part = |range: std::ops::Range<usize>| self.expiry.bytes().get(range).map(card::value);
        let (card, sending) = CardData::new(CreateToken {
            number: self.number.text(),
            exp_month: part(0..2)?.try_into().ok()?,
            exp_year: (2000 + part(2..4)?).try_into().ok()?,
            cvc: self.cvc.text(),
        });
        self.sending = Some(sending);
        Some(card)
    }

    /// Nothing is left of the card.
    pub fn wipe(&mut self) {
        self.number.wipe();
        self.expiry.wipe();
        self.cvc.wipe();
        self.sending = None;
        self.at = At::Number;
    }
}
