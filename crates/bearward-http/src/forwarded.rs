//! The `Forwarded` header field (RFC 7239).

use std::net::{IpAddr, SocketAddr};

/// The number of elements that are read.
const MAX_ELEMENTS: usize = 32;

/// The length of the longest element that is read: a host name with a port, two addresses and the
/// names of the parameters have less.
const MAX_LENGTH: usize = 512;

/// What one proxy says about the request that it received.
///
/// Parameters other than these three are not read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForwardedElement {
    /// The sender of the request: an address, `unknown` or an obfuscated identifier.
    pub node: Option<String>,
    /// `Host` of the request.
    pub host: Option<String>,
    /// The scheme of the request.
    pub scheme: Option<String>,
}

/// An element cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MalformedElement;

impl ForwardedElement {
    /// Returns the address of [`node`](Self::node), without its port. `None` if it is absent, or no
    /// address.
    ///
    /// IPv6 addresses have brackets (RFC 7239 §6).
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        let node = self.node.as_deref()?;
        let bracketed = |text: &str| {
            let inner = text.strip_prefix('[')?.strip_suffix(']')?;
            inner.parse().ok().map(IpAddr::V6)
        };
        let address = match node.parse::<SocketAddr>() {
            Ok(socket) => Some(socket.ip()),
            Err(_) => bracketed(node).or_else(|| node.parse().ok().map(IpAddr::V4)),
        };
        address.map(|address| address.to_canonical())
    }
}

/// Returns the elements of the header from the right, where the nearest proxy adds its own, from
/// these field lines. Ends after 32 elements.
///
/// Everything to the left of an element may have been sent by the client, so elements are split from
/// the right: quotation marks that a client does not close change none of those that proxies add.
pub fn elements_from_the_right<'v>(
    lines: &[&'v [u8]],
) -> impl Iterator<Item = Result<ForwardedElement, MalformedElement>> + use<'v> {
    let parts: Vec<&[u8]> = lines
        .iter()
        .rev()
        .flat_map(|line| split_from_the_right(line))
        // Recipients ignore empty list elements (RFC 9110 §5.6.1.2).
        .filter(|part| !part.is_empty())
        .take(MAX_ELEMENTS)
        .collect();
    parts.into_iter().map(parse)
}

/// Splits a line at commas outside of quotation marks, seen from the right, and trims the parts.
fn split_from_the_right(line: &[u8]) -> Vec<&[u8]> {
    let (mut parts, mut end, mut is_quoted) = (Vec::new(), line.len(), false);
    for index in (0..line.len()).rev() {
        match line[index] {
            b'"' if !is_escaped(&line[..index]) => is_quoted = !is_quoted,
            b',' if !is_quoted => {
                parts.push(line[index + 1..end].trim_ascii());
                end = index;
            }
            _ => {}
        }
        if parts.len() == MAX_ELEMENTS {
            return parts;
        }
    }
    parts.push(line[..end].trim_ascii());
    parts
}

/// Whether an odd number of backslashes precedes.
fn is_escaped(before: &[u8]) -> bool {
    let backslashes = before.iter().rev().take_while(|&&byte| byte == b'\\');
    backslashes.count() % 2 == 1
}

/// Parses the pairs of one element. A parameter may be there once (RFC 7239 §4).
fn parse(element: &[u8]) -> Result<ForwardedElement, MalformedElement> {
    let text = str::from_utf8(element)
        .ok()
        .filter(|text| text.len() <= MAX_LENGTH)
        .ok_or(MalformedElement)?;
    let mut parsed = ForwardedElement::default();
    let mut names: Vec<String> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(next) = rest.strip_prefix(';') {
            rest = next.trim_start_matches(SPACES);
            continue;
        }
        let (name, value) = rest.split_once('=').ok_or(MalformedElement)?;
        let (value, next) = take_value(value)?;
        let name = name.to_ascii_lowercase();
        if !is_token(&name) || names.contains(&name) {
            return Err(MalformedElement);
        }
        match name.as_str() {
            "for" => parsed.node = Some(value),
            "host" => parsed.host = Some(value),
            "proto" => parsed.scheme = Some(value),
            _ => {}
        }
        names.push(name);
        rest = next.trim_start_matches(SPACES);
        if !rest.is_empty() && !rest.starts_with(';') {
            return Err(MalformedElement);
        }
    }
    Ok(parsed)
}

const SPACES: [char; 2] = [' ', '\t'];

/// Returns the value at the start of the text, a token or a quoted string, and what follows it.
fn take_value(text: &str) -> Result<(String, &str), MalformedElement> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ' ', '\t']).unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        return if is_token(value) {
            Ok((value.to_owned(), rest))
        } else {
            Err(MalformedElement)
        };
    };
    let (mut value, mut characters) = (String::new(), quoted.char_indices());
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return Ok((value, &quoted[index + 1..])),
            '\\' => value.push(characters.next().ok_or(MalformedElement)?.1),
            character => value.push(character),
        }
    }
    Err(MalformedElement)
}

/// Whether the text is a token (RFC 9110 §5.6.2).
fn is_token(text: &str) -> bool {
    let is_token_character = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !text.is_empty() && text.chars().all(is_token_character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(lines: &[&str]) -> Vec<Result<ForwardedElement, MalformedElement>> {
        let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
        elements_from_the_right(&lines).collect()
    }

    /// Returns an element; empty values are absent.
    fn with(node: &str, host: &str, scheme: &str) -> ForwardedElement {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        ForwardedElement {
            node: text(node),
            host: text(host),
            scheme: text(scheme),
        }
    }

    #[test]
    fn the_examples_of_the_rfc_are_read() {
        assert_eq!(
            elements(&["for=\"_gazonk\""]),
            [Ok(with("_gazonk", "", ""))]
        );
        assert_eq!(
            elements(&["For=\"[2001:db8:cafe::17]:4711\""]),
            [Ok(with("[2001:db8:cafe::17]:4711", "", ""))]
        );
        assert_eq!(
            elements(&["for=192.0.2.60;proto=http;by=203.0.113.43"]),
            [Ok(with("192.0.2.60", "", "http"))]
        );
        assert_eq!(
            elements(&["for=192.0.2.43, for=198.51.100.17"]),
            [
                Ok(with("198.51.100.17", "", "")),
                Ok(with("192.0.2.43", "", ""))
            ]
        );
        assert_eq!(
            elements(&[
                "for=192.0.2.43, for=\"[2001:db8:cafe::17]\";host=\"a:443\"",
                "for=_b ; PROTO=https"
            ]),
            [
                Ok(with("_b", "", "https")),
                Ok(with("[2001:db8:cafe::17]", "a:443", "")),
                Ok(with("192.0.2.43", "", ""))
            ]
        );
        assert_eq!(elements(&["", " , ,"]), []);
    }

    #[test]
    fn malformed_elements_do_not_change_those_to_their_right() {
        let real = Ok(with("192.0.2.60", "api.example.com", ""));
        for garbage in [
            "for=\"a",
            "for=\"a\\",
            "\"",
            "for",
            "=a",
            "for=a b",
            "for=a;for=b",
            "for=a;FOR=b",
            "f r=a",
            "for=",
            "for=a\"b",
            "host=a/b",
            "for=\u{e4}",
            "for=a;;x",
        ] {
            let line = format!("{garbage}, for=192.0.2.60;host=\"api.example.com\"");
            let found = elements(&[&line]);
            assert_eq!(found[0], real, "{garbage}");
            assert_eq!(found[1], Err(MalformedElement), "{garbage}");
        }
        let quoted = elements(&["for=\"a,b\", for=\"c\\\",d\""]);
        assert_eq!(quoted, [Ok(with("c\",d", "", "")), Ok(with("a,b", "", ""))]);
    }

    #[test]
    fn the_number_and_the_length_of_elements_are_limited() {
        let line = "for=a, ".repeat(40);
        assert_eq!(elements(&[&line]).len(), MAX_ELEMENTS - 1, "one is empty");
        assert_eq!(elements(&vec!["for=a"; 40]).len(), MAX_ELEMENTS);
        let of_length = |length: usize| elements(&[&format!("for={}", "a".repeat(length - 4))]);
        assert!(of_length(MAX_LENGTH)[0].is_ok());
        assert!(of_length(MAX_LENGTH + 1)[0].is_err());
    }

    #[test]
    fn nodes_with_addresses_are_parsed() {
        let address = |node: &str| {
            let address = with(node, "", "").address();
            address.map(|address| address.to_string())
        };
        for (node, expected) in [
            ("192.0.2.60", "192.0.2.60"),
            ("192.0.2.60:4711", "192.0.2.60"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("[::ffff:192.0.2.60]", "192.0.2.60"),
        ] {
            assert_eq!(address(node).as_deref(), Some(expected), "{node}");
        }
        for node in [
            "",
            "unknown",
            "_hidden",
            "2001:db8::1",
            "[192.0.2.60]",
            "192.0.2.60:x",
            "192.0.2",
            "[2001:db8::1",
            " 192.0.2.60",
        ] {
            assert_eq!(address(node), None, "{node}");
        }
    }
}
