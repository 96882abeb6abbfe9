//! What a text must be to be kept: one check for names, titles and links.

/// Why a text is not kept. It never repeats the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValidationError {
    /// Nothing in it.
    #[error("must not be empty")]
    Empty,
    /// Too much in it.
    #[error("must have at most {0} characters")]
    TooLong(usize),
    /// Characters that a line of text does not have.
    #[error("must not hold control characters")]
    Control,
    /// Spaces around it, which nobody would see.
    #[error("must not begin or end with a space")]
    SurroundingWhitespace,
    /// Not a link that a browser may show.
    #[error("must be an https URL of at most {0} characters")]
    InvalidUrl(usize),
    /// Not what a header may hold.
    #[error("must be 1 to {0} visible ASCII characters")]
    NotVisible(usize),
    /// Not where a page ended.
    #[error("must be the next_cursor of an earlier page")]
    InvalidCursor,
    /// Sent twice, so that it is not clear which counts.
    #[error("was sent twice")]
    Twice,
    /// Not one of a list.
    #[error("must be one of: {0}")]
    NotListed(String),
}

/// One line of 1 to `most` characters, without control characters, and without spaces around it.
pub(super) fn line(text: String, most: usize) -> Result<String, ValidationError> {
    if text.is_empty() {
        Err(ValidationError::Empty)
    } else if text.chars().count() > most {
        Err(ValidationError::TooLong(most))
    } else if text.chars().any(|c| c.is_control() || is_hidden(c)) {
        Err(ValidationError::Control)
    } else if text.trim() != text {
        Err(ValidationError::SurroundingWhitespace)
    } else {
        Ok(text)
    }
}

/// Separators of lines, marks of direction, and what has no width: they let a text look like
/// another one, or like none. Joiners stay, which scripts and emoji need.
fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{061C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::{ValidationError, line};

    #[test]
    fn a_line_is_kept_up_to_its_limit_in_characters() {
        assert!(line("é".repeat(5), 5).is_ok());
        assert_eq!(line("é".repeat(6), 5), Err(ValidationError::TooLong(5)));
    }

    #[test]
    fn what_nobody_sees_is_refused() {
        for (text, why) in [
            ("", ValidationError::Empty),
            (" a", ValidationError::SurroundingWhitespace),
            ("a\u{a0}", ValidationError::SurroundingWhitespace),
            ("a\nb", ValidationError::Control),
            ("a\0", ValidationError::Control),
            ("a\u{202e}b", ValidationError::Control),
            ("\u{200b}", ValidationError::Control),
            ("\u{200f}Admin\u{61c}", ValidationError::Control),
        ] {
            assert_eq!(line(text.to_owned(), 9), Err(why), "{text:?}");
        }
        assert!(line("Ada Lovelace 🐻".to_owned(), 20).is_ok());
    }
}
