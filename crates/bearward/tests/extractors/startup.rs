//! What a wrong configuration shows at start.

use std::{io, time::Duration};

use bearward::{Bearward, BuildError, BuildWarning, CookieSource, Issuer, KeySource, TokenUse};
use bearward_testing::{Faults, MockIdp};

const SECONDS: Duration = Duration::from_secs(30);

#[actix_web::test]
async fn keys_that_are_required_at_start_are_awaited() {
    let idp = MockIdp::start().await;
    let builder = Bearward::builder().issuer(idp.as_issuer());
    let auth = builder
        .require_keys_at_start(SECONDS)
        .build()
        .await
        .unwrap();
    assert!(auth.is_ready());
    assert_eq!(idp.fetches(), 1);
}

#[actix_web::test]
async fn a_wrong_issuer_fails_at_start_if_keys_are_required() {
    let idp = MockIdp::start().await;
    idp.set_faults(Faults::status(404));
    let builder = Bearward::builder().issuer(idp.as_issuer());
    let error = builder
        .require_keys_at_start(SECONDS)
        .build()
        .await
        .unwrap_err();
    assert!(
        matches!(&error, BuildError::KeysNotLoaded { issuer, reason } if issuer == "mock" && reason.contains("404")),
        "{error}"
    );
}

#[actix_web::test]
async fn required_keys_are_awaited_for_the_timeout_only() {
    let idp = MockIdp::start().await;
    idp.set_faults(Faults::hang());
    let builder = Bearward::builder().issuer(idp.as_issuer());
    let timeout = Duration::from_millis(1);
    let error = builder
        .require_keys_at_start(timeout)
        .build()
        .await
        .unwrap_err();
    assert!(matches!(&error, BuildError::KeysNotLoaded { reason, .. } if reason.contains("1ms")));
}

#[actix_web::test]
async fn a_build_error_converts_to_an_io_error() {
    async fn start() -> io::Result<()> {
        Bearward::builder().build().await?;
        Ok(())
    }
    let error = start().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert_eq!(error.to_string(), BuildError::NoIssuer.to_string());
}

#[actix_web::test]
async fn probable_mistakes_are_warnings() {
    let idp = MockIdp::offline();
    let warnings = async |issuer: Issuer, origins: &[&str]| {
        let cookie = CookieSource::new("session", origins.iter().copied());
        let builder = Bearward::builder().issuer(issuer).cookie(cookie);
        builder.build().await.unwrap().warnings().to_vec()
    };
    let origins = ["https://app.example.com"];
    assert_eq!(warnings(idp.as_issuer(), &origins).await, []);

    let any = idp.as_issuer().dangerous_any_audience();
    let issuer = "mock".to_owned();
    assert_eq!(
        warnings(any, &origins).await,
        [BuildWarning::AnyAudience { issuer }]
    );
    let credentials = idp.as_issuer().token_use(TokenUse::IdToken);
    assert_eq!(
        warnings(credentials, &origins).await,
        [BuildWarning::NoAccessTokenIssuer]
    );
    let name = "session".to_owned();
    assert_eq!(
        warnings(idp.as_issuer(), &[]).await,
        [BuildWarning::CookieWithoutOrigins { name }]
    );
    let loopback = KeySource::Url("http://127.0.0.1:1/jwks".parse().unwrap());
    assert_eq!(warnings(idp.as_issuer().keys(loopback), &origins).await, []);
}
