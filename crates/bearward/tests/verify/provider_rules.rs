//! Rules that identity providers need beyond the registered claims: clients, values of claims,
//! tenants under one key set, and the subject of machine callers.

use bearward::{
    Algorithm, AuthError, Bearward, BuildError, ClaimValue, Issuer, IssuerError, KeySource,
    TemplateError, TypRule,
};
use bearward_testing::{KeyPair, TokenBuilder};
use futures_util::FutureExt;
use rstest::rstest;
use serde_json::{Value, json};

use crate::fixture::{self, AUDIENCE, Fixture, ISSUER, assert_rejected};

fn with_clients(audience: bool) -> Fixture {
    Fixture::with_issuer(|issuer| {
        let keys = issuer.key_source().clone();
        if audience {
            issuer.client_ids(["web", "mobile"]).unwrap()
        } else {
            Issuer::with_client_ids(ISSUER, ["web", "mobile"])
                .unwrap()
                .keys(keys)
        }
    })
}

fn with_claims(fixture: &Fixture, claims: &Value) -> String {
    let claims = claims.as_object().unwrap();
    claims
        .iter()
        .fold(fixture.token(), |token, (name, value)| {
            token.claim(name, value.clone())
        })
        .sign()
}

#[rstest]
#[case::client_id(json!({"client_id": "web"}), true)]
#[case::azp(json!({"azp": "mobile"}), true)]
#[case::appid(json!({"appid": "web"}), true)]
#[case::cid(json!({"cid": "web"}), true)]
#[case::two_that_agree(json!({"azp": "web", "client_id": "web"}), true)]
#[case::two_listed(json!({"azp": "web", "client_id": "mobile"}), true)]
#[case::none(json!({}), false)]
#[case::unlisted(json!({"client_id": "other"}), false)]
#[case::second_is_unlisted(json!({"azp": "web", "client_id": "other"}), false)]
#[case::first_is_unlisted(json!({"azp": "other", "client_id": "web"}), false)]
#[case::other_case(json!({"client_id": "Web"}), false)]
#[case::prefix(json!({"client_id": "web2"}), false)]
#[case::empty(json!({"client_id": ""}), false)]
#[case::null(json!({"client_id": null}), false)]
#[case::null_beside_a_listed_one(json!({"azp": null, "client_id": "web"}), false)]
#[case::list(json!({"azp": ["web"]}), false)]
#[case::number(json!({"cid": 1}), false)]
fn every_client_claim_must_be_listed(#[case] claims: Value, #[case] accepted: bool) {
    assert_client(&with_clients(true), &claims, accepted);
}

/// Asserts whether a token with these claims is accepted, or rejected because of its client.
fn assert_client(fixture: &Fixture, claims: &Value, accepted: bool) {
    let token = with_claims(fixture, claims);
    if accepted {
        fixture.verify_ok(&token);
    } else {
        assert_rejected!(
            fixture,
            token,
            "CLIENT_NOT_ALLOWED",
            AuthError::ClientNotAllowed { .. }
        );
    }
}

#[test]
fn client_ids_replace_the_audience_or_are_checked_with_it() {
    let without_audience = with_clients(false);
    let token = || without_audience.token().claim("client_id", "web");
    without_audience.verify_ok(&token().without("aud").sign());
    without_audience.verify_ok(&token().audience("anything").sign());
    assert_rejected!(
        without_audience,
        token().claim("aud", 1).sign(),
        "INVALID_CLAIM",
        AuthError::InvalidClaim { .. }
    );
    let with_audience = with_clients(true);
    let token = || with_audience.token().claim("client_id", "web");
    with_audience.verify_ok(&token().sign());
    assert_rejected!(
        with_audience,
        token().without("aud").sign(),
        "MISSING_CLAIM",
        AuthError::MissingClaim(_)
    );
    assert_rejected!(
        with_audience,
        token().audience("other").sign(),
        "INVALID_AUDIENCE",
        AuthError::WrongAudience { .. }
    );
}

#[test]
fn a_list_of_clients_has_no_empty_one() {
    let issuer = || Issuer::new(ISSUER, AUDIENCE).unwrap();
    for ids in [vec![], vec![""], vec!["web", ""]] {
        assert_eq!(
            issuer().client_ids(ids).unwrap_err(),
            IssuerError::EmptyClientId
        );
    }
}

#[test]
fn the_client_of_a_token_is_returned() {
    let fixture = Fixture::new();
    for (claims, client) in [
        (json!({}), None),
        (json!({"azp": "a", "cid": "b"}), Some("a")),
        (json!({"azp": "a", "client_id": "b"}), Some("b")),
        (json!({"azp": 1, "appid": "", "cid": "c"}), Some("c")),
    ] {
        let user = fixture.verify_ok(&with_claims(&fixture, &claims));
        assert_eq!(user.claims().client_id(), client, "{claims}");
    }
}

#[rstest]
#[case::first_party(json!({}), true)]
#[case::listed(json!({"client_id": "partner"}), true)]
#[case::unlisted(json!({"client_id": "other"}), false)]
#[case::longer(json!({"client_id": "partner2"}), false)]
#[case::other_case(json!({"client_id": "Partner"}), false)]
#[case::empty(json!({"client_id": ""}), false)]
#[case::null(json!({"client_id": null}), false)]
#[case::list(json!({"client_id": ["partner"]}), false)]
#[case::number(json!({"client_id": 1}), false)]
#[case::listed_only_elsewhere(json!({"client_id": "other", "azp": "partner"}), false)]
#[case::other_claims(json!({"azp": "other", "appid": 1, "cid": null}), true)]
fn a_third_party_client_must_be_listed(#[case] claims: Value, #[case] accepted: bool) {
    let listed = Fixture::with_issuer(|issuer| {
        let issuer = issuer.first_party(true);
        issuer.client_ids(["partner"]).unwrap()
    });
    let unlisted = Fixture::with_issuer(|issuer| issuer.first_party(true));
    let is_first_party = claims.get("client_id").is_none();
    for (fixture, accepted) in [(listed, accepted), (unlisted, is_first_party)] {
        assert_client(&fixture, &claims, accepted);
    }
}

#[test]
fn supabase_issuers_distinguish_third_party_clients() {
    let new = |iss: &str| Issuer::new(iss, AUDIENCE).unwrap();
    for issuer in [
        Issuer::supabase("https://auth.example.com").unwrap(),
        new("https://abc.supabase.co/auth/v1"),
    ] {
        assert!(issuer.is_first_party(), "{issuer:?}");
        assert!(issuer.client_description().is_some());
        assert_eq!(issuer.first_party(false).client_description(), None);
    }
    for iss in [
        ISSUER,
        "https://abc.supabase.co.evil.example/auth/v1",
        "https://evil.example/abc.supabase.co/auth/v1",
        "https://abc.supabase.co/auth/v2",
        "http://abc.supabase.co/auth/v1",
    ] {
        assert!(!new(iss).is_first_party(), "{iss}");
    }
}

#[test]
fn client_ids_in_place_of_an_audience_require_a_client() {
    let issuer = || Issuer::with_client_ids("https://abc.supabase.co/auth/v1", ["web"]).unwrap();
    assert_eq!(issuer().client_description().as_deref(), Some("client web"));
    let with_audience = issuer().audience("authenticated").unwrap();
    assert_eq!(
        with_audience.client_description().as_deref(),
        Some("client_id absent or web")
    );
}

fn required(claim: &str, value: impl Into<ClaimValue>) -> Fixture {
    Fixture::with_issuer(|issuer| issuer.require_claim(claim, value).unwrap())
}

#[rstest]
#[case::text("access", r#""access""#, true)]
#[case::escaped_text("access", r#""\u0061ccess""#, true)]
#[case::other_text("access", r#""id""#, false)]
#[case::other_case("access", r#""Access""#, false)]
#[case::longer("access", r#""access2""#, false)]
#[case::element_of_an_array("access", r#"["id","access"]"#, true)]
#[case::no_element("access", r#"["id"]"#, false)]
#[case::empty_array("access", "[]", false)]
#[case::nested_array("access", r#"[["access"]]"#, false)]
#[case::object("access", r#"{"access":"access"}"#, false)]
#[case::null("access", "null", false)]
#[case::prefix("repo:octo-org/*", r#""repo:octo-org/a:ref""#, true)]
#[case::prefix_alone("repo:octo-org/*", r#""repo:octo-org/""#, true)]
#[case::prefix_in_the_middle("repo:octo-org/*", r#""x repo:octo-org/a""#, false)]
#[case::prefix_of_another("repo:octo-org/*", r#""repo:octo-organisation/a""#, false)]
#[case::prefix_of_an_element("repo:octo-org/*", r#"["x","repo:octo-org/a"]"#, true)]
#[case::star_is_text_elsewhere("repo:octo-org/*", r#""repo:octo-org*""#, false)]
#[case::text_and_number("1", "1", false)]
#[case::text_and_boolean("true", "true", false)]
fn a_claim_must_have_the_text(#[case] value: &str, #[case] found: &str, #[case] accepted: bool) {
    let fixture = required("token_use", value);
    assert_eq!(
        fixture
            .verify(&fixture.with_claim("token_use", found))
            .is_ok(),
        accepted
    );
}

#[rstest]
#[case::boolean(true.into(), "true", true)]
#[case::other_boolean(true.into(), "false", false)]
#[case::false_is_a_value(false.into(), "false", true)]
#[case::boolean_and_text(true.into(), r#""true""#, false)]
#[case::boolean_and_number(true.into(), "1", false)]
#[case::integer(7.into(), "7", true)]
#[case::negative((-7).into(), "-7", true)]
#[case::other_integer(7.into(), "8", false)]
#[case::fraction(7.into(), "7.0", false)]
#[case::exponent(7.into(), "7e0", false)]
#[case::integer_and_text(7.into(), r#""7""#, false)]
#[case::beyond_the_range(i64::MAX.into(), "9223372036854775808", false)]
#[case::any_of(ClaimValue::AnyOf(vec!["a".into(), 7.into()]), "7", true)]
#[case::none_of(ClaimValue::AnyOf(vec!["a".into(), 7.into()]), "true", false)]
fn a_claim_must_have_the_type_and_value(
    #[case] value: ClaimValue,
    #[case] found: &str,
    #[case] accepted: bool,
) {
    let fixture = required("flag", value);
    assert_eq!(
        fixture.verify(&fixture.with_claim("flag", found)).is_ok(),
        accepted
    );
}

#[test]
fn a_refusal_names_the_claim_and_the_expectation_only() {
    let fixture = required("/kubernetes.io/namespace", ["prod", "stage-*"]);
    let namespace =
        |name: &str| fixture.with_claim("kubernetes.io", &format!("{{\"namespace\":{name:?}}}"));
    fixture.verify_ok(&namespace("prod"));
    fixture.verify_ok(&namespace("stage-1"));
    for token in [namespace("s3cret"), fixture.token().sign()] {
        let error = fixture.verify_err(&token);
        assert_eq!(error.code(), "INVALID_CLAIM");
        assert_eq!(
            error.to_string(),
            r#"claim "/kubernetes.io/namespace" must be "prod" or "stage-*""#
        );
    }
    let duplicate = fixture.with_claim(
        "kubernetes.io",
        r#"{"namespace":"prod","namespace":"prod"}"#,
    );
    assert_rejected!(
        fixture,
        duplicate,
        "INVALID_CLAIM",
        AuthError::UnexpectedClaim { .. }
    );
}

/// Readers that take the first or the last member would see different clients, values or tenants.
#[rstest]
fn a_claim_of_a_rule_that_is_written_twice_is_rejected(
    #[values("client_id", "token_use", "tid")] name: &str,
    #[values(["a", "b"], ["b", "a"], ["a", "a"])] values: [&str; 2],
) {
    let fixture = tenant_fixture(|issuer| {
        let issuer = issuer.client_ids(["a"]).unwrap();
        issuer.require_claim("token_use", "a").unwrap()
    });
    let claims = json!({"client_id": "a", "token_use": "a", "tid": "a"});
    let token = claims
        .as_object()
        .unwrap()
        .iter()
        .fold(tenant_token(&fixture, "a", "a"), |token, (name, value)| {
            token.claim(name, value.clone())
        });
    fixture.verify_ok(&token.clone().sign());
    let rest = Value::from(token.without(name).claims().clone()).to_string();
    let [first, last] = values;
    let payload = format!(
        "{{\"{name}\":\"{first}\",\"{name}\":\"{last}\",{}",
        &rest[1..]
    );
    assert_rejected!(
        fixture,
        fixture.with_payload(payload),
        "MALFORMED_TOKEN",
        AuthError::Payload(_)
    );
}

#[test]
fn every_rule_must_be_met() {
    let fixture = Fixture::with_issuer(|issuer| {
        let issuer = issuer.require_claim("a", "1").unwrap();
        issuer.require_claim("b", "2").unwrap()
    });
    fixture.verify_ok(&with_claims(&fixture, &json!({"a": "1", "b": "2"})));
    for claims in [
        json!({"a": "1"}),
        json!({"b": "2"}),
        json!({"a": "1", "b": "1"}),
    ] {
        assert!(fixture.verify(&with_claims(&fixture, &claims)).is_err());
    }
}

const TEMPLATE: &str = "https://login.example.com/{tid}/v2.0";

fn tenant_fixture(change: impl FnOnce(Issuer) -> Issuer) -> Fixture {
    Fixture::with_issuer(|issuer| {
        let keys = issuer.key_source().clone();
        change(Issuer::new(TEMPLATE, AUDIENCE).unwrap().keys(keys))
    })
}

fn tenant_token(fixture: &Fixture, in_iss: &str, tid: &str) -> TokenBuilder {
    fixture
        .token()
        .issuer(&TEMPLATE.replace("{tid}", in_iss))
        .claim("tid", tid)
}

#[rstest]
#[case("8b1a9953-c461-4296-a827-abf8c47804d7")]
#[case("contoso.onmicrosoft.com")]
#[case("A")]
#[case(&"a".repeat(128))]
fn a_template_accepts_every_tenant(#[case] tenant: &str) {
    let fixture = tenant_fixture(|issuer| issuer);
    let user = fixture.verify_ok(&tenant_token(&fixture, tenant, tenant).sign());
    assert_eq!(user.issuer(), TEMPLATE.replace("{tid}", tenant));
    assert_eq!(user.canonical_issuer(), user.issuer());
}

#[rstest]
#[case::empty("")]
#[case::slash("a/b")]
#[case::parent("..")]
#[case::parent_inside("a..b")]
#[case::dot(".")]
#[case::escaped_slash("a%2Fb")]
#[case::user("a@b")]
#[case::port("a:b")]
#[case::query("a?b")]
#[case::fragment("a#b")]
#[case::space("a b")]
#[case::line_break("a\nb")]
#[case::other_letter("\u{e4}")]
#[case::placeholder("{tid}")]
#[case::underscore("a_b")]
#[case::too_long(&"a".repeat(129))]
fn a_tenant_with_other_characters_is_rejected(#[case] tenant: &str) {
    let fixture = tenant_fixture(|issuer| issuer);
    assert_rejected!(
        fixture,
        tenant_token(&fixture, tenant, tenant).sign(),
        "UNKNOWN_ISSUER",
        AuthError::UnknownIssuer { .. }
    );
}

#[rstest]
#[case::other(json!("b"))]
#[case::other_case(json!("A"))]
#[case::list(json!(["a"]))]
#[case::null(json!(null))]
#[case::longer(json!("a/v2.0"))]
fn the_claim_must_equal_the_tenant_in_iss(#[case] tid: Value) {
    let fixture = tenant_fixture(|issuer| issuer);
    let token = tenant_token(&fixture, "a", "a");
    assert_rejected!(fixture, token.clone().claim("tid", tid).sign(), "INVALID_CLAIM", AuthError::InvalidClaim { name, .. } if &**name == "tid");
    assert_rejected!(fixture, token.without("tid").sign(), "MISSING_CLAIM", AuthError::MissingClaim(name) if &**name == "tid");
}

#[rstest]
#[case("https://login.example.com/a/v2.0/")]
#[case("https://login.example.com/a/v1.0")]
#[case("https://login.example.com/a")]
#[case("https://login.example.com.evil.example/a/v2.0")]
#[case("http://login.example.com/a/v2.0")]
#[case("https://login.example.com//v2.0")]
#[case("https://login.example.com/v2.0")]
fn the_rest_of_a_template_is_compared_exactly(#[case] iss: &str) {
    let fixture = tenant_fixture(|issuer| issuer);
    assert_rejected!(
        fixture,
        fixture.token().issuer(iss).claim("tid", "a").sign(),
        "UNKNOWN_ISSUER",
        AuthError::UnknownIssuer { .. }
    );
}

#[test]
fn a_list_of_tenants_restricts_the_template() {
    let fixture = tenant_fixture(|issuer| issuer.tenants(["a", "b"]).unwrap());
    for tenant in ["a", "b"] {
        fixture.verify_ok(&tenant_token(&fixture, tenant, tenant).sign());
    }
    for tenant in ["c", "A", "ab"] {
        assert_rejected!(
            fixture,
            tenant_token(&fixture, tenant, tenant).sign(),
            "UNKNOWN_ISSUER",
            AuthError::UnknownIssuer { .. }
        );
    }
    assert!(
        fixture
            .verify(&tenant_token(&fixture, "c", "a").sign())
            .is_err()
    );
}

#[test]
fn two_tenants_with_one_subject_are_two_issuers_also_when_cached() {
    let fixture = tenant_fixture(|issuer| issuer);
    for _ in 0..3 {
        for tenant in ["a", "b"] {
            let user = fixture.verify_ok(&tenant_token(&fixture, tenant, tenant).sub("u").sign());
            let iss = TEMPLATE.replace("{tid}", tenant);
            assert_eq!(user.canonical_issuer(), iss);
        }
    }
}

#[test]
fn tenants_need_a_template_and_valid_names() {
    let error = |issuer: &str, tenants: &[&str]| {
        let issuer = Issuer::new(issuer, AUDIENCE).unwrap();
        issuer.tenants(tenants.iter().copied()).unwrap_err()
    };
    assert_eq!(error(ISSUER, &["a"]), TemplateError::NotATemplate.into());
    for tenants in [&[][..], &[""], &["a/b"], &["a", ".."]] {
        assert_eq!(error(TEMPLATE, tenants), TemplateError::Tenant.into());
    }
}

#[test]
fn issuers_that_accept_a_common_iss_are_an_error() {
    let key = KeyPair::cached(Algorithm::ES256, 0);
    let issuer = |iss: &str| {
        let keys = KeySource::Fixed(fixture::jwks([&key]));
        Issuer::new(iss, AUDIENCE).unwrap().keys(keys)
    };
    let build = |one: Issuer, two: Issuer| {
        let builder = Bearward::builder().issuer(one).issuer(two);
        builder.build().now_or_never().unwrap().map(drop)
    };
    let exact = "https://login.example.com/a/v2.0";
    for (one, two) in [
        (issuer(TEMPLATE), issuer(exact)),
        (issuer(exact), issuer(TEMPLATE)),
        (
            issuer(TEMPLATE),
            issuer("https://login.example.com/{x}/v2.0"),
        ),
    ] {
        assert!(matches!(build(one, two), Err(BuildError::DoubledIssuer(_))));
    }
    let others = issuer(TEMPLATE).tenants(["b"]).unwrap();
    assert!(build(others, issuer(exact)).is_ok());
    let alias = issuer(TEMPLATE).issuer_alias("https://other.example");
    assert!(matches!(
        build(alias, issuer(ISSUER)),
        Err(BuildError::Template { .. })
    ));
}

fn with_subject(claims: &[&str]) -> Fixture {
    Fixture::with_issuer(|issuer| issuer.subject_from(claims.iter().copied()).unwrap())
}

#[rstest]
#[case::user(json!({"sub": "ada", "client_id": "web"}), Some(("ada", false)))]
#[case::machine(json!({"sub": "", "client_id": "job"}), Some(("job", true)))]
#[case::null(json!({"sub": null, "client_id": "job"}), Some(("job", true)))]
#[case::sub_is_the_client(json!({"sub": "job", "client_id": "job"}), Some(("job", true)))]
#[case::number(json!({"sub": 7, "client_id": "job"}), None)]
#[case::list(json!({"sub": ["ada"], "client_id": "job"}), None)]
#[case::neither(json!({"sub": ""}), None)]
#[case::control_character(json!({"sub": "", "client_id": "a\u{0}"}), None)]
#[case::too_long(json!({"sub": "", "client_id": "a".repeat(256)}), None)]
fn the_subject_is_the_first_text(
    #[case] claims: Value,
    #[case] expected: Option<(&'static str, bool)>,
) {
    let fixture = with_subject(&["/sub", "/client_id"]);
    let found = fixture.verify(&with_claims(&fixture, &claims));
    let found = found.as_ref().ok();
    assert_eq!(
        found.map(|user| (user.subject(), user.is_machine())),
        expected
    );
}

#[test]
fn an_absent_sub_is_skipped_only_if_configured() {
    let token = |fixture: &Fixture| {
        let token = fixture.token().without("sub");
        token.claim("client_id", "job").sign()
    };
    let fixture = with_subject(&["sub", "client_id"]);
    let user = fixture.verify_ok(&token(&fixture));
    assert_eq!(user.subject(), "job");
    assert!(format!("{user:?}").contains("is_machine: true"));
    for strict in [Fixture::new(), with_subject(&["sub"])] {
        assert_rejected!(strict, token(&strict), "MISSING_CLAIM", AuthError::MissingClaim(name) if &**name == "sub");
    }
    let fixture = with_subject(&["sub", "common_name"]);
    let cloudflare = json!({"sub": "", "common_name": "job.access"});
    let user = fixture.verify_ok(&with_claims(&fixture, &cloudflare));
    assert_eq!((user.subject(), user.is_machine()), ("job.access", true));
}

#[rstest]
#[case::nothing(&[], false)]
#[case::empty(&[""], false)]
#[case::not_a_pointer(&["/"], false)]
#[case::name(&["client_id"], true)]
#[case::pointer(&["/a/b"], true)]
fn the_claims_of_the_subject_are_names_or_pointers(#[case] claims: &[&str], #[case] valid: bool) {
    let issuer = Issuer::new(ISSUER, AUDIENCE).unwrap();
    assert_eq!(issuer.subject_from(claims.iter().copied()).is_ok(), valid);
}

#[rstest]
#[case(&["okta-internal-at+jwt"], Some("application/okta-internal-at+jwt"), true)]
#[case(&["application/okta-internal-at+jwt"], Some("Okta-Internal-at+JWT"), true)]
#[case(&["okta-internal-at+jwt"], Some("JWT"), false)]
#[case(&["okta-internal-at+jwt"], None, false)]
#[case(&["jwt", "jose"], None, true)]
#[case(&["jwt", "jose"], Some("JOSE"), true)]
#[case(&["jwt", "jose"], Some("at+jwt"), true)]
#[case(&["jwt", "jose"], Some("logout+jwt"), false)]
#[case(&["at+jwt"], Some("at+jwt"), true)]
#[case(&["at+jwt"], None, false)]
fn a_list_of_types_accepts_these_only(
    #[case] types: &[&str],
    #[case] typ: Option<&str>,
    #[case] accepted: bool,
) {
    let rule = TypRule::one_of(types).unwrap();
    let fixture = Fixture::with_issuer(|issuer| issuer.token_type(rule));
    let token = match typ {
        Some(typ) => fixture.token().header("typ", typ),
        None => fixture.token().without_header("typ"),
    };
    assert_eq!(fixture.verify(&token.sign()).is_ok(), accepted);
}

#[test]
fn other_kinds_of_tokens_are_never_access_tokens() {
    for types in [
        &["logout+jwt"][..],
        &["jwt", "application/DPoP+JWT"],
        &[],
        &[""],
        &["a b"],
    ] {
        assert!(
            matches!(TypRule::one_of(types), Err(IssuerError::MediaType(_))),
            "{types:?}"
        );
    }
    let forged = TypRule::OneOf(["logout+jwt".into()].into());
    for rule in [TypRule::Jwt, TypRule::AtJwt, forged] {
        let fixture = Fixture::with_issuer(|issuer| issuer.token_type(rule));
        for typ in ["logout+jwt", "dpop+jwt", "application/logout+jwt"] {
            assert_rejected!(
                fixture,
                fixture.token().header("typ", typ).sign(),
                "INVALID_TOKEN_TYPE",
                AuthError::WrongType { .. }
            );
        }
    }
}

#[rstest]
#[case::jti_number("jti", "1")]
#[case::jti_null("jti", "null")]
#[case::jti_list("jti", r#"["1"]"#)]
fn a_jti_that_is_no_string_is_rejected_everywhere(#[case] name: &str, #[case] value: &str) {
    let fixture = Fixture::new();
    assert_rejected!(fixture, fixture.with_claim(name, value), "INVALID_CLAIM", AuthError::InvalidClaim { name, .. } if &**name == "jti");
}
