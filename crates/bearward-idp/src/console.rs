//! The developer console: the development IdP's first page for people, who ask for HTML; programs
//! get text.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, ContentType},
    web::Data,
};
use bearward::Algorithm;
use bearward_testing::{endpoint::JwksEndpoint, signing::FORGERIES};

use super::page;

const PAGE: &str = include_str!("console/console.html");
const STYLE: &str = include_str!("console/console.css");
const SCRIPT: &str = include_str!("console/console.js");

/// Two files of this server, calls to this server, and no way to make markup out of text: what the
/// page shows came from anybody.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; form-action 'none'; base-uri 'none'; \
                      frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

pub(super) async fn root(request: HttpRequest, endpoint: Data<JwksEndpoint>) -> HttpResponse {
    let accepts = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let mut response = if accepts.contains("text/html") {
        shown()
    } else {
        page::listed(&endpoint)
    };
    response
        .headers_mut()
        .insert(header::VARY, header::HeaderValue::from_static("accept"));
    response
}

pub(super) async fn style() -> HttpResponse {
    file("text/css; charset=utf-8", STYLE)
}

pub(super) async fn script() -> HttpResponse {
    file("text/javascript; charset=utf-8", SCRIPT)
}

/// Nothing of the state stands in the page: its script asks the admin API, which looks at who asks.
fn shown() -> HttpResponse {
    let text = PAGE
        .replace(
            "<!-- algorithms -->",
            &options(Algorithm::ALL.iter().map(|algorithm| algorithm.name())),
        )
        .replace("<!-- forgeries -->", &options(FORGERIES.into_iter()));
    HttpResponse::Ok()
        .content_type(ContentType::html())
        .insert_header(("content-security-policy", POLICY))
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

fn file(content_type: &'static str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(content_type)
        .insert_header(("x-content-type-options", "nosniff"))
        .insert_header(("cross-origin-resource-policy", "same-origin"))
        .insert_header(("cache-control", "no-store"))
        .body(text)
}
