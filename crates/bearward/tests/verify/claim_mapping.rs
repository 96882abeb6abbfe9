//! Where an issuer puts roles, scopes, tenant and the rest: JSON pointers, with Supabase's places
//! as the default.

use bearward::{ClaimMapping, Verified};
use rstest::rstest;

use crate::stand::Stand;

fn mapped(name: &str, pointer: &str, claim: &str, value: &str) -> Verified {
    let stand =
        Stand::with(|issuer| issuer.claims(ClaimMapping::default().set(name, pointer).unwrap()));
    stand.accepts(&stand.with_claim(claim, value))
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
fn roles_stand_where_the_pointer_points(
    #[case] pointer: &str,
    #[case] claim: &str,
    #[case] value: &str,
) {
    let user = mapped("roles", pointer, claim, value);
    assert_eq!(
        user.claims().roles().collect::<Vec<_>>(),
        ["admin", "editor"]
    );
}

#[rstest]
#[case::single_word(r#""admin""#, &["admin"])]
#[case::words_are_one_role(r#""admin editor""#, &["admin editor"])]
#[case::null("null", &[])]
#[case::number("1", &[])]
#[case::object(r#"{"admin":true}"#, &[])]
#[case::mixed(r#"["admin",1]"#, &[])]
#[case::nested(r#"[["admin"]]"#, &[])]
#[case::empty("[]", &[])]
fn roles_of_another_type_grant_nothing(#[case] value: &str, #[case] roles: &[&str]) {
    assert_eq!(
        mapped("roles", "/groups", "groups", value)
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
fn a_pointer_that_leads_nowhere_grants_nothing(
    #[case] pointer: &str,
    #[case] claim: &str,
    #[case] value: &str,
) {
    assert_eq!(
        mapped("roles", pointer, claim, value)
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
fn each_single_claim_can_be_mapped_and_is_absent_when_it_is_no_string(
    #[case] name: &str,
    #[case] pointer: &str,
) {
    let seen = |value: &str| {
        let user = mapped(name, pointer, "a", &format!("{{\"b\":{value}}}"));
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
    assert_eq!(seen("\"value\"").as_deref(), Some("value"));
    for other in ["null", "1", "true", "[\"value\"]", "{}", "\"\""] {
        assert_eq!(seen(other), None, "{other}");
    }
}

#[test]
fn scopes_are_words_of_a_string_or_strings_of_a_list() {
    for value in [r#""read write""#, r#"["read","write"]"#] {
        assert_eq!(
            mapped("scopes", "/scp", "scp", value)
                .claims()
                .scopes()
                .collect::<Vec<_>>(),
            ["read", "write"]
        );
    }
}

#[test]
fn supabases_places_are_the_default() {
    let stand = Stand::new();
    let token = stand
        .token()
        .roles(["admin"])
        .scope("read")
        .aal("aal2")
        .claim("session_id", "s-1");
    let mut metadata = token.claims()["app_metadata"].clone();
    metadata["tenant_id"] = "acme".into();
    let user = stand.accepts(&token.claim("app_metadata", metadata).sign());
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
#[case("roles", "app_metadata/roles", "starts with \"/\"")]
#[case("roles", "", "starts with \"/\"")]
#[case("roles", "/", "names at least one member")]
#[case("roles", "/a~2", "not a JSON pointer")]
#[case("subject", "/sub", "the fields are email, role, roles")]
#[case("ROLES", "/roles", "the fields are email, role, roles")]
fn a_pointer_or_a_name_that_is_none_is_told_when_it_is_set(
    #[case] name: &str,
    #[case] pointer: &str,
    #[case] told: &str,
) {
    let error = ClaimMapping::default().set(name, pointer).unwrap_err();
    assert!(error.to_string().contains(told), "{error}");
}
