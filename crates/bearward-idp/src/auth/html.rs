//! The pages of the development IdP: self-contained, without scripts, and saying what they are for.

use actix_web::{HttpResponse, http::StatusCode};
use aws_lc_rs::digest::{SHA256, digest};
use base64_simd::STANDARD;

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

/// A page whose form, if it has one, may lead to these origins.
pub(super) fn page(status: StatusCode, title: &str, body: &str, form_action: &str) -> HttpResponse {
    let style_hash = STANDARD.encode_to_string(digest(&SHA256, STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style_hash}'; form-action {form_action}; base-uri 'none'; frame-ancestors 'none'"
    );
    let text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>{title} - bearward development IdP</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n\
         <p class=\"notice\" role=\"note\" id=\"development-only\"><strong>Development only.</strong> \
         bearward's development IdP lets anybody be anybody.</p>\n\
         <main>\n<h1>{title}</h1>\n{body}\n</main>\n</body>\n</html>\n",
        title = escaped(title),
    );
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header(("content-security-policy", policy))
        .insert_header(("x-content-type-options", "nosniff"))
        .insert_header(("x-frame-options", "DENY"))
        // Not no-referrer: a browser would then send `Origin: null` with the form.
        .insert_header(("referrer-policy", "same-origin"))
        .insert_header(("cache-control", "no-store"))
        .body(text)
}

/// Text as it may stand in an element or in a quoted attribute.
pub(super) fn escaped(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut safe, character| {
            match character {
                '&' => safe.push_str("&amp;"),
                '<' => safe.push_str("&lt;"),
                '>' => safe.push_str("&gt;"),
                '"' => safe.push_str("&quot;"),
                '\'' => safe.push_str("&#39;"),
                other => safe.push(other),
            }
            safe
        })
}
