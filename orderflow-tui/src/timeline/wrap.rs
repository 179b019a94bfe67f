//! Text in several lines.

use unicode_segmentation::UnicodeSegmentation as _;

use crate::text;

/// The words in lines of at most so many columns. A word that is longer is broken.
pub fn wrap(words: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in words.split_whitespace() {
        let gap = usize::from(!line.is_empty());
        if text::width(&line) + gap + text::width(word) <= columns {
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
            if text::width(&line) + text::width(letter) > columns && !line.is_empty() {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_between_words_where_they_can() {
        assert_eq!(wrap("the seller has not confirmed", 12), ["the seller", "has not", "confirmed"]);
        assert_eq!(wrap("01a203bbabcf x", 5), ["01a20", "3bbab", "cf x"]);
        assert_eq!(wrap("日本語", 1), ["日", "本", "語"]);
        assert_eq!(wrap("  ", 5), Vec::<String>::new());
        assert_eq!(wrap("ab", 0), ["a", "b"]);
    }
}
