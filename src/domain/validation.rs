//! Validation of text from clients and tokens.

use bearward::SanitizedText;

/// Why a text is rejected. Messages never contain the text itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValidationError {
    /// The text is empty.
    #[error("must not be empty")]
    Empty,
    /// The text has more characters than this.
    #[error("must have at most {0} characters")]
    TooLong(usize),
    /// The text contains a control or invisible character.
    #[error("must not contain control or invisible characters")]
    ControlCharacter,
    /// The text starts or ends with whitespace.
    #[error("must not start or end with whitespace")]
    SurroundingWhitespace,
    /// The text is not an https URL of at most this many characters.
    #[error("must be an https URL of at most {0} characters")]
    InvalidUrl(usize),
    /// The value is not 1 to this many visible ASCII characters.
    #[error("must be 1 to {0} visible ASCII characters")]
    NotVisibleAscii(usize),
    /// The text is not a `next_cursor`.
    #[error("must be the next_cursor of an earlier page")]
    InvalidCursor,
    /// The value was sent more than once.
    #[error("must be sent only once")]
    Duplicate,
    /// The value is not in this comma-separated list.
    #[error("must be one of: {0}")]
    NotListed(String),
}

/// Accepts one line of 1 to `max_chars` characters without control characters, invisible characters
/// and surrounding whitespace.
pub(super) fn single_line(text: String, max_chars: usize) -> Result<String, ValidationError> {
    if text.is_empty() {
        Err(ValidationError::Empty)
    } else if text.chars().count() > max_chars {
        Err(ValidationError::TooLong(max_chars))
    } else if text.chars().any(SanitizedText::is_unsafe) {
        Err(ValidationError::ControlCharacter)
    } else if text.trim() != text {
        Err(ValidationError::SurroundingWhitespace)
    } else {
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::{ValidationError, single_line};

    #[test]
    fn length_limit_counts_characters() {
        assert!(single_line("é".repeat(5), 5).is_ok());
        assert_eq!(
            single_line("é".repeat(6), 5),
            Err(ValidationError::TooLong(5))
        );
    }

    #[test]
    fn invisible_characters_are_rejected() {
        for (text, error) in [
            ("", ValidationError::Empty),
            (" a", ValidationError::SurroundingWhitespace),
            ("a\u{a0}", ValidationError::SurroundingWhitespace),
            ("a\nb", ValidationError::ControlCharacter),
            ("a\0", ValidationError::ControlCharacter),
            ("a\u{202e}b", ValidationError::ControlCharacter),
            ("\u{200b}", ValidationError::ControlCharacter),
            ("\u{200f}Admin\u{61c}", ValidationError::ControlCharacter),
        ] {
            assert_eq!(single_line(text.to_owned(), 9), Err(error), "{text:?}");
        }
        assert!(single_line("Ada Lovelace 🐻".to_owned(), 20).is_ok());
    }
}
