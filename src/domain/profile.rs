//! User profiles: from the token's claims, and as the API returns them.

use serde::{Deserialize, Deserializer, Serialize};
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
    /// Whether the issuer has verified the email address.
    pub email_verified: bool,
    /// The name that the user chose, else the one from the token.
    #[schema(example = "Ada Lovelace")]
    pub name: Option<String>,
    /// URL of the picture that the user chose, else the one from the token.
    pub picture: Option<String>,
    /// Whether the account is enabled.
    pub is_active: bool,
    /// When the user's latest session was first used here.
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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdpProfile {
    /// `email`.
    pub email: Option<String>,
    /// `email_verified` at the top level. `user_metadata` is not used: users can write to it.
    pub email_verified: bool,
    /// `name` or `full_name`, at the top level or in `user_metadata`.
    pub name: Option<String>,
    /// `picture` or `avatar_url`, at the top level or in `user_metadata`.
    pub picture: Option<String>,
}

/// The profile claims of OpenID Connect Core §5.1, and their Supabase equivalents.
#[derive(Deserialize)]
#[serde(default)]
struct ProfileClaims {
    #[serde(deserialize_with = "string_or_none")]
    email: Option<String>,
    #[serde(deserialize_with = "bool_or_string")]
    email_verified: Option<bool>,
    #[serde(deserialize_with = "string_or_none")]
    name: Option<String>,
    #[serde(deserialize_with = "string_or_none")]
    full_name: Option<String>,
    #[serde(deserialize_with = "string_or_none")]
    picture: Option<String>,
    #[serde(deserialize_with = "string_or_none")]
    avatar_url: Option<String>,
    user_metadata: serde_json::Value,
}

impl Default for ProfileClaims {
    fn default() -> Self {
        Self {
            email: None,
            email_verified: None,
            name: None,
            full_name: None,
            picture: None,
            avatar_url: None,
            user_metadata: serde_json::Value::Null,
        }
    }
}

impl From<ProfileClaims> for IdpProfile {
    fn from(claims: ProfileClaims) -> Self {
        let nested = match claims.user_metadata {
            nested @ serde_json::Value::Object(_) => {
                serde_json::from_value::<ProfileClaims>(nested).unwrap_or_default()
            }
            _ => ProfileClaims::default(),
        };
        let valid_line = |text: Option<String>, max_chars| {
            text.and_then(|text| single_line(text.trim().to_owned(), max_chars).ok())
        };
        let name = claims
            .name
            .or(claims.full_name)
            .or(nested.name)
            .or(nested.full_name);
        let picture = claims
            .picture
            .or(claims.avatar_url)
            .or(nested.picture)
            .or(nested.avatar_url);
        // Supabase users can write to their own metadata: it may set a name, but must not mark an
        // address as verified.
        let email_verified = claims.email_verified.unwrap_or(false);
        let email = valid_line(claims.email, MAX_EMAIL_LENGTH);
        Self {
            email_verified: email_verified && email.is_some(),
            email,
            name: valid_line(name, MAX_NAME_LENGTH),
            picture: picture.and_then(|url| https_url(url).ok()),
        }
    }
}

impl<'de> Deserialize<'de> for IdpProfile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ProfileClaims::deserialize(deserializer).map(Self::from)
    }
}

/// Deserializes a string. A value of another type is treated as missing.
fn string_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(serde_json::Value::deserialize(deserializer)?
        .as_str()
        .map(str::to_owned))
}

/// Deserializes a boolean, or a string with the text of one, which some issuers send.
fn bool_or_string<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(value.as_bool().or_else(|| value.as_str()?.parse().ok()))
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
        assert!(google.email_verified);
    }

    #[test]
    fn claims_of_the_wrong_type_are_ignored() {
        let wrong_types = json!({"email": 7, "email_verified": "yes", "name": ["Ada"], "picture": "javascript:alert(1)", "user_metadata": "x"});
        assert_eq!(profile(wrong_types), IdpProfile::default());
    }

    #[test]
    fn email_is_not_verified_if_it_is_missing() {
        assert!(!profile(json!({"email_verified": true})).email_verified);
        assert!(profile(json!({"email": "a@b.c", "email_verified": "true"})).email_verified);
    }

    #[test]
    fn user_metadata_cannot_verify_the_email() {
        let claims = json!({"email": "a@b.c", "user_metadata": {"email_verified": true}});
        assert!(!profile(claims).email_verified);
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
