//! RFC 8705 §3: tokens that are bound to a client certificate.

use bearward::{AuthError, CertificateProblem, ClientCertificate};
use futures_util::FutureExt;
use rstest::rstest;
use serde_json::json;

use crate::fixture::{Fixture, NOW, assert_rejected};

/// The outer structure of a certificate with different contents.
const CERTIFICATE: &[u8] = &[0x30, 0x03, 0x02, 0x01, 0x01];
const OTHER: &[u8] = &[0x30, 0x03, 0x02, 0x01, 0x02];

fn certificate(der: &[u8]) -> Option<ClientCertificate> {
    ClientCertificate::from_der(der).ok()
}

/// Verifies a token with the certificate of the client.
fn verify(
    fixture: &Fixture,
    token: &str,
    certificate: Option<ClientCertificate>,
) -> Result<bearward::Verified, AuthError> {
    fixture
        .auth
        .verify_with_certificate(token, certificate)
        .now_or_never()
        .expect("fixed keys are never fetched")
        .map_err(|failure| failure.error)
}

#[test]
fn a_bound_token_requires_its_certificate_at_each_use() {
    let fixture = Fixture::new();
    let token = fixture.token().bound_to_certificate(CERTIFICATE).sign();
    let mismatch = |problem| Some(AuthError::CertificateMismatch(problem));
    // The first verification checks the signature, the others use the token cache.
    for _ in 0..3 {
        assert_eq!(
            verify(&fixture, &token, None).err(),
            mismatch(CertificateProblem::NotPresented)
        );
        assert_eq!(
            verify(&fixture, &token, certificate(OTHER)).err(),
            mismatch(CertificateProblem::Different)
        );
        let user = verify(&fixture, &token, certificate(CERTIFICATE)).expect("accepted");
        assert_eq!(user.client_certificate(), certificate(CERTIFICATE));
        assert_eq!(user.require_certificate(), Ok(()));
        assert_eq!(fixture.auth.cached_tokens(), 1);
    }
    assert_rejected!(
        fixture,
        token,
        "CERTIFICATE_MISMATCH",
        AuthError::CertificateMismatch(CertificateProblem::NotPresented)
    );
}

#[test]
fn a_bearer_token_is_accepted_with_any_certificate() {
    let fixture = Fixture::new();
    let token = fixture.token().sign();
    for presented in [None, certificate(CERTIFICATE), certificate(OTHER)] {
        let user = verify(&fixture, &token, presented).expect("accepted");
        assert_eq!(user.client_certificate(), None);
        assert_eq!(
            user.require_certificate(),
            Err(AuthError::CertificateMismatch(CertificateProblem::NotBound))
        );
    }
}

#[test]
fn a_recheck_uses_the_certificate_of_the_connection() {
    let fixture = Fixture::new();
    let token = fixture.token().bound_to_certificate(CERTIFICATE).sign();
    let user = verify(&fixture, &token, certificate(CERTIFICATE)).expect("accepted");
    let recheck = || fixture.auth.recheck(&user).now_or_never().expect("ready");
    assert_eq!(recheck(), Ok(()));
    fixture.clock.advance(std::time::Duration::from_secs(7200));
    assert_eq!(
        recheck().map_err(|failure| failure.error.code()),
        Err("TOKEN_EXPIRED")
    );
}

#[test]
fn the_other_claims_are_checked_first() {
    let fixture = Fixture::new();
    let token = fixture.token().bound_to_certificate(CERTIFICATE);
    assert_rejected!(
        fixture,
        token.clone().claim("exp", NOW - 60).sign(),
        "TOKEN_EXPIRED",
        AuthError::Expired { .. }
    );
    assert_rejected!(
        fixture,
        token.tampered(),
        "INVALID_SIGNATURE",
        AuthError::InvalidSignature
    );
}

#[test]
fn the_status_is_401_with_invalid_token() {
    for problem in [
        CertificateProblem::NotPresented,
        CertificateProblem::Different,
        CertificateProblem::NotBound,
    ] {
        let error = AuthError::CertificateMismatch(problem);
        assert_eq!(
            (error.status(), error.code()),
            (401, "CERTIFICATE_MISMATCH")
        );
        assert!(error.is_invalid_token());
    }
}

/// 43 characters of base64url that decode to 32 bytes, as RFC 8705 appendix A has them.
const THUMBPRINT: &str = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0";

#[rstest]
#[case::null("null")]
#[case::array("[]")]
#[case::text("\"x5t#S256\"")]
#[case::no_method("{}")]
#[case::not_a_string(r#"{"x5t#S256":1}"#)]
#[case::null_thumbprint(r#"{"x5t#S256":null}"#)]
#[case::empty_thumbprint(r#"{"x5t#S256":""}"#)]
#[case::short(r#"{"x5t#S256":"A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v"}"#)]
#[case::padded(r#"{"x5t#S256":"A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0="}"#)]
#[case::trailing_bits(r#"{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}"#)]
#[case::twice(r#"{"x5t#S256":"A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0","x5t#S256":"A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"}"#)]
#[case::sha_1(r#"{"x5t":"A4DtL2JmUMhAsvJj5tKyn64Sqzk"}"#)]
#[case::embedded_key(r#"{"jwk":{"kty":"OKP"}}"#)]
#[case::with_an_unknown_method(
    r#"{"x5t#S256":"A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0","kid":"a"}"#
)]
fn an_unusable_confirmation_is_rejected(#[case] cnf: &str) {
    let fixture = Fixture::new();
    let token = fixture.with_claim("cnf", cnf);
    assert_rejected!(fixture, token.clone(), "INVALID_CLAIM", AuthError::InvalidClaim { name, .. } if &**name == "cnf");
    assert!(verify(&fixture, &token, certificate(CERTIFICATE)).is_err());
}

#[test]
fn a_thumbprint_that_a_proxy_computed_is_accepted() {
    let fixture = Fixture::new();
    let token = fixture
        .token()
        .claim("cnf", json!({ "x5t#S256": THUMBPRINT }))
        .sign();
    let bytes: [u8; 32] = base64_simd::URL_SAFE_NO_PAD
        .decode_to_vec(THUMBPRINT)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .expect("a thumbprint");
    for (byte, is_accepted) in [(0, true), (1, false)] {
        let mut bytes = bytes;
        bytes[31] ^= byte;
        let presented = Some(ClientCertificate::from_thumbprint(bytes));
        assert_eq!(verify(&fixture, &token, presented).is_ok(), is_accepted);
    }
}

#[test]
fn an_explanation_names_both_certificates() {
    let fixture = Fixture::new();
    let explain = |token: &str, presented| {
        fixture
            .auth
            .explain_with_certificate(token, presented)
            .now_or_never()
            .expect("ready")
    };
    let bound = fixture.token().bound_to_certificate(CERTIFICATE).sign();
    let [expected, found] =
        [CERTIFICATE, OTHER].map(|der| certificate(der).expect("a certificate").thumbprint());
    let explanation = explain(&bound, certificate(OTHER));
    let step = explanation.steps.last().expect("a step");
    assert_eq!(step.step.to_string(), "possession");
    assert!(
        step.found.contains(&found) && step.expected.contains(&expected),
        "{step:?}"
    );
    assert!(
        explanation
            .next_step
            .expect("advice")
            .contains("another certificate")
    );
    assert!(explain(&bound, certificate(CERTIFICATE)).is_accepted());
    let bearer = explain(&fixture.token().sign(), None);
    assert!(
        bearer.is_accepted()
            && bearer
                .steps
                .iter()
                .all(|step| step.step.to_string() != "possession")
    );
}
