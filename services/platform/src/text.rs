//! Text that people have written, as others are to see it.

/// Whether a character is not seen by itself, or moves what is: a control or format character (Unicode's Cc and Cf, but
/// for the few that are seen), or a break of lines. In a name they make one thing look like another, and a row of a
/// screen stand in another order than it was written.
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_all_scripts_are_seen_and_what_turns_them_is_not() {
        assert!("Mug 29 ö Ω Ж עברית العربية ไทย 日本語 e\u{301} 🇨🇭".chars().all(|c| !is_unseen(c)));
        for c in ['\u{202e}', '\u{200b}', '\u{200f}', '\u{2066}', '\u{feff}', '\u{2028}', '\u{85}', '\t', '\u{e0041}'] {
            assert!(is_unseen(c), "{}", c.escape_unicode());
        }
    }
}
