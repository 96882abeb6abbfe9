//! Finds the Bearer challenge of a response and checks it against RFC 6750 §3.

use bearward_testing::challenge::{Challenge, parse_challenges};
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
            let challenges =
                parse_challenges(text).map_err(|_| "a malformed WWW-Authenticate".to_owned())?;
            for challenge in challenges {
                if challenge.scheme.eq_ignore_ascii_case("bearer")
                    && bearer.replace(Self(challenge.parameters)).is_some()
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

/// Returns how the challenge of a rejected proof deviates from RFC 9449 §7.1.
pub(super) fn proof_challenge_problem(headers: &HeaderMap) -> Option<String> {
    match dpop_challenge(headers).map(|challenge| challenge.parameter("error").map(str::to_owned)) {
        Err(problem) => Some(problem),
        Ok(Some(code)) if matches!(code.as_str(), "invalid_dpop_proof" | "invalid_token") => None,
        Ok(_) => Some("a DPoP challenge without the error code".to_owned()),
    }
}

/// Returns the first `DPoP` challenge of the response.
///
/// # Errors
/// Describes the problem: the header cannot be parsed, or has no such challenge.
pub(super) fn dpop_challenge(headers: &HeaderMap) -> Result<Challenge, String> {
    let mut challenges = Vec::new();
    for value in headers.get_all(WWW_AUTHENTICATE) {
        let parsed = value
            .to_str()
            .ok()
            .and_then(|text| parse_challenges(text).ok());
        challenges.extend(parsed.ok_or("a malformed WWW-Authenticate")?);
    }
    let mut challenges = challenges.into_iter();
    challenges
        .find(|found| found.scheme.eq_ignore_ascii_case("dpop"))
        .ok_or_else(|| "no WWW-Authenticate with a DPoP challenge".to_owned())
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
    fn a_rejected_proof_has_a_dpop_challenge_with_an_error() {
        let problem = |value: &str| {
            proof_challenge_problem(
                &[(WWW_AUTHENTICATE, value.parse().unwrap())]
                    .into_iter()
                    .collect(),
            )
        };
        assert_eq!(
            problem("DPoP algs=\"ES256\", error=\"invalid_dpop_proof\""),
            None
        );
        assert_eq!(problem("Bearer, DPoP error=\"invalid_token\""), None);
        for value in [
            "Bearer error=\"invalid_token\"",
            "DPoP algs=\"ES256\"",
            "DPoP error=\"a",
        ] {
            assert!(problem(value).is_some(), "{value}");
        }
        let without_error = [(WWW_AUTHENTICATE, "DPoP algs=\"ES256\"".parse().unwrap())];
        assert!(dpop_challenge(&without_error.into_iter().collect()).is_ok());
        assert!(dpop_challenge(&HeaderMap::new()).is_err());
        assert!(proof_challenge_problem(&HeaderMap::new()).is_some());
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
