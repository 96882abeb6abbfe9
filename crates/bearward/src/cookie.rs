//! The session cookie: an opt-in place for the token, and the origins that may use it.

use url::Url;

/// An opt-in place for the token: a cookie, which a browser sends by itself. Requests that may
/// change something, and WebSocket handshakes, must therefore come from a listed origin; other GET,
/// HEAD, OPTIONS and TRACE requests need none, so they must change nothing.
///
/// Its value is the access token and nothing else. The cookies of `@supabase/ssr` hold a whole
/// session, encoded and in pieces, and are none: its frontends send the header.
///
/// Set the cookie with `Secure; HttpOnly; SameSite=Lax`, under a name that begins with `__Host-`:
/// no neighbouring subdomain can then plant a second one, which would be refused as two
/// credentials. Header and cookie together are two as well, so a page that signs in anew must have
/// the old cookie deleted first. An answer that depends on the cookie should say `Cache-Control:
/// private`.
#[derive(Debug, Clone)]
pub struct CookieSource {
    pub(crate) name: String,
    pub(crate) origins: Vec<String>,
}

/// A session cookie that could not work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CookieError {
    /// Its name is none (RFC 6265 §4.1.1).
    #[error("the session cookie cannot be named {0:?}: a name is letters, digits, \"-\" and \"_\"")]
    Name(String),
    /// An origin that no browser would ever send.
    #[error(
        "the session cookie's origin {0:?} can never match: browsers send scheme, host and port alone, like \"https://app.example.com\""
    )]
    Origin(String),
}

impl CookieSource {
    /// The cookie's name, and the origins (`https://app.example.com`) whose unsafe requests may use it.
    pub fn new(
        name: impl Into<String>,
        origins: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self {
            name: name.into(),
            origins: origins.into_iter().map(Into::into).collect(),
        }
    }

    pub(crate) fn check(&self) -> Result<(), CookieError> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if self.name.is_empty() || !self.name.bytes().all(is_name) {
            return Err(CookieError::Name(self.name.clone()));
        }
        match self
            .origins
            .iter()
            .find(|text| serialized_origin(text).as_ref() != Some(*text))
        {
            Some(wrong) => Err(CookieError::Origin(wrong.clone())),
            None => Ok(()),
        }
    }
}

/// An origin as browsers write it (RFC 6454 §6.2), those of `app://` shells included; `null` has no
/// host, and vouches for nobody.
fn serialized_origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok().filter(|_| !text.contains('*'))?;
    let origin = url.origin();
    if origin.is_tuple() {
        return Some(origin.ascii_serialization());
    }
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    Some(format!(
        "{}://{}{port}",
        url.scheme(),
        url.host_str().filter(|host| !host.is_empty())?
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_accepted_only_as_a_browser_writes_it() {
        let accepted = [
            "https://app.example.com",
            "http://localhost:3000",
            "http://[::1]:3000",
            "capacitor://localhost",
        ];
        assert_eq!(CookieSource::new("session", accepted).check(), Ok(()));
        for wrong in [
            "",
            "*",
            "null",
            "app.example.com",
            "https://app.example.com/",
            "https://app.example.com/app",
            "https://APP.example.com",
            "https://app.example.com:443",
            "https://user@app.example.com",
            "https://*.example.com",
            "file:///",
            "data:text/plain,",
        ] {
            assert_eq!(
                CookieSource::new("session", [wrong]).check(),
                Err(CookieError::Origin(wrong.to_owned())),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_name_is_a_token() {
        let origins = ["https://app.example.com"];
        assert_eq!(CookieSource::new("__Host-session", origins).check(), Ok(()));
        for wrong in ["", "a b", "a=b", "a;b", "sitzung\u{e4}"] {
            assert_eq!(
                CookieSource::new(wrong, origins).check(),
                Err(CookieError::Name(wrong.to_owned())),
                "{wrong}"
            );
        }
    }
}
