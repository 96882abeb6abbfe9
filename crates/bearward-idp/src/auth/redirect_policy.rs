//! Allowed redirect targets of a sign-in, and allowed origins of the auth API.

use std::net::IpAddr;

use actix_web::{HttpRequest, http::header};
use bearward::keys::is_loopback;
use serde::Deserialize;
use url::{Origin, Url};

use super::glob::Glob;

/// Allows the site, loopback addresses and an allow-list, by the rules of the hosted service. A pattern
/// is stored with its origin part.
pub(crate) struct RedirectPolicy {
    site: Url,
    patterns: Vec<(Glob, Option<Glob>)>,
    /// Origins that may call the auth API in addition to those of redirect targets.
    origins: Vec<String>,
}

/// The `redirect_to` parameter of a request.
#[derive(Deserialize)]
pub(crate) struct RedirectQuery {
    redirect_to: Option<String>,
}

/// The site URL is not an absolute http or https URL.
#[derive(Debug, thiserror::Error)]
#[error("invalid site URL {0:?}: must be an http or https address such as http://localhost:3000")]
pub(crate) struct InvalidSiteUrl(String);

/// Schemes that a browser executes or displays instead of navigating to them.
pub(crate) const FORBIDDEN_SCHEMES: [&str; 6] =
    ["javascript", "data", "vbscript", "blob", "file", "about"];

impl RedirectPolicy {
    pub(crate) fn new(
        site: &str,
        patterns: &[String],
        origins: &[String],
    ) -> Result<Self, InvalidSiteUrl> {
        let parsed = Url::parse(site)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let site = parsed.ok_or_else(|| InvalidSiteUrl(site.to_owned()))?;
        let patterns = patterns
            .iter()
            .map(|pattern| (Glob::new(pattern), origin_of(pattern).map(Glob::new)))
            .collect();
        let origins = origins.iter().map(|origin| origin.to_ascii_lowercase());
        Ok(Self {
            site,
            patterns,
            origins: origins.collect(),
        })
    }

    /// Returns the first allowed address of `redirect_to`, `Referer` and the site URL.
    pub(crate) fn select(&self, request: &HttpRequest) -> Url {
        let query = actix_web::web::Query::<RedirectQuery>::from_query(request.query_string()).ok();
        let requested = query.and_then(|query| query.into_inner().redirect_to);
        let referer = request
            .headers()
            .get(header::REFERER)
            .and_then(|text| text.to_str().ok());
        let select = [requested.as_deref(), referer]
            .into_iter()
            .flatten()
            .find_map(|text| self.parse_allowed(text));
        select.unwrap_or_else(|| self.site.clone())
    }

    pub(crate) fn site(&self) -> &Url {
        &self.site
    }

    /// Parses an address and returns it if a sign-in may redirect to it. The parsed form is compared
    /// and returned, so that a browser cannot interpret the address differently.
    pub(crate) fn parse_allowed(&self, text: &str) -> Option<Url> {
        let url = Url::parse(text)
            .ok()
            .filter(|url| !FORBIDDEN_SCHEMES.contains(&url.scheme()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return None;
        }
        let is_web = matches!(url.scheme(), "http" | "https");
        // A native app listens on any port of this machine (RFC 8252 §7.3).
        let is_site = is_web
            && url.scheme() == self.site.scheme()
            && url.host() == self.site.host()
            && (url.port() == self.site.port() || is_loopback(&url));
        if is_site {
            return Some(url);
        }
        let written = text.split_once("://").map_or("", |(_, rest)| rest);
        match ip_address(&url) {
            // Not in decimal or hexadecimal form, which the parser converts.
            Some(ip) => {
                let is_canonical = ip.is_ipv6() || written.starts_with(&ip.to_string());
                return (is_canonical && ip.is_loopback()).then_some(url);
            }
            None if is_web && !url.host_str().is_some_and(is_host_name) => return None,
            None => {}
        }
        let mut without_fragment = url.clone();
        without_fragment.set_fragment(None);
        let serialized = without_fragment.as_str();
        // The parser adds the root path to an address that has none.
        let compared = match serialized.strip_suffix('/') {
            Some(bare) if !written.contains('/') && url.path() == "/" => bare,
            _ => serialized,
        };
        self.patterns
            .iter()
            .any(|(glob, _)| glob.matches(compared))
            .then_some(url)
    }

    /// Whether pages of this origin may call the auth API: those to which a sign-in may redirect,
    /// those of this machine, and those that the options list. Apps in native shells have origins
    /// such as `capacitor://localhost`, and `null` for files.
    pub(crate) fn allows_origin(&self, origin: &str) -> bool {
        if self.origins.iter().any(|allowed| allowed == origin) {
            return true;
        }
        let Ok(url) = Url::parse(origin) else {
            return false;
        };
        // Browsers send other schemes without a port, a path or user information.
        let text = match url.origin() {
            Origin::Tuple(..) => url.origin().ascii_serialization(),
            Origin::Opaque(_) if url.has_host() => {
                let host = url.host_str().unwrap_or_default();
                format!("{}://{host}", url.scheme())
            }
            Origin::Opaque(_) => return false,
        };
        let is_web = matches!(url.scheme(), "http" | "https");
        text == self.site.origin().ascii_serialization()
            || (is_web && is_loopback(&url))
            || self
                .patterns
                .iter()
                .any(|(_, origin)| origin.as_ref().is_some_and(|glob| glob.matches(&text)))
    }
}

/// Returns the host if it is an IP address. The parser reads it only in web addresses.
fn ip_address(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    host.trim_start_matches('[')
        .trim_end_matches(']')
        .parse()
        .ok()
}

/// Whether this is a usual host name, and not an address in decimal form.
fn is_host_name(host: &str) -> bool {
    let is_edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    is_edge(host.bytes().next())
        && is_edge(host.bytes().last())
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
        && !host.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns the part of a pattern with scheme, host and port. A pattern without `://` has none.
fn origin_of(pattern: &str) -> Option<&str> {
    let scheme = pattern.find("://")? + 3;
    let end = pattern[scheme..]
        .find('/')
        .map_or(pattern.len(), |at| scheme + at);
    Some(&pattern[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirects(patterns: &[&str]) -> RedirectPolicy {
        let patterns: Vec<String> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        RedirectPolicy::new("https://site.example", &patterns, &[]).unwrap()
    }

    #[test]
    fn allows_the_site_and_loopback_addresses() {
        let plain = redirects(&[]);
        for text in [
            "https://site.example",
            "https://site.example/deep?next=/a#b",
            "http://127.0.0.1:5173",
            "https://[::1]:8443/x",
            "exp://127.0.0.1:19000/--/auth",
            "myapp://[::1]/x",
        ] {
            assert!(plain.parse_allowed(text).is_some(), "{text}");
        }
    }

    #[test]
    fn port_is_free_only_if_the_site_is_on_the_same_loopback_host() {
        let local = RedirectPolicy::new("http://localhost:3000", &[], &[]).unwrap();
        for (text, expected) in [
            ("http://localhost:3000/auth/callback", true),
            ("http://localhost:5173/x", true),
            ("https://localhost:3000/x", false),
            ("exp://localhost:19000/x", false),
            ("http://app.localhost:3000/x", false),
        ] {
            assert_eq!(local.parse_allowed(text).is_some(), expected, "{text}");
        }
    }

    #[test]
    fn rejects_addresses_that_resemble_allowed_ones() {
        let listed = redirects(&["https://app.example/**"]);
        for text in [
            "https://site.example.attacker.invalid/",
            "https://attacker.invalid/https://site.example",
            "https://site.example@attacker.invalid/",
            "https://user:pass@site.example/",
            "http://site.example/",
            "https://site.example:8443/",
            "http://localhost.attacker.invalid/",
            "http://localhost:3000@attacker.invalid/",
            "https://app.example.attacker.invalid/x",
            "https://app.example@attacker.invalid/x",
            "https://attacker.invalid\\@site.example/",
            "//attacker.invalid/",
            "/relative",
            "javascript:alert(1)//localhost",
            "data:text/html,x",
            "file:///etc/passwd",
            "ftp://localhost/",
            "http://2130706433.attacker.invalid/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://127.1/",
            "http://10.0.0.1/",
            "exp://10.0.0.1:19000/",
            "http://localhost:3000/",
            "http://app_1.site.example/",
            "",
        ] {
            assert!(listed.parse_allowed(text).is_none(), "{text}");
        }
    }

    #[test]
    fn patterns_allow_only_matching_addresses() {
        let listed = redirects(&[
            "https://*.preview.example/**",
            "myapp://callback",
            "https://exact.example/auth/callback",
        ]);
        for text in [
            "https://pr-1.preview.example/a/b",
            "myapp://callback",
            "https://exact.example/auth/callback#x",
        ] {
            assert!(listed.parse_allowed(text).is_some(), "{text}");
        }
        for text in [
            "https://a.b.preview.example/",
            "https://preview.example/",
            "myapp://other",
            "https://exact.example/auth",
            "https://pr-1.preview.example",
        ] {
            assert!(listed.parse_allowed(text).is_none(), "{text}");
        }
        let bare = redirects(&["https://bare.example", "https://slash.example/"]);
        for (text, expected) in [
            ("https://bare.example", true),
            ("https://bare.example/", false),
            ("https://slash.example", false),
            ("https://slash.example/", true),
        ] {
            assert_eq!(bare.parse_allowed(text).is_some(), expected, "{text}");
        }
    }

    #[test]
    fn allows_origins_of_allowed_redirects() {
        let listed = redirects(&[
            "https://*.preview.example/**",
            "https://exact.example/auth/callback",
            "myapp://callback",
        ]);
        for origin in [
            "http://localhost:3000",
            "http://127.0.0.1:9",
            "https://site.example",
            "https://exact.example",
            "https://a.preview.example",
            "myapp://callback",
        ] {
            assert!(listed.allows_origin(origin), "{origin}");
        }
        let native = ["capacitor://localhost/**".to_owned()];
        let origins = ["null", "file://", "chrome-extension://ABC"].map(str::to_owned);
        let native = RedirectPolicy::new("https://site.example", &native, &origins).unwrap();
        for (origin, expected) in [
            ("capacitor://localhost", true),
            ("null", true),
            ("file://", true),
            ("chrome-extension://abc", true),
            ("chrome-extension://abcd", false),
            ("capacitor://attacker.invalid", false),
            ("ionic://localhost", false),
        ] {
            assert_eq!(native.allows_origin(origin), expected, "{origin}");
        }
        for origin in [
            "https://attacker.invalid",
            "null",
            "http://site.example",
            "file://",
            "tauri://localhost",
            "https://exact.example.attacker.invalid",
        ] {
            assert!(!listed.allows_origin(origin), "{origin}");
        }
    }
}
