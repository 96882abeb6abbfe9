//! Web origins (RFC 6454).

use url::Url;

/// Returns whether an HTTP URL has a scheme, a host and a port only: no user name, password, path,
/// query or fragment.
pub fn is_bare_web_origin(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_origin_has_nothing_beside_scheme_host_and_port() {
        let is_bare = |text: &str| is_bare_web_origin(&text.parse().unwrap());
        for bare in [
            "https://a.example",
            "http://[::1]:3000",
            "HTTPS://a.example/",
        ] {
            assert!(is_bare(bare), "{bare}");
        }
        for more in [
            "ftp://a.example",
            "capacitor://localhost",
            "https://a.example/x",
            "https://a.example?",
            "https://a.example#",
            "https://u@a.example",
            "https://:p@a.example",
        ] {
            assert!(!is_bare(more), "{more}");
        }
    }
}
