//! Determines the certificate of the client of a request: from the handshake of its connection, or
//! from the header of a trusted proxy.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Once},
};

use actix_web::{
    HttpMessage, HttpRequest,
    http::header::{HeaderMap, HeaderValue},
};
use base64_simd::STANDARD;
use bearward::ClientCertificate;
use percent_encoding::percent_decode;

use super::client_address::TrustedProxies;
use crate::{
    server::connection::ConnectionState,
    settings::{ClientCertificateFormat, ClientCertificateHeader},
};

/// The longest header value that is read. A certificate in base64 has 1 to 3 KB; percent-encoding
/// triples the line breaks and some characters.
const MAX_LENGTH: usize = 16 * 1024;

/// Limits the warning about an ignored header to one per process, because clients can trigger it.
static WARNED: Once = Once::new();

/// Where the certificates of clients come from.
#[derive(Debug, Clone)]
pub(super) struct ClientCertificates {
    proxies: TrustedProxies,
    header: Option<ClientCertificateHeader>,
}

/// The header is present and cannot be read.
#[derive(Debug, PartialEq, Eq)]
struct Malformed;

impl ClientCertificates {
    pub(super) fn new(proxies: TrustedProxies, header: Option<ClientCertificateHeader>) -> Self {
        Self { proxies, header }
    }

    /// Stores the certificate in the extensions of the request, where the library finds it.
    pub(super) fn store(&self, request: &HttpRequest) {
        if let Some(certificate) = self.find(request) {
            request.extensions_mut().insert(certificate);
        }
    }

    /// Returns the certificate of the client, if there is one.
    ///
    /// The connection of a trusted proxy carries the requests of others, so its own certificate is
    /// not that of a client: only the header is read. From other peers the header is ignored.
    fn find(&self, request: &HttpRequest) -> Option<ClientCertificate> {
        let connection = request
            .conn_data::<Arc<ConnectionState>>()
            .and_then(|connection| connection.client_certificate());
        if self.header.is_none() && connection.is_none() {
            return None;
        }
        let peer = request.peer_addr();
        if self.proxies.is_trusted_peer(peer) {
            self.read_header(request.headers())
        } else {
            self.ignore_header(request.headers(), peer);
            connection
        }
    }

    fn read_header(&self, headers: &HeaderMap) -> Option<ClientCertificate> {
        let header = self.header.as_ref()?;
        let values = headers.get_all(&header.name).map(HeaderValue::as_bytes);
        let Ok(parsed) = parse(header.format, values) else {
            count("malformed");
            tracing::debug!(header = %header.name, "the header with the client certificate is malformed");
            return None;
        };
        if parsed.is_some() {
            count("accepted");
        }
        parsed
    }

    fn ignore_header(&self, headers: &HeaderMap, peer: Option<SocketAddr>) {
        let Some(header) = &self.header else {
            return;
        };
        if headers.contains_key(&header.name) {
            count("untrusted");
            let address = peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.ip());
            WARNED.call_once(|| {
                tracing::warn!(
                    "ignored {} of a request from {address}, which is not a trusted proxy; if it is your proxy, add it to \
                     server.trusted_proxies",
                    header.name
                );
            });
        }
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("bearward_client_certificate_headers_total", "outcome" => outcome)
        .increment(1);
}

/// Parses the lines of the header; `None` if there is none, or it is empty.
fn parse<'v>(
    format: ClientCertificateFormat,
    mut values: impl Iterator<Item = &'v [u8]>,
) -> Result<Option<ClientCertificate>, Malformed> {
    let Some(mut value) = values.next() else {
        return Ok(None);
    };
    for next in values {
        // Only the list of Envoy may have several lines; the last one is of the nearest proxy.
        if format != ClientCertificateFormat::Xfcc {
            return Err(Malformed);
        }
        value = next;
    }
    let value = value.trim_ascii();
    if value.is_empty() {
        return Ok(None);
    }
    if value.len() > MAX_LENGTH {
        return Err(Malformed);
    }
    match format {
        ClientCertificateFormat::StructuredField => structured_field(value),
        ClientCertificateFormat::Xfcc => return xfcc(value),
        ClientCertificateFormat::Encoded => encoded(value),
    }
    .map(Some)
}

/// Parses a byte sequence (RFC 9440 §2.2, RFC 9651 §3.3.5): base64 between colons.
fn structured_field(value: &[u8]) -> Result<ClientCertificate, Malformed> {
    let base64 = value
        .strip_prefix(b":")
        .and_then(|rest| rest.strip_suffix(b":"))
        .ok_or(Malformed)?;
    from_base64(base64)
}

/// Parses `X-Forwarded-Client-Cert` of Envoy: elements separated by commas, each a list of `Key=value`
/// separated by semicolons. Every proxy appends an element, so the last one describes the client of
/// the nearest proxy. It has the hash of the certificate, and the certificate if Envoy is configured
/// to add it. `None` if that element has neither, as for a client without a certificate.
fn xfcc(value: &[u8]) -> Result<Option<ClientCertificate>, Malformed> {
    let element = last_element(value).trim_ascii();
    let (mut hash, mut certificate) = (None, None);
    for pair in split_pairs(element)? {
        let pair = pair.trim_ascii();
        let equals = pair
            .iter()
            .position(|&byte| byte == b'=')
            .ok_or(Malformed)?;
        let (key, value) = (&pair[..equals], unquoted(&pair[equals + 1..])?);
        if key.eq_ignore_ascii_case(b"hash") {
            if hash.replace(from_hex(value)?).is_some() {
                return Err(Malformed);
            }
        } else if key.eq_ignore_ascii_case(b"cert")
            && certificate.replace(encoded(value)?).is_some()
        {
            return Err(Malformed);
        }
    }
    match (hash, certificate) {
        (Some(hash), Some(certificate)) if hash != certificate => Err(Malformed),
        (hash, certificate) => Ok(hash.or(certificate)),
    }
}

/// Returns what follows the last comma outside of quotation marks.
///
/// The client may have sent the elements to the left of the last one. They are not read, so that no
/// quotation mark in them can hide the element of the proxy.
fn last_element(value: &[u8]) -> &[u8] {
    let mut is_quoted = false;
    for (index, &byte) in value.iter().enumerate().rev() {
        match byte {
            b'"' if !is_escaped(&value[..index]) => is_quoted = !is_quoted,
            b',' if !is_quoted => return &value[index + 1..],
            _ => {}
        }
    }
    value
}

/// Whether an odd number of backslashes precedes.
fn is_escaped(before: &[u8]) -> bool {
    let backslashes = before.iter().rev().take_while(|&&byte| byte == b'\\');
    backslashes.count() % 2 == 1
}

/// Splits at semicolons outside of quotation marks, in which a backslash escapes the next character.
fn split_pairs(element: &[u8]) -> Result<Vec<&[u8]>, Malformed> {
    let (mut parts, mut start, mut is_quoted, mut is_escaped) = (Vec::new(), 0, false, false);
    for (index, &byte) in element.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            b';' if !is_quoted => {
                parts.push(&element[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    if is_quoted {
        return Err(Malformed);
    }
    parts.push(&element[start..]);
    Ok(parts)
}

/// Removes the quotation marks around a value. Certificates and hashes contain no escaped characters.
///
/// Quotation marks in other places are malformed: they would begin a quoted text that the proxy has not
/// written.
fn unquoted(value: &[u8]) -> Result<&[u8], Malformed> {
    let (inner, is_quoted) = match value {
        [b'"', inner @ .., b'"'] => (inner, true),
        value => (value, false),
    };
    let has_other_quotes = inner
        .iter()
        .enumerate()
        .any(|(index, &byte)| byte == b'"' && !(is_quoted && is_escaped(&inner[..index])));
    if has_other_quotes {
        Err(Malformed)
    } else {
        Ok(inner)
    }
}

/// Parses the SHA-256 hash of a certificate in hexadecimal.
fn from_hex(value: &[u8]) -> Result<ClientCertificate, Malformed> {
    let mut thumbprint = [0; 32];
    if value.len() != 64 {
        return Err(Malformed);
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).ok_or(Malformed);
    for (octet, pair) in thumbprint.iter_mut().zip(value.chunks_exact(2)) {
        let number = digit(pair[0])? * 16 + digit(pair[1])?;
        *octet = u8::try_from(number).map_err(|_| Malformed)?;
    }
    Ok(ClientCertificate::from_thumbprint(thumbprint))
}

/// Parses a certificate in PEM (nginx `$ssl_client_escaped_cert`, AWS `X-Amzn-Mtls-Clientcert`) or in
/// DER as base64 (`HAProxy`, Traefik), percent-encoded or not.
fn encoded(value: &[u8]) -> Result<ClientCertificate, Malformed> {
    const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
    const END: &[u8] = b"-----END CERTIFICATE-----";
    let decoded: Vec<u8> = percent_decode(value).collect();
    let text = decoded.trim_ascii();
    let Some(rest) = text.strip_prefix(BEGIN) else {
        return from_base64(text);
    };
    // A second certificate leaves characters that are not base64.
    let body: Vec<u8> = rest
        .strip_suffix(END)
        .ok_or(Malformed)?
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    from_base64(&body)
}

fn from_base64(base64: &[u8]) -> Result<ClientCertificate, Malformed> {
    let der = STANDARD.decode_to_vec(base64).map_err(|_| Malformed)?;
    ClientCertificate::from_der(&der).map_err(|_| Malformed)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use ClientCertificateFormat::{Encoded, StructuredField, Xfcc};
    use percent_encoding::{NON_ALPHANUMERIC, percent_encode};

    use super::*;

    /// The outer structure of a certificate, with contents whose base64 has all special characters.
    const CERTIFICATE: &[u8] = &[0x30, 0x05, 0xfb, 0xff, 0xbf, 0xfe, 0x3e];
    const OTHER: &[u8] = &[0x30, 0x03, 0x02, 0x01, 0x02];

    fn certificate(der: &[u8]) -> ClientCertificate {
        ClientCertificate::from_der(der).expect("a certificate")
    }

    fn base64(der: &[u8]) -> String {
        STANDARD.encode_to_string(der)
    }

    fn pem(der: &[u8]) -> String {
        let base64 = base64(der);
        let (first, second) = base64.split_at(4);
        format!("-----BEGIN CERTIFICATE-----\n{first}\n{second}\n-----END CERTIFICATE-----\n")
    }

    fn escaped(text: &str) -> String {
        percent_encode(text.as_bytes(), NON_ALPHANUMERIC).to_string()
    }

    fn hash(der: &[u8]) -> String {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, der);
        let mut hash = String::new();
        for byte in digest.as_ref() {
            write!(hash, "{byte:02x}").expect("writing to a string");
        }
        hash
    }

    fn parse_lines(
        format: ClientCertificateFormat,
        lines: &[&str],
    ) -> Result<Option<ClientCertificate>, Malformed> {
        parse(format, lines.iter().map(|line| line.as_bytes()))
    }

    #[track_caller]
    fn assert_read(format: ClientCertificateFormat, value: &str, der: &[u8]) {
        assert_eq!(
            parse_lines(format, &[value]),
            Ok(Some(certificate(der))),
            "{value}"
        );
    }

    #[track_caller]
    fn assert_malformed(format: ClientCertificateFormat, value: &str) {
        assert_eq!(parse_lines(format, &[value]), Err(Malformed), "{value}");
    }

    #[test]
    fn no_header_and_an_empty_one_are_no_certificate() {
        for format in [StructuredField, Xfcc, Encoded] {
            for lines in [&[][..], &[""], &["  "]] {
                assert_eq!(parse_lines(format, lines), Ok(None));
            }
        }
    }

    #[test]
    fn a_structured_field_is_base64_between_colons() {
        let base64 = base64(CERTIFICATE);
        assert_read(StructuredField, &format!(":{base64}:"), CERTIFICATE);
        assert_read(StructuredField, &format!("  :{base64}: "), CERTIFICATE);
        for malformed in [
            base64.clone(),
            format!(":{base64}"),
            format!("{base64}:"),
            ":".to_owned(),
            "::".to_owned(),
            format!(":{base64}:;a=1"),
            format!(":{base64}:, :{base64}:"),
            format!("\"{base64}\""),
            format!(":{}:", base64.trim_end_matches('=')),
            format!(":{}:", base64.replace('+', "-").replace('/', "_")),
            format!(":{}:", STANDARD.encode_to_string(&CERTIFICATE[..4])),
            format!(":{} {}:", &base64[..4], &base64[4..]),
        ] {
            assert_malformed(StructuredField, &malformed);
        }
    }

    #[test]
    fn only_envoys_list_may_have_several_lines() {
        let value = format!(":{}:", base64(CERTIFICATE));
        assert_eq!(
            parse_lines(StructuredField, &[&value, &value]),
            Err(Malformed)
        );
        let value = escaped(&pem(CERTIFICATE));
        assert_eq!(parse_lines(Encoded, &[&value, &value]), Err(Malformed));
        let [first, last] = [OTHER, CERTIFICATE].map(|der| format!("Hash={}", hash(der)));
        assert_eq!(
            parse_lines(Xfcc, &[&first, &last]),
            Ok(Some(certificate(CERTIFICATE)))
        );
    }

    #[test]
    fn envoy_forwards_the_hash_or_the_certificate() {
        let (hash, cert) = (hash(CERTIFICATE), escaped(&pem(CERTIFICATE)));
        for value in [
            format!("Hash={hash}"),
            format!("hash={}", hash.to_uppercase()),
            format!("By=spiffe://a/b;Hash={hash};Subject=\"CN=a,O=\\\"b;Hash=\\\"\";URI="),
            format!("Cert=\"{cert}\""),
            format!("Hash={hash};Cert=\"{cert}\";Chain=\"{cert}{cert}\""),
            format!("By=a; Hash={hash} ;DNS=a.example;DNS=b.example"),
        ] {
            assert_read(Xfcc, &value, CERTIFICATE);
        }
        // A client without a certificate.
        assert_eq!(parse_lines(Xfcc, &["By=spiffe://a/b;URI="]), Ok(None));
        for malformed in [
            "Hash".to_owned(),
            "Hash=".to_owned(),
            format!("Hash={}", &hash[1..]),
            format!("Hash={hash}0"),
            format!("Hash={}", hash.replace(&hash[..1], "g")),
            format!("Hash={hash};Hash={hash}"),
            format!("Hash={};Cert=\"{cert}\"", self::hash(OTHER)),
            format!("Cert=\"{cert}\";Cert=\"{cert}\""),
            format!("Cert=\"{cert}"),
            format!("Subject=\"a\\\";Hash={hash}"),
            format!("Hash={hash},"),
            format!("Hash={hash};"),
            "Cert=\"\"".to_owned(),
        ] {
            assert_malformed(Xfcc, &malformed);
        }
    }

    #[test]
    fn the_last_element_of_envoys_list_is_of_the_nearest_proxy() {
        let [own, other] = [CERTIFICATE, OTHER].map(hash);
        let value =
            format!("Hash={other};Subject=\"CN=a,b\",By=proxy;Hash={own};Subject=\"CN=c,d\"");
        assert_read(Xfcc, &value, CERTIFICATE);
        assert_read(Xfcc, &format!("Hash={own},Hash={other}"), OTHER);
        assert_eq!(parse_lines(Xfcc, &[&format!("Hash={own},By=a")]), Ok(None));
    }

    #[test]
    fn quotation_marks_of_a_client_do_not_hide_the_element_of_the_proxy() {
        let [own, stolen] = [CERTIFICATE, OTHER].map(hash);
        // The subject of the client's own certificate has one quotation mark, which Envoy escapes.
        let appended = format!("By=proxy;Hash={own};Subject=\"CN=a\\\"b\";URI=");
        for sent in [
            format!("Hash={stolen};Subject=\""),
            format!("Hash={stolen};Subject=\"\\"),
            format!("Hash={stolen};Subject=\"a\",Subject=\"\\\\"),
            "\"".to_owned(),
        ] {
            assert_read(Xfcc, &format!("{sent},{appended}"), CERTIFICATE);
        }
        // Quotation marks that are not escaped, in a name that a certificate authority has signed.
        assert_malformed(
            Xfcc,
            &format!("Hash={stolen};Subject=\",Hash={own};URI=a\"b"),
        );
        assert_malformed(Xfcc, &format!("Hash={own};URI=a\"\"b"));
    }

    #[test]
    fn other_headers_carry_pem_or_der_with_and_without_percent_encoding() {
        let (pem, der) = (pem(CERTIFICATE), base64(CERTIFICATE));
        for value in [
            escaped(&pem),
            // AWS leaves + = / as they are.
            pem.replace('\n', "%0A"),
            escaped(&der),
            der.clone(),
            escaped(&pem.replace('\n', "\r\n")),
        ] {
            assert_read(Encoded, &value, CERTIFICATE);
        }
        for malformed in [
            escaped(&format!("{pem}{pem}")),
            escaped(&pem.replace("-----END CERTIFICATE-----", "")),
            escaped(&pem.replace("CERTIFICATE", "PRIVATE KEY")),
            escaped(&format!("a{pem}")),
            escaped(&escaped(&pem)),
            format!("{der},{der}"),
            format!("{der}%00"),
            "(null)".to_owned(),
            "-----BEGIN CERTIFICATE-----".to_owned(),
        ] {
            assert_malformed(Encoded, &malformed);
        }
    }

    #[test]
    fn a_value_has_at_most_16_kib() {
        let der = |length: usize| {
            let contents = length - 4;
            let size = u16::try_from(contents).expect("short").to_be_bytes();
            [&[0x30, 0x82], size.as_slice(), &vec![0; contents]].concat()
        };
        // Base64 has 4 characters for each 3 bytes.
        let longest = der(MAX_LENGTH / 4 * 3);
        assert_read(Encoded, &base64(&longest), &longest);
        assert_malformed(Encoded, &base64(&der(MAX_LENGTH / 4 * 3 + 1)));
    }
}
