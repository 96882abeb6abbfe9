//! Origins of URLs (RFC 6454).

use url::Url;

/// Serializes an origin as browsers do (RFC 6454 §6.2), including those of application shells such
/// as `capacitor://localhost`. `null` has no host and is not an origin.
pub(crate) fn serialized_origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok().filter(|_| !text.contains('*'))?;
    let origin = url.origin();
    if origin.is_tuple() {
        return Some(origin.ascii_serialization());
    }
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    Some(format!(
        "{}://{}{port}",
        url.scheme(),
        url.host_str().filter(|host| !host.is_empty())?
    ))
}
