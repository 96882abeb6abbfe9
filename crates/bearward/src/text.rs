//! Text helpers that several modules share: sanitized excerpts of untrusted input, character
//! classes and error chains.

use std::fmt;

/// An excerpt of untrusted input that is safe to log: at most 120 characters, without control
/// characters, line breaks, bidirectional controls or invisible characters.
///
/// A longer text ends with `…`; each unsafe character is replaced by U+FFFD. The excerpt is meant
/// for operators, not for responses.
///
/// ```
/// use bearward::SanitizedText;
///
/// assert_eq!(SanitizedText::new("kid\n1").as_str(), "kid\u{fffd}1");
/// assert!(SanitizedText::new(&"x".repeat(500)).as_str().chars().count() <= 121);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SanitizedText(Box<str>);

impl SanitizedText {
    /// The number of characters that an excerpt keeps.
    const MAX_CHARS: usize = 120;

    /// Truncates and cleans a text.
    pub fn new(text: &str) -> Self {
        let clean = |c: char| {
            if Self::is_unsafe(c) {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        };
        let mut excerpt: String = text.chars().take(Self::MAX_CHARS).map(clean).collect();
        if text.chars().nth(Self::MAX_CHARS).is_some() {
            excerpt.push('…');
        }
        Self(excerpt.into())
    }

    /// Returns whether a character is replaced: a control character, a line or paragraph separator,
    /// a bidirectional control or an invisible character.
    ///
    /// ```
    /// use bearward::SanitizedText;
    ///
    /// assert!(SanitizedText::is_unsafe('\u{202e}'));
    /// assert!(!SanitizedText::is_unsafe('é'));
    /// ```
    pub fn is_unsafe(c: char) -> bool {
        c.is_control() || is_invisible(c)
    }

    /// Returns the excerpt.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SanitizedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SanitizedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Returns whether a character is a line or paragraph separator, a bidirectional control (UAX #9
/// §2) or has no width.
///
/// Such characters make a text look like another one. Zero-width joiners are not included: scripts
/// and emoji need them. Control characters are covered by [`char::is_control`].
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{061c}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
    )
}

/// Returns whether a byte is a `tchar` (RFC 9110 §5.6.2): a character of header names, methods,
/// authentication schemes and cookie names.
pub(crate) const fn is_token_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sanitized_text_is_truncated_and_cleaned() {
        assert_eq!(SanitizedText::new("plain ü").as_str(), "plain ü");
        assert_eq!(
            SanitizedText::new("a\n\u{202e}b\u{200b}").as_str(),
            "a\u{fffd}\u{fffd}b\u{fffd}"
        );
        let exact = "x".repeat(120);
        assert_eq!(SanitizedText::new(&exact).as_str(), exact);
        assert_eq!(
            SanitizedText::new(&format!("{exact}y")).as_str(),
            format!("{exact}…")
        );
    }

    #[test]
    fn token_chars_are_those_of_rfc_9110() {
        let accepted: String = (0..=127_u8)
            .filter(|&byte| is_token_char(byte))
            .map(char::from)
            .filter(|c| !c.is_ascii_alphanumeric())
            .collect();
        assert_eq!(accepted, "!#$%&'*+-.^_`|~");
        assert!(!is_token_char(0x80));
    }
}
