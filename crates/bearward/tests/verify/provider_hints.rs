//! Explanations: the next step that is typical of a provider, and what the claim mapping found.

use bearward::{ClaimMapping, Issuer, explain::Explanation};
use futures_util::FutureExt;
use rstest::rstest;
use serde_json::json;

use crate::fixture::{AUDIENCE, Fixture};

const TENANT: &str = "8b1a9953-c461-4296-a827-abf8c47804d7";

/// A verifier of this issuer, with the keys of the fixture.
fn of_issuer(iss: &str) -> Fixture {
    Fixture::with_issuer(|issuer| {
        let keys = issuer.key_source().clone();
        Issuer::new(iss, AUDIENCE).unwrap().keys(keys)
    })
}

fn explain(fixture: &Fixture, token: &str) -> Explanation {
    let explanation = fixture.auth.explain(token).now_or_never();
    explanation.expect("fixed keys are never fetched")
}

#[track_caller]
fn assert_next_step(fixture: &Fixture, token: &str, code: &str, texts: &[&str]) {
    let explanation = explain(fixture, token);
    let failure = explanation.failure.as_ref().unwrap();
    assert_eq!(failure.error.code(), code, "{failure}");
    let next_step = explanation.next_step.unwrap();
    for text in texts {
        assert!(next_step.contains(text), "{next_step}");
    }
}

#[test]
fn a_token_without_aud_names_client_ids() {
    let fixture = Fixture::new();
    let token = fixture.token().without("aud");
    assert_next_step(
        &fixture,
        &token.clone().claim("client_id", "web-1").sign(),
        "MISSING_CLAIM",
        &["client_id web-1", "client_ids = [\"web-1\"]"],
    );
    assert_next_step(
        &fixture,
        &token.sign(),
        "MISSING_CLAIM",
        &["neither aud nor a client id"],
    );
}

#[test]
fn a_refused_client_names_client_ids() {
    let fixture = Fixture::with_issuer(|issuer| issuer.client_ids(["web"]).unwrap());
    let other = fixture.token().claim("azp", "other").sign();
    assert_next_step(&fixture, &other, "CLIENT_NOT_ALLOWED", &["`client_ids`"]);
    let none = fixture.token().sign();
    assert_next_step(
        &fixture,
        &none,
        "CLIENT_NOT_ALLOWED",
        &["names no client", "azp, appid and cid"],
    );
}

#[rstest]
#[case("common")]
#[case("organizations")]
fn an_entra_endpoint_for_many_tenants_is_not_an_issuer(#[case] endpoint: &str) {
    let fixture = of_issuer(&format!(
        "https://login.microsoftonline.com/{endpoint}/v2.0"
    ));
    let iss = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    assert_next_step(
        &fixture,
        &fixture.token().issuer(&iss).sign(),
        "UNKNOWN_ISSUER",
        &[
            "never the issuer of a token",
            "https://login.microsoftonline.com/{tid}/v2.0",
        ],
    );
}

#[test]
fn versions_of_entra_tokens_are_distinguished() {
    let v1 = format!("https://sts.windows.net/{TENANT}/");
    let v2 = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let fixture = of_issuer(&v2);
    assert_next_step(
        &fixture,
        &fixture.token().issuer(&v1).sign(),
        "UNKNOWN_ISSUER",
        &["v1.0 access token", "requestedAccessTokenVersion", &v1],
    );
    let fixture = of_issuer(&v1);
    assert_next_step(
        &fixture,
        &fixture.token().issuer(&v2).sign(),
        "UNKNOWN_ISSUER",
        &["v2.0 access token", &v2],
    );
}

#[test]
fn a_token_for_microsoft_graph_is_named() {
    let fixture = of_issuer(&format!("https://login.microsoftonline.com/{TENANT}/v2.0"));
    let v1 = format!("https://sts.windows.net/{TENANT}/");
    let token = fixture.token().header("nonce", "n");
    for (token, code) in [
        (token.clone().issuer(&v1).sign(), "UNKNOWN_ISSUER"),
        (
            token
                .issuer(&format!("https://login.microsoftonline.com/{TENANT}/v2.0"))
                .signed_by_stranger(),
            "INVALID_SIGNATURE",
        ),
    ] {
        assert_next_step(&fixture, &token, code, &["meant for Microsoft Graph"]);
    }
}

#[test]
fn an_opaque_auth0_token_needs_an_audience() {
    let auth0 = of_issuer("https://acme.eu.auth0.com/");
    for token in ["opaque-token", "eyJhbGciOiJkaXIifQ..a.b.c"] {
        assert_next_step(
            &auth0,
            token,
            "MALFORMED_TOKEN",
            &["request the token with an `audience`"],
        );
    }
    let other = explain(&Fixture::new(), "opaque-token").next_step.unwrap();
    assert!(!other.contains("Auth0"), "{other}");
}

#[test]
fn the_keycloak_audience_account_needs_a_mapper() {
    let iss = "https://id.example.com/realms/shop";
    let fixture = of_issuer(iss);
    let token = fixture.token().issuer(iss).audience("account").sign();
    assert_next_step(
        &fixture,
        &token,
        "INVALID_AUDIENCE",
        &["add an audience mapper"],
    );
}

fn claims_step(report: &bearward::explain::Explanation) -> &bearward::explain::StepReport {
    let mut steps = report.steps.iter();
    steps
        .find(|step| step.step == bearward::VerificationStep::Claims)
        .expect("a step for claims")
}

#[test]
fn a_keycloak_token_without_audience_needs_a_mapper() {
    let iss = "https://id.example.com/realms/shop";
    let fixture = of_issuer(iss);
    let token = fixture.token().issuer(iss).without("aud");
    assert_next_step(
        &fixture,
        &token.claim("azp", "web").sign(),
        "MISSING_CLAIM",
        &["add an audience mapper"],
    );
}

#[test]
fn an_access_token_of_cognito_in_place_of_an_id_token_is_named() {
    let fixture = Fixture::new();
    let token = fixture.token().without("aud").claim("client_id", "web-1");
    assert_next_step(
        &fixture,
        &token.claim("token_use", "access").sign(),
        "MISSING_CLAIM",
        &[
            "access token of Amazon Cognito",
            "provider = \"cognito\"",
            "client_ids = [\"web-1\"]",
        ],
    );
}

#[rstest]
#[case("token_use", "access", "id")]
#[case("typ", "Bearer", "ID")]
fn an_id_token_is_named(#[case] name: &str, #[case] accepted: &str, #[case] kind: &str) {
    let fixture = Fixture::with_issuer(|issuer| issuer.require_claim(name, accepted).unwrap());
    let token = fixture.token();
    assert_next_step(
        &fixture,
        &token.clone().claim(name, kind).sign(),
        "INVALID_CLAIM",
        &[&format!("this is an ID token (its {name} is {kind})")],
    );
    // A token of another kind, and one that lacks the claim, may be an access token.
    for other in [token.clone().claim(name, "Refresh"), token] {
        let next_step = explain(&fixture, &other.sign()).next_step.unwrap();
        assert!(next_step.contains("`require` of the issuer"), "{next_step}");
    }
}

#[rstest]
#[case("token_use", "id", "its token_use is id")]
#[case("nonce", "n-0S6", "it has a nonce or an at_hash")]
fn an_id_token_that_names_no_client_is_named(
    #[case] name: &str,
    #[case] value: &str,
    #[case] sign: &str,
) {
    let fixture = Fixture::with_issuer(|issuer| issuer.client_ids(["web"]).unwrap());
    assert_next_step(
        &fixture,
        &fixture.token().claim(name, value).sign(),
        "CLIENT_NOT_ALLOWED",
        &["this is an ID token", sign],
    );
}

#[test]
fn a_tenant_that_is_not_listed_is_named() {
    let template = "https://login.microsoftonline.com/{tid}/v2.0";
    let fixture = Fixture::with_issuer(|issuer| {
        let keys = issuer.key_source().clone();
        let issuer = Issuer::new(template, AUDIENCE).unwrap().keys(keys);
        issuer.tenants([TENANT]).unwrap()
    });
    let token = fixture.token();
    assert_next_step(
        &fixture,
        &token
            .clone()
            .issuer(&template.replace("{tid}", "other"))
            .sign(),
        "UNKNOWN_ISSUER",
        &["the tenant other is not in `tenants`"],
    );
    let listed = token.issuer(&template.replace("{tid}", TENANT));
    assert!(explain(&fixture, &listed.clone().claim("tid", TENANT).sign()).is_accepted());
    assert_next_step(
        &fixture,
        &listed.claim("tid", "other").sign(),
        "INVALID_CLAIM",
        &[
            "do not accept this token",
            "tid is not the tenant in its iss",
        ],
    );
}

#[test]
fn a_claim_named_like_a_header_is_reported_with_the_claims_only() {
    let fixture = Fixture::with_issuer(|issuer| issuer.require_claim("typ", "Bearer").unwrap());
    let report = explain(&fixture, &fixture.token().claim("typ", "ID").sign());
    let failed: Vec<_> = report
        .steps
        .iter()
        .filter(|step| step.found.contains("typ \"ID\""))
        .map(|step| step.step.to_string())
        .collect();
    assert_eq!(failed, ["claims"]);
}

#[test]
fn a_third_party_client_is_explained() {
    let fixture = Fixture::with_issuer(|issuer| issuer.first_party(true));
    let token = fixture.token().claim("client_id", "partner").sign();
    let report = explain(&fixture, &token);
    let claims = claims_step(&report);
    assert!(claims.expected.contains("client_id absent"), "{claims:?}");
    assert!(claims.found.contains("client_id partner"), "{claims:?}");
    assert_next_step(
        &fixture,
        &token,
        "CLIENT_NOT_ALLOWED",
        &["issued to an OAuth client", "`client_ids`"],
    );
}

#[test]
fn rules_are_listed_with_what_was_found() {
    let fixture = Fixture::with_issuer(|issuer| {
        let issuer = issuer.client_ids(["web"]).unwrap();
        issuer.require_claim("hd", ["a.example"]).unwrap()
    });
    let token = fixture.token().claim("azp", "web");
    let accepted = explain(&fixture, &token.clone().claim("hd", "a.example").sign());
    assert!(accepted.is_accepted());
    let claims = claims_step(&accepted);
    for text in ["azp web", "hd \"a.example\""] {
        assert!(claims.found.contains(text), "{claims:?}");
    }
    for text in ["client web", "hd \"a.example\""] {
        assert!(claims.expected.contains(text), "{claims:?}");
    }
    let rejected = explain(&fixture, &token.claim("hd", "b.example").sign());
    let claims = claims_step(&rejected);
    assert!(claims.found.starts_with("hd \"b.example\"; "), "{claims:?}");
    assert!(rejected.next_step.unwrap().contains("`require`"));
}

#[test]
fn mapped_claims_are_listed_with_their_problems() {
    let mapping = ClaimMapping::default()
        .set_any_of("roles", ["/resource_access", "groups"])
        .unwrap()
        .set("tenant", "org.id")
        .unwrap();
    let fixture = Fixture::with_issuer(|issuer| issuer.claim_mapping(mapping));
    let token = fixture
        .token()
        .claim("resource_access", json!({"api": {"roles": ["admin"]}}))
        .claim("groups", ["reader"])
        .claim("org", json!({"id": "acme"}))
        .claim("aal", 2)
        .sign();
    let report = explain(&fixture, &token).to_json();
    let claims = report["claims"].as_array().unwrap();
    let claim = |name: &str| {
        let found = claims.iter().find(|claim| claim["name"] == name);
        found.unwrap_or_else(|| panic!("{name} in {report:#}"))
    };
    assert_eq!(claim("roles")["found"], json!(["reader"]));
    assert_eq!(
        claim("roles")["from"],
        json!(["/resource_access", "/groups"])
    );
    assert_eq!(claim("email")["found"], json!(["ada@example.com"]));
    for (name, problem) in [
        ("roles", "an object of objects"),
        ("tenant", "write \"/org/id\""),
        ("aal", "not a string"),
    ] {
        let text = claim(name)["problem"].as_str().unwrap_or_default();
        assert!(text.contains(problem), "{name}: {text}");
    }
    assert_eq!(claim("scopes")["problem"], json!(null));
}
