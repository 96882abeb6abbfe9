//! The developer console: a page for people, which holds nothing itself and lets no stranger ask.

use bearward::{Algorithm, Bearward, Issuer, KeySource};
use bearward_idp::Idp;
use bearward_testing::{FORGERIES, TestClock};
use serde_json::{Value, json};

use crate::{
    http::{Answer, get, json as send_json, mint, send},
    start,
};

/// What a browser sends for a page.
const BROWSER: (&str, &str) = (
    "accept",
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
);
const FILES: [(&str, &str); 2] = [
    ("/.console/console.css", "text/css; charset=utf-8"),
    ("/.console/console.js", "text/javascript; charset=utf-8"),
];

#[tokio::test]
async fn a_browser_gets_a_page_and_a_program_gets_text() {
    let idp = start();
    let page = page(&idp).await;
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(page.body.contains("Development only."), "{}", page.body);
    for accept in ["*/*", "text/plain", "application/json"] {
        let text = send(&idp, "GET /", &[("accept", accept)], "").await;
        assert_eq!(
            text.header("content-type"),
            Some("text/plain; charset=utf-8"),
            "{accept}"
        );
        assert_eq!(text.header("vary"), Some("accept"));
    }
    assert_eq!(
        page.header("vary"),
        Some("accept"),
        "no cache gives one for the other"
    );
}

#[tokio::test]
async fn the_page_offers_every_forgery_and_every_algorithm() {
    let idp = start();
    let page = page(&idp).await.body;
    for name in FORGERIES
        .into_iter()
        .chain(Algorithm::ALL.into_iter().map(Algorithm::name))
    {
        assert!(page.contains(&format!("<option>{name}</option>")), "{name}");
    }
    assert!(!page.contains("<!--"), "a place was not filled");
}

#[tokio::test]
async fn the_page_allows_its_own_two_files_and_no_other_script() {
    let idp = start();
    let page = page(&idp).await;
    let policy = page
        .header("content-security-policy")
        .expect("a policy")
        .to_owned();
    for rule in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ] {
        assert!(
            policy.split(';').any(|found| found.trim() == rule),
            "{rule} in {policy}"
        );
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(
        (page.header("x-frame-options"), page.header("cache-control")),
        (Some("DENY"), Some("no-store"))
    );
    for (path, content_type) in FILES {
        let file = get(&idp, path).await;
        assert_eq!(
            (file.status, file.header("content-type")),
            (200, Some(content_type)),
            "{path}"
        );
        assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
        assert!(page.body.contains(path), "{path} is asked for");
    }
}

#[tokio::test]
async fn the_page_asks_nobody_else_and_makes_no_markup_out_of_text() {
    let idp = start();
    let mut texts = vec![page(&idp).await.body];
    for (path, _) in FILES {
        texts.push(get(&idp, path).await.body);
    }
    for text in texts {
        for forbidden in [
            "http://",
            "https://",
            "url(",
            "@import",
            " style=",
            "innerHTML",
            "outerHTML",
            "insertAdjacent",
            "eval(",
            "document.write",
        ] {
            assert!(!text.contains(forbidden), "{forbidden}");
        }
        let handlers = text.match_indices(" on").filter(|(at, _)| {
            text[at + 3..]
                .chars()
                .take_while(char::is_ascii_lowercase)
                .count()
                > 3
        });
        let inline = handlers.filter(|(at, _)| {
            text[at + 3..]
                .trim_start_matches(|c: char| c.is_ascii_lowercase())
                .starts_with("=\"")
        });
        assert_eq!(inline.count(), 0, "an inline handler");
    }
}

#[tokio::test]
async fn no_state_stands_in_the_page_that_a_stranger_could_read() {
    let idp = start();
    let kid = get(&idp, "/admin/keys").await.json()["keys"][0]["kid"]
        .as_str()
        .unwrap()
        .to_owned();
    let signed_up = send_json(
        &idp,
        "POST /auth/v1/signup",
        r#"{"email": "mallory@example.com", "password": "long enough"}"#,
    )
    .await;
    assert_eq!(signed_up.status, 200, "{}", signed_up.body);
    let page = page(&idp).await.body;
    assert!(!page.contains(&kid) && !page.contains("mallory"));
}

#[tokio::test]
async fn a_hostile_page_or_a_rebound_name_learns_nothing_from_what_the_console_asks() {
    let idp = start();
    let api = trusting(&idp, &TestClock::new()).await;
    idp.attach_api("http://127.0.0.1:8000", api);
    let token = mint(&idp, "{}").await;
    let body = json!({ "token": token }).to_string();
    for stranger in [
        ("origin", "https://attacker.invalid"),
        ("origin", "null"),
        ("host", "attacker.invalid"),
    ] {
        for line in [
            "GET /admin/api",
            "GET /admin/sessions",
            "POST /admin/explain",
        ] {
            let answer = send(&idp, line, &[stranger, crate::http::JSON], &body).await;
            assert_eq!(
                answer.refusal(),
                (403, "ORIGIN_REFUSED".to_owned()),
                "{line} by {stranger:?}"
            );
        }
    }
    // A form cannot send JSON without asking first, and nobody is told yes.
    let form = [
        ("origin", "http://localhost:3000"),
        ("content-type", "text/plain"),
    ];
    assert_eq!(
        send(&idp, "POST /admin/explain", &form, &body).await.status,
        415
    );
    let preflight = [
        ("origin", "http://localhost:3000"),
        ("access-control-request-method", "POST"),
    ];
    assert_eq!(
        send(&idp, "OPTIONS /admin/explain", &preflight, "")
            .await
            .header("access-control-allow-origin"),
        None
    );
}

#[tokio::test]
async fn the_report_is_the_one_of_the_library_for_tokens_right_and_wrong() {
    let (idp, clock) = (start(), TestClock::new());
    let api = trusting(&idp, &clock).await;
    api.wait_for_initial_fetch().await;
    idp.attach_api("http://127.0.0.1:8000", api.clone());
    let orders = [
        json!({}),
        json!({ "expires_in": -3600 }),
        json!({ "claims": { "aud": "another" } }),
        json!({ "forge": "tampered" }),
        json!({ "claims": { "sub": "<img src=x onerror=alert(1)>" } }),
    ];
    let mut codes = Vec::new();
    for order in orders {
        let token = mint(&idp, &order.to_string()).await;
        let asked = explained(&idp, &token).await;
        let expected = api.explain(&token).await;
        assert_eq!(asked["accepted"], expected.is_accepted());
        assert_eq!(
            asked["code"],
            json!(
                expected
                    .refusal
                    .as_ref()
                    .map(|refusal| refusal.error.code())
            )
        );
        assert_eq!(asked["advice"], json!(expected.advice));
        let lines = asked["checks"].as_array().unwrap();
        assert_eq!(lines.len(), expected.lines.len());
        for (line, expected) in lines.iter().zip(&expected.lines) {
            let wanted = json!({
                "check": expected.check.to_string(), "outcome": expected.outcome.name(),
                "found": expected.found, "expected": expected.expected,
            });
            assert_eq!(*line, wanted);
        }
        let signature = token.rsplit('.').next().unwrap();
        assert!(
            !asked.to_string().contains(signature),
            "the signature is not shown"
        );
        codes.push(asked["code"].clone());
    }
    assert_eq!(
        codes,
        [
            Value::Null,
            "TOKEN_EXPIRED".into(),
            "INVALID_AUDIENCE".into(),
            "INVALID_SIGNATURE".into(),
            Value::Null
        ]
    );
}

#[tokio::test]
async fn a_token_must_be_there_to_be_explained() {
    let (idp, clock) = (start(), TestClock::new());
    idp.attach_api("http://127.0.0.1:8000", trusting(&idp, &clock).await);
    for body in [
        "{}",
        r#"{"token": null}"#,
        r#"{"token": ""}"#,
        r#"{"token": "  "}"#,
        r#"{"token": 1}"#,
        r#"{"url": "http://10.0.0.1"}"#,
    ] {
        assert_eq!(
            send_json(&idp, "POST /admin/explain", body).await.refusal(),
            (422, "VALIDATION_FAILED".to_owned()),
            "{body}"
        );
    }
    assert_eq!(explained(&idp, "x").await["code"], "MALFORMED_TOKEN");
}

#[tokio::test]
async fn without_an_api_it_says_how_to_have_one() {
    let idp = start();
    assert_eq!(get(&idp, "/admin/api").await.json(), json!({ "api": null }));
    let answer = send_json(&idp, "POST /admin/explain", r#"{"token": "x"}"#).await;
    assert_eq!(answer.refusal(), (404, "NOT_FOUND".to_owned()));
    assert!(answer.body.contains("bearward dev"), "{}", answer.body);
}

#[tokio::test]
async fn the_key_cache_of_the_api_is_shown_as_it_stands() {
    let (idp, clock) = (start(), TestClock::new());
    let api = trusting(&idp, &clock).await;
    api.wait_for_initial_fetch().await;
    idp.attach_api("http://127.0.0.1:8000", api.clone());
    let before = shown(&idp).await;
    assert_eq!(
        (&before["address"], &before["issuers"][0]["state"]),
        (&json!("http://127.0.0.1:8000"), &json!("fresh"))
    );
    assert_eq!(
        before["issuers"][0]["kids"],
        json!(api.key_set_statuses()[0].kids)
    );
    send(&idp, "POST /admin/keys/rotate", &[], "").await;
    assert_eq!(
        shown(&idp).await["issuers"][0]["kids"]
            .as_array()
            .unwrap()
            .len(),
        1,
        "it has not asked yet"
    );
    assert_eq!(
        explained(&idp, &mint(&idp, "{}").await).await["accepted"],
        true,
        "an unknown key makes it ask"
    );
    assert_eq!(
        shown(&idp).await["issuers"][0]["kids"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn whoever_signed_in_is_listed_without_anything_to_go_on_with() {
    let idp = start();
    assert_eq!(
        get(&idp, "/admin/sessions").await.json(),
        json!({ "sessions": [] })
    );
    let signed_up = send_json(
        &idp,
        "POST /auth/v1/signup",
        r#"{"email": "ada@example.com", "password": "long enough"}"#,
    )
    .await
    .json();
    let token = signed_up["refresh_token"]
        .as_str()
        .expect("a session")
        .to_owned();
    let listed = get(&idp, "/admin/sessions").await;
    let session = &listed.json()["sessions"][0];
    assert_eq!(
        (&session["email"], &session["user_id"], &session["method"]),
        (
            &json!("ada@example.com"),
            &signed_up["user"]["id"],
            &json!("password")
        )
    );
    let members: Vec<_> = session.as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        members,
        [
            "created_at",
            "email",
            "id",
            "method",
            "refreshed_at",
            "user_id"
        ]
    );
    assert!(!listed.body.contains(&token));
}

async fn page(idp: &Idp) -> Answer {
    let page = send(idp, "GET /", &[BROWSER], "").await;
    assert_eq!(page.status, 200);
    page
}

async fn explained(idp: &Idp, token: &str) -> Value {
    let answer = send_json(
        idp,
        "POST /admin/explain",
        &json!({ "token": token }).to_string(),
    )
    .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

async fn shown(idp: &Idp) -> Value {
    get(idp, "/admin/api").await.json()["api"].clone()
}

/// Its clock stands, so that two reports of one token are the same to the second.
async fn trusting(idp: &Idp, clock: &TestClock) -> Bearward {
    let issuer = Issuer::new(idp.issuer(), idp.audience())
        .unwrap()
        .keys(KeySource::Url(idp.jwks_url().parse().unwrap()));
    let clock = std::sync::Arc::new(clock.clone());
    Bearward::builder()
        .issuer(issuer)
        .clock(clock)
        .build()
        .await
        .unwrap()
}
