//! Redirects back to the app, with a code, tokens or an error.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};
use maud::html;
use url::Url;

use super::error::AuthApiError;

/// Builds a redirect. The address may contain a code or tokens, so it must not be cached or sent in
/// `Referer`.
pub(crate) fn redirect(status: StatusCode, address: &str) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::LOCATION, address))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .content_type("text/html; charset=utf-8")
        .body(
            html! { a href=(address) { (status.canonical_reason().unwrap_or_default()) } "." "\n\n" }
                .into_string(),
        )
}

/// Sets parameters in the query, replacing those of the same name. As in the hosted service, they are
/// sorted by name.
pub(crate) fn with_query(mut address: Url, members: &[(&str, &str)]) -> Url {
    let is_other = |name: &str| !members.iter().any(|(new, _)| *new == name);
    let mut pairs: Vec<(String, String)> = address
        .query_pairs()
        .into_owned()
        .filter(|(name, _)| is_other(name))
        .collect();
    pairs.extend(
        members
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
    address.query_pairs_mut().clear().extend_pairs(pairs);
    address
}

/// Adds a message to the fragment and, if `in_query` is set, to the query.
pub(crate) fn with_message(address: Url, message: &str, in_query: bool) -> Url {
    let members = [("message", message)];
    let mut address = if in_query {
        with_query(address, &members)
    } else {
        address
    };
    set_fragment(&mut address, &members);
    address
}

fn set_fragment(address: &mut Url, members: &[(&str, &str)]) {
    let mut fragment = url::form_urlencoded::Serializer::new(String::new());
    fragment.extend_pairs(members).append_pair("sb", "");
    address.set_fragment(Some(&fragment.finish()));
}

/// Adds an error to the fragment and, if `in_query` is set, to the query.
pub(crate) fn with_error(address: Url, error: &AuthApiError, in_query: bool) -> Url {
    let description = error.to_string();
    let mut members = vec![("error", error.redirect_error())];
    // OAuth errors of the provider have no code.
    members.extend(error.code().map(|code| ("error_code", code)));
    members.push(("error_description", &description));
    let mut address = if in_query {
        with_query(address, &members)
    } else {
        address
    };
    set_fragment(&mut address, &members);
    address
}
