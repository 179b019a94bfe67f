//! A lesson's text, in lines of a width: `*saga*` is a word to remember, and is set off.

use ratatui::{
    style::Style,
    text::{Line, Span},
};

use crate::{text, theme::Theme};

/// The text in lines of at most so many columns. A word that is longer is cut.
pub fn wrap(words: &str, columns: usize, style: Style, theme: &Theme) -> Vec<Line<'static>> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let (mut spans, mut taken) = (Vec::new(), 0);
    for (word, is_term) in split(&text::plain(words)) {
        let word = text::cut(&word, columns);
        let wide = text::width(&word);
        if taken > 0 && taken + 1 + wide > columns {
            lines.push(Line::from(std::mem::take(&mut spans)));
            taken = 0;
        }
        if taken > 0 {
            spans.push(Span::styled(" ", style));
            taken += 1;
        }
        spans.push(Span::styled(word, if is_term { theme.accent } else { style }));
        taken += wide;
    }
    if !spans.is_empty() {
        lines.push(Line::from(spans));
    }
    lines
}

/// Words, and whether each is one to remember. What clings to such a word is a word's end, and not set off by a blank.
fn split(words: &str) -> Vec<(String, bool)> {
    let mut is_term = false;
    let mut all = Vec::new();
    for word in words.split_whitespace() {
        let begins = word.starts_with('*');
        let ends = word.trim_start_matches('*').contains('*');
        is_term |= begins;
        all.push((word.replace('*', ""), is_term));
        is_term &= !ends;
    }
    all
}

/// Lines behind a sign: what does not fit into the first one stands below it.
pub fn signed(
    sign: &str,
    sign_style: Style,
    words: &str,
    columns: usize,
    style: Style,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let indent = text::width(sign) + 1;
    let lines = wrap(words, columns.saturating_sub(indent), style, theme);
    let lead = |at: usize| if at == 0 { format!("{sign} ") } else { " ".repeat(indent) };
    lines
        .into_iter()
        .enumerate()
        .map(|(at, mut line)| {
            line.spans.insert(0, Span::styled(lead(at), sign_style));
            line
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::ThemeName;

    #[test]
    fn words_to_remember_are_set_off_and_no_line_is_too_long() {
        let theme = Theme::of(ThemeName::Dark);
        let lines = wrap("This is a *semantic lock*, you see.", 12, theme.text, &theme);
        let text: Vec<String> = lines.iter().map(ToString::to_string).collect();
        assert_eq!(text, ["This is a", "semantic", "lock, you", "see."]);
        let terms = lines.iter().flat_map(|line| &line.spans).filter(|span| span.style == theme.accent);
        assert_eq!(terms.count(), 2);
        let lines = signed("✓", theme.good, "one two three", 8, theme.text, &theme);
        let text: Vec<String> = lines.iter().map(ToString::to_string).collect();
        assert_eq!(text, ["✓ one", "  two", "  three"]);
        assert_eq!(wrap("long", 0, theme.text, &theme).len(), 1);
    }
}
