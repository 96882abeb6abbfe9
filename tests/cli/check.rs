//! `bearward check`: is the configuration sound, can every issuer be reached, and what to do when
//! not.

use bearward_testing::{Faults, KeyRing, MockIdp};
use serde_json::json;

use crate::{run, run_with};

async fn check(idp: &MockIdp) -> crate::CommandOutput {
    let base = idp.base();
    tokio::task::spawn_blocking(move || run(&["check"], &[("SUPABASE_URL", &base)]))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_sound_configuration_is_told_with_its_keys_and_clocks() {
    let idp = MockIdp::start().await;
    let said = check(&idp).await;
    said.expect(
        0,
        &[
            "configuration valid",
            "issuer supabase",
            &idp.issuer(),
            "keys fetched",
            &idp.jwks_url(),
            idp.key().kid(),
        ],
    );
    said.expect(0, &["usable", "its clock agrees"]);
    assert!(
        !said.stdout.contains("problem") && said.stderr.is_empty(),
        "{said:?}"
    );
}

#[tokio::test]
async fn a_key_that_is_not_used_is_listed_with_the_reason() {
    let idp = MockIdp::start().await;
    let good = serde_json::Value::Object(idp.key().jwk());
    let with = |kid: &str, name: &str, value: serde_json::Value| {
        let mut key = idp.key().jwk();
        key.insert("kid".to_owned(), kid.into());
        key.insert(name.to_owned(), value);
        serde_json::Value::Object(key)
    };
    let set = json!({ "keys": [
        good,
        with("leaked", "d", json!("AQAB")),
        with("sealing", "use", json!("enc")),
        with("sibling", "alg", json!("PS256")),
        json!({ "kty": "oct", "kid": "shared", "k": "c2VjcmV0" }),
    ] });
    idp.set_faults(Faults::body(set.to_string()));
    let said = check(&idp).await;
    said.expect(
        0,
        &[
            "usable",
            "skipped leaked: contains private key parameters",
            "skipped sealing: use is not",
            "skipped shared: symmetric key",
        ],
    );
    said.expect(
        0,
        &["skipped sibling: alg is not among the issuer's algorithms"],
    );
    assert!(!said.stdout.contains("c2VjcmV0"), "{said:?}");
}

#[tokio::test]
async fn a_set_whose_keys_are_all_unusable_says_why_for_each() {
    let idp = MockIdp::start_with(bearward::Algorithm::PS256).await;
    check(&idp).await.expect(
        1,
        &[
            "NO KEYS",
            idp.key().kid(),
            "not among the issuer's algorithms",
            "next:",
            "algorithms",
        ],
    );
}

#[test]
fn an_issuer_that_is_down_is_named_with_what_to_do() {
    let said = run(&["check"], &[("SUPABASE_URL", "http://127.0.0.1:1")]);
    said.expect(
        1,
        &[
            "NO KEYS",
            "http://127.0.0.1:1/auth/v1/.well-known/jwks.json",
            "could not connect",
            "next:",
            "curl -i",
        ],
    );
}

#[test]
fn refused_connection_gets_advice_about_the_connection() {
    let variables = [
        ("BEARWARD_ISSUERS__CORP__ISSUER", "https://idp.example/"),
        ("BEARWARD_ISSUERS__CORP__AUDIENCES", "my-api"),
        (
            "BEARWARD_ISSUERS__CORP__JWKS_URL",
            "http://127.0.0.1:1/discover/keys",
        ),
    ];
    let said = run(&["check"], &variables);
    said.expect(
        1,
        &[
            "NO KEYS",
            "could not connect",
            "next: no server accepts connections",
        ],
    );
    assert!(!said.stdout.contains("documentation"), "{said:?}");
}

#[tokio::test]
async fn a_shared_secret_of_a_project_is_reported_with_its_fix() {
    let idp = MockIdp::start().await;
    idp.set_faults(Faults::body(r#"{"keys":[]}"#));
    let said = check(&idp).await;
    said.expect(
        1,
        &[
            "NO KEYS",
            "HS256",
            "asymmetric signing keys",
            "next:",
            "rotate",
        ],
    );
}

#[tokio::test]
async fn an_address_without_keys_is_told_apart_from_one_that_is_down() {
    let idp = MockIdp::start().await;
    idp.set_faults(Faults::status(404));
    check(&idp)
        .await
        .expect(1, &["NO KEYS", "404", "https://PROJECT.supabase.co"]);
    idp.set_faults(Faults::redirect("http://127.0.0.1:1/keys"));
    check(&idp)
        .await
        .expect(1, &["NO KEYS", "redirects are not followed", "next:"]);
    idp.set_faults(Faults::body("<html>"));
    check(&idp)
        .await
        .expect(1, &["NO KEYS", "not a JSON object", "next:"]);
}

#[tokio::test]
async fn every_issuer_is_reported_and_one_that_fails_is_enough() {
    let idp = MockIdp::start().await;
    let (issuer, audience) = (idp.issuer(), idp.audience());
    let variables = [
        ("BEARWARD_ISSUERS__CORP__ISSUER", issuer.as_str()),
        ("BEARWARD_ISSUERS__CORP__AUDIENCES", audience),
        ("SUPABASE_URL", "http://127.0.0.1:1"),
    ];
    let said = run(&["check"], &variables);
    said.expect(
        1,
        &[
            "issuer corp",
            "keys fetched",
            "/.well-known/openid-configuration",
            "issuer supabase",
            "NO KEYS",
        ],
    );
    run(&["check"], &variables[..2]).expect(0, &["issuer corp", "keys fetched"]);
}

#[tokio::test]
async fn discovery_that_names_another_issuer_is_told() {
    let idp = MockIdp::start().await;
    let other = format!("{}/", idp.issuer());
    let variables = [
        ("BEARWARD_ISSUERS__CORP__ISSUER", other.as_str()),
        ("BEARWARD_ISSUERS__CORP__AUDIENCES", "authenticated"),
    ];
    run(&["check"], &variables).expect(
        1,
        &[
            "NO KEYS",
            "discovery document",
            "next: configure the issuer exactly as its discovery document spells it",
        ],
    );
}

#[tokio::test]
async fn stored_keys_that_serve_through_an_outage_do_not_hide_it() {
    let (idp, folder) = (MockIdp::start().await, tempfile::tempdir().unwrap());
    let (base, dir) = (idp.base(), folder.path().to_str().unwrap().to_owned());
    let variables = [
        ("SUPABASE_URL", base.as_str()),
        ("BEARWARD_JWKS__SNAPSHOT_DIR", dir.as_str()),
    ];
    run(&["check"], &variables).expect(0, &["keys fetched"]);
    idp.outage();
    run(&["check"], &variables).expect(1, &["KEYS NOT FETCHED, using stored keys", "503", "next:"]);
}

#[tokio::test]
async fn each_key_set_of_an_issuer_is_reported() {
    let (one, two) = (MockIdp::start().await, MockIdp::start().await);
    let issuer = one.issuer();
    let urls = format!("{},{}", one.jwks_url(), two.jwks_url());
    let variables = [
        ("BEARWARD_ISSUERS__CORP__ISSUER", issuer.as_str()),
        ("BEARWARD_ISSUERS__CORP__AUDIENCES", "authenticated"),
        ("BEARWARD_ISSUERS__CORP__JWKS_URL", urls.as_str()),
    ];
    let [key_one, key_two] = [&one, &two].map(MockIdp::key);
    run(&["check"], &variables).expect(
        0,
        &[
            &one.jwks_url(),
            key_one.kid(),
            &two.jwks_url(),
            key_two.kid(),
        ],
    );
    two.set_faults(Faults::status(404));
    let said = run(&["check"], &variables);
    said.expect(1, &["keys fetched", &two.jwks_url(), "NO KEYS", "404"]);
    said.expect(1, &["not valid: 1 problem"]);
}

#[tokio::test]
async fn weak_and_merged_keys_are_reported() {
    let idp = MockIdp::start_with(bearward::Algorithm::RS256).await;
    let mut jwk = idp.key().jwk();
    jwk.remove("alg");
    idp.set_faults(Faults::body(json!({ "keys": [jwk, jwk] }).to_string()));
    let said = check(&idp).await;
    said.expect(0, &[&format!("usable  {} (RS256)", idp.key().kid())]);
    assert_eq!(said.stdout.matches("usable").count(), 1, "{said:?}");
    assert!(!said.stdout.contains("skipped") && !said.stdout.contains("ROCA"));
}

#[tokio::test]
async fn a_missing_token_file_has_its_own_sentence() {
    let idp = MockIdp::start().await;
    let (issuer, url) = (idp.issuer(), idp.jwks_url());
    let variables = [
        ("BEARWARD_ISSUERS__CORP__ISSUER", issuer.as_str()),
        ("BEARWARD_ISSUERS__CORP__AUDIENCES", "authenticated"),
        ("BEARWARD_ISSUERS__CORP__JWKS_URL", url.as_str()),
        ("BEARWARD_ISSUERS__CORP__JWKS_TOKEN_FILE", "/no/such/token"),
    ];
    run(&["check"], &variables).expect(
        1,
        &[
            "NO KEYS",
            "jwks_token_file /no/such/token: the file does not exist",
            "next: create the file",
        ],
    );
    assert_eq!(idp.fetches(), 0);
}

#[tokio::test]
async fn unusual_responses_have_their_own_sentences() {
    let idp = MockIdp::start().await;
    for (faults, sentences) in [
        (
            Faults::body("\u{feff}{\"keys\":[]}"),
            ["byte order mark (BOM)", "without a byte order mark"],
        ),
        (
            Faults::body(r#"{"kid-1":"-----BEGIN CERTIFICATE-----\nMIIB"}"#),
            ["a map of X.509 certificates", "service_accounts/v1/jwk/"],
        ),
        (
            Faults {
                status: Some(301),
                ..Faults::redirect("/moved?secret=hunter2")
            },
            ["301 Moved Permanently (Location: http", "has moved"],
        ),
        (
            Faults {
                status: Some(303),
                ..Faults::redirect("/sign-in")
            },
            ["303 See Other (Location: http", "is temporary"],
        ),
    ] {
        idp.set_faults(faults);
        let said = check(&idp).await;
        said.expect(1, &sentences);
        assert!(!said.stdout.contains("hunter2"), "{said:?}");
    }
}

#[tokio::test]
async fn a_cached_response_says_nothing_about_clocks() {
    let idp = MockIdp::start().await;
    idp.set_faults(Faults {
        age: Some(2400),
        ..Faults::default()
    });
    let said = check(&idp).await;
    said.expect(0, &["keys fetched"]);
    assert!(!said.stdout.contains("clock"), "{said:?}");
}

#[test]
fn fixed_keys_need_no_network() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    std::fs::write(
        &file,
        KeyRing::new(bearward::Algorithm::ES256).jwks().to_string(),
    )
    .unwrap();
    let variables = [
        ("BEARWARD_ISSUERS__CORP__ISSUER", "https://idp.invalid/"),
        ("BEARWARD_ISSUERS__CORP__AUDIENCES", "my-api"),
        ("BEARWARD_ISSUERS__CORP__JWKS_FILE", file.to_str().unwrap()),
    ];
    run(&["check"], &variables).expect(0, &["keys configured", "usable"]);
}

#[tokio::test]
async fn the_rules_of_an_issuer_are_listed() {
    let idp = MockIdp::start().await;
    let (issuer, jwks_url, base) = (
        format!("{}/{{tid}}", idp.base()),
        idp.jwks_url(),
        idp.base(),
    );
    let variables = [
        ("SUPABASE_URL", base.as_str()),
        (
            "BEARWARD_ISSUERS__SUPABASE__REQUIRE",
            r#"{"token_use": "access"}"#,
        ),
        ("BEARWARD_ISSUERS__TENANTS__ISSUER", issuer.as_str()),
        ("BEARWARD_ISSUERS__TENANTS__JWKS_URL", jwks_url.as_str()),
        ("BEARWARD_ISSUERS__TENANTS__CLIENT_IDS", "web,mobile"),
        ("BEARWARD_ISSUERS__TENANTS__TENANTS", "a,b"),
    ];
    run(&["check"], &variables).expect(
        0,
        &[
            "claim token_use \"access\"",
            "accepts aud authenticated",
            "accepts any aud, or none",
            "client web or mobile",
            &format!("{issuer} with the claim tid: a or b"),
        ],
    );
    let without_keys = [variables[2], variables[4]];
    run(&["check"], &without_keys).expect(2, &["cannot be discovered", "list the tenants"]);
}

#[tokio::test]
async fn the_rules_of_a_provider_are_listed_and_explained() {
    let idp = MockIdp::start().await;
    let jwks_url = idp.jwks_url();
    let variables = [
        ("BEARWARD_ISSUERS__CI__PROVIDER", "github-actions"),
        ("BEARWARD_ISSUERS__CI__OWNER", "octo-org"),
        ("BEARWARD_ISSUERS__CI__AUDIENCES", "deploy"),
        ("BEARWARD_ISSUERS__CI__JWKS_URL", &jwks_url),
        (
            "BEARWARD_ISSUERS__CI__ISSUER",
            "https://token.actions.githubusercontent.com,https://token.actions.example",
        ),
        ("BEARWARD_ISSUERS__CI__REQUIRED_CLAIMS", "environment"),
    ];
    run(&["check"], &variables).expect(
        0,
        &[
            "https://token.actions.githubusercontent.com",
            "keys fetched",
            "accepts iss https://token.actions.example",
            "accepts aud deploy",
            "accepts claim repository_owner \"octo-org\"",
            "accepts claim environment present",
        ],
    );
    let token = idp
        .token()
        .issuer("https://token.actions.githubusercontent.com")
        .audience("deploy")
        .claim("environment", "production")
        .claim("repository_owner", "evil");
    run(&["explain", &token.clone().sign()], &variables).expect(
        1,
        &["rejected INVALID_CLAIM: claim \"repository_owner\" must be \"octo-org\""],
    );
    let own = token.claim("repository_owner", "octo-org").sign();
    run(&["explain", &own], &variables).expect(0, &["accepted", "tenant     octo-org"]);
    run(&["check"], &variables[..1]).expect(
        2,
        &[
            "provider \"github-actions\" also needs owner (",
            "audiences (",
        ],
    );
}

#[tokio::test]
async fn json_is_one_object_with_every_issuer() {
    let idp = MockIdp::start().await;
    let mut sealing = idp.key().with_kid("sealing").jwk();
    sealing.insert("use".to_owned(), "enc".into());
    idp.set_faults(Faults::body(
        json!({ "keys": [idp.key().jwk(), sealing] }).to_string(),
    ));
    let (issuer, base) = (idp.issuer(), idp.base());
    let variables = [
        ("BEARWARD_ISSUERS__CORP__ISSUER", "http://127.0.0.1:1"),
        ("BEARWARD_ISSUERS__CORP__AUDIENCES", "my-api"),
        ("SUPABASE_URL", base.as_str()),
    ];
    let said = run(&["check", "--json"], &variables);
    assert_eq!(said.code, Some(1), "{said:?}");
    let report: serde_json::Value = serde_json::from_str(&said.stdout).expect("one JSON object");
    assert_eq!(report["sound"], false);
    let of = |name: &str| {
        report["issuers"]
            .as_array()
            .unwrap()
            .iter()
            .find(|issuer| issuer["name"] == name)
            .unwrap()
            .clone()
    };
    let (corp, supabase) = (of("corp"), of("supabase"));
    assert_eq!(
        (&corp["sound"], &corp["state"]),
        (&json!(false), &json!("empty"))
    );
    assert!(
        corp["problem"]
            .as_str()
            .unwrap()
            .contains("could not connect")
            && corp["advice"].is_string(),
        "{corp}"
    );
    assert_eq!(
        (&supabase["sound"], &supabase["issuer"], &supabase["usable"]),
        (&json!(true), &json!(issuer), &json!([idp.key().kid()]))
    );
    assert_eq!(
        supabase["skipped"],
        json!([{ "kid": "sealing", "reason": "use is not \"sig\"" }])
    );
    assert!(
        supabase["problem"].is_null() && supabase["advice"].is_null(),
        "{supabase}"
    );
    let said = run(&["check", "--json"], &variables[2..]);
    assert_eq!(
        (
            said.code,
            serde_json::from_str::<serde_json::Value>(&said.stdout).unwrap()["sound"].clone()
        ),
        (Some(0), json!(true))
    );
}

#[tokio::test]
async fn values_are_shown_with_their_sources_and_secrets_are_not() {
    let idp = MockIdp::start().await;
    let base = idp.base();
    let variables = [
        ("SUPABASE_URL", base.as_str()),
        ("DATABASE_URL", "postgres://user:hunter2@127.0.0.1:1/app"),
        (
            "BEARWARD_VAULT__KEYS",
            "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        ),
        (
            "BEARWARD_JWKS__PROXY",
            "http://user:hunter3@proxy.internal:3128",
        ),
        ("BEARWARD_JWKS__MAX_STALE", "2h"),
    ];
    let said = run(&["check", "--values"], &variables);
    // That database is not there.
    said.expect(1, &["NOT USABLE"]);
    said.expect(
        1,
        &[
            "jwks.max_stale = \"2h\"",
            "BEARWARD_JWKS__MAX_STALE",
            "the built-in defaults",
            "DATABASE_URL",
        ],
    );
    said.expect(
        1,
        &["postgres://user:***@127.0.0.1:1/app", "vault.keys = ***"],
    );
    for secret in ["hunter2", "hunter3", "AAECAwQFBgcI"] {
        assert!(
            !said.stdout.contains(secret) && !said.stderr.contains(secret),
            "{said:?}"
        );
    }
}

#[tokio::test]
async fn the_database_is_looked_at_and_left_as_it_is() {
    let (idp, folder) = (MockIdp::start().await, tempfile::tempdir().unwrap());
    let (base, file) = (idp.base(), folder.path().join("rows.db"));
    let url = format!("sqlite://{}", file.display());
    let variables = [
        ("SUPABASE_URL", base.as_str()),
        ("DATABASE_URL", url.as_str()),
    ];
    run(&["check"], &variables).expect(0, &["database", "rows.db does not exist yet"]);
    assert!(!file.exists());
    std::fs::write(&file, "this is no database, however long it is").unwrap();
    run(&["check"], &variables).expect(
        1,
        &[
            "NOT USABLE",
            "it is not an SQLite database",
            "bearward restore",
        ],
    );
    run(&["check", "--json"], &variables)
        .expect(1, &["\"sound\": false", "it is not an SQLite database"]);
}

fn last_line(output: &crate::CommandOutput) -> &str {
    output.stdout.lines().last().unwrap_or_default()
}

#[tokio::test]
async fn the_last_line_is_the_verdict() {
    let idp = MockIdp::start().await;
    let base = idp.base();
    let valid = run(&["check"], &[("SUPABASE_URL", &base)]);
    assert_eq!(
        (valid.code, last_line(&valid)),
        (Some(0), "valid: `bearward serve` can start")
    );
    let down = [
        ("SUPABASE_URL", "http://127.0.0.1:1"),
        (
            "DATABASE_URL",
            "postgres://u@127.0.0.1:1/app?sslmode=disable",
        ),
    ];
    for (count, verdict) in [(1, "not valid: 1 problem"), (2, "not valid: 2 problems")] {
        let output = run(&["check"], &down[..count]);
        assert_eq!(
            (output.code, last_line(&output)),
            (Some(1), verdict),
            "{output:?}"
        );
    }
}

/// Configurations with which `serve` does not start, and how many problems each has.
#[test]
fn check_rejects_what_serve_rejects() {
    let issuer = ("SUPABASE_URL", "http://127.0.0.1:1");
    let cases: [(&[(&str, &str)], &str); 5] = [
        (&[], "not valid: 1 problem"),
        (
            &[issuer, ("BEARWARD_TOKENS__MAX_BYTES", "0")],
            "not valid: 1 problem",
        ),
        (
            &[issuer, ("BEARWARD_TOKENS__MAX_BYTES", "0"), ("PORT", "x")],
            "not valid: 2 problems",
        ),
        (
            &[issuer, ("BEARWARD_JWKS__CA_FILE", "/nowhere/ca.pem")],
            "not valid: 1 problem",
        ),
        (
            &[
                issuer,
                ("BEARWARD_ISSUERS__SUPABASE__JWKS", "{\"keys\":[]}"),
            ],
            "not valid: 1 problem",
        ),
    ];
    for (variables, verdict) in cases {
        let serve = run(&["serve", "--bind", "127.0.0.1:0"], variables);
        assert_eq!(serve.code, Some(2), "{variables:?}: {serve:?}");
        let check = run(&["check"], variables);
        assert_eq!(
            (check.code, last_line(&check)),
            (Some(2), verdict),
            "{check:?}"
        );
        assert!(
            serve.stderr.ends_with(&check.stderr) && !check.stderr.is_empty(),
            "the same message: {serve:?} {check:?}"
        );
    }
}

#[tokio::test]
async fn a_missing_vault_key_is_told_and_does_not_fail() {
    let idp = MockIdp::start().await;
    let base = idp.base();
    for environment in ["", "production"] {
        let variables = [("BEARWARD_ENV", environment), ("SUPABASE_URL", &base)];
        run(&["check"], &variables)
            .expect(0, &["vault no key", "valid: `bearward serve` can start"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn service_keys_are_listed_without_their_digests() {
    let idp = MockIdp::start().await;
    let base = idp.base();
    let key = bearward::NewServiceKey::generate();
    let digest = key.sha256();
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("config")).unwrap();
    std::fs::write(
        folder.path().join("config/default.toml"),
        format!(
            "[service_keys.cron]\nsha256 = ['{digest}']\nscopes = ['reports:write', 'reports:read']\n\
             [service_keys.old]\nsha256 = ['{}']\nexpires = '2020-01-31'\n",
            bearward::NewServiceKey::generate().sha256()
        ),
    )
    .unwrap();
    let variables = [("SUPABASE_URL", base.as_str()), ("NO_COLOR", "1")];
    let id = &digest[..8];
    let check = |arguments: &[&str]| run_with(arguments, &variables, "", folder.path());
    let said = check(&["check"]);
    said.expect(
        0,
        &[
            &format!("service cron: key {id}, scopes reports:write reports:read\n"),
            "service old: key ",
            ", no scopes, EXPIRED at 2020-01-31T00:00:00Z\n",
        ],
    );
    assert!(!said.stdout.contains(&digest), "{said:?}");
    let report: serde_json::Value =
        serde_json::from_str(&check(&["check", "--json"]).stdout).unwrap();
    assert_eq!(
        report["service_keys"][0],
        json!({ "name": "cron", "key_ids": [id], "scopes": ["reports:write", "reports:read"], "expires": null, "expired": false })
    );
    assert_eq!(report["service_keys"][1]["expired"], true);
}
