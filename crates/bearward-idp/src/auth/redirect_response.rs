//! Redirects back to the app, with a code, tokens or an error.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};
use url::Url;

use super::error::AuthApiError;

/// Builds a redirect. The address may contain a code or tokens, so it must not be cached or sent in
/// `Referer`.
pub(crate) fn redirect(status: StatusCode, address: &str) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::LOCATION, address))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .finish()
}

/// Sets parameters in the query, replacing those of the same name.
pub(crate) fn with_query(mut address: Url, members: &[(&str, &str)]) -> Url {
    let is_other = |name: &str| !members.iter().any(|(new, _)| *new == name);
    let others: Vec<_> = address
        .query_pairs()
        .into_owned()
        .filter(|(name, _)| is_other(name))
        .collect();
    address
        .query_pairs_mut()
        .clear()
        .extend_pairs(others)
        .extend_pairs(members);
    address
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
    let mut fragment = url::form_urlencoded::Serializer::new(String::new());
    fragment.extend_pairs(members).append_pair("sb", "");
    address.set_fragment(Some(&fragment.finish()));
    address
}
