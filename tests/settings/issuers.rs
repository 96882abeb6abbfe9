//! The `[issuers.NAME]` sections and the messages for invalid ones.

use std::time::Duration;

use bearward::{Algorithm, ClaimMapping, Issuer, IssuerError, KeySource, TokenUse, TypRule};
use insta::assert_snapshot;

use super::{environment, error, file, folder, issuer, issuer_text};

#[test]
fn an_issuer_is_read_with_all_its_keys() {
    let idp = issuer(
        "
        jwks_url = 'https://keys.example.com/set'
        algorithms = ['PS256']
        token_type = 'at+jwt'
        leeway = '0s'
        required_claims = ['email']
        use = 'credential'
        claims = { roles = '/realm_access/roles', tenant = '/org~1id' }",
    );
    let expected = || -> Result<Issuer, IssuerError> {
        let claims = ClaimMapping::default()
            .set("roles", "/realm_access/roles")?
            .set("tenant", "/org~1id")?;
        let keys = "https://keys.example.com/set".parse().expect("a URL");
        Ok(Issuer::new("https://idp.example.com", "api")?
            .name("idp")
            .keys(KeySource::Url(keys))
            .algorithms([Algorithm::PS256])?
            .token_type(TypRule::AtJwt)
            .leeway(Duration::ZERO)?
            .require_claim_present("email")
            .token_use(TokenUse::IdToken)
            .claim_mapping(claims))
    };
    assert_eq!(Ok(idp), expected());
}

#[test]
fn the_rules_of_an_issuer_are_those_of_the_library() {
    let idp = issuer(
        r#"
        client_ids = ['web', 'mobile']
        require = { token_use = 'access', ref = ['refs/heads/main', 'refs/tags/*'], "/kubernetes.io/namespace" = 'prod', verified = true, level = 2 }
        token_type = ['okta-internal-at+jwt', 'jwt']
        claims = { subject = ['/sub', 'client_id'], roles = ['/realm_access/roles', 'https://acme.example.com/roles'], tenant = 'org' }"#,
    );
    let expected = || -> Result<Issuer, IssuerError> {
        let claims = ClaimMapping::default()
            .set_any_of(
                "roles",
                ["/realm_access/roles", "https://acme.example.com/roles"],
            )?
            .set("tenant", "org")?;
        Issuer::new("https://idp.example.com", "api")?
            .name("idp")
            .token_type(TypRule::one_of(["okta-internal-at+jwt", "jwt"])?)
            .claim_mapping(claims)
            .subject_from(["/sub", "client_id"])?
            .require_claim("/kubernetes.io/namespace", "prod")?
            .require_claim("level", 2)?
            .require_claim("ref", ["refs/heads/main", "refs/tags/*"])?
            .require_claim("token_use", "access")?
            .require_claim("verified", true)?
            .client_ids(["web", "mobile"])
    };
    assert_eq!(Ok(idp), expected());
}

#[test]
fn first_party_is_set_or_follows_from_the_issuer() {
    assert!(!issuer("").is_first_party());
    assert!(issuer("first_party = true").is_first_party());
    let hosted =
        issuer_text("").replace("https://idp.example.com", "https://abc.supabase.co/auth/v1");
    let is_first_party = |text: &str| {
        let config = file(text).expect("a valid issuer");
        config.issuers["idp"].is_first_party()
    };
    assert!(is_first_party(&hosted));
    assert!(!is_first_party(&format!("{hosted}first_party = false")));
}

#[test]
fn audiences_may_be_omitted_with_client_ids() {
    let text = "[issuers.idp]\nissuer = 'https://idp.example.com'\nclient_ids = 'web'";
    let expected = Issuer::with_client_ids("https://idp.example.com", ["web"])
        .map(|issuer| issuer.name("idp"));
    let config = file(text).expect("a valid configuration");
    assert_eq!(Ok(config.issuers["idp"].clone()), expected);
    let empty = text.replace("'web'", "[]");
    assert!(error(file(&empty)).contains("issuers.idp.audiences is missing"));
}

#[test]
fn variables_set_rules_as_lists_and_json() {
    let config = environment(&[
        (
            "BEARWARD_ISSUERS__GH__ISSUER",
            "https://token.actions.githubusercontent.com",
        ),
        ("BEARWARD_ISSUERS__GH__AUDIENCES", "deploy"),
        ("BEARWARD_ISSUERS__GH__CLIENT_IDS", "a,b"),
        (
            "BEARWARD_ISSUERS__GH__REQUIRE",
            r#"{"repository_owner": ["octo-org"], "Verified": true}"#,
        ),
        ("BEARWARD_ISSUERS__KEY__ISSUER", "https://idp.example.com"),
        ("BEARWARD_ISSUERS__KEY__AUDIENCES", "api"),
        ("BEARWARD_ISSUERS__KEY__REQUIRE__OWNER", "a,b"),
        ("BEARWARD_ISSUERS__KEY__CLAIMS__SUBJECT", "sub,client_id"),
    ])
    .expect("a valid configuration");
    let rules = |name: &str| {
        let rules = config.issuers[name].claim_rules().iter();
        rules.map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        rules("gh"),
        ["Verified true", r#"repository_owner "octo-org""#]
    );
    assert_eq!(
        config.issuers["gh"]
            .accepted_client_ids()
            .collect::<Vec<_>>(),
        ["a", "b"]
    );
    assert_eq!(rules("key"), [r#"owner "a" or "b""#]);
}

#[test]
fn an_issuer_may_have_a_placeholder_and_tenants() {
    let text = "[issuers.entra]\nissuer = 'https://login.microsoftonline.com/{tid}/v2.0'\naudiences = 'api'\n\
                jwks_url = 'https://login.microsoftonline.com/common/discovery/v2.0/keys'\n";
    let tenant = "8b1a9953-c461-4296-a827-abf8c47804d7";
    let config = file(&format!("{text}tenants = ['{tenant}']")).expect("a configuration");
    assert_eq!(
        config.issuers["entra"].template_description().as_deref(),
        Some(&*format!(
            "https://login.microsoftonline.com/{{tid}}/v2.0 with the claim tid: {tenant}"
        ))
    );
    for (change, message) in [
        (
            text.replace("{tid}", "{tid}/{x}"),
            "exactly one placeholder",
        ),
        (text.replace("{tid}", "{tid"), "exactly one placeholder"),
        (text.replace("{tid}", "{t id}"), "no spaces"),
        (format!("{text}tenants = ['a/b']"), "a tenant has"),
        (
            format!("{text}tenants = ['{tenant}', 'contoso.onmicrosoft.com']"),
            "is its directory (tenant) id in lower case",
        ),
        (
            format!("{}tenants = ['a']", text.replace("{tid}", "x")),
            "tenants require an issuer with a placeholder",
        ),
        (
            text.replace(
                "issuer = 'https://login.microsoftonline.com/{tid}/v2.0'",
                "issuer = ['https://a.example', 'https://b.example/{tid}']",
            ),
            "has no other spelling",
        ),
    ] {
        let error = error(file(&change));
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn invalid_rules_are_reported_with_what_to_write() {
    assert_snapshot!(error(file(&issuer_text("require = { sub = 'a*b' }"))), @r#"
    the configuration has a problem:
      issuers.idp.require in config/default.toml: found a table; sub: "*" is accepted only as the last character, where it matches any text
    "#);
    assert_snapshot!(error(file(&issuer_text("token_type = ['logout+jwt']"))), @r#"
    the configuration has a problem:
      issuers.idp.token_type in config/default.toml: found ["logout+jwt"]; the token type "logout+jwt" is not a media type such as "at+jwt", or belongs to tokens that are no access tokens
    "#);
    assert_snapshot!(error(file(&format!("{}\n[admin]\nissuers = ['other']", issuer_text("")))), @r#"
    the configuration has a problem:
      admin.issuers in config/default.toml: found ["other"]; there is no section [issuers.other]; write the names of configured issuers
    "#);
    assert_snapshot!(error(file("[tokens]\nheader = 'Authorization'")), @r#"
    the configuration has a problem:
      tokens.header in config/default.toml: found "Authorization"; write the name of a header other than Authorization and Cookie, such as "Cf-Access-Jwt-Assertion"
    "#);
}

#[test]
fn an_issuer_with_required_keys_only_has_the_library_defaults() {
    let expected = Issuer::new("https://idp.example.com", "api").map(|issuer| issuer.name("idp"));
    assert_eq!(Ok(issuer("")), expected);
}

#[test]
fn an_issuer_may_have_aliases() {
    let config = file("[issuers.a]\nissuer = ['https://a.example', 'a.example']\naudiences = '*'")
        .expect("a valid configuration");
    let expected = Issuer::new("https://a.example", "unused").map(|issuer| {
        let issuer = issuer.name("a").issuer_alias("a.example");
        issuer.dangerous_any_audience()
    });
    assert_eq!(Ok(config.issuers["a"].clone()), expected);
    assert_eq!(config.issuers["a"].key_source(), &KeySource::Discovery);
}

#[test]
fn jwks_url_is_a_url_or_a_list_and_discovery_url_replaces_it() {
    let url = |text: &str| text.parse().expect("a URL");
    assert_eq!(
        issuer("jwks_url = ['https://a.example/1', 'https://b.example/2']").key_source(),
        &KeySource::Urls(vec![url("https://a.example/1"), url("https://b.example/2")])
    );
    assert_eq!(
        issuer("jwks_url = ['https://a.example/1']").key_source(),
        &KeySource::Url(url("https://a.example/1"))
    );
    assert_eq!(
        issuer("discovery_url = 'https://a.example/metadata'").key_source(),
        &KeySource::DiscoveryUrl(url("https://a.example/metadata"))
    );
    let config = environment(&[
        ("BEARWARD_ISSUERS__IDP__ISSUER", "https://idp.example.com"),
        ("BEARWARD_ISSUERS__IDP__AUDIENCES", "api"),
        (
            "BEARWARD_ISSUERS__IDP__JWKS_URL",
            "https://a.example/1,https://b.example/2",
        ),
    ])
    .expect("a valid configuration");
    assert_eq!(
        config.issuers["idp"].key_source(),
        &KeySource::Urls(vec![url("https://a.example/1"), url("https://b.example/2")])
    );
}

#[test]
fn credentials_for_the_key_fetch_are_paths_of_files() {
    let idp = issuer("jwks_token_file = '/run/token'\njwks_headers_file = '/run/headers'");
    let credentials = idp.key_credentials();
    assert_eq!(
        [&credentials.token_file, &credentials.headers_file],
        [&Some("/run/token".into()), &Some("/run/headers".into())]
    );
    assert!(issuer("jwks_token_file = ''").key_credentials().is_empty());
}

#[test]
fn invalid_key_sources_are_reported() {
    let message = |text: &str| error(file(&issuer_text(text)));
    for (text, expected) in [
        ("jwks_url = []", "the list of JWKS URLs is empty"),
        (
            "jwks_url = ['https://a.example/1', 'https://a.example/1']",
            "contains a URL more than once",
        ),
        (
            "jwks_url = ['https://a.example', 'https://b.example']\njwks_token_file = '/run/token'",
            "sent to one origin only",
        ),
        (
            "jwks = '{\"keys\":[]}'\njwks_token_file = '/run/token'",
            "fixed keys are not fetched",
        ),
        (
            "jwks_url = ['https://a.example', 'http://b.example']",
            "over plain http",
        ),
        ("discovery_url = 'http://b.example'", "over plain http"),
        (
            "jwks_url = 'https://a.example'\ndiscovery_url = 'https://a.example'",
            "set only one of jwks_url, discovery_url",
        ),
    ] {
        let message = message(text);
        assert!(message.contains(expected), "{text}: {message}");
    }
}

#[test]
fn fixed_keys_are_read_from_a_file_or_inline() {
    let set = r#"{"keys":[{"kty":"EC"}]}"#;
    let dir = folder(&[("keys.json", set)]);
    let path = dir.path().join("keys.json");
    assert_eq!(
        issuer(&format!("jwks_file = '{}'", path.display())).key_source(),
        &KeySource::Fixed(set.into())
    );
    assert_eq!(
        issuer(&format!("jwks = '{set}'")).key_source(),
        &KeySource::Fixed(set.into())
    );
    assert_eq!(
        issuer("jwks = { keys = [{ kty = 'EC' }] }").key_source(),
        &KeySource::Fixed(set.into())
    );
    assert_snapshot!(error(file(&issuer_text("jwks_file = 'no/such/keys.json'"))), @r#"
    the configuration has a problem:
      issuers.idp.jwks_file in config/default.toml: found "no/such/keys.json"; the file cannot be read: No such file or directory (os error 2)
    "#);
}

#[test]
fn a_missing_key_is_reported_with_what_to_write() {
    assert_snapshot!(error(file("[issuers.idp]\naudiences = ['api']")), @r"
    the configuration has a problem:
      issuers.idp.issuer is missing ([issuers.idp] is in config/default.toml): write the exact `iss` of its tokens, or the name of its provider
    ");
    assert_snapshot!(error(environment(&[("BEARWARD_ISSUERS__SUPABASE__AUDIENCES", "x")])), @r"
    the configuration has a problem:
      issuers.supabase.issuer is missing ([issuers.supabase] is in BEARWARD_ISSUERS__SUPABASE__AUDIENCES): write the exact `iss` of its tokens, or the name of its provider, or set SUPABASE_URL
    ");
    assert_snapshot!(error(file("[issuers.idp]\nissuer = 'https://idp.example.com'")), @r#"
    the configuration has a problem:
      issuers.idp.audiences is missing ([issuers.idp] is in config/default.toml): write the expected `aud` of its tokens, such as ["authenticated"]; "*" accepts any audience. If its tokens have no `aud`, write client_ids instead
    "#);
}

#[test]
fn symmetric_algorithms_are_rejected_with_a_migration_hint() {
    assert_snapshot!(error(file(&issuer_text("algorithms = ['RS256', 'HS256']"))), @r#"
    the configuration has a problem:
      issuers.idp.algorithms in config/default.toml: found ["RS256", "HS256"]; HS256, HS384 and HS512 need a shared secret, and every server that can verify a token could also sign one; bearward verifies with public keys only. To switch a Supabase project: in its dashboard under Project Settings, JWT Keys, click "Migrate JWT secret", then "Rotate keys"; leave algorithms at its default here
    "#);
    assert_snapshot!(error(file(&issuer_text("algorithms = ['none']"))), @r#"
    the configuration has a problem:
      issuers.idp.algorithms in config/default.toml: found ["none"]; "none" means an unsigned token, which is never accepted
    "#);
    assert_snapshot!(error(file(&issuer_text("algorithms = ['RSA']"))), @r#"
    the configuration has a problem:
      issuers.idp.algorithms in config/default.toml: found ["RSA"]; write one or more of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA
    "#);
}

#[test]
fn an_invalid_value_is_reported_with_what_to_write() {
    assert_snapshot!(error(file(&issuer_text("leeway = '10m'"))), @r#"
    the configuration has a problem:
      issuers.idp.leeway in config/default.toml: found "10m"; it must be from 0s to 5m
    "#);
    assert_snapshot!(error(file(&issuer_text("jwks_url = 'http://kong:8000/keys'"))), @r#"
    the configuration has a problem:
      issuers.idp.jwks_url in config/default.toml: found "http://kong:8000/keys"; over plain http an attacker on the network can replace the keys; write https://, or set jwks.allow_http = true (BEARWARD_JWKS__ALLOW_HTTP) if you trust the network
    "#);
    assert_snapshot!(error(file(&issuer_text("claims = { roles = '/a~2' }"))), @r#"
    the configuration has a problem:
      issuers.idp.claims.roles in config/default.toml: found "/a~2"; not a JSON pointer: "~" is written "~0", and "/" inside a name "~1"
    "#);
    assert_snapshot!(error(file(&issuer_text("use = 'cookie'"))), @r#"
    the configuration has a problem:
      issuers.idp.use in config/default.toml: found "cookie"; write "bearer" or "credential"
    "#);
    assert_snapshot!(error(file(&issuer_text("").replace("idp]", "My-Idp]"))), @r"
    the configuration has a problem:
      issuers.My-Idp: the name of an issuer may contain only lower-case letters, digits and _, because it is part of variable and metric names
    ");
    assert_snapshot!(error(file("[issuers.a]\nissuer = 'accounts.example'\naudiences = ['x']")), @r#"
    the configuration has a problem:
      issuers.a.issuer = "accounts.example" (config/default.toml): OIDC discovery needs an https:// issuer; set jwks_url, discovery_url or jwks_file
    "#);
}

#[test]
fn conflicting_issuer_values_are_shown_together() {
    assert_snapshot!(error(file(&issuer_text("jwks = '{\"keys\":[]}'\njwks_url = 'https://idp.example.com/keys'"))), @r#"
    the configuration has a problem:
      issuers.idp.jwks_url = "https://idp.example.com/keys" (config/default.toml) and issuers.idp.jwks = *** (config/default.toml): set only one of jwks_url, discovery_url, jwks_file and jwks
    "#);
    assert_snapshot!(error(file(&format!("{}\n{}", issuer_text(""), issuer_text("").replace("idp]", "other]")))), @r#"
    the configuration has a problem:
      issuers.idp.issuer = "https://idp.example.com" (config/default.toml) and issuers.other.issuer = "https://idp.example.com" (config/default.toml): each accepted issuer may be configured only once
    "#);
}

#[test]
fn require_issuer_explains_how_to_configure_one() {
    let config = environment(&[("SUPABASE_URL", "")]).expect("a valid configuration");
    assert_snapshot!(config.require_issuer().expect_err("no issuer"), @r"
    the configuration has a problem:
      no issuer is configured, so every token would be rejected. Configure one:
        SUPABASE_URL=https://YOUR-PROJECT.supabase.co
            for a Supabase project
        [issuers.NAME] with issuer and audiences, in config/default.toml
            for any OpenID Connect provider; the environment has the same keys:
            BEARWARD_ISSUERS__NAME__ISSUER, BEARWARD_ISSUERS__NAME__AUDIENCES
        bearward dev
            to try it with a development IdP
    ");
    assert!(
        file(&issuer_text(""))
            .expect("a valid configuration")
            .require_issuer()
            .is_ok()
    );
}
