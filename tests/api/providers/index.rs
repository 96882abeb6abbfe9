//! `docs/providers/README.md` lists every page, and states what each recipe uses.

use bearward::{Algorithm, Audiences, Issuer, KeySource, Provider, TokenUse, TypRule};
use bearward_server::settings::Config;

use super::{load, page};

#[test]
fn the_index_states_what_each_recipe_uses() {
    let index = page::text("README");
    let mut expected = Vec::new();
    for name in page::names() {
        let text = page::text(&name);
        let title = text
            .lines()
            .next()
            .unwrap()
            .trim_start_matches("# ")
            .to_owned();
        let recipes = page::recipes(&text);
        let used = recipes.iter().map(|recipe| {
            let (config, _, issuer) = load(recipe);
            match capabilities(&config, &issuer).join(", ") {
                none if none.is_empty() => "–".to_owned(),
                used if recipes.len() == 1 => used,
                used => format!("{}: {used}", recipe.heading),
            }
        });
        let used = used.collect::<Vec<_>>().join("<br>");
        expected.push(format!("| [{title}]({name}.md) | {used} |"));
    }
    let table: Vec<&str> = index
        .lines()
        .filter(|line| line.starts_with("| ["))
        .collect();
    expected.sort_by_key(|line| line.to_lowercase());
    assert_eq!(
        table,
        expected,
        "the table should be:\n{}",
        expected.join("\n")
    );
}

#[test]
fn the_index_lists_every_provider_and_its_parameters() {
    let index = page::text("README");
    for provider in Provider::ALL {
        let parameters: Vec<String> = provider
            .parameters()
            .iter()
            .map(|parameter| format!("`{}`", parameter.name))
            .collect();
        let line = format!("- `{}`: {}", provider.name(), parameters.join(", "));
        let line = line.trim_end_matches(": ");
        assert!(index.lines().any(|written| written == line), "{line}");
    }
}

/// Lists what the configuration of a recipe uses beyond an issuer, an audience and its keys.
fn capabilities(config: &Config, issuer: &Issuer) -> Vec<&'static str> {
    let differs = |other: Issuer| other != *issuer;
    let reads_elsewhere =
        |field: &str, claim: &str| differs(issuer.clone().map_claim(field, [claim]).unwrap());
    let is_default = |algorithm: &Algorithm| Algorithm::DEFAULT.contains(algorithm);
    let used = [
        ("discovery", *issuer.key_source() == KeySource::Discovery),
        (
            "several key sets",
            matches!(issuer.key_source(), KeySource::Urls(_)),
        ),
        ("token file for keys", !issuer.key_credentials().is_empty()),
        ("several issuers", issuer.accepted_issuers().count() > 1),
        ("tenants", issuer.template_description().is_some()),
        (
            "no audience",
            *issuer.accepted_audiences() == Audiences::Any,
        ),
        ("client ids", issuer.accepted_client_ids().len() > 0),
        ("required values", !issuer.claim_rules().is_empty()),
        ("required claims", issuer.required_claims().len() > 0),
        ("token type", *issuer.typ_rule() != TypRule::default()),
        (
            "more algorithms",
            !issuer.accepted_algorithms().iter().all(is_default),
        ),
        ("credential", issuer.has_token_use(TokenUse::IdToken)),
        (
            "subject",
            differs(issuer.clone().subject_from(["sub"]).unwrap()),
        ),
        ("roles", reads_elsewhere("roles", "/app_metadata/roles")),
        ("scopes", reads_elsewhere("scopes", "scope")),
        ("token header", config.tokens.header.is_some()),
    ];
    used.into_iter()
        .filter_map(|(name, is_used)| is_used.then_some(name))
        .collect()
}
