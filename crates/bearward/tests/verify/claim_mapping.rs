//! Claim mapping: JSON pointers to roles, scopes, tenant and other claims, with the layout of
//! Supabase as the default.

use bearward::{ClaimMapping, Verified};
use rstest::rstest;

use crate::fixture::Fixture;

fn verify_mapped(name: &str, pointer: &str, claim: &str, value: &str) -> Verified {
    let fixture = Fixture::with_issuer(|issuer| {
        issuer.claim_mapping(ClaimMapping::default().set(name, pointer).unwrap())
    });
    fixture.verify_ok(&fixture.with_claim(claim, value))
}

#[rstest]
#[case::supabase(
    "/app_metadata/roles",
    "app_metadata",
    r#"{"roles":["admin","editor"]}"#
)]
#[case::keycloak(
    "/realm_access/roles",
    "realm_access",
    r#"{"roles":["admin","editor"]}"#
)]
#[case::auth0(
    "/https:~1~1app.example~1roles",
    "https://app.example/roles",
    r#"["admin","editor"]"#
)]
#[case::top("/groups", "groups", r#"["admin","editor"]"#)]
#[case::deep("/a/b/0/c", "a", r#"{"b":[{"c":["admin","editor"]}]}"#)]
#[case::tilde("/x~0y", "x~y", r#"["admin","editor"]"#)]
#[case::escaped_name("/groups", "groups", r#"["\u0061dmin","editor"]"#)]
fn roles_are_read_from_the_configured_pointer(
    #[case] pointer: &str,
    #[case] claim: &str,
    #[case] value: &str,
) {
    let user = verify_mapped("roles", pointer, claim, value);
    assert_eq!(
        user.claims().roles().collect::<Vec<_>>(),
        ["admin", "editor"]
    );
}

#[rstest]
#[case::single_word(r#""admin""#, &["admin"])]
#[case::separated_by_spaces(r#""admin  editor""#, &["admin", "editor"])]
#[case::separated_by_commas(r#""admin,editor, ""#, &["admin", "editor"])]
#[case::elements_are_not_split(r#"["admin editor"]"#, &["admin editor"])]
#[case::keys(r#"{"admin":true,"editor":"x"}"#, &["admin", "editor"])]
#[case::keys_that_are_denied(r#"{"admin":false,"owner":null,"editor":true}"#, &["editor"])]
#[case::zitadel(r#"{"admin":{"1":"a.example"},"editor":{"1":"a.example"}}"#, &["admin", "editor"])]
#[case::keycloak_clients(r#"{"account":{"roles":["admin"]}}"#, &[])]
#[case::objects_of_objects(r#"{"admin":{"a":{"b":"c"}}}"#, &[])]
#[case::empty_inner_object(r#"{"admin":{}}"#, &[])]
#[case::numbers_in_an_object(r#"{"admin":1}"#, &[])]
#[case::duplicate_keys(r#"{"admin":true,"admin":true}"#, &[])]
#[case::null("null", &[])]
#[case::number("1", &[])]
#[case::mixed(r#"["admin",1]"#, &[])]
#[case::nested(r#"[["admin"]]"#, &[])]
#[case::empty("[]", &[])]
fn roles_are_read_from_lists_and_keys(#[case] value: &str, #[case] roles: &[&str]) {
    assert_eq!(
        verify_mapped("roles", "/groups", "groups", value)
            .claims()
            .roles()
            .collect::<Vec<_>>(),
        roles
    );
}

#[rstest]
#[case::not_there("/nowhere/roles", "groups", "[]")]
#[case::through_a_string("/groups/roles", "groups", r#""roles""#)]
#[case::index_of_an_object("/groups/0", "groups", r#"{"a":"admin"}"#)]
#[case::past_the_end("/groups/1", "groups", r#"["admin"]"#)]
#[case::minus("/groups/-", "groups", r#"["admin"]"#)]
#[case::negative("/groups/-1", "groups", r#"["admin"]"#)]
#[case::other_case("/Groups", "groups", r#"["admin"]"#)]
fn an_unresolvable_pointer_yields_no_roles(
    #[case] pointer: &str,
    #[case] claim: &str,
    #[case] value: &str,
) {
    assert_eq!(
        verify_mapped("roles", pointer, claim, value)
            .claims()
            .roles()
            .len(),
        0
    );
}

#[rstest]
#[case::role("role", "/a/b")]
#[case::email("email", "/a/b")]
#[case::aal("aal", "/a/b")]
#[case::session("session_id", "/a/b")]
#[case::tenant("tenant", "/a/b")]
fn single_claims_can_be_mapped_and_must_be_strings(#[case] name: &str, #[case] pointer: &str) {
    let mapped_value = |value: &str| {
        let user = verify_mapped(name, pointer, "a", &format!("{{\"b\":{value}}}"));
        let claims = user.claims();
        let found = match name {
            "role" => claims.role(),
            "email" => claims.email(),
            "aal" => claims.aal(),
            "session_id" => claims.session_id(),
            _ => claims.tenant(),
        };
        found.map(str::to_owned)
    };
    assert_eq!(mapped_value("\"value\"").as_deref(), Some("value"));
    for other in ["null", "1", "true", "[\"value\"]", "{}", "\"\""] {
        assert_eq!(mapped_value(other), None, "{other}");
    }
}

#[test]
fn several_claims_are_a_union_or_the_first_text() {
    let fixture = Fixture::with_issuer(|issuer| {
        let mapping = ClaimMapping::default();
        let mapping = mapping.set_any_of("roles", ["/realm_access/roles", "/groups"]);
        let mapping = mapping.unwrap().set_any_of("tenant", ["tid", "org"]);
        issuer.claim_mapping(mapping.unwrap())
    });
    let token = fixture
        .token()
        .claim(
            "realm_access",
            serde_json::json!({"roles": ["admin", "editor"]}),
        )
        .claim("groups", "editor,viewer")
        .claim("tid", "")
        .claim("org", "acme");
    let user = fixture.verify_ok(&token.sign());
    assert_eq!(
        user.claims().roles().collect::<Vec<_>>(),
        ["admin", "editor", "viewer"]
    );
    assert_eq!(user.claims().tenant(), Some("acme"));
}

#[test]
fn a_name_that_is_no_pointer_is_a_top_level_claim() {
    for name in ["https://acme.example.com/roles", "groups", "a.b"] {
        let user = verify_mapped("roles", name, name, r#"["admin"]"#);
        assert!(user.has_role("admin"), "{name}");
    }
}

#[test]
fn scopes_are_a_space_separated_string_or_a_list() {
    for value in [r#""read write""#, r#"["read","write"]"#] {
        assert_eq!(
            verify_mapped("scopes", "/scp", "scp", value)
                .claims()
                .scopes()
                .collect::<Vec<_>>(),
            ["read", "write"]
        );
    }
}

#[test]
fn the_default_mapping_is_supabase() {
    let fixture = Fixture::new();
    let token = fixture
        .token()
        .roles(["admin"])
        .scope("read")
        .aal("aal2")
        .claim("session_id", "s-1");
    let mut metadata = token.claims()["app_metadata"].clone();
    metadata["tenant_id"] = "acme".into();
    let user = fixture.verify_ok(&token.claim("app_metadata", metadata).sign());
    let claims = user.claims();
    assert_eq!(
        (claims.role(), claims.aal(), claims.session_id()),
        (Some("authenticated"), Some("aal2"), Some("s-1"))
    );
    assert_eq!(
        (claims.tenant(), user.email()),
        (Some("acme"), Some("ada@example.com"))
    );
    assert!(user.has_role("admin") && user.has_scope("read"));
}

#[rstest]
#[case("roles", "", "names at least one member")]
#[case("roles", "/", "names at least one member")]
#[case("roles", "/a~2", "not a JSON pointer")]
#[case("subject", "/sub", "the fields are email, role, roles")]
#[case("ROLES", "/roles", "the fields are email, role, roles")]
fn an_invalid_pointer_or_claim_name_is_an_error(
    #[case] name: &str,
    #[case] pointer: &str,
    #[case] message: &str,
) {
    let error = ClaimMapping::default().set(name, pointer).unwrap_err();
    assert!(error.to_string().contains(message), "{error}");
}
