//! Tokens that are bound to a certificate of the client (mutual TLS, RFC 8705). The suite is the
//! proxy that terminates TLS and forwards the certificate. Each request violates at most one rule.

use std::net::{IpAddr, Ipv4Addr};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use bearward_testing::encode;
use serde_json::{Value, json};
use url::{Host, Url};

use crate::{
    case::{Case, Expectation, Precondition, Severity},
    client_certificate::ClientCertificate,
    error::StepError,
    forge::Forge,
    group::Group,
    harness::{Harness, expect_proof_rejected},
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

/// Returns a valid token that is bound to the certificate.
fn bound(f: &Forge, certificate: &ClientCertificate) -> String {
    f.token().bound_to_certificate(certificate.der()).sign()
}

/// Returns a valid token with this value of `cnf["x5t#S256"]`.
fn with_thumbprint(f: &Forge, thumbprint: impl Into<Value>) -> String {
    let thumbprint: Value = thumbprint.into();
    let methods = json!({ "x5t#S256": thumbprint });
    f.token().claim("cnf", methods).sign()
}

fn forwarded(request: Request, f: &Forge, certificate: &ClientCertificate) -> Request {
    let header = f.client_certificate_header();
    request.header(header.to_owned(), certificate.header_value(header))
}

fn thumbprint(f: &Forge) -> String {
    encode(digest(&SHA256, f.certificates[0].der()).as_ref())
}

fn cases() -> Vec<Case> {
    let mut cases = accepted();
    cases.extend(certificates());
    cases.extend(thumbprints());
    let rationale = "a stolen token is usable without the key of the certificate";
    cases
        .into_iter()
        .map(|case| {
            case.requires(Precondition::ClientCertificate)
                .default_rationale(rationale, "RFC 8705 §3")
        })
        .collect()
}

fn accepted() -> Vec<Case> {
    vec![
        Case::request(
            "mtls.valid",
            "a bound token with its certificate",
            Expectation::Accepted,
            |f| {
                let certificate = &f.certificates[0];
                forwarded(Request::bearer(&bound(f, certificate)), f, certificate)
            },
        )
        .rationale("clients with bound tokens are locked out", "RFC 8705 §3")
        .hint(
            "the suite sends the certificate in the header that --client-certificate-header names, from 127.0.0.1: the server must list that \
             address as its proxy, and the format must be that of the header",
        ),
        Case::request(
            "mtls.unbound",
            "a token without cnf, and a certificate",
            Expectation::Accepted,
            |f| forwarded(Request::bearer(&f.token().sign()), f, &f.certificates[0]),
        )
        .rationale(
            "a proxy forwards the certificate of every client that has one, also with tokens that are not bound",
            "RFC 8705 §3",
        ),
    ]
}

fn certificates() -> Vec<Case> {
    let stolen = |case: Case| {
        case.severity(Severity::Medium)
            .severity_note("the sender needs a stolen token")
    };
    [
        Case::request(
            "mtls.no-certificate",
            "a bound token without a certificate",
            Expectation::RejectedRequest,
            |f| Request::bearer(&bound(f, &f.certificates[0])),
        ),
        Case::request(
            "mtls.other-certificate",
            "a bound token with another certificate",
            Expectation::Rejected,
            |f| {
                let [own, other] = &f.certificates;
                forwarded(Request::bearer(&bound(f, own)), f, other)
            },
        ),
        Case::request(
            "mtls.malformed-certificate",
            "a bound token, and text that is no certificate",
            Expectation::RejectedRequest,
            |f| {
                let malformed = ClientCertificate::malformed();
                forwarded(Request::bearer(&bound(f, &f.certificates[0])), f, &malformed)
            },
        ),
        Case::request(
            "mtls.two-headers",
            "its certificate and another one, in two headers",
            Expectation::RejectedRequest,
            |f| {
                let [own, other] = &f.certificates;
                let request = forwarded(Request::bearer(&bound(f, own)), f, own);
                forwarded(request, f, other)
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
    .map(stolen)
    .into_iter()
    .collect()
}

/// Thumbprints that no certificate has.
fn thumbprints() -> Vec<Case> {
    let with_certificate = |id, title, value: fn(&Forge) -> Value| {
        Case::request(id, title, Expectation::Rejected, move |f| {
            let token = with_thumbprint(f, value(f));
            forwarded(Request::bearer(&token), f, &f.certificates[0])
        })
    };
    let without_certificate = |id, title, value: fn(&Forge) -> Value| {
        Case::request(id, title, Expectation::RejectedRequest, move |f| {
            Request::bearer(&with_thumbprint(f, value(f)))
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
            |f| encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, f.certificates[0].der()).as_ref()).into(),
        ),
        with_certificate(
            "mtls.thumbprint.array",
            "an array with the thumbprint",
            |f| json!([thumbprint(f)]),
        ),
    ]
    .map(Case::requires_issuer)
    .into_iter()
    .collect()
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
    let certificate = &forge.certificates[0];
    let request = forwarded(
        Request::bearer(&bound(forge, certificate)),
        forge,
        certificate,
    );
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
