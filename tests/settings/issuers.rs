//! Whose tokens are accepted, and what is told when that is not clear.

use std::time::Duration;

use bearward::{KeySource, TokenUse, TypRule};
use bearward_server::settings::Audiences;
use insta::assert_snapshot;

use super::{environment, file, folder, idp, issuer, refusal};

#[test]
fn an_issuer_is_read_with_all_its_keys() {
    let idp = idp("
        jwks_url = 'https://keys.example.com/set'
        algorithms = ['PS256']
        token_type = 'at+jwt'
        leeway = '0s'
        required_claims = ['email']
        use = 'credential'
        claims = { roles = '/realm_access/roles', tenant = '/org~1id' }");
    assert_eq!(idp.accepted_issuers, ["https://idp.example.com"]);
    assert_eq!(
        idp.keys,
        KeySource::Url("https://keys.example.com/set".parse().expect("a URL"))
    );
    assert_eq!(
        (idp.token_type, idp.usage, idp.leeway),
        (TypRule::AtJwt, TokenUse::IdToken, Duration::ZERO)
    );
    assert_eq!(idp.required_claims, ["email"]);
    let claims: Vec<_> = idp
        .claims
        .iter()
        .map(|(name, pointer)| (*name, pointer.as_str()))
        .collect();
    assert_eq!(
        claims,
        [("roles", "/realm_access/roles"), ("tenant", "/org~1id")]
    );
}

#[test]
fn an_issuer_may_be_spelled_in_several_ways() {
    let config = file("[issuers.a]\nissuer = ['https://a.example', 'a.example']\naudiences = '*'")
        .expect("loaded");
    let issuer = &config.issuers["a"];
    assert_eq!(issuer.accepted_issuers, ["https://a.example", "a.example"]);
    assert_eq!(
        (&issuer.audiences, &issuer.keys),
        (&Audiences::Any, &KeySource::Discovery)
    );
}

#[test]
fn fixed_keys_come_from_a_file_or_from_the_configuration_itself() {
    let set = r#"{"keys":[{"kty":"EC"}]}"#;
    let dir = folder(&[("keys.json", set)]);
    let path = dir.path().join("keys.json");
    assert_eq!(
        idp(&format!("jwks_file = '{}'", path.display())).keys,
        KeySource::Fixed(set.into())
    );
    assert_eq!(
        idp(&format!("jwks = '{set}'")).keys,
        KeySource::Fixed(set.into())
    );
    assert_eq!(
        idp("jwks = { keys = [{ kty = 'EC' }] }").keys,
        KeySource::Fixed(set.into())
    );
    assert_snapshot!(refusal(file(&issuer("jwks_file = 'no/such/keys.json'"))), @r#"
    the configuration has a problem:
      issuers.idp.jwks_file in config/default.toml: found "no/such/keys.json"; the file cannot be read: No such file or directory (os error 2)
    "#);
}

#[test]
fn what_is_missing_is_told_with_the_way_out() {
    assert_snapshot!(refusal(file("[issuers.idp]\naudiences = ['api']")), @r"
    the configuration has a problem:
      issuers.idp.issuer is missing ([issuers.idp] is in config/default.toml): write the `iss` of its tokens, letter by letter
    ");
    assert_snapshot!(refusal(environment(&[("BEARWARD_ISSUERS__SUPABASE__AUDIENCES", "x")])), @r"
    the configuration has a problem:
      issuers.supabase.issuer is missing ([issuers.supabase] is in BEARWARD_ISSUERS__SUPABASE__AUDIENCES): write the `iss` of its tokens, letter by letter, or set SUPABASE_URL
    ");
    assert_snapshot!(refusal(file("[issuers.idp]\nissuer = 'https://idp.example.com'")), @r#"
    the configuration has a problem:
      issuers.idp.audiences is missing ([issuers.idp] is in config/default.toml): name whom its tokens must be for, such as ["authenticated"]; "*" accepts any audience
    "#);
}

#[test]
fn symmetric_algorithms_are_refused_with_the_way_to_asymmetric_ones() {
    assert_snapshot!(refusal(file(&issuer("algorithms = ['RS256', 'HS256']"))), @r#"
    the configuration has a problem:
      issuers.idp.algorithms in config/default.toml: found ["RS256", "HS256"]; HS256, HS384 and HS512 sign with a secret that every verifier would have to hold, and who can verify could sign; bearward verifies with public keys only. A Supabase project moves to them in its dashboard under Project Settings, JWT Keys: "Migrate JWT secret", then "Rotate keys"; leave algorithms at the default here
    "#);
    assert_snapshot!(refusal(file(&issuer("algorithms = ['none']"))), @r#"
    the configuration has a problem:
      issuers.idp.algorithms in config/default.toml: found ["none"]; "none" means no signature at all, and such a token is never accepted
    "#);
    assert_snapshot!(refusal(file(&issuer("algorithms = ['RSA']"))), @r#"
    the configuration has a problem:
      issuers.idp.algorithms in config/default.toml: found ["RSA"]; write some of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA
    "#);
}

#[test]
fn a_wrong_value_of_an_issuer_is_told_with_the_right_one() {
    assert_snapshot!(refusal(file(&issuer("leeway = '10m'"))), @r#"
    the configuration has a problem:
      issuers.idp.leeway in config/default.toml: found "10m"; it must be from 0s to 5m
    "#);
    assert_snapshot!(refusal(file(&issuer("jwks_url = 'http://kong:8000/keys'"))), @r#"
    the configuration has a problem:
      issuers.idp.jwks_url in config/default.toml: found "http://kong:8000/keys"; plain http would let anybody on the way swap the keys; write https://, or set jwks.allow_http = true (BEARWARD_JWKS__ALLOW_HTTP) for a network that you trust
    "#);
    assert_snapshot!(refusal(file(&issuer("claims = { roles = 'app_metadata.roles' }"))), @r#"
    the configuration has a problem:
      issuers.idp.claims.roles in config/default.toml: found "app_metadata.roles"; a JSON pointer begins with a slash: write "/app_metadata/roles"
    "#);
    assert_snapshot!(refusal(file(&issuer("use = 'cookie'"))), @r#"
    the configuration has a problem:
      issuers.idp.use in config/default.toml: found "cookie"; write "bearer" or "credential"
    "#);
    assert_snapshot!(refusal(file(&issuer("").replace("idp]", "My-Idp]"))), @r"
    the configuration has a problem:
      issuers.My-Idp: an issuer's name has lower-case letters, digits and _ only, so that variables and metrics can name it
    ");
    assert_snapshot!(refusal(file("[issuers.a]\nissuer = 'accounts.example'\naudiences = ['x']")), @r#"
    the configuration has a problem:
      issuers.a.issuer = "accounts.example" (config/default.toml): keys are discovered below an https:// issuer only; set jwks_url or jwks_file
    "#);
}

#[test]
fn contradictions_of_issuers_name_both_sides() {
    assert_snapshot!(refusal(file(&issuer("jwks = '{\"keys\":[]}'\njwks_url = 'https://idp.example.com/keys'"))), @r#"
    the configuration has a problem:
      issuers.idp.jwks_url = "https://idp.example.com/keys" (config/default.toml) and issuers.idp.jwks = *** (config/default.toml): keys come from one place; keep one of jwks_url, jwks_file and jwks
    "#);
    assert_snapshot!(refusal(file(&format!("{}\n{}", issuer(""), issuer("").replace("idp]", "other]")))), @r#"
    the configuration has a problem:
      issuers.idp.issuer = "https://idp.example.com" (config/default.toml) and issuers.other.issuer = "https://idp.example.com" (config/default.toml): one spelling of an issuer must belong to one profile
    "#);
}

#[test]
fn without_an_issuer_the_ways_to_give_one_are_told() {
    let config = environment(&[("SUPABASE_URL", "")]).expect("loaded");
    assert_snapshot!(config.require_issuer().expect_err("refused"), @r"
    the configuration has a problem:
      no issuer is configured, so every token would be refused. Name one:
        SUPABASE_URL=https://YOUR-PROJECT.supabase.co    for a Supabase project
        [issuers.NAME] with issuer and audiences         in config/default.toml, for any OpenID Connect provider
        BEARWARD_ISSUERS__NAME__ISSUER and BEARWARD_ISSUERS__NAME__AUDIENCES do the same in the environment
        bearward dev                                     to try it with a development IdP
    ");
    assert!(file(&issuer("")).expect("loaded").require_issuer().is_ok());
}
