//! Floods of invalid tokens, and slightly modified valid ones.

use bearward::{Algorithm, Bearward, TokenUse, Verification};
use bearward_server::telemetry;
use bearward_testing::{MockIdp, TestClock, signing::encode};

#[tokio::test]
async fn every_other_encoding_of_a_valid_token_is_rejected() {
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
        let idp = MockIdp::start_with(algorithm).await;
        let auth = Bearward::builder()
            .issuer(idp.as_issuer())
            .build()
            .await
            .unwrap();
        let token = idp.token().sign();
        assert!(auth.verify(&token).await.is_ok());
        let accepted = |text: &str| matches!(auth.try_verify(text), Verification::Ready(Ok(_)));
        for at in 0..token.len() {
            // Every character at the end of a part, where the last bits must be zero; elsewhere
            // only characters of other alphabets.
            let ends = token[at..].len() < 4 || token[at..].chars().take(4).any(|c| c == '.');
            let others = (0..=0x7f_u8)
                .map(char::from)
                .filter(|other| ends || "+/=. \n\0".contains(*other));
            for other in others.filter(|other| !token[at..].starts_with(*other)) {
                let modified = format!("{}{other}{}", &token[..at], &token[at + 1..]);
                assert!(!accepted(&modified), "{algorithm}: {other:?} at {at}");
            }
        }
        for end in ["=", "==", "A", ".", " ", "\n", "\0", "\u{e4}"] {
            assert!(
                !accepted(&format!("{token}{end}")) && !accepted(&format!("{end}{token}")),
                "{end:?}"
            );
        }
    }
}

#[tokio::test]
async fn rejected_tokens_do_not_grow_caches_or_metrics() {
    let metrics = telemetry::install_metrics().unwrap();
    let idp = MockIdp::start().await;
    let auth = Bearward::builder()
        .issuer(idp.as_issuer())
        .build()
        .await
        .unwrap();
    let good = idp.token().sign();
    assert!(auth.verify(&good).await.is_ok());
    let parts: Vec<&str> = good.split('.').collect();
    let flood = |from: usize| {
        for n in from..from + 50_000 {
            let token = match n % 3 {
                0 => format!(
                    "{}.{}.{}",
                    encode(format!(r#"{{"alg":"ES256","kid":"{n}"}}"#).as_bytes()),
                    parts[1],
                    parts[2]
                ),
                1 => format!(
                    "{}.{}.{}",
                    parts[0],
                    encode(format!(r#"{{"iss":"https://{n}.example"}}"#).as_bytes()),
                    parts[2]
                ),
                _ => format!(
                    "{}.{}.{}",
                    parts[0],
                    parts[1],
                    encode(format!("{n:064}").as_bytes())
                ),
            };
            assert!(!matches!(
                auth.try_verify(&token),
                Verification::Ready(Ok(_))
            ));
        }
        // The other tests of this process also add metrics. The labels are a closed set.
        let lines = metrics.render().lines().count();
        assert!(
            lines < 500 && auth.cached_tokens() == 1,
            "{lines} lines of metrics"
        );
    };
    flood(0);
    flood(50_000);
    assert!(idp.fetches() <= 3, "{}", idp.fetches());
}

#[tokio::test]
async fn cached_token_is_rejected_once_expired_or_revoked() {
    let idp = MockIdp::start().await.with_movable_clock();
    let clock: TestClock = idp.clock();
    let auth = Bearward::builder()
        .issuer(idp.as_issuer())
        .clock(std::sync::Arc::new(clock.clone()))
        .build()
        .await
        .unwrap();
    let token = idp.token().sign();
    // Three times: the third one is served from this thread's cache.
    for _ in 0..3 {
        assert!(auth.verify(&token).await.is_ok());
    }
    assert!(
        auth.verify_credential(&token).await.is_err(),
        "{:?}",
        TokenUse::IdToken
    );
    let now = bearward::Clock::now(&clock);
    clock.set_wall_clock(now.minus(std::time::Duration::from_secs(3600)));
    assert_eq!(
        auth.verify(&token).await.unwrap_err().error.code(),
        "TOKEN_NOT_YET_VALID"
    );
    clock.set_wall_clock(now);
    for _ in 0..3 {
        assert!(auth.verify(&token).await.is_ok());
    }
    clock.set_wall_clock(now.plus(std::time::Duration::from_secs(100_000)));
    assert_eq!(
        auth.verify(&token).await.unwrap_err().error.code(),
        "TOKEN_EXPIRED"
    );
    clock.set_wall_clock(now);
    for _ in 0..3 {
        assert!(auth.verify(&token).await.is_ok());
    }
    let old = idp.key();
    idp.rotate();
    idp.revoke(old.kid());
    assert!(auth.verify(&idp.token().sign()).await.is_ok());
    assert_eq!(
        auth.verify(&token).await.unwrap_err().error.code(),
        "UNKNOWN_KEY"
    );
}
