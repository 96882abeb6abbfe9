//! Text that is not exactly one token: API keys, quotes, line breaks, control characters.

use bearward_testing::KeyPair;

use super::Fixture;
use crate::{run, run_with};

#[tokio::test]
async fn a_pasted_api_key_is_recognized() {
    let fixture = Fixture::start().await;
    for key in [
        "sb_publishable_0123456789abcdef",
        "sb_secret_0123456789abcdef",
    ] {
        let output = fixture.explain(key);
        output.expect(1, &["API key", "session.access_token"]);
        assert!(!output.stdout.contains("0123456789abcdef"), "{output:?}");
    }
}

#[tokio::test]
async fn other_text_is_explained_with_the_token_format() {
    let fixture = Fixture::start().await;
    for garbage in [
        "hello",
        "a.b.c",
        "eyJ",
        "eyJhbGciOiJSUzI1NiJ9",
        "-----BEGIN PUBLIC KEY-----x",
        "....",
    ] {
        let output = run(
            &["explain", "--", garbage],
            &[("SUPABASE_URL", &fixture.base)],
        );
        output.expect(1, &["rejected MALFORMED_TOKEN"]);
        assert!(
            !output.stdout.contains("exp absent"),
            "claims that were not parsed are not reported: {output:?}"
        );
    }
    fixture.assert_rejected("hello", "MALFORMED_TOKEN", &["1 part\n", "begins with eyJ"]);
    fixture.assert_rejected(
        "a.b.c.d.e",
        "MALFORMED_TOKEN",
        &["encrypted", "to sign tokens"],
    );
    fixture.assert_rejected(
        &"x".repeat(9000),
        "MALFORMED_TOKEN",
        &["NO  size", "8192", "tokens.max_bytes"],
    );
    run(&["explain", ""], &[("SUPABASE_URL", &fixture.base)]).expect(2, &["no token"]);
    run(&["explain"], &[("SUPABASE_URL", &fixture.base)]).expect(2, &["<TOKEN>"]);
}

#[tokio::test]
async fn a_line_break_inside_a_token_is_reported() {
    let fixture = Fixture::start().await;
    let mut token = fixture.idp.token().sign();
    token.insert(300, '\n');
    fixture.assert_rejected(&token, "MALFORMED_TOKEN", &["line break"]);
}

#[tokio::test]
async fn text_around_a_pasted_token_is_removed() {
    let fixture = Fixture::start().await;
    let token = fixture.idp.token().sign();
    let variables = [("SUPABASE_URL", fixture.base.as_str())];
    run(&["explain", "Bearer", &token], &variables).expect(0, &["accepted"]);
    run(&["explain", &format!("'Bearer {token}'")], &variables).expect(0, &["accepted"]);
    run(&["explain", "--json", &token], &variables).expect(0, &["true"]);
    run(&["explain", &token, "--json"], &variables).expect(0, &["true"]);
    let folder = tempfile::tempdir().unwrap();
    for pasted in [
        format!("{token}\n"),
        format!("Authorization: Bearer {token}\r\n"),
        format!("\"{token}\""),
    ] {
        run_with(&["explain", "-"], &variables, &pasted, folder.path()).expect(0, &["accepted"]);
    }
    run_with(&["explain", "-"], &variables, "\n", folder.path()).expect(2, &["no token"]);
}

#[tokio::test]
async fn a_usage_error_does_not_repeat_the_token() {
    let fixture = Fixture::start().await;
    let token = fixture.idp.token().sign();
    for arguments in [
        &["explain", "--jsn", &token][..],
        &["explain", "bearer", &token, "--jso"],
        &["explain", "Bearer", &token],
    ] {
        run(arguments, &[("SUPABASE_URL", &fixture.base)]).assert_hides_signature(&token);
    }
}

#[tokio::test]
async fn control_characters_in_a_token_are_escaped() {
    let fixture = Fixture::start().await;
    let token = fixture
        .idp
        .token()
        .sub("a\u{1b}[31m\r\nb")
        .kid("k\u{7}")
        .key(KeyPair::generate(bearward::Algorithm::ES256));
    let output = fixture.explain(
        &token
            .header("kid", "k\u{1b}]0;x\u{7}")
            .issuer("i\u{1b}[2J")
            .sign(),
    );
    assert!(
        !output.stdout.contains(['\u{1b}', '\u{7}', '\r']),
        "{output:?}"
    );
    output.expect(1, &["UNKNOWN_ISSUER"]);
}
