//! A redirect back to the app, with what it is told.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};
use url::Url;

use super::error::AuthApiError;

/// Sends the browser there. An address may hold a code or tokens: nobody stores it, and it goes
/// into no `Referer`.
pub(super) fn to(status: StatusCode, address: &str) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::LOCATION, address))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .finish()
}

/// The address with these members in its query, in place of those of the same name.
pub(super) fn with_query(mut address: Url, members: &[(&str, &str)]) -> Url {
    let is_kept = |name: &str| !members.iter().any(|(new, _)| *new == name);
    let kept: Vec<_> = address
        .query_pairs()
        .into_owned()
        .filter(|(name, _)| is_kept(name))
        .collect();
    address
        .query_pairs_mut()
        .clear()
        .extend_pairs(kept)
        .extend_pairs(members);
    address
}

/// The address with the refusal in its fragment and, where asked for, in its query.
pub(super) fn with_fault(address: Url, fault: &AuthApiError, in_query: bool) -> Url {
    let description = fault.to_string();
    let mut members = vec![("error", fault.redirect_error())];
    // An error of the provider's own has no code of the hosted service.
    members.extend(fault.code().map(|code| ("error_code", code)));
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
