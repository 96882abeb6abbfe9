//! Fits text to the width of the terminal. Output to a file or a pipe is not wrapped, so that it can
//! be searched.

use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm, core::Word};

/// Returns the width of the terminal, or `None` if standard output is not a terminal.
fn columns() -> Option<usize> {
    console::Term::stdout()
        .size_checked()
        .map(|(_, columns)| usize::from(columns).clamp(60, 160))
}

/// Returns the height of the terminal, or `None` if standard output is not a terminal.
pub(super) fn rows() -> Option<usize> {
    console::Term::stdout()
        .size_checked()
        .map(|(rows, _)| usize::from(rows).max(24))
}

/// Splits text into lines that fit after an indentation of `indent` columns.
fn wrap(text: &str, indent: usize) -> Vec<String> {
    match columns() {
        Some(columns) => wrap_to(text, columns - indent),
        None => text.lines().map(str::to_owned).collect(),
    }
}

/// Truncates text to one line after an indentation of `indent` columns.
pub(super) fn truncate(text: &str, indent: usize) -> String {
    match columns() {
        Some(columns) => console::truncate_str(text, columns - indent, "…").into_owned(),
        None => text.to_owned(),
    }
}

/// Wraps text, and indents all lines but the first by `indent` columns.
pub(super) fn indented(text: &str, indent: usize) -> String {
    wrap(text, indent).join(&format!("\n{:indent$}", ""))
}

fn wrap_to(text: &str, width: usize) -> Vec<String> {
    let options = Options::new(width)
        .word_separator(WordSeparator::Custom(split_words))
        // Options and paths are not split at their hyphens.
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    text.lines()
        .flat_map(|line| textwrap::wrap(line, &options))
        .map(std::borrow::Cow::into_owned)
        .collect()
}

/// Allows a line break after a space, and after a comma within compact JSON.
fn split_words(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    Box::new(line.split_inclusive([' ', ',']).map(Word::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_at_spaces_and_commas_without_losing_words() {
        assert_eq!(wrap_to("a bc def", 8), ["a bc def"]);
        assert_eq!(wrap_to("a bc def", 7), ["a bc", "def"]);
        assert_eq!(
            wrap_to("a --issuer-bind b", 14),
            ["a", "--issuer-bind", "b"]
        );
        assert_eq!(
            wrap_to("a {\"kid\":\"b\"} c", 6),
            ["a", "{\"kid\"", ":\"b\"}", "c"]
        );
        assert_eq!(
            wrap_to("{\"a\":1,\"bcd\":2}", 9),
            ["{\"a\":1,", "\"bcd\":2}"]
        );
        assert_eq!(
            wrap_to("exited; output:\n  | at x", 11),
            ["exited;", "output:", "  | at x"]
        );
        assert_eq!(wrap_to("", 5), [""; 0]);
    }
}
