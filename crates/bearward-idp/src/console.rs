//! The developer console at `/`. Clients that do not accept HTML get the index as text.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, ContentType, HeaderValue},
    web::{Data, Path},
};
use bearward::Algorithm;
use bearward_http::DESIGN_CSS;
use bearward_testing::{endpoint::JwksEndpoint, signing::FORGERIES};

use crate::{error::not_found, page};

const PAGE: &str = include_str!("console/console.html");
/// The files that the pages load, below [`FILES_PATH`]: name, content type, content.
const FILES: [(&str, &str, &str); 8] = [
    ("design.css", CSS, DESIGN_CSS),
    ("console.css", CSS, include_str!("console/console.css")),
    ("console.js", JAVASCRIPT, include_str!("console/console.js")),
    ("connect.js", JAVASCRIPT, include_str!("console/connect.js")),
    ("dom.js", JAVASCRIPT, include_str!("console/dom.js")),
    ("inbox.js", JAVASCRIPT, include_str!("console/inbox.js")),
    (
        "meanings.js",
        JAVASCRIPT,
        include_str!("console/meanings.js"),
    ),
    ("token.js", JAVASCRIPT, include_str!("console/token.js")),
];
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// Path of the files, with the name as `{file}`.
pub(crate) const FILES_PATH: &str = "/.console/{file}";

/// Allows the page's own script and style and calls to this server. Trusted Types forbid creating
/// markup from strings, because the page shows untrusted values such as user names.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; form-action 'none'; base-uri 'none'; \
                      frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

pub(crate) async fn root(request: HttpRequest, endpoint: Data<JwksEndpoint>) -> HttpResponse {
    let accept = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let mut response = if accept.contains("text/html") {
        console_page()
    } else {
        page::index_text(&endpoint)
    };
    response
        .headers_mut()
        .insert(header::VARY, HeaderValue::from_static("accept"));
    response
}

pub(crate) async fn file(name: Path<String>) -> HttpResponse {
    match FILES.iter().find(|(file, ..)| *file == name.as_str()) {
        Some((_, content_type, text)) => HttpResponse::Ok()
            .content_type(*content_type)
            .insert_header(("x-content-type-options", "nosniff"))
            .insert_header(("cross-origin-resource-policy", "same-origin"))
            .insert_header(("cache-control", "no-store"))
            .body(*text),
        None => not_found().await,
    }
}

/// The page contains no state of the IdP: its script reads the admin API, which checks `Host` and
/// `Origin`.
fn console_page() -> HttpResponse {
    let text = PAGE
        .replace(
            "<!-- algorithms -->",
            &options(Algorithm::ALL.iter().map(|algorithm| algorithm.name())),
        )
        .replace("<!-- forgeries -->", &options(FORGERIES.into_iter()));
    HttpResponse::Ok()
        .content_type(ContentType::html())
        .insert_header(("content-security-policy", CONTENT_SECURITY_POLICY))
        .insert_header(("x-content-type-options", "nosniff"))
        .insert_header(("x-frame-options", "DENY"))
        .insert_header(("referrer-policy", "no-referrer"))
        .insert_header(("cross-origin-opener-policy", "same-origin"))
        .insert_header(("cache-control", "no-store"))
        .body(text)
}

fn options(names: impl Iterator<Item = &'static str>) -> String {
    names
        .flat_map(|name| ["<option>", name, "</option>"])
        .collect()
}
