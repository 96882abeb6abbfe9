//! What a person is shown: no escape sequence of somebody else's, no secret of one's own.

use bearward::{Algorithm, Bearward, Issuer, KeySource};
use bearward_server::settings::{Config, Sources};
use bearward_testing::{
    MockIdp,
    signing::{KeyPair, KeyRing},
};

#[tokio::test]
async fn neither_a_kid_of_the_key_set_nor_a_claim_moves_the_terminals_cursor_or_turns_the_text_around()
 {
    let idp = MockIdp::start().await;
    let kid = "a\u{1b}]0;title\u{7}\u{1b}[2J\u{202e}\u{2028}b";
    idp.replace_keys(KeyRing::of(
        KeyPair::generate(Algorithm::ES256).with_kid(kid),
    ));
    let auth = Bearward::builder()
        .issuer(idp.as_issuer())
        .build()
        .await
        .unwrap();
    assert!(
        auth.verify(&idp.token().sign()).await.is_ok(),
        "odd, but a name"
    );
    let hostile = |c: char| c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c);
    for token in [
        idp.token().sub(kid).claim("aud", kid).sign(),
        idp.token().kid("other").issuer(kid).header(kid, 1).sign(),
    ] {
        let explanation = auth.explain(&token).await;
        let shown = explanation
            .steps
            .iter()
            .map(|line| format!("{} {}", line.found, line.expected));
        for text in shown.chain(auth.key_set_statuses()[0].kids.iter().flatten().cloned()) {
            assert!(!text.contains(hostile), "{text:?}");
        }
    }
}

#[test]
fn no_secret_in_an_address_or_a_key_set_is_shown() {
    let of = |name: &str, value: &str| {
        let project = (
            "SUPABASE_URL".to_owned(),
            "https://abc.supabase.co".to_owned(),
        );
        let variables = [project, (name.to_owned(), value.to_owned())];
        match Config::load(&Sources::new(None, variables)) {
            Ok(config) => {
                let sources = config.issuers.values().map(|issuer| issuer.keys.describe());
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
        let shown = of(name, value);
        assert!(!shown.contains("hunter2"), "{name}={value}: {shown}");
    }
    let fixed = KeySource::Fixed(r#"{"keys":[{"kty":"oct","k":"hunter2"}]}"#.to_owned());
    let issuer = Issuer::new("https://a.example", "a").unwrap().keys(fixed);
    assert!(!format!("{issuer:?}").contains("hunter2"), "{issuer:?}");
}
