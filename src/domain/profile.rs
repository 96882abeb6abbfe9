//! What is known of a user.

use serde::{Deserialize, Deserializer, Serialize};
use time::OffsetDateTime;
use url::Url;
use uuid::Uuid;

use super::validation::{ValidationError, line};

/// The longest name and the longest link, in characters.
const NAME: usize = 200;
const LINK: usize = 2048;

/// A user, as the API shows one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Profile {
    /// Our key of this account.
    pub id: Uuid,
    /// The issuer that vouches for the user, in its canonical spelling.
    #[schema(example = "https://abc.supabase.co/auth/v1")]
    pub issuer: String,
    /// `sub`: the user's key at the issuer. Unique together with the issuer.
    #[schema(example = "11111111-2222-4333-8444-555555555555")]
    pub subject: String,
    /// As the issuer says; it never links two accounts.
    #[schema(example = "ada@example.com")]
    pub email: Option<String>,
    /// Whether the issuer has verified the address.
    pub email_verified: bool,
    /// The user's own choice, else as the issuer says.
    #[schema(example = "Ada Lovelace")]
    pub name: Option<String>,
    /// A link to a picture: the user's own choice, else as the issuer says.
    pub picture: Option<String>,
    /// Whether the account may be used.
    pub is_active: bool,
    /// When a new session was first seen here.
    #[serde(with = "time::serde::rfc3339")]
    pub last_login: OffsetDateTime,
    /// When the account was first seen here.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When anything above was last changed.
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

/// What the issuer's claims say of a user. Values that could not be kept count as absent: a strange
/// picture must not lock anybody out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdpProfile {
    /// `email`.
    pub email: Option<String>,
    /// `email_verified`, at the top alone: what stands in `user_metadata` was written by the user.
    pub email_verified: bool,
    /// `name` or `full_name`, at the top or in `user_metadata`.
    pub name: Option<String>,
    /// `picture` or `avatar_url`, at the top or in `user_metadata`.
    pub picture: Option<String>,
}

/// The claims that a profile is made of: OpenID Connect Core §5.1, and the places where Supabase
/// puts the same.
#[derive(Deserialize)]
#[serde(default)]
struct ProfileClaims {
    #[serde(deserialize_with = "text")]
    email: Option<String>,
    #[serde(deserialize_with = "truth")]
    email_verified: Option<bool>,
    #[serde(deserialize_with = "text")]
    name: Option<String>,
    #[serde(deserialize_with = "text")]
    full_name: Option<String>,
    #[serde(deserialize_with = "text")]
    picture: Option<String>,
    #[serde(deserialize_with = "text")]
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

impl IdpProfile {
    fn of(spoken: ProfileClaims) -> Self {
        let nested = match spoken.user_metadata {
            nested @ serde_json::Value::Object(_) => {
                serde_json::from_value::<ProfileClaims>(nested).unwrap_or_default()
            }
            _ => ProfileClaims::default(),
        };
        let keep = |text: Option<String>, most| {
            text.and_then(|text| line(text.trim().to_owned(), most).ok())
        };
        let name = spoken
            .name
            .or(spoken.full_name)
            .or(nested.name)
            .or(nested.full_name);
        let picture = spoken
            .picture
            .or(spoken.avatar_url)
            .or(nested.picture)
            .or(nested.avatar_url);
        // At Supabase the metadata is the user's own to write: it may give a name, and cannot vouch
        // for an address.
        let email_verified = spoken.email_verified.unwrap_or(false);
        let email = keep(spoken.email, 320);
        Self {
            email_verified: email_verified && email.is_some(),
            email,
            name: keep(name, NAME),
            picture: picture.and_then(|link| self::link(link).ok()),
        }
    }
}

impl<'de> Deserialize<'de> for IdpProfile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ProfileClaims::deserialize(deserializer).map(Self::of)
    }
}

/// A string, or nothing: what an issuer writes in another type says nothing.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(serde_json::Value::deserialize(deserializer)?
        .as_str()
        .map(str::to_owned))
}

/// A boolean, or the text of one, which some issuers write.
fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(value.as_bool().or_else(|| value.as_str()?.parse().ok()))
}

/// What a user changes. A field that is absent stays; null goes back to what the issuer says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileChange {
    /// The name to show.
    pub name: Option<Option<String>>,
    /// The picture to show.
    pub picture: Option<Option<String>>,
}

impl ProfileChange {
    /// A name that may be kept: one line of 1 to 200 characters.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn name(name: String) -> Result<String, ValidationError> {
        line(name, NAME)
    }

    /// A picture that may be kept: an https URL of at most 2,048 characters. Nothing else may
    /// become an `img`'s source.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn picture(picture: String) -> Result<String, ValidationError> {
        link(picture)
    }
}

fn link(text: String) -> Result<String, ValidationError> {
    let url = Url::parse(&text).ok().filter(|url| {
        url.scheme() == "https" && url.username().is_empty() && url.password().is_none()
    });
    match url {
        Some(url) if text.len() <= LINK && url.as_str().len() <= LINK => Ok(url.into()),
        _ => Err(ValidationError::InvalidUrl(LINK)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{IdpProfile, ProfileChange, ValidationError};

    fn claimed(payload: serde_json::Value) -> IdpProfile {
        serde_json::from_value(payload).unwrap_or_default()
    }

    #[test]
    fn a_google_token_and_a_supabase_token_say_the_same() {
        let google = claimed(
            json!({"email": "a@b.c", "email_verified": true, "name": "Ada", "picture": "https://x.example/a.png"}),
        );
        let supabase = claimed(json!({
            "email": "a@b.c",
            "email_verified": true,
            "user_metadata": {"full_name": "Ada", "avatar_url": "https://x.example/a.png"}
        }));
        assert_eq!(google, supabase);
        assert_eq!(google.name.as_deref(), Some("Ada"));
        assert!(google.email_verified);
    }

    #[test]
    fn claims_of_another_type_say_nothing() {
        let strange = json!({"email": 7, "email_verified": "yes", "name": ["Ada"], "picture": "javascript:alert(1)", "user_metadata": "x"});
        assert_eq!(claimed(strange), IdpProfile::default());
    }

    #[test]
    fn no_address_is_verified_without_an_address() {
        assert!(!claimed(json!({"email_verified": true})).email_verified);
        assert!(claimed(json!({"email": "a@b.c", "email_verified": "true"})).email_verified);
    }

    #[test]
    fn a_user_cannot_vouch_for_an_address() {
        let claims = json!({"email": "a@b.c", "user_metadata": {"email_verified": true}});
        assert!(!claimed(claims).email_verified);
    }

    #[test]
    fn a_picture_is_an_https_link_and_nothing_else() {
        assert!(ProfileChange::picture("https://x.example/a.png".to_owned()).is_ok());
        for wrong in [
            "http://x.example/a.png",
            "data:image/png;base64,AA",
            "javascript:1",
            "//x.example",
            "https://u:p@x.example/",
        ] {
            assert_eq!(
                ProfileChange::picture(wrong.to_owned()),
                Err(ValidationError::InvalidUrl(2048)),
                "{wrong}"
            );
        }
        let at_the_limit = |length: usize| format!("https://x.example/{}", "a".repeat(length - 18));
        assert!(ProfileChange::picture(at_the_limit(2048)).is_ok());
        assert!(ProfileChange::picture(at_the_limit(2049)).is_err());
    }
}
