//! An issuer with several key sets: a host that is down or hostile does not affect the others.

use std::{sync::Arc, time::Duration};

use bearward::{
    Algorithm, Bearward, BuildError, Issuer, JwksCacheConfig, KeySetStatus, KeySource,
    KeySourceError,
};
use bearward_testing::{Faults, KeyPair, KeyRing, MockIdp, TestClock, TokenBuilder};
use serde_json::json;

use crate::fixture::{builder_for, cache_config, idp, result_code, wait_until};

/// Two hosts that publish keys of the issuer of the first.
struct TwoHosts {
    one: MockIdp,
    two: MockIdp,
    clock: TestClock,
    auth: Bearward,
}

fn issuer_of(hosts: [&MockIdp; 2]) -> Issuer {
    let urls = hosts.map(|host| host.jwks_url().parse().unwrap());
    hosts[0].as_issuer().keys(KeySource::Urls(urls.to_vec()))
}

impl TwoHosts {
    /// Builds a verifier without waiting for its first fetches.
    async fn start_cold(faults_of_two: Faults, config: JwksCacheConfig) -> Self {
        let (one, two) = (idp().await, idp().await);
        two.set_faults(faults_of_two);
        let builder = builder_for(issuer_of([&one, &two]), &one).jwks_cache(config);
        Self {
            auth: builder.build().await.unwrap(),
            clock: one.clock(),
            one,
            two,
        }
    }

    async fn start_with(faults_of_two: Faults) -> Self {
        let hosts = Self::start_cold(faults_of_two, cache_config()).await;
        hosts.auth.wait_for_initial_fetch().await;
        hosts
    }

    async fn start() -> Self {
        Self::start_with(Faults::default()).await
    }

    /// A token of the issuer, signed with this key.
    fn token(&self, key: KeyPair) -> TokenBuilder {
        let token = self.one.token().key(key);
        token.expires_in(Duration::from_secs(24 * 3600))
    }

    async fn code(&self, token: &str) -> &'static str {
        result_code(&self.auth.verify(token).await)
    }

    fn states(&self) -> Vec<&'static str> {
        let statuses = self.auth.key_set_statuses();
        statuses.iter().map(KeySetStatus::state).collect()
    }

    fn attempts(&self, key_set: usize) -> u64 {
        self.auth.key_set_statuses()[key_set].attempts()
    }

    /// Advances the clock until both key sets have been refreshed.
    async fn refresh(&self) {
        let before = [0, 1].map(|key_set| self.attempts(key_set));
        self.clock.advance(Duration::from_secs(571));
        wait_until("both key sets are refreshed", || {
            (0..2).all(|key_set| self.attempts(key_set) > before[key_set])
        })
        .await;
    }
}

#[tokio::test]
async fn keys_of_every_set_verify() {
    let hosts = TwoHosts::start().await;
    for key in [hosts.one.key(), hosts.two.key()] {
        let token = hosts.token(key);
        assert_eq!(hosts.code(&token.clone().sign()).await, "OK");
        assert_eq!(
            hosts
                .code(&token.clone().without_header("kid").sign())
                .await,
            "OK"
        );
        let forged = token.signed_by_stranger();
        assert_eq!(hosts.code(&forged).await, "INVALID_SIGNATURE");
    }
    assert_eq!((hosts.one.fetches(), hosts.two.fetches()), (1, 1));
    let labels = hosts.auth.key_set_statuses();
    let labels = labels.iter().map(|status| status.label.clone().unwrap());
    assert!(labels.eq([hosts.one.jwks_url(), hosts.two.jwks_url()]));
}

#[tokio::test]
async fn a_host_that_is_down_does_not_affect_tokens_of_the_other() {
    let hosts = TwoHosts::start_with(Faults::outage()).await;
    assert_eq!(hosts.states(), ["fresh", "empty"]);
    assert!(hosts.auth.is_ready());
    let token = hosts.token(hosts.one.key());
    assert_eq!(hosts.code(&token.clone().sign()).await, "OK");
    assert_eq!(
        hosts.code(&token.signed_by_stranger()).await,
        "INVALID_SIGNATURE"
    );
    // Whether the other host has the key is unknown.
    let of_two = hosts.token(hosts.two.key()).sign();
    let verifying = hosts.code(&of_two);
    tokio::pin!(verifying);
    let code = loop {
        tokio::select! {
            biased;
            code = &mut verifying => break code,
            () = tokio::task::yield_now() => hosts.clock.advance(Duration::from_millis(20)),
        }
    };
    assert_eq!(code, "KEYS_UNAVAILABLE");
    hosts.two.recover();
    hosts.refresh().await;
    assert_eq!(hosts.states(), ["fresh", "fresh"]);
    assert_eq!(hosts.code(&of_two).await, "OK");
}

#[tokio::test]
async fn a_poisoned_or_huge_set_does_not_affect_the_other() {
    let hosts = TwoHosts::start().await;
    let kid = hosts.one.key().kid().to_owned();
    let same_kid: Vec<_> = (0..20)
        .map(|_| KeyPair::generate(Algorithm::EdDSA).with_kid(&kid).jwk())
        .collect();
    for faults in [
        Faults::body(json!({ "keys": same_kid }).to_string()),
        Faults::body("<html>"),
        Faults::body(r#"{"keys":[]}"#),
        Faults {
            padding_bytes: Some(200 * 1024),
            ..Faults::default()
        },
    ] {
        hosts.two.set_faults(faults.clone());
        hosts.refresh().await;
        let token = hosts.token(hosts.one.key()).sub("new").sign();
        assert_eq!(hosts.code(&token).await, "OK", "{faults:?}");
        assert_eq!(hosts.states()[0], "fresh");
    }
}

#[tokio::test]
async fn a_host_that_hangs_delays_no_token_of_the_other() {
    let hosts = TwoHosts::start_cold(Faults::hang(), cache_config()).await;
    let token = hosts.token(hosts.one.key()).sign();
    assert_eq!(hosts.code(&token).await, "OK", "waits for one host only");
    hosts.one.rotate();
    let new = hosts.token(hosts.one.key()).sign();
    assert_eq!(hosts.code(&new).await, "OK", "the clock has not moved");
    assert_eq!(hosts.states(), ["fresh", "empty"]);
    hosts.two.recover();
}

#[tokio::test]
async fn a_changed_set_rejects_only_its_own_cached_tokens() {
    let hosts = TwoHosts::start().await;
    let tokens = [&hosts.one, &hosts.two].map(|host| hosts.token(host.key()).sign());
    for token in &tokens {
        assert_eq!(hosts.code(token).await, "OK");
    }
    hosts.two.replace_keys(KeyRing::new(Algorithm::EdDSA));
    hosts.refresh().await;
    assert_eq!(hosts.auth.cached_tokens(), 2);
    assert_eq!(hosts.code(&tokens[0]).await, "OK");
    assert_eq!(hosts.code(&tokens[1]).await, "UNKNOWN_KEY");
    assert_eq!(hosts.auth.cached_tokens(), 1);
}

#[tokio::test]
async fn an_unknown_kid_is_looked_for_in_every_set() {
    let hosts = TwoHosts::start().await;
    hosts.two.rotate();
    let token = hosts.token(hosts.two.key()).sign();
    assert_eq!(hosts.code(&token).await, "OK");
    let unknown = hosts.token(hosts.one.key()).kid("unknown").sign();
    assert_eq!(hosts.code(&unknown).await, "UNKNOWN_KEY");
    // The negative caches of both sets contain it.
    let fetches = (hosts.one.fetches(), hosts.two.fetches());
    assert_eq!(hosts.code(&unknown).await, "UNKNOWN_KEY");
    assert_eq!((hosts.one.fetches(), hosts.two.fetches()), fetches);
}

#[tokio::test]
async fn each_set_has_its_own_snapshot_file() {
    let dir = tempfile::tempdir().unwrap();
    let config = cache_config().snapshot_dir(dir.path());
    let hosts = TwoHosts::start_cold(Faults::default(), config.clone()).await;
    hosts.auth.wait_for_initial_fetch().await;
    let files = || std::fs::read_dir(dir.path()).unwrap().count();
    wait_until("both snapshots are stored", || files() == 2).await;
    hosts.one.outage();
    hosts.two.outage();
    let issuer = issuer_of([&hosts.one, &hosts.two]);
    let restarted = builder_for(issuer, &hosts.one).jwks_cache(config);
    let auth = restarted.build().await.unwrap();
    for key in [hosts.one.key(), hosts.two.key()] {
        let token = hosts.token(key).sign();
        assert_eq!(result_code(&auth.verify(&token).await), "OK");
    }
}

#[tokio::test]
async fn invalid_lists_of_urls_are_build_errors() {
    let url = |number: usize| {
        format!("https://keys{number}.example/jwks")
            .parse()
            .unwrap()
    };
    let build = async |issuer: Issuer| match Bearward::builder().issuer(issuer).build().await {
        Err(BuildError::KeySource { source, .. }) => Some(source),
        Err(other) => panic!("{other}"),
        Ok(_) => None,
    };
    let issuer = || Issuer::new("https://idp.example", "api").unwrap();
    let urls = |urls| issuer().keys(KeySource::Urls(urls));
    assert_eq!(build(urls(vec![])).await, Some(KeySourceError::NoUrl));
    assert_eq!(build(urls((0..8).map(url).collect())).await, None);
    assert_eq!(
        build(urls((0..9).map(url).collect())).await,
        Some(KeySourceError::TooManyUrls)
    );
    assert_eq!(
        build(urls(vec![url(1), url(2), url(1)])).await,
        Some(KeySourceError::DuplicateUrl)
    );
    let with_token = |issuer: Issuer| issuer.jwks_token_file("/run/token");
    assert_eq!(
        build(with_token(urls(vec![url(1), url(2)]))).await,
        Some(KeySourceError::SeveralOrigins)
    );
    let same_origin = ["https://a.example/1", "https://a.example:443/2"];
    let same_origin = same_origin.map(|url| url.parse().unwrap()).to_vec();
    assert_eq!(build(with_token(urls(same_origin))).await, None);
    let fixed = issuer().keys(KeySource::Fixed(r#"{"keys":[]}"#.to_owned()));
    assert_eq!(
        build(with_token(fixed)).await,
        Some(KeySourceError::UnusedCredentials)
    );
}

#[tokio::test]
async fn labels_are_distinct_and_have_no_query() {
    let urls = [
        "https://idp.example/keys?p=one",
        "https://idp.example/keys?p=two",
        "https://idp.example/other",
    ];
    let urls = urls.map(|url| url.parse().unwrap()).to_vec();
    let issuer = Issuer::new("https://idp.example", "api")
        .unwrap()
        .keys(KeySource::Urls(urls));
    let clock = Arc::new(TestClock::new());
    let auth = Bearward::builder()
        .issuer(issuer)
        .clock(clock)
        .build()
        .await;
    let statuses = auth.unwrap().key_set_statuses();
    let labels: Vec<_> = statuses
        .iter()
        .map(|status| status.label.as_deref())
        .collect();
    assert_eq!(
        labels,
        [
            Some("https://idp.example/keys"),
            Some("https://idp.example/keys (2)"),
            Some("https://idp.example/other"),
        ]
    );
}
