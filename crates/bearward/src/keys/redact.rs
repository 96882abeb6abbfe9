//! URLs for logs and messages.

use url::Url;

/// Formats a URL without user name, password, query and fragment, any of which may hold a secret.
pub(crate) fn redact_url(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // Both fail only for a URL that cannot have credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_query_and_fragment_are_removed() {
        for (url, redacted) in [
            (
                "https://user:hunter2@idp.example:8443/keys?key=hunter2#hunter2",
                "https://idp.example:8443/keys",
            ),
            ("https://idp.example", "https://idp.example/"),
            ("data:text/plain,x?hunter2", "data:text/plain,x"),
        ] {
            assert_eq!(redact_url(&Url::parse(url).unwrap()), redacted);
        }
    }
}
