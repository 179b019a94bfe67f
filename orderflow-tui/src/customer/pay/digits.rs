//! A field for digits: whatever else is typed or pasted into it is left out, and what was in it is wiped.

use zeroize::Zeroize as _;

use crate::input::Edit;

/// Most digits of any field here: a card's number has up to 19.
const ROOM: usize = 24;

/// Digits, and a cursor among them. They may be a card's: no `Debug`, no `Clone`.
pub struct Digits {
    /// Never grows beyond its room, so that nothing is left elsewhere in memory.
    digits: Vec<u8>,
    cursor: usize,
}

impl Default for Digits {
    fn default() -> Self {
        Self { digits: Vec::with_capacity(ROOM), cursor: 0 }
    }
}

impl Drop for Digits {
    fn drop(&mut self) {
        self.wipe();
    }
}

impl Digits {
    /// They.
    pub fn bytes(&self) -> &[u8] {
        &self.digits
    }

    /// How many.
    pub const fn len(&self) -> usize {
        self.digits.len()
    }

    /// As text.
    pub fn text(&self) -> String {
        self.digits.iter().map(|byte| char::from(*byte)).collect()
    }

    /// Nothing is left of them.
    pub fn wipe(&mut self) {
        self.digits.zeroize();
        self.cursor = 0;
    }

    /// These instead.
    pub fn set(&mut self, text: &str, most: usize) {
        self.wipe();
        self.insert(text, most);
    }

    /// What is pasted: what is whole by itself takes the place of what is there. A part goes to the cursor, all of it or
    /// nothing: digits that are pushed out at the end would make another number. Whether they are others now.
    pub fn paste(&mut self, text: &str, is_whole: impl Fn(&[u8]) -> bool, most: impl Fn(&[u8]) -> usize) -> bool {
        let mut pasted = Self::default();
        pasted.insert(text, ROOM);
        if is_whole(&pasted.digits) {
            pasted.digits.truncate(most(&pasted.digits));
            pasted.cursor = pasted.digits.len();
        } else if pasted.len() == 0 || self.len() + pasted.len() > ROOM {
            return false;
        } else {
            let (left, right) = self.digits.split_at(self.cursor);
            pasted.digits.splice(..0, left.iter().copied());
            pasted.cursor = pasted.digits.len();
            pasted.digits.extend_from_slice(right);
            if pasted.len() > most(&pasted.digits) {
                return false;
            }
        }
        // What was here is wiped with what it changes places with.
        std::mem::swap(self, &mut pasted);
        true
    }

    fn insert(&mut self, text: &str, most: usize) {
        for byte in text.bytes().filter(u8::is_ascii_digit) {
            if self.digits.len() < most.min(ROOM) {
                self.digits.insert(self.cursor, byte);
                self.cursor += 1;
            }
        }
    }

    /// What a person does to them; no more than so many stay. Whether they are others now.
    pub fn edit(&mut self, edit: &Edit, most: usize) -> bool {
        let (len, cursor) = (self.digits.len(), self.cursor);
        match edit {
            Edit::Insert(c) => self.insert(c.encode_utf8(&mut [0; 4]), most),
            Edit::Paste(text) => return self.paste(text, |digits| digits.len() >= most, |_| most),
            Edit::Backspace if cursor > 0 => {
                self.cursor -= 1;
                self.digits.remove(self.cursor);
            }
            Edit::Delete if cursor < len => drop(self.digits.remove(cursor)),
            Edit::DeleteWord | Edit::Clear => self.wipe(),
            Edit::Left => self.cursor = cursor.saturating_sub(1),
            Edit::Right => self.cursor = (cursor + 1).min(len),
            Edit::Home => self.cursor = 0,
            Edit::End => self.cursor = len,
            Edit::Backspace | Edit::Delete => {}
        }
        self.digits.len() != len
    }

    /// As they are shown, with a sign before the digits of these places, and the column of the cursor.
    pub fn shown(&self, breaks: &[usize], sign: char, masked: bool) -> (String, u16) {
        let (mut shown, mut column) = (String::new(), 0);
        for at in 0..=self.digits.len() {
            if breaks.contains(&at) && (at < self.digits.len() || at == self.cursor) {
                shown.push(sign);
            }
            if at == self.cursor {
                column = u16::try_from(shown.chars().count()).unwrap_or(0);
            }
            if let Some(digit) = self.digits.get(at) {
                shown.push(if masked { '•' } else { char::from(*digit) });
            }
        }
        (shown, column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digits_stay_and_no_more_than_there_is_room_for() {
        let mut digits = Digits::default();
        digits.edit(&Edit::Paste(" 4242-4242 4242\t4242\r\n".into()), 16);
        assert_eq!(digits.text(), "4242424242424242");
        assert!(!digits.edit(&Edit::Insert('1'), 16) && !digits.edit(&Edit::Insert('x'), 19));
        digits.edit(&Edit::Backspace, 16);
        digits.edit(&Edit::Home, 16);
        digits.edit(&Edit::Insert('5'), 16);
        assert_eq!(digits.text(), "5424242424242424");
        digits.edit(&Edit::Paste("5555 5555 5555 4444".into()), 16);
        assert_eq!(digits.text(), "5555555555554444", "a whole number takes the place of one");
        digits.wipe();
        assert_eq!(digits.len(), 0);
    }

    #[test]
    fn a_part_is_pasted_where_the_cursor_stands_or_not_at_all() {
        let mut digits = Digits::default();
        digits.set("4242", 16);
        digits.edit(&Edit::Home, 16);
        digits.edit(&Edit::Right, 16);
        assert!(digits.edit(&Edit::Paste("9-9".into()), 16));
        assert_eq!((digits.text().as_str(), digits.cursor), ("499242", 3));
        assert!(!digits.edit(&Edit::Paste("12345678901".into()), 16), "one digit would be pushed out");
        assert!(!digits.edit(&Edit::Paste("no digits".into()), 16));
        assert_eq!((digits.text().as_str(), digits.cursor), ("499242", 3));
    }

    #[test]
    fn groups_are_shown_and_the_cursor_stands_where_the_next_digit_goes() {
        let mut digits = Digits::default();
        digits.set("42424", 16);
        assert_eq!(digits.shown(&[4, 8, 12], ' ', false), ("4242 4".into(), 6));
        digits.edit(&Edit::Backspace, 16);
        assert_eq!(digits.shown(&[4, 8, 12], ' ', false), ("4242 ".into(), 5));
        digits.edit(&Edit::Left, 16);
        assert_eq!(digits.shown(&[4, 8, 12], ' ', true), ("••••".into(), 3));
    }
}
