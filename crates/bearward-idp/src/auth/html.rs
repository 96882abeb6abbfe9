//! The layout of the HTML pages: self-contained, without scripts, marked as development only.

use actix_web::{HttpResponse, http::StatusCode};
use aws_lc_rs::digest::{SHA256, digest};
use base64_simd::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8886;--soft:#8882;--strong:light-dark(#0b57d0,#a8c7fa)}\
*{box-sizing:border-box}\
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:34rem;padding:1.5rem 1rem}\
h1{font-size:1.4rem;margin:.5rem 0 1rem}\
h2{font-size:1rem;margin:1.5rem 0 .5rem}\
.notice{border:2px solid #b06000;border-radius:.5rem;margin:0;padding:.4rem .75rem}\
ul{list-style:none;margin:0;padding:0}\
li{margin:.4rem 0}\
label{display:block;font-weight:600;margin:.6rem 0 .2rem}\
input,button{border:1px solid var(--line);border-radius:.5rem;font:inherit;padding:.6rem .75rem;width:100%}\
button{background:var(--soft);cursor:pointer;text-align:left}\
button.main{background:var(--strong);color:light-dark(#fff,#062e6f);margin-top:.8rem;text-align:center}\
button.deny{margin-top:1.5rem;text-align:center}\
:focus-visible{outline:3px solid var(--strong);outline-offset:2px}\
small{opacity:.8}\
article{border:1px solid var(--line);border-radius:.5rem;margin:.8rem 0;overflow-wrap:anywhere;padding:.75rem}\
code{background:var(--soft);border-radius:.25rem;padding:.1rem .3rem}";

/// Renders a page. `form_action` is the CSP source list for form targets and their redirects.
pub(crate) fn page(
    status: StatusCode,
    title: &str,
    body: &Markup,
    form_action: &str,
) -> HttpResponse {
    let style_hash = STANDARD.encode_to_string(digest(&SHA256, STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style_hash}'; form-action {form_action}; base-uri 'none'; frame-ancestors 'none'"
    );
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                title { (title) " - bearward development IdP" }
                // The CSP hash covers these exact bytes.
                style { (PreEscaped(STYLE)) }
            }
            body {
                p.notice #development-only role="note" {
                    strong { "Development only." }
                    " Anyone can sign in as any user."
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
