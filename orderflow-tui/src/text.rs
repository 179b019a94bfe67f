//! Text for narrow places: cut to a width, spans of time, short ids.

use orderflow_client::view::is_unseen;
use orderflow_contracts::{money::Money, timestamp::Timestamp};
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// Columns that a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text in at most so many columns; `…` stands for what is left out.
pub fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut taken = 0;
    for part in text.graphemes(true) {
        if taken + part.width() + 1 > columns {
            break;
        }
        taken += part.width();
        cut.push_str(part);
    }
    if columns > 0 {
        cut.push('…');
    }
    cut
}

/// A line of several styles in at most so many columns; `…` stands for what is left out.
pub fn cut_line(line: Line<'static>, columns: usize) -> Line<'static> {
    if line.width() <= columns {
        return line;
    }
    let mut room = columns;
    let mut spans = Vec::new();
    for span in line.spans {
        let wide = span.width();
        if wide >= room {
            // It ends here, and something follows.
            let rest = if wide == room { format!("{} ", span.content) } else { span.content.into_owned() };
            spans.push(Span::styled(cut(&rest, room), span.style));
            break;
        }
        room -= wide;
        spans.push(span);
    }
    Line { spans, ..line }
}

/// The words in lines of at most so many columns. A word that is longer is broken.
pub fn wrap(words: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in words.split_whitespace() {
        let gap = usize::from(!line.is_empty());
        if width(&line) + gap + width(word) <= columns {
            if gap > 0 {
                line.push(' ');
            }
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for letter in word.graphemes(true) {
            if width(&line) + width(letter) > columns && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            line.push_str(letter);
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// The same in so many lines at most; `…` stands for what is left out.
pub fn wrap_within(words: &str, columns: usize, lines_max: usize) -> Vec<String> {
    let mut lines = wrap(words, columns);
    if lines.len() > lines_max {
        lines.truncate(lines_max);
        if let Some(last) = lines.last_mut() {
            let kept = cut(last, columns.saturating_sub(1));
            *last = if kept.ends_with('…') { kept } else { format!("{kept}…") };
        }
    }
    lines
}

/// Without what could move the cursor, change the terminal, or turn or hide the letters beside it: everything from outside
/// is shown through this.
pub fn plain(text: &str) -> String {
    let seen = |c: char| match c {
        c if c.is_control() || is_break(c) => Some(' '),
        c => Some(c).filter(|c| !is_unseen(*c)),
    };
    text.chars().filter_map(seen).collect()
}

/// Unicode's own breaks of lines, which are no control characters.
const fn is_break(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// The last eight digits of an id: its first ones are the time, and alike for all that was made within a minute.
pub fn short(id: impl ToString) -> String {
    let id = id.to_string();
    id.char_indices().nth_back(7).map_or(id.as_str(), |(at, _)| &id[at..]).to_owned()
}

/// `4:59`, `1:02:03`, or `0:00` when it is over.
pub fn countdown(until: Timestamp, now: Timestamp) -> String {
    let seconds = until.0.saturating_sub(now.0).max(0) / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// How long ago, in one word: `now`, `12s`, `5m`, `3h`, `2d`.
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    match now.0.saturating_sub(at.0) / 1000 {
        ..1 => "now".to_owned(),
        seconds @ 1..60 => format!("{seconds}s"),
        seconds @ 60..3600 => format!("{}m", seconds / 60),
        seconds @ 3600..86_400 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

/// `10:56:10`, in UTC.
pub fn clock(at: Timestamp) -> String {
    at.to_string().get(11..19).unwrap_or_default().to_owned()
}

/// `29.99 USD`.
pub fn money(amount: Money) -> String {
    amount.to_string()
}

#[cfg(test)]
mod tests {
    use orderflow_contracts::money::Currency;

    use super::*;

    #[test]
    fn texts_are_cut_between_what_people_see_as_letters() {
        assert_eq!(cut("orders", 6), "orders");
        assert_eq!(cut("orders", 4), "ord…");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("e\u{301}tude", 3), "e\u{301}t…");
        assert_eq!(cut("x", 0), "");
        assert_eq!(plain("a\u{1b}[2Jb\n"), "a [2Jb ");
        assert_eq!(plain("Mug\u{202e}gnp.\u{2066}\u{200b}e\u{301}\u{feff} 🇨🇭\u{2028}x"), "Muggnp.e\u{301} 🇨🇭 x");
        assert_eq!(short("01a203c6-ad46-76d7-aaf5-2ce359d1b59e"), "59d1b59e");
        assert_eq!(short("tiny"), "tiny");
    }

    #[test]
    fn time_is_told_in_a_word() {
        let at = |seconds: i64| Timestamp(seconds * 1000);
        assert_eq!(countdown(at(299), at(0)), "4:59");
        assert_eq!(countdown(at(3723), at(0)), "1:02:03");
        assert_eq!(countdown(at(0), at(9)), "0:00");
        let words: Vec<_> = [0, 12, 300, 7200, 200_000].iter().map(|s| ago(at(0), at(*s))).collect();
        assert_eq!(words, ["now", "12s", "5m", "2h", "2d"]);
        assert_eq!(ago(at(9), at(0)), "now", "clocks differ");
        assert_eq!(clock(Timestamp(1_700_000_000_123)), "22:13:20");
        assert_eq!(money(Money::new(2999, Currency::Usd)), "29.99 USD");
    }

    #[test]
    fn lines_end_between_words_where_they_can() {
        assert_eq!(wrap("the seller has not confirmed", 12), ["the seller", "has not", "confirmed"]);
        assert_eq!(wrap("01a203bbabcf x", 5), ["01a20", "3bbab", "cf x"]);
        assert_eq!(wrap("日本語", 1), ["日", "本", "語"]);
        assert_eq!(wrap("  ", 5), Vec::<String>::new());
        assert_eq!(wrap("ab", 0), ["a", "b"]);
    }
}
