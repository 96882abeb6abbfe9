//! Lifetime of a key set and conditional requests.

use std::time::Duration;

use bearward_testing::Faults;

use crate::fixture::{Fixture, PAST_REFRESH, cache_config, idp, secs};

/// Asserts that the next refresh is scheduled at 80 to 95 % of the lifetime, in seconds.
fn assert_lifetime(pause: Option<Duration>, lifetime: u64, case: &str) {
    let pause = pause.expect("a refresh is scheduled");
    assert!(
        (secs(lifetime).mul_f64(0.799)..=secs(lifetime).mul_f64(0.951)).contains(&pause),
        "{case}: {pause:?}"
    );
}

#[tokio::test]
async fn cache_control_and_age_determine_the_next_refresh() {
    let none = String::new;
    let cases = [
        ("max-age", "max-age=300".to_owned(), None, 300),
        (
            "max-age minus Age",
            "public, max-age=300".to_owned(),
            Some(100),
            200,
        ),
        ("not below min_ttl", "max-age=5".to_owned(), None, 60),
        (
            "not below min_ttl if Age exceeds max-age",
            "max-age=300".to_owned(),
            Some(900),
            60,
        ),
        (
            "not above max_ttl",
            "max-age=31536000, immutable".to_owned(),
            None,
            3600,
        ),
        ("no-store", "no-store".to_owned(), None, 600),
        ("no-cache", "max-age=300, no-cache".to_owned(), None, 600),
        ("no Cache-Control", none(), None, 600),
        ("invalid max-age", "max-age=soon".to_owned(), None, 600),
    ];
    for (case, cache_control, age, lifetime) in cases {
        let idp = idp().await;
        idp.set_faults(Faults {
            age,
            ..Faults::cache_control(cache_control)
        });
        let fixture = Fixture::start_with_idp(idp).await;
        assert_lifetime(fixture.status().next_attempt_in, lifetime, case);
        // The set becomes stale at the end of the lifetime.
        fixture.idp.outage();
        fixture
            .advance(secs(lifetime) - Duration::from_millis(1))
            .await;
        assert_eq!(fixture.state(), "fresh", "{case}");
        fixture.advance(Duration::from_millis(1)).await;
        assert_eq!(fixture.state(), "stale", "{case}");
    }
}

#[tokio::test]
async fn configured_ttl_limits_override_the_defaults() {
    let limits = || {
        cache_config()
            .min_ttl(secs(10))
            .default_ttl(secs(20))
            .max_ttl(secs(30))
    };
    for (cache_control, lifetime) in [
        ("max-age=1", 10),
        ("", 20),
        ("max-age=25", 25),
        ("max-age=600", 30),
    ] {
        let idp = idp().await;
        idp.set_faults(Faults::cache_control(cache_control));
        let fixture = Fixture::start_with(idp, limits()).await;
        assert_lifetime(fixture.status().next_attempt_in, lifetime, cache_control);
    }
}

#[tokio::test]
async fn keys_are_refreshed_without_traffic() {
    let fixture = Fixture::start().await;
    for refresh in 1..=5 {
        fixture.advance(secs(479)).await;
        assert_eq!(fixture.idp.fetches(), refresh, "not before 80 %");
        fixture.advance(secs(91)).await;
        assert_eq!(fixture.idp.fetches(), refresh + 1, "not after 95 %");
    }
    assert_eq!(fixture.state(), "fresh");
}

#[tokio::test]
async fn a_304_for_the_etag_renews_the_set() {
    let fixture = Fixture::start().await;
    for refresh in 1..=3 {
        fixture.advance(PAST_REFRESH).await;
        let status = fixture.status();
        assert_eq!(
            (fixture.fetch_outcomes("not_modified"), status.generation),
            (refresh, 1)
        );
        assert_eq!(
            (status.state(), status.age),
            ("fresh", Some(Duration::ZERO))
        );
        assert_lifetime(status.next_attempt_in, 600, "lifetime of the 304");
    }
    let requests = fixture.idp.requests();
    assert_eq!(requests[0].header("if-none-match"), None);
    let sent = requests[1].header("if-none-match").expect("an ETag");
    assert!(sent.starts_with('"') && sent.len() > 40, "{sent}");
    assert_eq!(requests[2].header("if-none-match"), Some(sent));

    fixture.idp.rotate();
    fixture.advance(PAST_REFRESH).await;
    assert_eq!(
        (
            fixture.fetch_outcomes("updated"),
            fixture.status().generation
        ),
        (2, 2),
        "a new set has another ETag"
    );
    fixture.advance(PAST_REFRESH).await;
    assert_ne!(
        fixture.idp.requests()[5].header("if-none-match"),
        Some(sent)
    );
    assert_eq!(fixture.fetch_outcomes("not_modified"), 4);
}

#[tokio::test]
async fn a_304_without_cache_control_reuses_the_previous_lifetime() {
    let idp = idp().await;
    idp.set_faults(Faults::cache_control("max-age=300"));
    let fixture = Fixture::start_with_idp(idp).await;
    fixture.idp.set_faults(Faults::cache_control(""));
    fixture.refresh().await;
    assert_eq!(fixture.fetch_outcomes("not_modified"), 1);
    assert_lifetime(
        fixture.status().next_attempt_in,
        300,
        "the previous lifetime",
    );
}

#[tokio::test]
async fn without_an_etag_the_set_is_fetched_each_time() {
    let idp = idp().await;
    idp.set_faults(Faults {
        no_etag: true,
        ..Faults::default()
    });
    let fixture = Fixture::start_with_idp(idp).await;
    fixture.refresh().await;
    assert_eq!(
        (
            fixture.fetch_outcomes("unchanged"),
            fixture.status().generation
        ),
        (1, 1)
    );
    assert!(
        fixture
            .idp
            .requests()
            .iter()
            .all(|request| request.header("if-none-match").is_none())
    );
}

#[tokio::test]
async fn wall_clock_changes_do_not_affect_freshness() {
    let fixture = Fixture::start().await;
    let (wall, next) = (
        bearward::Clock::now(&fixture.clock),
        fixture.status().next_attempt_in,
    );
    for moved in [
        wall.plus(Duration::from_secs(24 * 3600)),
        wall.minus(Duration::from_secs(24 * 3600)),
    ] {
        fixture.clock.set_wall_clock(moved);
        assert_eq!(
            (fixture.state(), fixture.status().next_attempt_in),
            ("fresh", next)
        );
        assert!(fixture.auth.is_ready());
    }
    assert_eq!(fixture.idp.fetches(), 1);
}
