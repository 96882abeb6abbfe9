//! Normalization of the URL of a request and of `htu` (RFC 9449 §4.3, RFC 3986 §6.2.2 and §6.2.3).
//!
//! Hand-written because `url::Url` changes more than RFC 3986 allows (backslashes, tabs, host
//! numbers) and does not decode unreserved characters.

use std::fmt::Write;

/// Normalizes an `http` or `https` URL without its query and fragment: the scheme and the host in
/// lower case, no default port, percent-encoding only where needed and in upper case, no dot
/// segments, and `/` for an empty path. A trailing slash is significant.
///
/// Returns `None` for other URLs, for URLs with user information, and if a character is not allowed
/// in a URL.
pub(super) fn normalize(url: &str) -> Option<String> {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let (scheme, rest) = url[..end].split_once("://")?;
    let scheme = ["http", "https"]
        .into_iter()
        .find(|known| scheme.eq_ignore_ascii_case(known))?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let mut normalized = String::with_capacity(url.len() + 1);
    normalized.push_str(scheme);
    normalized.push_str("://");
    push_authority(&mut normalized, authority, scheme)?;
    push_path(&mut normalized, path)?;
    Some(normalized)
}

fn push_authority(normalized: &mut String, authority: &str, scheme: &str) -> Option<()> {
    // The port follows the last colon outside of the brackets of an IPv6 address.
    let after_address = authority.rfind(']').map_or(0, |index| index + 1);
    let (host, port) = match authority[after_address..].rfind(':') {
        Some(colon) => {
            let colon = after_address + colon;
            (&authority[..colon], &authority[colon + 1..])
        }
        None => (authority, ""),
    };
    if host.is_empty() {
        return None;
    }
    if let Some(address) = host.strip_prefix('[') {
        let address: std::net::Ipv6Addr = address.strip_suffix(']')?.parse().ok()?;
        write!(normalized, "[{address}]").ok()?;
    } else {
        let is_allowed = |byte: u8| is_unreserved(byte) || is_sub_delimiter(byte);
        let start = normalized.len();
        push_decoded(normalized, host, is_allowed)?;
        normalized[start..].make_ascii_lowercase();
    }
    if port.is_empty() {
        return Some(());
    }
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let port: u16 = port.parse().ok()?;
    if (scheme, port) != ("http", 80) && (scheme, port) != ("https", 443) {
        write!(normalized, ":{port}").ok()?;
    }
    Some(())
}

fn push_path(normalized: &mut String, path: &str) -> Option<()> {
    let is_allowed = |byte: u8| {
        is_unreserved(byte) || is_sub_delimiter(byte) || matches!(byte, b':' | b'@' | b'/')
    };
    if path.is_empty() {
        normalized.push('/');
        return Some(());
    }
    let start = normalized.len();
    push_decoded(normalized, path, is_allowed)?;
    // Dots are decoded now, so that an encoded dot segment is removed too.
    if normalized[start..].contains("/.") {
        let path = remove_dot_segments(&normalized[start..]);
        normalized.truncate(start);
        normalized.push_str(&path);
    }
    Some(())
}

/// Appends a text: decodes percent-encoded unreserved characters, and writes other
/// percent-encodings in upper case (RFC 3986 §6.2.2.1 and §6.2.2.2).
fn push_decoded(
    normalized: &mut String,
    text: &str,
    is_allowed: impl Fn(u8) -> bool,
) -> Option<()> {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let [high, low] = [bytes.next()?, bytes.next()?];
            let digit = |byte: u8| char::from(byte).to_digit(16);
            let decoded = u8::try_from(digit(high)? * 16 + digit(low)?).ok()?;
            if is_unreserved(decoded) {
                normalized.push(char::from(decoded));
            } else {
                normalized.push('%');
                normalized.push(char::from(high.to_ascii_uppercase()));
                normalized.push(char::from(low.to_ascii_uppercase()));
            }
        } else if is_allowed(byte) {
            normalized.push(char::from(byte));
        } else {
            return None;
        }
    }
    Some(())
}

/// Removes the segments `.` and `..` of an absolute path (RFC 3986 §5.2.4).
fn remove_dot_segments(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    let mut ends_with_slash = false;
    for segment in path.split('/').skip(1) {
        ends_with_slash = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    if ends_with_slash {
        segments.push("");
    }
    format!("/{}", segments.join("/"))
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

const fn is_sub_delimiter(byte: u8) -> bool {
    matches!(
        byte,
        b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'='
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equivalent_urls_have_one_form() {
        for (url, normalized) in [
            ("https://api.example.com", "https://api.example.com/"),
            ("HTTPS://API.Example.COM/a", "https://api.example.com/a"),
            ("https://api.example.com:443/a", "https://api.example.com/a"),
            (
                "https://api.example.com:0443/a",
                "https://api.example.com/a",
            ),
            ("https://api.example.com:/a", "https://api.example.com/a"),
            ("http://api.example.com:80/a", "http://api.example.com/a"),
            (
                "http://api.example.com:443/a",
                "http://api.example.com:443/a",
            ),
            (
                "https://api.example.com/a?b=c#d",
                "https://api.example.com/a",
            ),
            ("https://api.example.com?b", "https://api.example.com/"),
            ("https://api.example.com/a#d?e", "https://api.example.com/a"),
            (
                "https://a.example/%7Eada/%2f%c3%a4",
                "https://a.example/~ada/%2F%C3%A4",
            ),
            ("https://a.example/a/./b/../c", "https://a.example/a/c"),
            ("https://a.example/a/%2e%2E/c", "https://a.example/c"),
            ("https://a.example/../../c", "https://a.example/c"),
            ("https://a.example/a/..", "https://a.example/"),
            ("https://a.example/a/.", "https://a.example/a/"),
            (
                "https://a.example/.well-known/x",
                "https://a.example/.well-known/x",
            ),
            ("https://a.example/a/", "https://a.example/a/"),
            ("https://a.example//a", "https://a.example//a"),
            ("https://%41.example/", "https://a.example/"),
            ("http://[0:0:0:0:0:0:0:1]:8000/", "http://[::1]:8000/"),
            ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/"),
        ] {
            assert_eq!(normalize(url).as_deref(), Some(normalized), "{url}");
            assert_eq!(normalize(normalized).as_deref(), Some(normalized), "{url}");
        }
    }

    #[test]
    fn different_urls_stay_different() {
        let base = normalize("https://a.example/a").unwrap();
        for url in [
            "http://a.example/a",
            "https://b.example/a",
            "https://a.example:444/a",
            "https://a.example/a/",
            "https://a.example/A",
            "https://a.example//a",
            "https://a.example/%61%2f",
            "https://a.example./a",
        ] {
            assert_ne!(normalize(url).unwrap(), base, "{url}");
        }
    }

    #[test]
    fn other_texts_are_no_urls() {
        for url in [
            "",
            "/a",
            "a.example/a",
            "ftp://a.example/",
            "https:/a.example",
            "https://",
            "https:///a",
            "https://:443/a",
            "https://ada@a.example/",
            "https://a.example:a/",
            "https://a.example:65536/",
            "https://a.example:+1/",
            "https://a.example/ a",
            "https://a.example/\u{e4}",
            "https://a.example/%",
            "https://a.example/%4",
            "https://a.example/%zz",
            "https://a.example\\b/",
            "https://a.example/\tb",
            "https://[::1/",
            "https://[a.example]/",
        ] {
            assert_eq!(normalize(url), None, "{url}");
        }
    }
}
