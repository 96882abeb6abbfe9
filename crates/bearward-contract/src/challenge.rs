//! The challenges of an answer, read by the grammar of RFC 9110 §11.6.1.

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

/// One challenge of the Bearer scheme: its parameters, names in lower case.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Bearer(Vec<(String, String)>);

impl Bearer {
    /// The Bearer challenge among all that were sent.
    ///
    /// The error says what is wrong: none there, or not readable.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, String> {
        let mut sent = headers.get_all(WWW_AUTHENTICATE).iter().peekable();
        if sent.peek().is_none() {
            return Err("no WWW-Authenticate".to_owned());
        }
        let mut found = None;
        for value in sent {
            let text = value
                .to_str()
                .map_err(|_| "a WWW-Authenticate that is not ASCII".to_owned())?;
            for (scheme, parameters) in read(text)? {
                if scheme.eq_ignore_ascii_case("bearer")
                    && found.replace(Self(parameters)).is_some()
                {
                    return Err("two Bearer challenges".to_owned());
                }
            }
        }
        found.ok_or_else(|| "a WWW-Authenticate without a Bearer challenge".to_owned())
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }

    /// RFC 6750 §3: no attribute twice, and each within its characters.
    pub(super) fn problem(&self) -> Option<String> {
        for (at, (name, value)) in self.0.iter().enumerate() {
            if self.0[..at].iter().any(|(earlier, _)| earlier == name) {
                return Some(format!("the attribute {name} twice"));
            }
            let within = |c: char| matches!(c, ' ' | '!' | '#'..='[' | ']'..='~');
            if matches!(name.as_str(), "error" | "error_description" | "scope")
                && !value.chars().all(within)
            {
                return Some(format!(
                    "{name} with characters that RFC 6750 does not allow"
                ));
            }
        }
        None
    }
}

type Challenge = (String, Vec<(String, String)>);

fn read(text: &str) -> Result<Vec<Challenge>, String> {
    const UNREADABLE: &str = "a WWW-Authenticate that cannot be read";
    let mut found: Vec<Challenge> = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return Ok(found);
        }
        let (name, after) = token(rest).ok_or(UNREADABLE)?;
        let spaced = after.trim_start_matches([' ', '\t']);
        // A comma may stand before a parameter or before the next challenge; only `=` tells which.
        if let (Some(value), Some((_, parameters))) = (spaced.strip_prefix('='), found.last_mut()) {
            let (value, after) = parameter(value).ok_or(UNREADABLE)?;
            parameters.push((name.to_ascii_lowercase(), value));
            rest = separated(after).ok_or(UNREADABLE)?;
            continue;
        }
        found.push((name.to_owned(), Vec::new()));
        let element = spaced.split(',').next().unwrap_or_default().trim_end();
        let body = element.trim_end_matches('=');
        let is_token68 = !body.is_empty()
            && body
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-._~+/".contains(c));
        rest = if is_token68 {
            &spaced[element.len()..]
        } else {
            spaced
        };
    }
}

fn token(text: &str) -> Option<(&str, &str)> {
    let is_tchar = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let end = text.find(|c| !is_tchar(c)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn parameter(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start_matches([' ', '\t']);
    let Some(quoted) = text.strip_prefix('"') else {
        return token(text).map(|(value, rest)| (value.to_owned(), rest));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            _ => value.push(c),
        }
    }
    None
}

/// What follows a parameter is the end or a comma.
fn separated(text: &str) -> Option<&str> {
    let text = text.trim_start_matches([' ', '\t']);
    (text.is_empty() || text.starts_with(',')).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(values: &[&str]) -> Result<Bearer, String> {
        let headers = values
            .iter()
            .map(|value| (WWW_AUTHENTICATE, value.parse().unwrap()));
        Bearer::of(&headers.collect())
    }

    #[test]
    fn a_bearer_challenge_is_found_beside_others() {
        for values in [
            &["Bearer realm=\"a\", error=\"invalid_token\""][..],
            &["Basic realm=\"x\", Bearer realm=\"a, b\", error=invalid_token"],
            &[
                "Negotiate YWJj==",
                "bearer  error = \"invalid_token\" ,, realm=\"\\\"\"",
            ],
            &["Basic realm=x, Bearer error=\"invalid_token\", Digest nonce=\"n\""],
        ] {
            let found = bearer(values).unwrap();
            assert_eq!(
                found.parameter("error"),
                Some("invalid_token"),
                "{values:?}"
            );
            assert_eq!(found.problem(), None, "{values:?}");
        }
        assert_eq!(bearer(&["Bearer"]).unwrap(), Bearer::default());
    }

    #[test]
    fn what_is_no_lawful_challenge_is_named() {
        for (values, words) in [
            (&[][..], "no WWW-Authenticate"),
            (&["Basic realm=\"x\""], "without a Bearer"),
            (&["Bearer error=\"a\" realm=\"b\""], "cannot be read"),
            (&["Bearer error=\"a"], "cannot be read"),
            (&["Bearer", "Bearer"], "two Bearer"),
        ] {
            assert!(bearer(values).unwrap_err().contains(words), "{values:?}");
        }
        assert!(
            bearer(&["Bearer error=\"a\", error=\"b\""])
                .unwrap()
                .problem()
                .unwrap()
                .contains("twice")
        );
        assert!(
            bearer(&["Bearer error_description=\"a\\\"b\""])
                .unwrap()
                .problem()
                .unwrap()
                .contains("characters")
        );
    }
}
