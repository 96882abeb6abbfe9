//! The layout of the HTML pages: self-contained, in the design of the console, marked as development
//! only. Only the inbox has a script.

use std::sync::LazyLock;

use actix_web::{HttpResponse, http::StatusCode};
use aws_lc_rs::digest::{SHA256, digest};
use base64_simd::STANDARD;
use bearward_http::DESIGN_CSS;
use maud::{DOCTYPE, Markup, PreEscaped, html};

static STYLE: LazyLock<String> =
    LazyLock::new(|| [DESIGN_CSS, include_str!("../console/pages.css")].concat());

/// Renders a page. `form_action` is the CSP source list for form targets and their redirects.
pub(crate) fn page(
    status: StatusCode,
    title: &str,
    body: &Markup,
    form_action: &str,
) -> HttpResponse {
    render(status, title, body, form_action, None)
}

/// Renders a page without forms that loads this module script of the IdP.
pub(crate) fn page_with_script(title: &str, body: &Markup, script: &str) -> HttpResponse {
    render(StatusCode::OK, title, body, "'none'", Some(script))
}

fn render(
    status: StatusCode,
    title: &str,
    body: &Markup,
    form_action: &str,
    script: Option<&str>,
) -> HttpResponse {
    let style_hash = STANDARD.encode_to_string(digest(&SHA256, STYLE.as_bytes()));
    let script_sources = match script {
        Some(_) => {
            "script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'; "
        }
        None => "",
    };
    let policy = format!(
        "default-src 'none'; {script_sources}style-src 'sha256-{style_hash}'; img-src 'self' data:; form-action {form_action}; base-uri 'none'; frame-ancestors 'none'"
    );
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                meta name="color-scheme" content="light dark";
                link rel="icon" href="data:,";
                title { (title) " - bearward development IdP" }
                // The CSP hash covers these exact bytes.
                style { (PreEscaped(STYLE.as_str())) }
                @if let Some(script) = script {
                    script src=(script) type="module" {}
                }
            }
            body {
                header {
                    p.notice #development-only role="note" {
                        strong { "Development only." }
                        " Anyone can sign in as any user."
                    }
                }
                main {
                    h1 { (title) }
                    (body)
                }
            }
        }
    };
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header(("content-security-policy", policy))
        .insert_header(("x-content-type-options", "nosniff"))
        .insert_header(("x-frame-options", "DENY"))
        // With no-referrer a browser would send `Origin: null` with the form.
        .insert_header(("referrer-policy", "same-origin"))
        .insert_header(("cache-control", "no-store"))
        .body(document.into_string())
}
