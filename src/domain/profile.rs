//! User profiles: from the token's claims, and as the API returns them.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;
use time::OffsetDateTime;
use url::Url;
use uuid::Uuid;

use super::validation::{ValidationError, single_line};

/// Maximum length of an email address, in characters.
const MAX_EMAIL_LENGTH: usize = 320;
/// Maximum length of a name, in characters.
const MAX_NAME_LENGTH: usize = 200;
/// Maximum length of a picture URL, in bytes.
const MAX_URL_LENGTH: usize = 2048;

/// A user's profile, as the API returns it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Profile {
    /// Id of the account, assigned by this server.
    pub id: Uuid,
    /// The issuer that authenticated the user, in its canonical spelling.
    #[schema(example = "https://abc.supabase.co/auth/v1")]
    pub issuer: String,
    /// `sub`: the user's id at the issuer. Unique together with the issuer.
    #[schema(example = "11111111-2222-4333-8444-555555555555")]
    pub subject: String,
    /// Email address from the token. Accounts are never linked by it.
    #[schema(example = "ada@example.com")]
    pub email: Option<String>,
    /// Whether the issuer has verified the email address; null if the issuer does not say.
    pub email_verified: Option<bool>,
    /// The name that the user chose, else the one from the token.
    #[schema(example = "Ada Lovelace")]
    pub name: Option<String>,
    /// URL of the picture that the user chose, else the one from the token.
    pub picture: Option<String>,
    /// Whether the account is enabled.
    pub is_active: bool,
    /// Whether the caller is a client and not a user: the subject is a client id.
    pub is_machine: bool,
    /// When the user's latest session was first used here, to within one minute.
    #[serde(with = "time::serde::rfc3339")]
    pub last_login: OffsetDateTime,
    /// When the account was created.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When the profile was last changed.
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

/// The profile in a token's claims. Invalid values are treated as missing: an invalid picture must
/// not prevent a sign-in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct IdpProfile {
    /// `email`.
    pub email: Option<String>,
    /// `email_verified` at the top level. `user_metadata` is not used: users can write to it.
    pub email_verified: Option<bool>,
    /// `name` or `full_name`, at the top level or in `user_metadata`.
    pub name: Option<String>,
    /// `picture` or `avatar_url`, at the top level or in `user_metadata`.
    pub picture: Option<String>,
    /// Whether the caller is a client; see [`Verified::is_machine`](bearward::Verified::is_machine).
    /// It depends on the issuer's configuration and is not read from the payload.
    pub is_machine: bool,
}

/// A JSON object whose members are read one by one.
///
/// Users write to `user_metadata`: a value that is nested too deeply, or a string with half of a
/// surrogate pair, must not prevent their sign-in. Members that are not needed are therefore never
/// parsed, and a needed one that cannot be parsed counts as absent.
struct Members(Vec<(Box<RawValue>, Box<RawValue>)>);

impl Members {
    /// Parses an object. Anything else counts as an object without members.
    fn parse(json: &str) -> Self {
        serde_json::from_str(json).unwrap_or(Self(Vec::new()))
    }

    /// Returns the JSON text of a member, unless its name occurs twice.
    fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(key, _)| {
            serde_json::from_str::<String>(key.get()).is_ok_and(|key| key == name)
        });
        let (_, value) = found.next()?;
        found.next().is_none().then(|| value.get())
    }

    fn string(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?).ok()
    }

    /// Returns a boolean. Some issuers send it as a string.
    fn bool(&self, name: &str) -> Option<bool> {
        let json = self.get(name)?;
        serde_json::from_str(json)
            .ok()
            .or_else(|| self.string(name)?.parse().ok())
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
}

impl IdpProfile {
    /// Reads the profile claims of OpenID Connect Core §5.1, and their Supabase equivalents, from
    /// the payload of a token.
    fn from_payload(json: &str) -> Self {
        let claims = Members::parse(json);
        let nested = claims
            .get("user_metadata")
            .map_or(Members(Vec::new()), Members::parse);
        let valid_line = |text: Option<String>, max_chars| {
            text.and_then(|text| single_line(text.trim().to_owned(), max_chars).ok())
        };
        let first_of = |names: [&str; 2]| {
            let members = [&claims, &nested];
            members
                .into_iter()
                .flat_map(|members| names.map(|name| members.string(name)))
                .flatten()
                .next()
        };
        // Supabase users can write to their own metadata: it may set a name, but must not mark an
        // address as verified.
        let email_verified = claims.bool("email_verified");
        let email = valid_line(claims.string("email"), MAX_EMAIL_LENGTH);
        Self {
            email_verified: email_verified.filter(|_| email.is_some()),
            email,
            name: valid_line(first_of(["name", "full_name"]), MAX_NAME_LENGTH),
            picture: first_of(["picture", "avatar_url"]).and_then(|url| https_url(url).ok()),
            is_machine: false,
        }
    }
}

/// Reads the payload of a token. Never fails for a JSON object.
impl<'de> Deserialize<'de> for IdpProfile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let payload = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self::from_payload(payload.get()))
    }
}

/// A change to a profile. The outer `None` leaves a field as it is; `Some(None)` resets it to the
/// value from the token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileChange {
    /// The name to display.
    pub name: Option<Option<String>>,
    /// The URL of the picture to display.
    pub picture: Option<Option<String>>,
}

impl ProfileChange {
    /// Validates a name: one line of 1 to 200 characters.
    ///
    /// # Errors
    /// [`ValidationError`] if it is empty, too long, or contains control characters, invisible
    /// characters or surrounding whitespace.
    pub fn name(name: String) -> Result<String, ValidationError> {
        single_line(name, MAX_NAME_LENGTH)
    }

    /// Validates a picture: an https URL of at most 2,048 bytes without credentials. Other schemes
    /// must not become the source of an `img` element.
    ///
    /// # Errors
    /// [`ValidationError::InvalidUrl`].
    pub fn picture(picture: String) -> Result<String, ValidationError> {
        https_url(picture)
    }
}

fn https_url(text: String) -> Result<String, ValidationError> {
    let url = Url::parse(&text).ok().filter(|url| {
        url.scheme() == "https" && url.username().is_empty() && url.password().is_none()
    });
    match url {
        Some(url) if text.len() <= MAX_URL_LENGTH && url.as_str().len() <= MAX_URL_LENGTH => {
            Ok(url.into())
        }
        _ => Err(ValidationError::InvalidUrl(MAX_URL_LENGTH)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{IdpProfile, ProfileChange, ValidationError};

    fn profile(payload: serde_json::Value) -> IdpProfile {
        serde_json::from_value(payload).unwrap_or_default()
    }

    #[test]
    fn google_and_supabase_claims_give_the_same_profile() {
        let google = profile(
            json!({"email": "a@b.c", "email_verified": true, "name": "Ada", "picture": "https://x.example/a.png"}),
        );
        let supabase = profile(json!({
            "email": "a@b.c",
            "email_verified": true,
            "user_metadata": {"full_name": "Ada", "avatar_url": "https://x.example/a.png"}
        }));
        assert_eq!(google, supabase);
        assert_eq!(google.name.as_deref(), Some("Ada"));
        assert_eq!(google.email_verified, Some(true));
    }

    #[test]
    fn claims_of_the_wrong_type_are_ignored() {
        let wrong_types = json!({"email": 7, "email_verified": "yes", "name": ["Ada"], "picture": "javascript:alert(1)", "user_metadata": "x"});
        assert_eq!(profile(wrong_types), IdpProfile::default());
    }

    #[test]
    fn email_verified_is_absent_if_the_issuer_does_not_say() {
        for (claims, expected) in [
            (json!({"email": "a@b.c"}), None),
            (json!({"email": "a@b.c", "email_verified": null}), None),
            (json!({"email": "a@b.c", "email_verified": "yes"}), None),
            (json!({"email_verified": true}), None),
            (
                json!({"email": "a@b.c", "email_verified": false}),
                Some(false),
            ),
            (
                json!({"email": "a@b.c", "email_verified": "true"}),
                Some(true),
            ),
        ] {
            assert_eq!(profile(claims.clone()).email_verified, expected, "{claims}");
        }
    }

    #[test]
    fn user_metadata_cannot_verify_the_email() {
        let claims = json!({"email": "a@b.c", "user_metadata": {"email_verified": true}});
        assert_eq!(profile(claims).email_verified, None);
    }

    #[test]
    fn odd_members_are_absent_and_the_others_are_read() {
        let nested = format!("{}{}", "[".repeat(500), "]".repeat(500));
        let ada = IdpProfile {
            name: Some("Ada".to_owned()),
            ..IdpProfile::default()
        };
        for payload in [
            format!(r#"{{"user_metadata": {{"x": {nested}, "full_name": "Ada"}}}}"#),
            format!(r#"{{"x": {nested}, "email": {nested}, "full_name": "Ada"}}"#),
            r#"{"user_metadata": {"x": "\ud800", "full_name": "Ada"}}"#.to_owned(),
            r#"{"user_metadata": {"\ud800": 1, "name": "\udfff", "full_name": "Ada"}}"#.to_owned(),
            r#"{"email": "a\ud800@b.c", "user_metadata": {"full_name": "Ada"}}"#.to_owned(),
            r#"{"user_metadata": {"x": 1, "x": 2, "name": "A", "name": "B", "full_name": "Ada"}}"#
                .to_owned(),
            r#"{"user_metadata": {"x": 1e999, "full_n\u0061me": "Ada"}}"#.to_owned(),
        ] {
            let profile: IdpProfile = serde_json::from_str(&payload).unwrap_or_default();
            assert_eq!(profile, ada, "{payload}");
        }
    }

    #[test]
    fn picture_must_be_an_https_url() {
        assert!(ProfileChange::picture("https://x.example/a.png".to_owned()).is_ok());
        for invalid in [
            "http://x.example/a.png",
            "data:image/png;base64,AA",
            "javascript:1",
            "//x.example",
            "https://u:p@x.example/",
        ] {
            assert_eq!(
                ProfileChange::picture(invalid.to_owned()),
                Err(ValidationError::InvalidUrl(2048)),
                "{invalid}"
            );
        }
        let url_of_length =
            |length: usize| format!("https://x.example/{}", "a".repeat(length - 18));
        assert!(ProfileChange::picture(url_of_length(2048)).is_ok());
        assert!(ProfileChange::picture(url_of_length(2049)).is_err());
    }
}
