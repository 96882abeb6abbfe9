//! Text within the width of the terminal. Where nobody looks at a terminal, lines stay whole for
//! whoever searches them.

/// The columns of the terminal that standard output is.
fn columns() -> Option<usize> {
    console::Term::stdout()
        .size_checked()
        .map(|(_, columns)| usize::from(columns).clamp(60, 160))
}

/// The lines of a text that stands behind so many columns; a word that is longer than a line is
/// broken, after a comma where it has one.
pub(super) fn wrapped(text: &str, indent: usize) -> Vec<String> {
    match columns() {
        Some(columns) => within(text, columns - indent),
        None => text.lines().map(str::to_owned).collect(),
    }
}

/// The text, or its beginning, where that and so many columns before it are a line.
pub(super) fn cut(text: &str, indent: usize) -> String {
    match columns() {
        Some(columns) if text.chars().count() > columns - indent => {
            let kept: String = text.chars().take(columns - indent - 1).collect();
            format!("{}…", kept.trim_end())
        }
        _ => text.to_owned(),
    }
}

fn within(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        // What a process wrote keeps its own indentation.
        let words = paragraph.trim_start();
        let mut line = " ".repeat(paragraph.len() - words.len());
        for word in words.split(' ') {
            let mut word: Vec<char> = word.chars().collect();
            let mut used = line.chars().count();
            if !line.trim().is_empty() {
                // Whatever is longer than a line need not begin on a new one.
                if used + 1 + word.len() <= width || (word.len() > width && used + 1 < width / 2) {
                    line.push(' ');
                    used += 1;
                } else {
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
            }
            while used + word.len() > width {
                let room = width - used;
                let comma = word[..room]
                    .iter()
                    .rposition(|c| *c == ',')
                    .map_or(room, |at| at + 1);
                let rest = word.split_off(comma);
                line.extend(word);
                lines.push(std::mem::take(&mut line));
                (word, used) = (rest, 0);
            }
            line.extend(word);
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_longer_than_its_width_and_no_word_is_lost() {
        assert_eq!(within("a bc def", 8), ["a bc def"]);
        assert_eq!(within("a bc def", 7), ["a bc", "def"]);
        assert_eq!(
            within("a {\"kid\":\"b\"} c", 6),
            ["a {\"ki", "d\":\"b\"", "} c"]
        );
        assert_eq!(
            within("{\"a\":1,\"bcd\":2}", 9),
            ["{\"a\":1,", "\"bcd\":2}"]
        );
        assert_eq!(
            within("ended; it wrote:\n  | at x", 11),
            ["ended; it", "wrote:", "  | at x"]
        );
        assert_eq!(within("", 5), [""; 0]);
    }
}
