//! Rules of the issuer and what its claim mapping finds.

use super::Fixture;
use crate::run;

#[tokio::test]
async fn mapped_claims_are_shown() {
    let fixture = Fixture::start().await;
    let token = fixture.idp.token().roles(["editor", "viewer"]);
    fixture.explain(&token.clone().sign()).expect(
        0,
        &[
            "mapped claims",
            "roles      editor, viewer from /app_metadata/roles",
            "tenant     none from /app_metadata/tenant_id",
        ],
    );
    fixture
        .explain(&token.expired().sign())
        .expect(1, &["mapped claims (unverified)", "editor, viewer"]);
}

#[tokio::test]
async fn rules_show_what_was_found_and_expected() {
    let fixture = Fixture::start().await;
    let variables = [
        ("SUPABASE_URL", fixture.base.as_str()),
        (
            "BEARWARD_ISSUERS__SUPABASE__REQUIRE",
            r#"{"hd": "a.example"}"#,
        ),
    ];
    let token = fixture.idp.token().claim("hd", "b.example").sign();
    run(&["explain", &token], &variables).expect(
        1,
        &[
            "rejected INVALID_CLAIM: claim \"hd\" must be \"a.example\"",
            "NO  claims     hd \"b.example\"; ",
            "`require` of the issuer",
        ],
    );
}
