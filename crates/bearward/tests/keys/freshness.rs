//! For how long a set is fresh, and how it is asked whether it still is.

use std::time::Duration;

use bearward_testing::Faults;

use crate::stack::{REFRESHED, Stack, idp, policy, s};

/// The refresh comes at 80 to 95 % of what was granted.
fn assert_granted(pause: Option<Duration>, granted: u64, what: &str) {
    let pause = pause.expect("a refresh is planned");
    assert!(
        (s(granted).mul_f64(0.799)..=s(granted).mul_f64(0.951)).contains(&pause),
        "{what}: {pause:?}"
    );
}

#[tokio::test]
async fn cache_control_and_age_decide_when_the_next_refresh_comes() {
    let none = String::new;
    let cases = [
        ("as it is", "max-age=300".to_owned(), None, 300),
        (
            "less its age",
            "public, max-age=300".to_owned(),
            Some(100),
            200,
        ),
        ("not below min_ttl", "max-age=5".to_owned(), None, 60),
        (
            "not below min_ttl, when the copy is older than its lifetime",
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
        ("nothing said", none(), None, 600),
        (
            "nothing readable said",
            "max-age=soon".to_owned(),
            None,
            600,
        ),
    ];
    for (what, cache_control, age, granted) in cases {
        let idp = idp().await;
        idp.set_faults(Faults {
            age,
            ..Faults::cache_control(cache_control)
        });
        let stack = Stack::warm_at(idp).await;
        assert_granted(stack.status().next_attempt_in, granted, what);
        // And until when it counts as fresh.
        stack.idp.outage();
        stack.advance(s(granted) - Duration::from_millis(1)).await;
        assert_eq!(stack.state(), "fresh", "{what}");
        stack.advance(Duration::from_millis(1)).await;
        assert_eq!(stack.state(), "stale", "{what}");
    }
}

#[tokio::test]
async fn the_limits_of_the_policy_hold_instead_of_the_defaults() {
    let limits = || policy().min_ttl(s(10)).default_ttl(s(20)).max_ttl(s(30));
    for (cache_control, granted) in [
        ("max-age=1", 10),
        ("", 20),
        ("max-age=25", 25),
        ("max-age=600", 30),
    ] {
        let idp = idp().await;
        idp.set_faults(Faults::cache_control(cache_control));
        let stack = Stack::warm_with(idp, limits()).await;
        assert_granted(stack.status().next_attempt_in, granted, cache_control);
    }
}

#[tokio::test]
async fn the_refresh_comes_without_traffic() {
    let stack = Stack::warm().await;
    for refresh in 1..=5 {
        stack.advance(s(479)).await;
        assert_eq!(stack.idp.fetches(), refresh, "not before 80 %");
        stack.advance(s(91)).await;
        assert_eq!(stack.idp.fetches(), refresh + 1, "not after 95 %");
    }
    assert_eq!(stack.state(), "fresh");
}

#[tokio::test]
async fn the_etag_is_sent_back_and_a_304_renews_the_set() {
    let stack = Stack::warm().await;
    for refresh in 1..=3 {
        stack.advance(REFRESHED).await;
        let status = stack.status();
        assert_eq!(
            (stack.outcome("not_modified"), status.generation),
            (refresh, 1)
        );
        assert_eq!(
            (status.state(), status.age),
            ("fresh", Some(Duration::ZERO))
        );
        assert_granted(status.next_attempt_in, 600, "as the 304 says");
    }
    let requests = stack.idp.requests();
    assert_eq!(requests[0].header("if-none-match"), None);
    let sent = requests[1].header("if-none-match").expect("an ETag");
    assert!(sent.starts_with('"') && sent.len() > 40, "{sent}");
    assert_eq!(requests[2].header("if-none-match"), Some(sent));

    stack.idp.rotate();
    stack.advance(REFRESHED).await;
    assert_eq!(
        (stack.outcome("updated"), stack.status().generation),
        (2, 2),
        "another set has another ETag"
    );
    stack.advance(REFRESHED).await;
    assert_ne!(stack.idp.requests()[5].header("if-none-match"), Some(sent));
    assert_eq!(stack.outcome("not_modified"), 4);
}

#[tokio::test]
async fn a_304_that_says_nothing_grants_what_the_set_was_granted() {
    let idp = idp().await;
    idp.set_faults(Faults::cache_control("max-age=300"));
    let stack = Stack::warm_at(idp).await;
    stack.idp.set_faults(Faults::cache_control(""));
    stack.refresh().await;
    assert_eq!(stack.outcome("not_modified"), 1);
    assert_granted(stack.status().next_attempt_in, 300, "again");
}

#[tokio::test]
async fn without_an_etag_the_whole_set_is_fetched_each_time() {
    let idp = idp().await;
    idp.set_faults(Faults {
        no_etag: true,
        ..Faults::default()
    });
    let stack = Stack::warm_at(idp).await;
    stack.refresh().await;
    assert_eq!(
        (stack.outcome("unchanged"), stack.status().generation),
        (1, 1)
    );
    assert!(
        stack
            .idp
            .requests()
            .iter()
            .all(|request| request.header("if-none-match").is_none())
    );
}

#[tokio::test]
async fn a_wall_clock_that_is_set_neither_ages_nor_renews_a_set() {
    let stack = Stack::warm().await;
    let (wall, next) = (
        bearward::Clock::now(&stack.clock),
        stack.status().next_attempt_in,
    );
    for moved in [
        wall.plus(Duration::from_hours(24)),
        wall.minus(Duration::from_hours(24)),
    ] {
        stack.clock.set_wall_clock(moved);
        assert_eq!(
            (stack.state(), stack.status().next_attempt_in),
            ("fresh", next)
        );
        assert!(stack.auth.is_ready());
    }
    assert_eq!(stack.idp.fetches(), 1);
}
