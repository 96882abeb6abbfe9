//! A slip of the keyboard is answered with the key that was meant.

use insta::assert_snapshot;

use super::{environment, file, issuer, refusal};

#[test]
fn an_unknown_key_is_answered_with_the_nearest_known_one() {
    assert_snapshot!(refusal(file("[jwks]\nmax_stael = \"6h\"")), @r"
    the configuration has a problem:
      unknown key jwks.max_stael in config/default.toml; did you mean max_stale?
    ");
    assert_snapshot!(refusal(file("[issuer.google]\naudiences = [\"x\"]")), @r"
    the configuration has a problem:
      unknown section [issuer] in config/default.toml; did you mean [issuers]?
    ");
    assert_snapshot!(refusal(file(&issuer("audience = \"x\""))), @r"
    the configuration has a problem:
      unknown key issuers.idp.audience in config/default.toml; did you mean audiences?
    ");
}

#[test]
fn a_key_in_the_wrong_section_is_sent_home() {
    assert_snapshot!(refusal(file("max_stale = \"6h\"")), @r"
    the configuration has a problem:
      unknown key max_stale in config/default.toml; max_stale belongs in [jwks]
    ");
    assert_snapshot!(refusal(file("[server]\nmax_stale = \"6h\"")), @r"
    the configuration has a problem:
      unknown key server.max_stale in config/default.toml; max_stale belongs in [jwks]
    ");
}

#[test]
fn a_key_unlike_any_other_is_answered_with_all_there_are() {
    assert_snapshot!(refusal(file("[tokens]\ncolour = \"blue\"")), @r"
    the configuration has a problem:
      unknown key tokens.colour in config/default.toml; [tokens] has cache_entries, cookie, max_bytes
    ");
    assert_snapshot!(refusal(file(&issuer("claims = { picture = \"/picture\" }"))), @r"
    the configuration has a problem:
      unknown key issuers.idp.claims.picture in config/default.toml; [issuers.idp.claims] has aal, email, role, roles, scopes, session_id, tenant
    ");
    assert_snapshot!(refusal(file("[colours]\nblue = 1")), @r"
    the configuration has a problem:
      unknown section [colours] in config/default.toml; the sections are database, generate, issuers, jwks, rate_limit, server, telemetry, tokens, vault
    ");
}

#[test]
fn an_unknown_variable_is_answered_with_the_nearest_variable() {
    assert_snapshot!(refusal(environment(&[("BEARWARD_JWKS__MAX_STAEL", "6h")])), @r"
    the configuration has a problem:
      unknown key jwks.max_stael in BEARWARD_JWKS__MAX_STAEL; did you mean BEARWARD_JWKS__MAX_STALE?
    ");
    assert_snapshot!(refusal(environment(&[("BEARWARD_JWKS_MAX_STALE", "6h")])), @r"
    the configuration has a problem:
      unknown key jwks_max_stale in BEARWARD_JWKS_MAX_STALE; did you mean BEARWARD_JWKS__MAX_STALE?
    ");
    assert_snapshot!(refusal(environment(&[("BEARWARD_SEVRER__BIND", "x")])), @r"
    the configuration has a problem:
      unknown key sevrer in BEARWARD_SEVRER__BIND; did you mean BEARWARD_SERVER__BIND?
    ");
    assert_snapshot!(refusal(environment(&[("BEARWARD_COLOUR", "blue")])), @r"
    the configuration has a problem:
      unknown key colour in BEARWARD_COLOUR; a key is written BEARWARD_SECTION__KEY, with two underscores after the section
    ");
}

#[test]
fn variables_of_others_and_those_that_are_no_keys_are_passed_over() {
    let config = environment(&[
        ("PATH", "/bin"),
        ("BEARWARD_ENV", "test"),
        ("bearward_x", "y"),
    ]);
    assert_eq!(config.expect("loaded").environment, "test");
}
