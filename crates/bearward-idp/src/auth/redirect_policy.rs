//! Where a sign-in may return to, and which pages may call the auth API.

use actix_web::{HttpRequest, http::header};
use bearward::internals::is_loopback;
use serde::Deserialize;
use url::{Origin, Url};

use super::glob::Glob;

/// The site, this machine, and an allow-list.
pub(super) struct Redirects {
    site: Url,
    allowed: Vec<(Glob, Option<Glob>)>,
}

/// `redirect_to` of a request.
#[derive(Deserialize)]
pub(super) struct RedirectQuery {
    redirect_to: Option<String>,
}

/// An address that cannot be returned to.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0:?} is no address that a sign-in can return to; write one such as http://localhost:3000"
)]
pub(crate) struct InvalidSiteUrl(String);

/// A browser would run or show these, not visit them.
const FORBIDDEN_SCHEMES: [&str; 6] = ["javascript", "data", "vbscript", "blob", "file", "about"];

impl Redirects {
    pub(super) fn new(site: &str, patterns: &[String]) -> Result<Self, InvalidSiteUrl> {
        let parsed = Url::parse(site)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let site = parsed.ok_or_else(|| InvalidSiteUrl(site.to_owned()))?;
        let allowed = patterns
            .iter()
            .map(|pattern| (Glob::new(pattern), origin_of(pattern).map(Glob::new)))
            .collect();
        Ok(Self { site, allowed })
    }

    /// The address that a request asks for where that is allowed, else the page that it came from
    /// where that is, else the site.
    pub(super) fn chosen(&self, request: &HttpRequest) -> Url {
        let wish = actix_web::web::Query::<RedirectQuery>::from_query(request.query_string()).ok();
        let wish = wish.and_then(|wish| wish.into_inner().redirect_to);
        let referer = request
            .headers()
            .get(header::REFERER)
            .and_then(|text| text.to_str().ok());
        let chosen = [wish.as_deref(), referer]
            .into_iter()
            .flatten()
            .find_map(|text| self.allowed(text));
        chosen.unwrap_or_else(|| self.site.clone())
    }

    pub(super) fn site(&self) -> &Url {
        &self.site
    }

    /// The address as a browser reads it, where a sign-in may return to it. What is compared is
    /// what is sent, not what was received.
    pub(super) fn allowed(&self, text: &str) -> Option<Url> {
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
        // `https://app.example` is read as `https://app.example/`.
        let bare = text.strip_suffix('/').filter(|_| url.path() == "/");
        let matches =
            |glob: &Glob| glob.matches(text) || bare.is_some_and(|bare| glob.matches(bare));
        self.allowed
            .iter()
            .any(|(glob, _)| matches(glob))
            .then_some(url)
    }

    /// Whether pages of that origin may call the auth API: those to which a sign-in may return.
    pub(super) fn allows_origin(&self, origin: &str) -> bool {
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
                .allowed
                .iter()
                .any(|(_, origin)| origin.as_ref().is_some_and(|glob| glob.matches(&text)))
    }
}

/// The part of a pattern that stands for scheme, host and port.
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

    fn redirects(patterns: &[&str]) -> Redirects {
        let patterns: Vec<String> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        Redirects::new("https://site.example", &patterns).unwrap()
    }

    #[test]
    fn the_site_and_this_machine_are_allowed() {
        let plain = redirects(&[]);
        for text in [
            "https://site.example",
            "https://site.example/deep?next=/a#b",
            "http://localhost:3000/auth/callback",
            "http://127.0.0.1:5173",
            "https://[::1]:8443/x",
        ] {
            assert!(plain.allowed(text).is_some(), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_an_allowed_address_is_refused() {
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
            assert!(listed.allowed(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_pattern_opens_what_it_names_and_no_more() {
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
            assert!(listed.allowed(text).is_some(), "{text}");
        }
        for text in [
            "https://a.b.preview.example/",
            "https://preview.example/",
            "myapp://other",
            "https://exact.example/auth",
        ] {
            assert!(listed.allowed(text).is_none(), "{text}");
        }
        assert!(
            redirects(&["https://bare.example"])
                .allowed("https://bare.example")
                .is_some()
        );
    }

    #[test]
    fn a_page_may_call_where_a_sign_in_may_return_to_it() {
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
