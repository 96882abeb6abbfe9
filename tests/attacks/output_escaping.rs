//! Output for people contains no control characters from untrusted input and no secrets.

use bearward::{Algorithm, Bearward, Issuer, KeySource};
use bearward_server::settings::{Config, Sources};
use bearward_testing::{
    MockIdp,
    signing::{KeyPair, KeyRing},
};

#[tokio::test]
async fn kids_and_claims_are_printed_without_control_characters() {
    let idp = MockIdp::start().await;
    let kid = "a\u{1b}]0;title\u{7}\u{1b}[2J\u{202e}\u{2028}b";
    idp.replace_keys(KeyRing::with_key(
        KeyPair::generate(Algorithm::ES256).with_kid(kid),
    ));
    let auth = Bearward::builder()
        .issuer(idp.as_issuer())
        .build()
        .await
        .unwrap();
    assert!(
        auth.verify(&idp.token().sign()).await.is_ok(),
        "an unusual kid is valid"
    );
    let hostile = |c: char| c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c);
    for token in [
        idp.token().sub(kid).claim("aud", kid).sign(),
        idp.token().kid("other").issuer(kid).header(kid, 1).sign(),
    ] {
        let explanation = auth.explain(&token).await;
        let texts = explanation
            .steps
            .iter()
            .map(|line| format!("{} {}", line.found, line.expected));
        let status = &auth.key_set_statuses()[0];
        for text in texts.chain(status.kids().flatten().map(str::to_owned)) {
            assert!(!text.contains(hostile), "{text:?}");
        }
    }
}

#[test]
fn secrets_in_urls_and_key_sets_are_redacted() {
    let rendered = |name: &str, value: &str| {
        let project = (
            "SUPABASE_URL".to_owned(),
            "https://abc.supabase.co".to_owned(),
        );
        let variables = [project, (name.to_owned(), value.to_owned())];
        match Config::load(&Sources::new(None, variables)) {
            Ok(config) => {
                let sources = config
                    .issuers
                    .values()
                    .map(|issuer| issuer.key_source().describe());
                format!(
                    "{config:?} {} {}",
                    config.redacted(),
                    sources.collect::<String>()
                )
            }
            Err(errors) => errors.to_string(),
        }
    };
    for (name, value) in [
        ("SUPABASE_URL", "https://hunter2@abc.supabase.co"),
        (
            "SUPABASE_URL",
            "https://abc.supabase.co/?access_token=hunter2",
        ),
        (
            "BEARWARD_ISSUERS__SUPABASE__JWKS_URL",
            "https://a.example/k?apikey=hunter2",
        ),
        (
            "BEARWARD_ISSUERS__SUPABASE__JWKS_URL",
            "https://a.example/k?Token=hunter2",
        ),
        (
            "BEARWARD_ISSUERS__SUPABASE__JWKS_URL",
            "https://hunter2@a.example/k",
        ),
        (
            "BEARWARD_ISSUERS__SUPABASE__JWKS",
            r#"{"keys":[{"kty":"RSA","d":"hunter2"}]}"#,
        ),
        ("DATABASE_URL", "postgres://u:hunter2@db/app"),
        ("BEARWARD_JWKS__PROXY", "http://u:hunter2@proxy:3128"),
    ] {
        let output = rendered(name, value);
        assert!(!output.contains("hunter2"), "{name}={value}: {output}");
    }
    let fixed = KeySource::Fixed(r#"{"keys":[{"kty":"oct","k":"hunter2"}]}"#.to_owned());
    let issuer = Issuer::new("https://a.example", "a").unwrap().keys(fixed);
    assert!(!format!("{issuer:?}").contains("hunter2"), "{issuer:?}");
}
