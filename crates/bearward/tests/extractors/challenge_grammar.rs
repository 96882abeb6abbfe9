//! `WWW-Authenticate` read strictly by the grammar (RFC 9110 §11.2, §11.6.1), so that the
//! challenges are seen as a client sees them.

/// One challenge: a scheme, and a token68 or parameters.
#[derive(Debug, PartialEq, Eq)]
pub struct Challenge {
    pub scheme: String,
    pub token68: Option<String>,
    /// Names in lower case, values unquoted, in their order.
    pub parameters: Vec<(String, String)>,
}

impl Challenge {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }

    /// RFC 6750 §3, RFC 9470 §3, RFC 9728 §5.1.
    pub fn must_be_lawful(&self) {
        assert_eq!(self.scheme, "Bearer");
        assert_eq!(self.token68, None);
        assert!(!self.parameters.is_empty(), "one or more attributes");
        let known = [
            "realm",
            "error",
            "error_description",
            "scope",
            "acr_values",
            "resource_metadata",
        ];
        for (at, (name, value)) in self.parameters.iter().enumerate() {
            assert!(
                known.contains(&name.as_str()),
                "{name} is nobody's attribute"
            );
            assert!(
                !self.parameters[..at]
                    .iter()
                    .any(|(earlier, _)| earlier == name),
                "{name} occurs twice"
            );
            let lawful = |c: char| match name.as_str() {
                "realm" | "error_description" | "scope" | "acr_values" => {
                    matches!(c, ' ' | '!' | '#'..='[' | ']'..='~')
                }
                _ => matches!(c, '!' | '#'..='[' | ']'..='~'),
            };
            assert!(
                value.chars().all(lawful),
                "{name} leaves its characters: {value:?}"
            );
        }
        if let Some(scope) = self.attribute("scope") {
            assert!(
                scope.split(' ').all(|word| !word.is_empty()),
                "words with one space between: {scope:?}"
            );
        }
        assert_eq!(
            self.attribute("error").is_some(),
            self.attribute("error_description").is_some()
        );
        assert_eq!(
            self.attribute("scope").is_some(),
            self.attribute("error") == Some("insufficient_scope")
        );
        assert_eq!(
            self.attribute("acr_values").is_some(),
            self.attribute("error") == Some("insufficient_user_authentication")
        );
    }
}

/// Reads a field value.
pub fn challenges(text: &str) -> Result<Vec<Challenge>, String> {
    let mut rest = Rest(text);
    let mut found: Vec<Challenge> = Vec::new();
    loop {
        rest.skip(" \t,");
        if rest.0.is_empty() {
            return if found.is_empty() {
                Err("no challenge".into())
            } else {
                Ok(found)
            };
        }
        let name = rest.token()?;
        // A comma may stand before a parameter or before the next challenge; only `=` tells which.
        match (rest.parameter_value()?, found.last_mut()) {
            (Some(value), Some(challenge)) if challenge.token68.is_none() => {
                challenge.parameters.push((name.to_lowercase(), value));
            }
            (Some(_), _) => return Err(format!("a parameter {name:?} of no challenge")),
            (None, _) => found.push(rest.challenge(name)?),
        }
        let end = rest.0.trim_start_matches([' ', '\t']);
        if !end.is_empty() && !end.starts_with(',') {
            return Err(format!("no comma before {end:?}"));
        }
    }
}

struct Rest<'a>(&'a str);

impl Rest<'_> {
    fn skip(&mut self, characters: &str) {
        self.0 = self.0.trim_start_matches(|c| characters.contains(c));
    }

    fn token(&mut self) -> Result<String, String> {
        let is_tchar = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        let end = self.0.find(|c| !is_tchar(c)).unwrap_or(self.0.len());
        let (token, rest) = self.0.split_at(end);
        self.0 = rest;
        if token.is_empty() {
            Err(format!("no token at {rest:?}"))
        } else {
            Ok(token.to_owned())
        }
    }

    /// What follows a scheme: nothing, a token68, or the first parameter.
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

    /// `BWS "=" BWS ( token / quoted-string )`; `None` where no `=` follows.
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
                '\\' => value.push(characters.next().ok_or("a backslash at the end")?.1),
                '\t' | ' '..='~' => value.push(c),
                _ => return Err(format!("{c:?} in a quoted string")),
            }
        }
        Err("a quoted string without an end".into())
    }
}

#[test]
fn the_parser_reads_what_the_rfc_shows_and_refuses_what_it_does_not() {
    let parsed = challenges(
        r#"Newauth realm="apps", type=1, title="Login to \"apps\"", Basic realm="simple""#,
    )
    .unwrap();
    assert_eq!(parsed.len(), 2);
    assert_eq!(parsed[0].attribute("title"), Some("Login to \"apps\""));
    assert_eq!(parsed[1].attribute("realm"), Some("simple"));
    let parsed = challenges("Negotiate, Negotiate YWJj==, Bearer , ,Basic realm = x").unwrap();
    assert_eq!(
        parsed
            .iter()
            .map(|challenge| challenge.scheme.as_str())
            .collect::<Vec<_>>(),
        ["Negotiate", "Negotiate", "Bearer", "Basic"]
    );
    assert_eq!(parsed[1].token68.as_deref(), Some("YWJj=="));
    for wrong in [
        "",
        ",",
        "Bearer realm=\"x",
        "Bearer realm=\"x\" error=\"y\"",
        "realm=\"x\"",
        "Bearer a=\"\u{7}\"",
        "Bearer a = ",
        "\"x\"",
    ] {
        assert!(challenges(wrong).is_err(), "{wrong:?}");
    }
}
