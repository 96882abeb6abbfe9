//! An avatar with the first letter of a name, so that profiles have a picture without a request to
//! another host.

use actix_web::{HttpResponse, web::Path};

pub(crate) async fn picture(initial: Path<String>) -> HttpResponse {
    let letter = initial
        .chars()
        .next()
        .filter(char::is_ascii_alphabetic)
        .unwrap_or('x')
        .to_ascii_uppercase();
    let hue = u32::from(letter) * 47 % 360;
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"96\" height=\"96\" viewBox=\"0 0 96 96\">\
         <rect width=\"96\" height=\"96\" fill=\"hsl({hue} 45% 40%)\"/><text x=\"48\" y=\"64\" font-family=\"sans-serif\" \
         font-size=\"48\" fill=\"#fff\" text-anchor=\"middle\">{letter}</text></svg>"
    );
    HttpResponse::Ok()
        .content_type("image/svg+xml")
        .insert_header(("content-security-policy", "default-src 'none'"))
        .insert_header(("x-content-type-options", "nosniff"))
        .insert_header(("cache-control", "public, max-age=86400"))
        .body(svg)
}

/// Returns the path of the avatar for a name.
pub(crate) fn path(name: &str) -> String {
    let initial = name
        .chars()
        .find(char::is_ascii_alphabetic)
        .unwrap_or('x')
        .to_ascii_lowercase();
    format!("/.picture/{initial}")
}
