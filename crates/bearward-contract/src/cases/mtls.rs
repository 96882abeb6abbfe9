//! Tokens that are bound to a certificate of the client (mutual TLS, RFC 8705). The suite presents
//! the certificate to the TLS listener of the target, or is the proxy that terminates TLS and forwards
//! it. Each request violates at most one rule.

use std::net::{IpAddr, Ipv4Addr};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use bearward_testing::encode;
use serde_json::{Value, json};
use url::{Host, Url};

use crate::{
    case::{Case, Expectation, Precondition, Severity},
    client_certificate::{ClientCertificate, Presented},
    error::StepError,
    forge::Forge,
    group::Group,
    harness::{Harness, expect_proof_rejected, expect_rejected},
    target::{Request, RequestError},
};

pub(crate) const GROUP: Group = Group {
    name: "mtls",
    title: "a token that is bound to a client certificate is accepted only with that certificate",
    hint: "compare cnf[\"x5t#S256\"] of every token that has it with the base64url SHA-256 of the client certificate in DER; read the certificate \
           from the TLS connection, or from the header of a proxy that is listed by address and replaces the header of its clients",
    timed: false,
    cases,
};

/// The address of a client that is not the trusted proxy.
const UNTRUSTED: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// The headers in which proxies forward certificates, in the formats of RFC 9440, Envoy and nginx.
const HEADERS: [&str; 4] = [
    "client-cert",
    "x-forwarded-client-cert",
    "ssl-client-cert",
    "x-ssl-client-cert",
];

/// Returns a valid token that is bound to the client's own certificate.
fn bound(f: &Forge) -> String {
    let own = f.certificates.own.der();
    f.token().bound_to_certificate(own).sign()
}

/// Returns a valid token with this value of `cnf["x5t#S256"]`.
fn with_thumbprint(f: &Forge, thumbprint: impl Into<Value>) -> String {
    let thumbprint: Value = thumbprint.into();
    let methods = json!({ "x5t#S256": thumbprint });
    f.token().claim("cnf", methods).sign()
}

/// Presents a certificate to the target, or forwards it as the proxy.
fn presenting(request: Request, f: &Forge, presented: Presented) -> Request {
    match f.client_certificate_header() {
        Some(header) => match f.certificates.forwarded(presented) {
            Some(certificate) => forwarding(request, header, certificate),
            None => request,
        },
        None => request.presenting(presented),
    }
}

fn forwarding(request: Request, header: &str, certificate: &ClientCertificate) -> Request {
    request.header(header.to_owned(), certificate.header_value(header))
}

fn thumbprint(f: &Forge) -> String {
    encode(digest(&SHA256, f.certificates.own.der()).as_ref())
}

fn cases() -> Vec<Case> {
    let mut cases = accepted();
    cases.extend(certificates());
    cases.extend(forwarded_certificates());
    cases.extend(presented_certificates());
    cases.extend(thumbprints());
    let rationale = "a stolen token is usable without the key of the certificate";
    cases
        .into_iter()
        .map(|case| case.default_rationale(rationale, "RFC 8705 §3"))
        .collect()
}

fn accepted() -> Vec<Case> {
    [
        Case::request(
            "mtls.valid",
            "a bound token with its certificate",
            Expectation::Accepted,
            |f| presenting(Request::bearer(&bound(f)), f, Presented::Own),
        )
        .rationale("clients with bound tokens are locked out", "RFC 8705 §3")
        .hint(
            "--client-certificates: the server must request client certificates and trust the authority of the suite for them. \
             --client-certificate-header: the server must list 127.0.0.1 as its proxy, and the name of the header decides the format",
        ),
        Case::request(
            "mtls.unbound",
            "a token without cnf, and a certificate",
            Expectation::Accepted,
            |f| presenting(Request::bearer(&f.token().sign()), f, Presented::Own),
        )
        .rationale(
            "a client that has a certificate presents it on every connection, also with tokens that are not bound",
            "RFC 8705 §3",
        ),
    ]
    .map(|case| case.requires(Precondition::ClientCertificate))
    .into_iter()
    .collect()
}

fn requires_stolen_token(case: Case) -> Case {
    case.severity(Severity::Medium)
        .severity_note("the sender needs a stolen token")
}

/// Tokens that are presented with another certificate than their own.
fn certificates() -> Vec<Case> {
    let with = |id, title, expectation, presented| {
        Case::request(id, title, expectation, move |f| {
            presenting(Request::bearer(&bound(f)), f, presented)
        })
    };
    let stolen = [
        with(
            "mtls.no-certificate",
            "a bound token without a certificate",
            Expectation::RejectedRequest,
            Presented::Nothing,
        ),
        with(
            "mtls.other-certificate",
            "a bound token with another certificate",
            Expectation::Rejected,
            Presented::Other,
        ),
        with(
            "mtls.same-subject",
            "a bound token with a certificate of another key for the same subject",
            Expectation::Rejected,
            Presented::SameSubject,
        )
        .rationale(
            "another client that gets a certificate for the same name, from any trusted authority, can use a stolen token",
            "RFC 8705 §3",
        )
        .hint("compare the SHA-256 of the certificate, and not its subject or subject alternative name"),
        Case::steps(
            "mtls.used-token",
            "another certificate with a token that was accepted with its own",
            Severity::Medium,
            "401 or 403 with another certificate",
            |harness| Box::pin(async move { expect_binding_checked_again(&harness).await }),
        )
        .rationale(
            "a target that caches verified tokens, and with them the result of this check, accepts a stolen token as soon as its owner uses it",
            "RFC 8705 §3",
        )
        .hint("check the certificate of each request; cache only the result of verifying the token"),
    ];
    let renewed = with(
        "mtls.renewed-certificate",
        "a bound token with a renewed certificate of the same key",
        Expectation::Rejected,
        Presented::Renewed,
    )
    .severity(Severity::Low)
    .rationale(
        "the thumbprint is that of the certificate and not of its key: tokens end with the certificate that they are bound to",
        "RFC 8705 §3, §3.1",
    )
    .hint("compare the SHA-256 of the whole certificate, and not of its public key");
    let mut cases: Vec<Case> = stolen.map(requires_stolen_token).into_iter().collect();
    cases.push(renewed);
    cases
        .into_iter()
        .map(|case| case.requires(Precondition::ClientCertificate))
        .collect()
}

/// What only a proxy that forwards certificates can send.
fn forwarded_certificates() -> Vec<Case> {
    [
        Case::request(
            "mtls.malformed-certificate",
            "a bound token, and text that is no certificate",
            Expectation::RejectedRequest,
            |f| {
                let header = f.client_certificate_header().unwrap_or_default();
                forwarding(Request::bearer(&bound(f)), header, &ClientCertificate::malformed())
            },
        ),
        Case::request(
            "mtls.two-headers",
            "its certificate and another one, in two headers",
            Expectation::RejectedRequest,
            |f| {
                let request = presenting(Request::bearer(&bound(f)), f, Presented::Own);
                presenting(request, f, Presented::Other)
            },
        )
        .rationale(
            "behind a proxy that adds the header instead of replacing it, the first one is made up by the client",
            "RFC 9440 §2.4, §4",
        )
        .hint("reject requests with two certificates, and let the proxy replace the header of its clients"),
        Case::steps(
            "mtls.untrusted-peer",
            "a bound token with its certificate, from an address that is not the proxy",
            Severity::Medium,
            "400, 401 or 403",
            |harness| Box::pin(async move { expect_untrusted_peer_ignored(&harness).await }),
        )
        .rationale(
            "certificates are public: a client that reaches the server without the proxy can send that of any user",
            "RFC 9440 §4",
        )
        .hint("read the header only from the addresses of the proxies, or make the server reachable only for them"),
    ]
    .map(|case| requires_stolen_token(case).requires(Precondition::ClientCertificateHeader))
    .into_iter()
    .collect()
}

/// What only a client of the target's TLS listener can send.
fn presented_certificates() -> Vec<Case> {
    [
        Case::request(
            "mtls.chain",
            "another certificate, and the one of the token as its issuer",
            Expectation::Rejected,
            |f| presenting(Request::bearer(&bound(f)), f, Presented::OtherWithOwn),
        )
        .rationale(
            "certificates are public: the client proves only that it has the key of the first one that it sends",
            "RFC 8446 §4.4.2",
        )
        .hint("compare only the first certificate of the list that the client sends"),
        Case::request(
            "mtls.client-header",
            "another certificate, and the one of the token in headers of proxies",
            Expectation::Rejected,
            |f| {
                let request = presenting(Request::bearer(&bound(f)), f, Presented::Other);
                let own = &f.certificates.own;
                HEADERS.into_iter().fold(request, |request, header| forwarding(request, header, own))
            },
        )
        .rationale(
            "certificates are public: a client can send that of any user in a header",
            "RFC 9440 §4",
        )
        .hint("read the header only from the addresses of proxies, and otherwise take the certificate from the TLS connection"),
    ]
    .map(|case| requires_stolen_token(case).requires(Precondition::ClientCertificateHandshake))
    .into_iter()
    .collect()
}

/// Thumbprints that no certificate has.
fn thumbprints() -> Vec<Case> {
    let with_certificate = |id, title, value: fn(&Forge) -> Value| {
        Case::request(id, title, Expectation::Rejected, move |f| {
            let token = with_thumbprint(f, value(f));
            presenting(Request::bearer(&token), f, Presented::Own)
        })
    };
    let without_certificate = |id, title, value: fn(&Forge) -> Value| {
        Case::request(id, title, Expectation::RejectedRequest, move |f| {
            let token = with_thumbprint(f, value(f));
            presenting(Request::bearer(&token), f, Presented::Nothing)
        })
    };
    [
        without_certificate(
            "mtls.thumbprint.of-nothing",
            "the thumbprint of zero bytes, without a certificate",
            |_| encode(digest(&SHA256, b"").as_ref()).into(),
        ),
        without_certificate(
            "mtls.thumbprint.null",
            "null as the thumbprint, without a certificate",
            |_| Value::Null,
        ),
        with_certificate("mtls.thumbprint.empty", "an empty thumbprint", |_| {
            "".into()
        }),
        with_certificate(
            "mtls.thumbprint.prefix",
            "the first 22 characters of the thumbprint",
            |f| thumbprint(f)[..22].into(),
        ),
        with_certificate(
            "mtls.thumbprint.case",
            "the thumbprint in lower case",
            |f| thumbprint(f).to_ascii_lowercase().into(),
        ),
        with_certificate(
            "mtls.thumbprint.sha1",
            "the SHA-1 thumbprint of the certificate",
            |f| encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, f.certificates.own.der()).as_ref()).into(),
        ),
        with_certificate(
            "mtls.thumbprint.array",
            "an array with the thumbprint",
            |f| json!([thumbprint(f)]),
        ),
    ]
    .map(|case| {
        case.requires_issuer()
            .requires(Precondition::ClientCertificate)
    })
    .into_iter()
    .collect()
}

/// Sends a token with its certificate, and the same token with another one.
async fn expect_binding_checked_again(harness: &Harness) -> Result<(), StepError> {
    let forge = &harness.forge;
    let token = bound(forge);
    let with = |presented| presenting(Request::bearer(&token), forge, presented);
    match harness.send_request(&with(Presented::Own)).await {
        Ok(response) if response.is_accepted() => {}
        Err(RequestError::Connect(error)) => return Err(StepError::Connect(error)),
        _ => {
            return Err(not_applicable(
                "the target rejects bound tokens with their certificate, as mtls.valid reports",
            ));
        }
    }
    match harness.send_request(&with(Presented::Other)).await {
        Err(RequestError::CertificateRefused(_)) => Ok(()),
        response => expect_rejected(response, "401 or 403 with another certificate"),
    }
}

/// Sends requests from another address of this machine. A server that rejects all requests from
/// there cannot be tested.
async fn expect_untrusted_peer_ignored(harness: &Harness) -> Result<(), StepError> {
    if !is_on_loopback(harness.target.url()) {
        return Err(not_applicable(
            "the target is not at 127.0.0.1, so that the suite has only one address",
        ));
    }
    let forge = &harness.forge;
    let valid = Request::bearer(&forge.token().sign());
    match harness.target.send_from(UNTRUSTED, &valid).await {
        Ok(response) if response.is_accepted() => {}
        Ok(_) => {
            return Err(not_applicable(
                "the target rejects valid tokens from 127.0.0.2",
            ));
        }
        Err(RequestError::Connect(_)) => {
            return Err(not_applicable(
                "the target cannot be reached from 127.0.0.2",
            ));
        }
        Err(error) => return Err(not_applicable(&error.describe())),
    }
    let request = presenting(Request::bearer(&bound(forge)), forge, Presented::Own);
    let response = harness.target.send_from(UNTRUSTED, &request).await;
    expect_proof_rejected(response, "400, 401 or 403")
}

fn not_applicable(reason: &str) -> StepError {
    StepError::NotApplicable(reason.to_owned())
}

fn is_on_loopback(target: &Url) -> bool {
    match target.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        _ => false,
    }
}
