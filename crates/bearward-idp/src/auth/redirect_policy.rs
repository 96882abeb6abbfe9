//! Allowed redirect targets of a sign-in, and allowed origins of the auth API.

use actix_web::{HttpRequest, http::header};
use bearward::keys::is_loopback;
use serde::Deserialize;
use url::{Origin, Url};

use super::glob::Glob;

/// Allows the site, loopback addresses and an allow-list. A pattern is stored with its origin part.
pub(crate) struct RedirectPolicy {
    site: Url,
    patterns: Vec<(Glob, Option<Glob>)>,
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
    pub(crate) fn new(site: &str, patterns: &[String]) -> Result<Self, InvalidSiteUrl> {
        let parsed = Url::parse(site)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let site = parsed.ok_or_else(|| InvalidSiteUrl(site.to_owned()))?;
        let patterns = patterns
            .iter()
            .map(|pattern| (Glob::new(pattern), origin_of(pattern).map(Glob::new)))
            .collect();
        Ok(Self { site, patterns })
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
        let is_site = is_web && url.origin() == self.site.origin();
        if is_site || (is_web && is_loopback(&url)) {
            return Some(url);
        }
        let mut without_fragment = url.clone();
        without_fragment.set_fragment(None);
        let text = without_fragment.as_str();
        // The pattern may omit the root path that the parser adds.
        let bare = text.strip_suffix('/').filter(|_| url.path() == "/");
        let matches =
            |glob: &Glob| glob.matches(text) || bare.is_some_and(|bare| glob.matches(bare));
        self.patterns
            .iter()
            .any(|(glob, _)| matches(glob))
            .then_some(url)
    }

    /// Whether pages of this origin may call the auth API: those to which a sign-in may redirect.
    pub(crate) fn allows_origin(&self, origin: &str) -> bool {
        let Ok(url) = Url::parse(origin) else {
            return false;
        };
        let Origin::Tuple(..) = url.origin() else {
            return false;
        };
        let text = url.origin().ascii_serialization();
        text == self.site.origin().ascii_serialization()
            || is_loopback(&url)
            || self
                .patterns
                .iter()
                .any(|(_, origin)| origin.as_ref().is_some_and(|glob| glob.matches(&text)))
    }
}

/// Returns the part of a pattern with scheme, host and port.
fn origin_of(pattern: &str) -> Option<&str> {
    let scheme = pattern.find("://")? + 3;
    let end = pattern[scheme..]
        .find('/')
        .map_or(pattern.len(), |at| scheme + at);
    pattern.starts_with("http").then(|| &pattern[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirects(patterns: &[&str]) -> RedirectPolicy {
        let patterns: Vec<String> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        RedirectPolicy::new("https://site.example", &patterns).unwrap()
    }

    #[test]
    fn allows_the_site_and_loopback_addresses() {
        let plain = redirects(&[]);
        for text in [
            "https://site.example",
            "https://site.example/deep?next=/a#b",
            "http://localhost:3000/auth/callback",
            "http://127.0.0.1:5173",
            "https://[::1]:8443/x",
        ] {
            assert!(plain.parse_allowed(text).is_some(), "{text}");
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
        ] {
            assert!(listed.parse_allowed(text).is_none(), "{text}");
        }
        assert!(
            redirects(&["https://bare.example"])
                .parse_allowed("https://bare.example")
                .is_some()
        );
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
        ] {
            assert!(listed.allows_origin(origin), "{origin}");
        }
        for origin in [
            "https://attacker.invalid",
            "null",
            "http://site.example",
            "file://",
            "https://exact.example.attacker.invalid",
        ] {
            assert!(!listed.allows_origin(origin), "{origin}");
        }
    }
}
