//! The key `provider` of `[issuers.NAME]`. The recipes of all providers are tested with the API.

use bearward::{Algorithm, Audiences, Issuer, IssuerError, KeySource, TokenUse, TypRule};

use super::{environment, error, file, load};

/// The issuer of a section `[issuers.idp]` with these lines.
fn issuer(lines: &str) -> Issuer {
    file(&format!("[issuers.idp]\n{lines}"))
        .expect("a valid issuer")
        .issuers["idp"]
        .clone()
}

fn message(lines: &str) -> String {
    error(file(&format!("[issuers.idp]\n{lines}")))
}

#[test]
fn a_provider_is_its_constructor() {
    let auth0 = issuer("provider = 'auth0'\ndomain = 'acme.eu.auth0.com'\naudiences = ['api']");
    let expected = Issuer::auth0("acme.eu.auth0.com", "api").map(|issuer| issuer.name("idp"));
    assert_eq!(Ok(auth0), expected);
    let google = issuer("provider = 'google'\naudiences = ['a', 'b']");
    let expected = Issuer::google("a").and_then(|issuer| issuer.name("idp").audience("b"));
    assert_eq!(Ok(google), expected);
}

#[test]
fn other_keys_win_over_the_provider() {
    let keycloak = issuer(
        r#"
        provider = "keycloak"
        url = "https://id.example.com"
        realm = "shop"
        client_ids = ["web"]
        issuer = ["https://a.example/realms/shop", "https://b.example/realms/shop"]
        jwks_url = "https://keys.example.com/set"
        algorithms = ["ES256"]
        token_type = "at+jwt"
        use = "credential"
        leeway = "0s"
        required_claims = ["email"]
        require = { typ = "Bearer", acr = "1" }
        claims = { tenant = "org", subject = ["sub", "azp"] }"#,
    );
    let expected = || -> Result<Issuer, IssuerError> {
        Issuer::keycloak("https://id.example.com", "shop", "api")?
            .name("idp")
            .replace_audiences(Audiences::Any)?
            .client_ids(["web"])?
            .replace_issuers([
                "https://a.example/realms/shop",
                "https://b.example/realms/shop",
            ])?
            .keys(KeySource::Url(
                "https://keys.example.com/set".parse().expect("a URL"),
            ))
            .algorithms([Algorithm::ES256])?
            .token_type(TypRule::AtJwt)
            .token_use(TokenUse::IdToken)
            .leeway(std::time::Duration::ZERO)?
            .require_claim_present("email")
            .require_claim("acr", "1")?
            .replace_claim_rule("typ", "Bearer")?
            .map_claim("roles", ["/realm_access/roles"])?
            .map_claim("tenant", ["org"])?
            .subject_from(["sub", "azp"])
    };
    // The order of the rules is that of their names.
    let rules = |issuer: &Issuer| {
        let mut rules: Vec<String> = issuer
            .claim_rules()
            .iter()
            .map(ToString::to_string)
            .collect();
        rules.sort();
        rules
    };
    let expected = expected().expect("a valid issuer");
    assert_eq!(rules(&keycloak), rules(&expected));
    assert_eq!(keycloak, expected);
}

#[test]
fn an_unknown_provider_lists_the_known_ones() {
    let message = message("provider = 'keyclock'\nurl = 'https://id.example.com'");
    for part in [
        "issuers.idp.provider",
        "unknown provider \"keyclock\"",
        "keycloak",
        "github-actions",
        "issuer, audiences",
    ] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_missing_parameter_says_what_it_is() {
    let message = message("provider = 'keycloak'\nurl = 'https://id.example.com'");
    for part in [
        "issuers.idp",
        "\"keycloak\" also needs realm (the name of the realm, such as \"shop\")",
        "audiences (",
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert!(!message.contains("the base URL"), "{message}");
}

#[test]
fn an_invalid_parameter_is_named() {
    for (lines, parts) in [
        (
            "provider = 'auth0'\ndomain = 'https://acme.auth0.com'\naudiences = ['api']",
            ["domain", "without https://"],
        ),
        (
            "provider = 'entra'\ntenant = 'contoso.onmicrosoft.com'\naudiences = ['api']",
            ["tenant", "directory (tenant) id"],
        ),
        (
            "provider = 'cognito'\nregion = 'eu-west-1'\npool = 'eu-central-1_a'\nclient_ids = ['web']",
            ["pool", "begins with the region"],
        ),
        (
            "provider = 'github-actions'\nowner = ''\naudiences = ['api']",
            ["owner", "octo-org"],
        ),
        (
            "provider = 'gitlab'\ngroup = 'acme/*'\naudiences = ['api']",
            ["group", "without a slash"],
        ),
    ] {
        let message = message(lines);
        for part in parts {
            assert!(message.contains(part), "{message}");
        }
    }
}

#[test]
fn parameters_of_another_provider_are_unknown_keys() {
    for lines in [
        "provider = 'auth0'\ndomain = 'acme.auth0.com'\nrealm = 'shop'\naudiences = ['api']",
        "issuer = 'https://id.example.com'\nrealm = 'shop'\naudiences = ['api']",
    ] {
        assert!(message(lines).contains("issuers.idp.realm"), "{lines}");
    }
}

#[test]
fn a_provider_is_configured_by_variables() {
    let config = environment(&[
        ("BEARWARD_ISSUERS__CI__PROVIDER", "github-actions"),
        ("BEARWARD_ISSUERS__CI__OWNER", "octo-org"),
        ("BEARWARD_ISSUERS__CI__AUDIENCES", "deploy,release"),
    ]);
    let expected = Issuer::github_actions("deploy", "octo-org")
        .and_then(|issuer| issuer.name("ci").audience("release"));
    assert_eq!(
        config.map(|config| config.issuers["ci"].clone()),
        Ok(expected.expect("valid"))
    );
}

#[test]
fn a_configured_provider_wins_over_the_usual_variable() {
    let text =
        "[issuers.google]\nprovider = 'google'\naudiences = ['a.apps.googleusercontent.com']";
    let variables = [("GOOGLE_CLIENT_ID", "b.apps.googleusercontent.com")];
    let config = load(&[("default.toml", text)], &variables).expect("a valid configuration");
    let expected = Issuer::google("a.apps.googleusercontent.com");
    assert_eq!(Ok(config.issuers["google"].clone()), expected);
    assert!(
        config
            .warnings()
            .iter()
            .any(|warning| warning.contains("GOOGLE_CLIENT_ID"))
    );
}

#[test]
fn keys_of_a_provider_are_not_fetched_over_plain_http() {
    let lines = |url: &str| {
        format!("provider = 'keycloak'\nurl = '{url}'\nrealm = 'shop'\naudiences = ['api']")
    };
    assert!(message(&lines("http://id.example.com")).contains("over plain http"));
    assert_eq!(
        issuer(&lines("http://127.0.0.1:8080")).iss(),
        "http://127.0.0.1:8080/realms/shop"
    );
}
