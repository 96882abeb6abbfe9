//! A strict parser for `WWW-Authenticate` (RFC 9110 §11.2, §11.6.1), independent of the code that
//! writes the field.
//!
//! Hand-written because `http-auth` rejects `token68` challenges such as `Negotiate YWJj==`, which
//! may precede the Bearer challenge.

use actix_web::http::Method;

/// A challenge: a scheme with a token68 or parameters.
#[derive(Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The authentication scheme as written.
    pub scheme: String,
    /// The token68, if the challenge has one in place of parameters.
    pub token68: Option<String>,
    /// Names in lower case and unquoted values, in order.
    pub parameters: Vec<(String, String)>,
}

impl Challenge {
    /// Returns the first parameter with this lower-case name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Parses a field value.
///
/// # Errors
/// Describes the first violation of the grammar.
pub fn parse_challenges(text: &str) -> Result<Vec<Challenge>, String> {
    let mut parser = Parser(text);
    let mut found: Vec<Challenge> = Vec::new();
    loop {
        parser.skip(" \t,");
        if parser.0.is_empty() {
            return if found.is_empty() {
                Err("no challenge".into())
            } else {
                Ok(found)
            };
        }
        let name = parser.token()?;
        // A comma separates parameters and challenges; a parameter is followed by `=`.
        match (parser.parameter_value()?, found.last_mut()) {
            (Some(value), Some(challenge)) if challenge.token68.is_none() => {
                challenge.parameters.push((name.to_lowercase(), value));
            }
            (Some(_), _) => return Err(format!("parameter {name:?} without a challenge")),
            (None, _) => found.push(parser.challenge(name)?),
        }
        let end = parser.0.trim_start_matches([' ', '\t']);
        if !end.is_empty() && !end.starts_with(',') {
            return Err(format!("missing comma before {end:?}"));
        }
    }
}

struct Parser<'a>(&'a str);

impl Parser<'_> {
    fn skip(&mut self, characters: &str) {
        self.0 = self.0.trim_start_matches(|c| characters.contains(c));
    }

    fn token(&mut self) -> Result<String, String> {
        // The name of a method is a token, too.
        let is_token_end = |byte: u8| Method::from_bytes(&[byte]).is_err();
        let end = self
            .0
            .bytes()
            .position(is_token_end)
            .unwrap_or(self.0.len());
        let (token, rest) = self.0.split_at(end);
        self.0 = rest;
        if token.is_empty() {
            Err(format!("missing token at {rest:?}"))
        } else {
            Ok(token.to_owned())
        }
    }

    /// Parses what follows a scheme: nothing, a token68, or the first parameter.
    fn challenge(&mut self, scheme: String) -> Result<Challenge, String> {
        let mut challenge = Challenge {
            scheme,
            token68: None,
            parameters: Vec::new(),
        };
        let after = self.0.trim_start_matches(' ');
        if after.len() == self.0.len() || after.is_empty() || after.starts_with(',') {
            return Ok(challenge);
        }
        let element = after.split(',').next().unwrap_or_default().trim_end();
        let body = element.trim_end_matches('=');
        let is_token68 = !body.is_empty()
            && body
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-._~+/".contains(c));
        if is_token68 {
            self.0 = &after[element.len()..];
            challenge.token68 = Some(element.to_owned());
            return Ok(challenge);
        }
        self.0 = after;
        let name = self.token()?.to_lowercase();
        let value = self
            .parameter_value()?
            .ok_or_else(|| format!("{name:?} has no value"))?;
        challenge.parameters.push((name, value));
        Ok(challenge)
    }

    /// Parses `BWS "=" BWS ( token / quoted-string )`. Returns `None` if no `=` follows.
    fn parameter_value(&mut self) -> Result<Option<String>, String> {
        let Some(value) = self.0.trim_start_matches([' ', '\t']).strip_prefix('=') else {
            return Ok(None);
        };
        self.0 = value.trim_start_matches([' ', '\t']);
        let Some(quoted) = self.0.strip_prefix('"') else {
            return self.token().map(Some);
        };
        let mut value = String::new();
        let mut characters = quoted.char_indices();
        while let Some((at, c)) = characters.next() {
            match c {
                '"' => {
                    self.0 = &quoted[at + 1..];
                    return Ok(Some(value));
                }
                '\\' => value.push(characters.next().ok_or("backslash at the end")?.1),
                '\t' | ' '..='~' => value.push(c),
                _ => return Err(format!("{c:?} in a quoted string")),
            }
        }
        Err("unterminated quoted string".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_parser_follows_rfc_9110() {
        let parsed = parse_challenges(
            r#"Newauth realm="apps", type=1, title="Login to \"apps\"", Basic realm="simple""#,
        )
        .unwrap();
        assert_eq!(parsed.len(), 2);
        assert_eq!(parsed[0].parameter("title"), Some("Login to \"apps\""));
        assert_eq!(parsed[1].parameter("realm"), Some("simple"));
        let parsed =
            parse_challenges("Negotiate, Negotiate YWJj==, Bearer , ,Basic realm = x").unwrap();
        assert_eq!(
            parsed
                .iter()
                .map(|challenge| challenge.scheme.as_str())
                .collect::<Vec<_>>(),
            ["Negotiate", "Negotiate", "Bearer", "Basic"]
        );
        assert_eq!(parsed[1].token68.as_deref(), Some("YWJj=="));
        for invalid in [
            "",
            ",",
            "Bearer realm=\"x",
            "Bearer realm=\"x\" error=\"y\"",
            "realm=\"x\"",
            "Bearer a=\"\u{7}\"",
            "Bearer a = ",
            "\"x\"",
        ] {
            assert!(parse_challenges(invalid).is_err(), "{invalid:?}");
        }
    }
}
