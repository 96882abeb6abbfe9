//! Parses `WWW-Authenticate` (RFC 9110 §11.6.1).
//!
//! Hand-written because `http-auth` rejects `token68` challenges such as `Negotiate YWJj==`, which
//! may precede the Bearer challenge.

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

/// The parameters of a Bearer challenge, with names in lower case.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct BearerChallenge(Vec<(String, String)>);

impl BearerChallenge {
    /// Returns the only Bearer challenge of the response.
    ///
    /// # Errors
    /// Describes the problem: the header is missing, cannot be parsed, or does not contain exactly
    /// one Bearer challenge.
    pub(super) fn from_headers(headers: &HeaderMap) -> Result<Self, String> {
        let mut values = headers.get_all(WWW_AUTHENTICATE).iter().peekable();
        if values.peek().is_none() {
            return Err("no WWW-Authenticate".to_owned());
        }
        let mut bearer = None;
        for value in values {
            let text = value
                .to_str()
                .map_err(|_| "a WWW-Authenticate that is not ASCII".to_owned())?;
            for (scheme, parameters) in parse_challenges(text)? {
                if scheme.eq_ignore_ascii_case("bearer")
                    && bearer.replace(Self(parameters)).is_some()
                {
                    return Err("two Bearer challenges".to_owned());
                }
            }
        }
        bearer.ok_or_else(|| "a WWW-Authenticate without a Bearer challenge".to_owned())
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Returns a violation of RFC 6750 §3: a repeated attribute, or a character that is not
    /// allowed.
    pub(super) fn problem(&self) -> Option<String> {
        for (index, (name, value)) in self.0.iter().enumerate() {
            if self.0[..index].iter().any(|(earlier, _)| earlier == name) {
                return Some(format!("the attribute {name} twice"));
            }
            let is_allowed = |c: char| matches!(c, ' ' | '!' | '#'..='[' | ']'..='~');
            if matches!(name.as_str(), "error" | "error_description" | "scope")
                && !value.chars().all(is_allowed)
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

fn parse_challenges(text: &str) -> Result<Vec<Challenge>, String> {
    const MALFORMED: &str = "a malformed WWW-Authenticate";
    let mut challenges: Vec<Challenge> = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return Ok(challenges);
        }
        let (name, after) = parse_token(rest).ok_or(MALFORMED)?;
        let trimmed = after.trim_start_matches([' ', '\t']);
        // A comma separates parameters as well as challenges; a parameter is followed by `=`.
        if let (Some(value), Some((_, parameters))) =
            (trimmed.strip_prefix('='), challenges.last_mut())
        {
            let (value, after) = parse_value(value).ok_or(MALFORMED)?;
            parameters.push((name.to_ascii_lowercase(), value));
            rest = expect_separator(after).ok_or(MALFORMED)?;
            continue;
        }
        challenges.push((name.to_owned(), Vec::new()));
        let element = trimmed.split(',').next().unwrap_or_default().trim_end();
        let body = element.trim_end_matches('=');
        let is_token68 = !body.is_empty()
            && body
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-._~+/".contains(c));
        rest = if is_token68 {
            &trimmed[element.len()..]
        } else {
            trimmed
        };
    }
}

fn parse_token(text: &str) -> Option<(&str, &str)> {
    let is_tchar = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let end = text.find(|c| !is_tchar(c)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// Parses a token or a quoted string.
fn parse_value(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start_matches([' ', '\t']);
    let Some(quoted) = text.strip_prefix('"') else {
        return parse_token(text).map(|(value, rest)| (value.to_owned(), rest));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((index, c)) = characters.next() {
        match c {
            '"' => return Some((value, &quoted[index + 1..])),
            '\\' => value.push(characters.next()?.1),
            _ => value.push(c),
        }
    }
    None
}

/// Requires the end of the text or a comma.
fn expect_separator(text: &str) -> Option<&str> {
    let text = text.trim_start_matches([' ', '\t']);
    (text.is_empty() || text.starts_with(',')).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(values: &[&str]) -> Result<BearerChallenge, String> {
        let headers = values
            .iter()
            .map(|value| (WWW_AUTHENTICATE, value.parse().unwrap()));
        BearerChallenge::from_headers(&headers.collect())
    }

    #[test]
    fn finds_bearer_among_other_challenges() {
        for values in [
            &["Bearer realm=\"a\", error=\"invalid_token\""][..],
            &["Basic realm=\"x\", Bearer realm=\"a, b\", error=invalid_token"],
            &[
                "Negotiate YWJj==",
                "bearer  error = \"invalid_token\" ,, realm=\"\\\"\"",
            ],
            &["Basic realm=x, Bearer error=\"invalid_token\", Digest nonce=\"n\""],
        ] {
            let challenge = bearer(values).unwrap();
            assert_eq!(
                challenge.parameter("error"),
                Some("invalid_token"),
                "{values:?}"
            );
            assert_eq!(challenge.problem(), None, "{values:?}");
        }
        assert_eq!(bearer(&["Bearer"]).unwrap(), BearerChallenge::default());
    }

    #[test]
    fn describes_invalid_challenges() {
        for (values, problem) in [
            (&[][..], "no WWW-Authenticate"),
            (&["Basic realm=\"x\""], "without a Bearer"),
            (&["Bearer error=\"a\" realm=\"b\""], "malformed"),
            (&["Bearer error=\"a"], "malformed"),
            (&["Bearer", "Bearer"], "two Bearer"),
        ] {
            assert!(bearer(values).unwrap_err().contains(problem), "{values:?}");
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
