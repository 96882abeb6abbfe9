//! Messages for invalid values: the key and its source, the value, and what to write instead.

use insta::assert_snapshot;

use super::{environment, error, file, load};

#[test]
fn all_errors_are_reported_together() {
    let text = "
        [server]
        bind = \"localhost:8000\"
        workers = \"four\"
        [jwks]
        max_stael = \"6h\"
        timeout = 5
        [tokens]
        max_bytes = 100
        [telemetry]
        format = \"logfmt\"
        [colours]
        blue = 1";
    let loaded = load(
        &[("default.toml", text)],
        &[("BEARWARD_JWKS__ALLOW_HTTP", "yes"), ("PORT", "http")],
    );
    assert_snapshot!(error(loaded), @r#"
    the configuration has 9 problems:
      PORT: found "http"; write a port number from 0 to 65535
      server.bind in config/default.toml: found "localhost:8000"; write an IP address and a port, such as "127.0.0.1:8000" or "0.0.0.0:8000"; for localhost write "127.0.0.1:8000"
      server.workers in config/default.toml: found "four"; write a whole number from 0 to 1024
      jwks.timeout in config/default.toml: found 5; a duration needs a unit; write "5s" for seconds or "5ms" for milliseconds
      jwks.allow_http in BEARWARD_JWKS__ALLOW_HTTP: found "yes"; write true or false
      tokens.max_bytes in config/default.toml: found 100; it must be from 256B to 64KiB
      telemetry.format in config/default.toml: found "logfmt"; write "pretty" or "json"
      unknown key jwks.max_stael in config/default.toml; did you mean max_stale?
      unknown section [colours] in config/default.toml; the sections are admin, database, dpop, generate, issuers, jwks, rate_limit, revocation, server, service_keys, telemetry, tokens, vault
    "#);
}

#[test]
fn a_duration_needs_a_unit() {
    assert_snapshot!(error(file("[jwks]\ntimeout = 5")), @r#"
    the configuration has a problem:
      jwks.timeout in config/default.toml: found 5; a duration needs a unit; write "5s" for seconds or "5ms" for milliseconds
    "#);
    assert_snapshot!(error(environment(&[("BEARWARD_JWKS__TIMEOUT", "5")])), @r#"
    the configuration has a problem:
      jwks.timeout in BEARWARD_JWKS__TIMEOUT: found "5"; a duration needs a unit; write "5s" for seconds or "5ms" for milliseconds
    "#);
    assert_snapshot!(error(file("[jwks]\ntimeout = \"soon\"")), @r#"
    the configuration has a problem:
      jwks.timeout in config/default.toml: found "soon"; write a duration with a unit, such as "500ms", "30s", "10m" or "6h"
    "#);
}

#[test]
fn a_value_of_the_wrong_type_gets_an_example() {
    assert_snapshot!(error(file("[tokens]\ncache_entries = \"10000\"")), @r#"
    the configuration has a problem:
      tokens.cache_entries in config/default.toml: found "10000"; write a whole number from 0 to 10000000, without quotes
    "#);
    assert_snapshot!(error(file("[server]\ncors_origins = \"http://localhost:3000\"")), @r#"
    the configuration has a problem:
      server.cors_origins in config/default.toml: found "http://localhost:3000"; write a list, such as ["a", "b"]
    "#);
    assert_snapshot!(error(file("[server]\ntrusted_proxies = [\"lb.internal\"]")), @r#"
    the configuration has a problem:
      server.trusted_proxies in config/default.toml: found ["lb.internal"]; "lb.internal" is not an IP address or network; write for example "127.0.0.1", "10.0.0.0/8" or "fd00::/8"
    "#);
    assert_snapshot!(error(file("[server]\nbody_limit = \"64kb\"")), @r#"
    the configuration has a problem:
      server.body_limit in config/default.toml: found "64kb"; write a size such as "64KiB", "1MiB" or 65536 (bytes)
    "#);
    assert_snapshot!(error(file("[jwks]\nallow_http = \"true\"")), @r#"
    the configuration has a problem:
      jwks.allow_http in config/default.toml: found "true"; write true or false, without quotes
    "#);
    assert_snapshot!(error(file("server = 8000")), @r"
    the configuration has a problem:
      server in config/default.toml: found 8000; this is a section; write [server] and its keys below it
    ");
    assert_snapshot!(error(environment(&[("BEARWARD_SERVER__BIND", "")])), @r#"
    the configuration has a problem:
      server.bind in BEARWARD_SERVER__BIND: found ""; it must not be empty
    "#);
}

#[test]
fn conflicting_values_are_shown_together() {
    let loaded = load(
        &[("default.toml", "[jwks]\nmin_ttl = \"20m\"")],
        &[("BEARWARD_JWKS__MAX_STALE", "30m")],
    );
    assert_snapshot!(error(loaded), @r#"
    the configuration has 2 problems:
      jwks.min_ttl = "20m" (config/default.toml) and jwks.default_ttl = "10m" (the built-in defaults): min_ttl must not be longer than default_ttl
      jwks.max_ttl = "1h" (the built-in defaults) and jwks.max_stale = "30m" (BEARWARD_JWKS__MAX_STALE): max_ttl must not be longer than max_stale
    "#);
}

#[test]
fn invalid_toml_is_reported_by_line_without_its_text() {
    let message = error(file("[vault]\nkeys = [\"k1:secret-key-material\n"));
    assert!(!message.contains("secret"), "{message}");
    assert_snapshot!(message, @r"
    the configuration has a problem:
      config/default.toml line 2, column 32: unclosed array, expected `]`
    ");
    assert_snapshot!(error(file("[jwks]\nmax_stale = 6h\n")), @r#"
    the configuration has a problem:
      config/default.toml line 2, column 13: write text, durations and sizes in quotes, such as "6h"
    "#);
    assert_snapshot!(error(file("[jwks]\n\n[jwks]\n")), @r"
    the configuration has a problem:
      config/default.toml line 3, column 2: duplicate key
    ");
}
