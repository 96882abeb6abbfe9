//! Glob patterns of the redirect allow-list, with the semantics of the hosted service.
//!
//! Hand-written because the glob crates have one separator, and here both `.` and `/` are
//! separators.

/// A pattern. `*` and `?` do not match `.` and `/`, `**` does; `[a-z]` and `[!a-z]` match one
/// character of a set; `{a,b}` matches an alternative; a backslash escapes the next character.
#[derive(Debug)]
pub(crate) struct Glob(Vec<Vec<Part>>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(char),
    AnyChar,
    Star,
    DoubleStar,
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

/// Number of expanded alternatives; the rest is ignored.
const MAX_ALTERNATIVES: usize = 64;

impl Glob {
    pub(crate) fn new(pattern: &str) -> Self {
        let mut alternatives = vec![String::new()];
        expand(pattern, &mut alternatives);
        Self(alternatives.iter().map(|pattern| parse(pattern)).collect())
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        self.0.iter().any(|parts| matches(parts, &text))
    }
}

/// Expands `{a,b}`, which cannot be nested.
fn expand(pattern: &str, into: &mut Vec<String>) {
    let Some((before, rest)) = pattern.split_once('{') else {
        return into.iter_mut().for_each(|text| text.push_str(pattern));
    };
    let Some((choices, after)) = rest.split_once('}') else {
        return into.iter_mut().for_each(|text| text.push_str(pattern));
    };
    let choices: Vec<&str> = choices.split(',').collect();
    *into = into
        .iter()
        .flat_map(|text| {
            choices
                .iter()
                .map(move |choice| format!("{text}{before}{choice}"))
        })
        .collect();
    into.truncate(MAX_ALTERNATIVES);
    expand(after, into);
}

fn parse(pattern: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = pattern.chars().peekable();
    while let Some(character) = rest.next() {
        parts.push(match character {
            '*' if rest.next_if_eq(&'*').is_some() => Part::DoubleStar,
            '*' => Part::Star,
            '?' => Part::AnyChar,
            '\\' => Part::Literal(rest.next().unwrap_or('\\')),
            '[' => {
                let negated = rest.next_if_eq(&'!').is_some();
                let set: Vec<char> = rest
                    .by_ref()
                    .take_while(|&character| character != ']')
                    .collect();
                Part::Set {
                    negated,
                    ranges: ranges(&set),
                }
            }
            other => Part::Literal(other),
        });
    }
    parts
}

fn ranges(set: &[char]) -> Vec<(char, char)> {
    match set {
        [from, '-', to, rest @ ..] => [vec![(*from, *to)], ranges(rest)].concat(),
        [one, rest @ ..] => [vec![(*one, *one)], ranges(rest)].concat(),
        [] => Vec::new(),
    }
}

/// Matches by dynamic programming. Backtracking would take exponential time on patterns with many
/// stars; this takes the product of both lengths.
fn matches(parts: &[Part], text: &[char]) -> bool {
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for part in parts {
        let mut next = vec![false; text.len() + 1];
        for at in 0..=text.len() {
            let consumed = at > 0 && part.matches(text[at - 1]);
            next[at] = match part {
                Part::Star | Part::DoubleStar => reached[at] || (consumed && next[at - 1]),
                _ => consumed && reached[at - 1],
            };
        }
        reached = next;
    }
    reached[text.len()]
}

impl Part {
    fn matches(&self, character: char) -> bool {
        match self {
            Self::Literal(expected) => character == *expected,
            Self::AnyChar | Self::Star => !matches!(character, '.' | '/'),
            Self::DoubleStar => true,
            Self::Set { negated, ranges } => {
                ranges
                    .iter()
                    .any(|(from, to)| (*from..=*to).contains(&character))
                    != *negated
                    && !matches!(character, '/')
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn single_stars_stop_at_separators() {
        for (pattern, text, expected) in [
            ("http://localhost:3000/*", "http://localhost:3000/a", true),
            (
                "http://localhost:3000/*",
                "http://localhost:3000/a/b",
                false,
            ),
            ("http://localhost:3000/*", "http://localhost:3000/", true),
            (
                "http://localhost:3000/**",
                "http://localhost:3000/a/b.c",
                true,
            ),
            ("https://*.example.com", "https://a.example.com", true),
            ("https://*.example.com", "https://a.b.example.com", false),
            (
                "https://app-?.example.com",
                "https://app-1.example.com",
                true,
            ),
            (
                "https://app-?.example.com",
                "https://app-.example.com",
                false,
            ),
            ("https://[a-c]x.example", "https://bx.example", true),
            ("https://[!a-c]x.example", "https://bx.example", false),
            ("https://{one,two}.example/*", "https://two.example/x", true),
            (
                "https://{one,two}.example/*",
                "https://three.example/x",
                false,
            ),
            ("https://a\\*b.example", "https://a*b.example", true),
            ("https://a\\*b.example", "https://axb.example", false),
            ("https://a.example", "https://a.example/", false),
            ("**", "anything/at.all", true),
            ("", "", true),
        ] {
            assert_eq!(
                Glob::new(pattern).matches(text),
                expected,
                "{pattern} on {text}"
            );
        }
    }

    #[test]
    fn patterns_with_many_stars_match_in_polynomial_time() {
        assert!(
            !Glob::new(&"**a".repeat(60))
                .matches(&"a".repeat(2_000).replace("aaaa", "aaab")[..100])
        );
        assert!(!Glob::new(&format!("{}x", "**a".repeat(60))).matches(&"a".repeat(3_000)));
    }
}
