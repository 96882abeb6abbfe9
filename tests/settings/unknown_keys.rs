//! Unknown keys and the suggestions for them.

use insta::assert_snapshot;

use super::{environment, error, file, issuer_text};

#[test]
fn an_unknown_key_gets_the_most_similar_key_as_hint() {
    assert_snapshot!(error(file("[jwks]\nmax_stael = \"6h\"")), @r"
    the configuration has a problem:
      unknown key jwks.max_stael in config/default.toml; did you mean max_stale?
    ");
    assert_snapshot!(error(file("[issuer.google]\naudiences = [\"x\"]")), @r"
    the configuration has a problem:
      unknown section [issuer] in config/default.toml; did you mean [issuers]?
    ");
    assert_snapshot!(error(file(&issuer_text("audience = \"x\""))), @r"
    the configuration has a problem:
      unknown key issuers.idp.audience in config/default.toml; did you mean audiences?
    ");
}

#[test]
fn a_key_in_the_wrong_section_gets_the_section_as_hint() {
    assert_snapshot!(error(file("max_stale = \"6h\"")), @r"
    the configuration has a problem:
      unknown key max_stale in config/default.toml; max_stale belongs in [jwks]
    ");
    assert_snapshot!(error(file("[server]\nmax_stale = \"6h\"")), @r"
    the configuration has a problem:
      unknown key server.max_stale in config/default.toml; max_stale belongs in [jwks]
    ");
}

#[test]
fn an_unknown_key_without_similar_one_gets_a_list() {
    assert_snapshot!(error(file("[tokens]\ncolour = \"blue\"")), @r"
    the configuration has a problem:
      unknown key tokens.colour in config/default.toml; the keys of [tokens] are cache_entries, cookie, header, max_bytes
    ");
    assert_snapshot!(error(file(&issuer_text("claims = { picture = \"/picture\" }"))), @r"
    the configuration has a problem:
      unknown key issuers.idp.claims.picture in config/default.toml; the keys of [issuers.idp.claims] are aal, email, role, roles, scopes, session_id, subject, tenant
    ");
    assert_snapshot!(error(file("[colours]\nblue = 1")), @r"
    the configuration has a problem:
      unknown section [colours] in config/default.toml; the sections are admin, database, dpop, generate, issuers, jwks, rate_limit, revocation, server, service_keys, telemetry, tokens, vault
    ");
}

#[test]
fn an_unknown_variable_gets_a_variable_as_hint() {
    assert_snapshot!(error(environment(&[("BEARWARD_JWKS__MAX_STAEL", "6h")])), @r"
    the configuration has a problem:
      unknown key jwks.max_stael in BEARWARD_JWKS__MAX_STAEL; did you mean BEARWARD_JWKS__MAX_STALE?
    ");
    assert_snapshot!(error(environment(&[("BEARWARD_SEVRER__BIND", "x")])), @r"
    the configuration has a problem:
      unknown key sevrer in BEARWARD_SEVRER__BIND; did you mean BEARWARD_SERVER__BIND?
    ");
    assert_snapshot!(error(environment(&[("BEARWARD_COLOUR__RED", "blue")])), @r"
    the configuration has a problem:
      unknown key colour in BEARWARD_COLOUR__RED; a variable is named BEARWARD_SECTION__KEY, with two underscores after the section
    ");
}

/// The warnings of a configuration with this variable.
fn warnings(name: &str, value: &str) -> Vec<String> {
    let config = environment(&[(name, value)]).unwrap_or_else(|error| panic!("{name}: {error}"));
    config.warnings().to_owned()
}

#[test]
fn a_variable_without_two_underscores_sets_nothing() {
    for (name, value) in [
        ("BEARWARD_IMAGE", "ghcr.io/example/bearward"),
        ("BEARWARD_COLOUR", "blue"),
        ("BEARWARD_DB_PASSWORD", "hunter2"),
        ("BEARWARD_CONTRACT", "x"),
        ("BEARWARD_CONTRACT_ISSUER", "http://127.0.0.1:1"),
        ("BEARWARD_", "x"),
    ] {
        assert_eq!(warnings(name, value), [""; 0], "{name}");
    }
}

#[test]
fn a_missing_underscore_is_noted_without_the_value() {
    assert_eq!(
        warnings("BEARWARD_JWKS_MAX_STALE", "6h"),
        ["BEARWARD_JWKS_MAX_STALE is not used; did you mean BEARWARD_JWKS__MAX_STALE?"]
    );
    assert_eq!(
        warnings("BEARWARD_VAULT_KEYS", "k1:c2VjcmV0"),
        ["BEARWARD_VAULT_KEYS is not used; did you mean BEARWARD_VAULT__KEYS?"]
    );
    assert_eq!(
        warnings("BEARWARD_ISSUERS_GOOGLE_AUDIENCES", "a"),
        [
            "BEARWARD_ISSUERS_GOOGLE_AUDIENCES is not used; a key of an issuer is set with BEARWARD_ISSUERS__NAME__KEY"
        ]
    );
}

/// What Kubernetes injects for Services of these names, with and without named ports.
#[test]
fn service_links_of_kubernetes_are_ignored() {
    for service in [
        "BEARWARD",
        "BEARWARD_SERVER",
        "BEARWARD__ADMIN",
        "BEARWARD_JWKS",
    ] {
        for (suffix, value) in [
            ("SERVICE_HOST", "10.96.7.1"),
            ("SERVICE_HOST", "fd00::7"),
            ("SERVICE_PORT", "8000"),
            ("SERVICE_PORT_HTTP", "8000"),
            ("PORT", "tcp://10.96.7.1:8000"),
            ("PORT_8000_TCP", "tcp://10.96.7.1:8000"),
            ("PORT_8000_TCP_PROTO", "tcp"),
            ("PORT_8000_TCP_PORT", "8000"),
            ("PORT_8000_TCP_ADDR", "10.96.7.1"),
            ("PORT_53_UDP", "udp://10.96.7.1:53"),
        ] {
            let name = format!("{service}_{suffix}");
            assert_eq!(warnings(&name, value), [""; 0], "{name}");
        }
    }
}

#[test]
fn unrelated_variables_are_ignored() {
    let config = environment(&[
        ("PATH", "/bin"),
        ("BEARWARD_ENV", "test"),
        ("bearward_x", "y"),
    ]);
    assert_eq!(config.expect("a valid configuration").environment, "test");
}
