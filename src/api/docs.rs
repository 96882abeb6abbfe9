//! `/docs`: a page that shows the OpenAPI document and sends requests, without external resources.

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION},
    web::{Data, Path},
};
use bearward::RequestId;
use bearward_http::DESIGN_CSS;
use url::Url;

use super::ApiError;

const PAGE: &str = include_str!("docs/page.html");

/// The files of the page: name, content type, content.
const FILES: [(&str, &str, &str); 4] = [
    ("design.css", "text/css; charset=utf-8", DESIGN_CSS),
    (
        "docs.css",
        "text/css; charset=utf-8",
        include_str!("docs/docs.css"),
    ),
    (
        "docs.js",
        "text/javascript; charset=utf-8",
        include_str!("docs/docs.js"),
    ),
    (
        "schema.js",
        "text/javascript; charset=utf-8",
        include_str!("docs/schema.js"),
    ),
];

/// The documentation page, rendered once.
#[derive(Debug, Clone)]
pub struct DocsPage {
    html: String,
    policy: String,
}

impl DocsPage {
    /// Renders the page. With `token_url`, the URL of `POST /admin/tokens` of a development IdP, it has
    /// a button that fills in a token.
    pub(crate) fn new(token_url: Option<Url>) -> Self {
        let origin = token_url
            .as_ref()
            .map(|url| format!(" {}", url.origin().ascii_serialization()))
            .unwrap_or_default();
        let token_url = token_url.map(String::from).unwrap_or_default();
        Self {
            // A URL has neither quotes nor angle brackets.
            html: PAGE.replace("{token_url}", &token_url),
            // Trusted Types forbid creating markup from strings: the page shows responses.
            policy: format!(
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'{origin}; base-uri 'none'; \
                 form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
            ),
        }
    }
}

/// Redirects `/docs` to `/docs/`, because the page refers to its files by relative paths.
pub(super) async fn redirect() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((LOCATION, "/docs/"))
        .finish()
}

/// Serves the page and its files.
pub(super) async fn asset(
    page: Data<DocsPage>,
    path: Path<String>,
    request: HttpRequest,
) -> HttpResponse {
    if path.is_empty() {
        return HttpResponse::Ok()
            .insert_header((CONTENT_SECURITY_POLICY, page.policy.as_str()))
            .insert_header((CACHE_CONTROL, "no-cache"))
            .content_type("text/html; charset=utf-8")
            .body(page.html.clone());
    }
    match FILES.iter().find(|(name, ..)| *name == path.as_str()) {
        Some((_, content_type, content)) => HttpResponse::Ok()
            .insert_header((CACHE_CONTROL, "no-cache"))
            .content_type(*content_type)
            .body(*content),
        None => ApiError::not_found(
            RequestId::from_request(&request),
            "no documentation file at this path",
        )
        .error_response(),
    }
}
