//! The patterns of a redirect allow-list, as the hosted service reads them.

/// `*` and `?` stop at `.` and `/`, `**` does not; `[a-z]` and `[!a-z]` are one character of a set;
/// `{a,b}` is one of several; a backslash takes the next character literally.
#[derive(Debug)]
pub(super) struct Glob(Vec<Vec<Part>>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Is(char),
    One,
    Within,
    Across,
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

/// More alternatives than anybody writes by hand.
const MAX_ALTERNATIVES: usize = 64;

impl Glob {
    pub(super) fn new(pattern: &str) -> Self {
        let mut alternatives = vec![String::new()];
        expand(pattern, &mut alternatives);
        Self(alternatives.iter().map(|pattern| parse(pattern)).collect())
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        self.0.iter().any(|parts| matches(parts, &text))
    }
}

/// Writes out `{a,b}`, which does not nest.
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
            '*' if rest.next_if_eq(&'*').is_some() => Part::Across,
            '*' => Part::Within,
            '?' => Part::One,
            '\\' => Part::Is(rest.next().unwrap_or('\\')),
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
            other => Part::Is(other),
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

/// By the rows of a table, not by trying again: a pattern of many stars costs no more than its
/// length times the text's.
fn matches(parts: &[Part], text: &[char]) -> bool {
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for part in parts {
        let mut next = vec![false; text.len() + 1];
        for at in 0..=text.len() {
            let consumed = at > 0 && part.takes(text[at - 1]);
            next[at] = match part {
                Part::Within | Part::Across => reached[at] || (consumed && next[at - 1]),
                _ => consumed && reached[at - 1],
            };
        }
        reached = next;
    }
    reached[text.len()]
}

impl Part {
    fn takes(&self, character: char) -> bool {
        match self {
            Self::Is(expected) => character == *expected,
            Self::One | Self::Within => !matches!(character, '.' | '/'),
            Self::Across => true,
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
    fn stars_stop_at_separators_unless_there_are_two() {
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
    fn many_stars_cost_no_more_than_their_number() {
        assert!(
            !Glob::new(&"**a".repeat(60))
                .matches(&"a".repeat(2_000).replace("aaaa", "aaab")[..100])
        );
        assert!(!Glob::new(&format!("{}x", "**a".repeat(60))).matches(&"a".repeat(3_000)));
    }
}
