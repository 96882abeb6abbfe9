//! The developer console and the admin routes that it calls.

use bearward::{Algorithm, Bearward, Issuer, KeySource};
use bearward_testing::{FORGERIES, TestClock};
use serde_json::{Value, json};

use crate::fixture::{JSON, TestIdp, TestResponse};

/// The `Accept` header of a browser navigation.
const BROWSER: (&str, &str) = (
    "accept",
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
);
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const FILES: [(&str, &str); 8] = [
    ("/.console/design.css", "text/css; charset=utf-8"),
    ("/.console/console.css", "text/css; charset=utf-8"),
    ("/.console/console.js", JAVASCRIPT),
    ("/.console/connect.js", JAVASCRIPT),
    ("/.console/dom.js", JAVASCRIPT),
    ("/.console/inbox.js", JAVASCRIPT),
    ("/.console/meanings.js", JAVASCRIPT),
    ("/.console/token.js", JAVASCRIPT),
];

#[tokio::test]
async fn root_is_html_for_browsers_and_text_for_programs() {
    let idp = TestIdp::start();
    let page = page(&idp).await;
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(page.body.contains("Development only."), "{}", page.body);
    for accept in ["*/*", "text/plain", "application/json"] {
        let text = idp.send("GET /", &[("accept", accept)], "").await;
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
        "caches keep both apart"
    );
}

#[tokio::test]
async fn page_offers_every_forgery_and_algorithm() {
    let idp = TestIdp::start();
    let page = page(&idp).await.body;
    for name in FORGERIES
        .into_iter()
        .chain(Algorithm::ALL.iter().copied().map(Algorithm::name))
    {
        assert!(page.contains(&format!("<option>{name}</option>")), "{name}");
    }
    assert!(!page.contains("<!--"), "a placeholder was not replaced");
}

#[tokio::test]
async fn policy_allows_only_own_script_and_style() {
    let idp = TestIdp::start();
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
        let file = idp.get(path).await;
        assert_eq!(
            (file.status, file.header("content-type")),
            (200, Some(content_type)),
            "{path}"
        );
        assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
    }
    for (path, _) in &FILES[..2] {
        assert!(page.body.contains(path), "{path} is referenced");
    }
    let missing = idp.get("/.console/nothing.js").await;
    assert_eq!(missing.error(), (404, "NOT_FOUND".to_owned()));
}

#[tokio::test]
async fn files_use_no_other_host_and_no_markup_sinks() {
    let idp = TestIdp::start();
    let mut texts = vec![page(&idp).await.body];
    for (path, _) in FILES {
        texts.push(idp.get(path).await.body);
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
        assert_eq!(inline.count(), 0, "inline event handlers");
    }
}

#[tokio::test]
async fn page_contains_no_state() {
    let idp = TestIdp::start();
    let kid = idp.get("/admin/keys").await.json()["keys"][0]["kid"]
        .as_str()
        .unwrap()
        .to_owned();
    let signed_up = idp
        .send_json(
            "POST /auth/v1/signup",
            r#"{"email": "mallory@example.com", "password": "long enough"}"#,
        )
        .await;
    assert_eq!(signed_up.status, 200, "{}", signed_up.body);
    let page = page(&idp).await.body;
    assert!(!page.contains(&kid) && !page.contains("mallory"));
}

#[tokio::test]
async fn console_requests_reject_foreign_origins_and_hosts() {
    let idp = TestIdp::start();
    let api = verifier_with_clock(&idp, &TestClock::new()).await;
    idp.attach_api("http://127.0.0.1:8000", api);
    let token = idp.mint("{}").await;
    let body = json!({ "token": token }).to_string();
    for header in [
        ("origin", "https://attacker.invalid"),
        ("origin", "null"),
        ("host", "attacker.invalid"),
    ] {
        for line in [
            "GET /admin/api",
            "GET /admin/sessions",
            "POST /admin/explain",
        ] {
            let response = idp.send(line, &[header, JSON], &body).await;
            assert_eq!(
                response.error(),
                (403, "ORIGIN_REFUSED".to_owned()),
                "{line} with {header:?}"
            );
        }
    }
    // A cross-site form cannot send JSON without a preflight, and no preflight is allowed.
    let form = [
        ("origin", "http://localhost:3000"),
        ("content-type", "text/plain"),
    ];
    assert_eq!(
        idp.send("POST /admin/explain", &form, &body).await.status,
        415
    );
    let preflight = [
        ("origin", "http://localhost:3000"),
        ("access-control-request-method", "POST"),
    ];
    assert_eq!(
        idp.send("OPTIONS /admin/explain", &preflight, "")
            .await
            .header("access-control-allow-origin"),
        None
    );
}

#[tokio::test]
async fn explain_report_equals_the_library_report() {
    let (idp, clock) = (TestIdp::start(), TestClock::new());
    let api = verifier_with_clock(&idp, &clock).await;
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
    for request in orders {
        let token = idp.mint(&request.to_string()).await;
        let report = explain(&idp, &token).await;
        let expected = api.explain(&token).await;
        assert_eq!(report["accepted"], expected.is_accepted());
        assert_eq!(
            report["code"],
            json!(
                expected
                    .failure
                    .as_ref()
                    .map(|failure| failure.error.code())
            )
        );
        assert_eq!(report["advice"], json!(expected.next_step));
        let lines = report["checks"].as_array().unwrap();
        assert_eq!(lines.len(), expected.steps.len());
        for (line, expected) in lines.iter().zip(&expected.steps) {
            let expected = json!({
                "check": expected.step.to_string(), "outcome": expected.outcome.name(),
                "found": expected.found, "expected": expected.expected,
            });
            assert_eq!(*line, expected);
        }
        assert_eq!(report["claims"], expected.to_json()["claims"]);
        let signature = token.rsplit('.').next().unwrap();
        assert!(
            !report.to_string().contains(signature),
            "the signature is not in the report"
        );
        codes.push(report["code"].clone());
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
async fn explain_requires_a_token() {
    let (idp, clock) = (TestIdp::start(), TestClock::new());
    idp.attach_api(
        "http://127.0.0.1:8000",
        verifier_with_clock(&idp, &clock).await,
    );
    for body in [
        "{}",
        r#"{"token": null}"#,
        r#"{"token": ""}"#,
        r#"{"token": "  "}"#,
        r#"{"token": 1}"#,
        r#"{"url": "http://10.0.0.1"}"#,
    ] {
        assert_eq!(
            idp.send_json("POST /admin/explain", body).await.error(),
            (422, "VALIDATION_FAILED".to_owned()),
            "{body}"
        );
    }
    assert_eq!(explain(&idp, "x").await["code"], "MALFORMED_TOKEN");
}

#[tokio::test]
async fn explain_without_an_api_is_404_with_a_hint() {
    let idp = TestIdp::start();
    assert_eq!(idp.get("/admin/api").await.json(), json!({ "api": null }));
    let response = idp
        .send_json("POST /admin/explain", r#"{"token": "x"}"#)
        .await;
    assert_eq!(response.error(), (404, "NOT_FOUND".to_owned()));
    assert!(response.body.contains("bearward dev"), "{}", response.body);
}

#[tokio::test]
async fn api_status_shows_the_current_key_cache() {
    let (idp, clock) = (TestIdp::start(), TestClock::new());
    let api = verifier_with_clock(&idp, &clock).await;
    api.wait_for_initial_fetch().await;
    idp.attach_api("http://127.0.0.1:8000", api.clone());
    let before = api_status(&idp).await;
    assert_eq!(
        (&before["address"], &before["issuers"][0]["state"]),
        (&json!("http://127.0.0.1:8000"), &json!("fresh"))
    );
    assert_eq!(
        before["issuers"][0]["kids"],
        json!(api.key_set_statuses()[0].kids().collect::<Vec<_>>())
    );
    idp.send("POST /admin/keys/rotate", &[], "").await;
    assert_eq!(
        api_status(&idp).await["issuers"][0]["kids"]
            .as_array()
            .unwrap()
            .len(),
        1,
        "the new key is not fetched yet"
    );
    assert_eq!(
        explain(&idp, &idp.mint("{}").await).await["accepted"],
        true,
        "an unknown key triggers a fetch"
    );
    assert_eq!(
        api_status(&idp).await["issuers"][0]["kids"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn session_list_contains_no_secrets() {
    let idp = TestIdp::start();
    assert_eq!(
        idp.get("/admin/sessions").await.json(),
        json!({ "sessions": [] })
    );
    let signed_up = idp
        .send_json(
            "POST /auth/v1/signup",
            r#"{"email": "ada@example.com", "password": "long enough"}"#,
        )
        .await
        .json();
    let token = signed_up["refresh_token"]
        .as_str()
        .expect("a session")
        .to_owned();
    let listed = idp.get("/admin/sessions").await;
    let session = &listed.json()["sessions"][0];
    assert_eq!(
        (
            &session["email"],
            &session["user_id"],
            &session["method"],
            &session["aal"]
        ),
        (
            &json!("ada@example.com"),
            &signed_up["user"]["id"],
            &json!("password"),
            &json!("aal1")
        )
    );
    let members: Vec<_> = session.as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        members,
        [
            "aal",
            "client_id",
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

#[tokio::test]
async fn a_session_is_ended_once() {
    let idp = TestIdp::start();
    let session = idp.sign_up("ada@example.com").await;
    let listed = idp.get("/admin/sessions").await.json();
    let id = listed["sessions"][0]["id"].as_str().unwrap().to_owned();
    let line = format!("DELETE /admin/sessions/{id}");
    assert_eq!(idp.send(&line, &[], "").await.status, 204);
    let refreshed = idp.refresh(session["refresh_token"].as_str().unwrap());
    assert_eq!(refreshed.await.status, 400);
    for line in [line.as_str(), "DELETE /admin/sessions/any"] {
        let response = idp.send(line, &[], "").await;
        assert_eq!(response.error(), (404, "NOT_FOUND".to_owned()));
    }
}

#[tokio::test]
async fn connect_values_are_those_of_the_idp() {
    let idp = TestIdp::start();
    let values = idp.get("/admin/connect").await.json();
    assert_eq!(values["base"], idp.base());
    assert_eq!(values["issuer"], idp.issuer());
    assert_eq!(values["jwks_url"], idp.jwks_url());
    assert_eq!(values["audience"], idp.audience());
    assert_eq!(
        (&values["algorithm"], &values["api"]),
        (&json!("RS256"), &Value::Null)
    );
    let google = json!({
        "issuer": idp.google_issuer(), "jwks_url": idp.google_jwks_url(), "client_id": idp.google_client_id(),
    });
    assert_eq!(values["google"], google);
}

/// The page `/docs` of the API may request a token; its origin may have any loopback name.
#[tokio::test]
async fn only_the_attached_api_may_request_tokens_from_its_pages() {
    let idp = TestIdp::start();
    let allowed = async |origin: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type"),
        ];
        let response = idp.send("OPTIONS /admin/tokens", &headers, "").await;
        response
            .header("access-control-allow-origin")
            .map(str::to_owned)
    };
    assert_eq!(allowed("http://127.0.0.1:8000").await, None, "no API");
    let api = verifier_with_clock(&idp, &TestClock::new()).await;
    idp.attach_api("http://127.0.0.1:8000", api);
    for origin in ["http://127.0.0.1:8000", "http://localhost:8000"] {
        assert_eq!(allowed(origin).await.as_deref(), Some(origin));
        let response = idp
            .send("POST /admin/tokens", &[("origin", origin)], "")
            .await;
        assert_eq!(response.header("access-control-allow-origin"), Some(origin));
    }
    for origin in [
        "http://127.0.0.1:3000",
        "https://127.0.0.1:8000",
        "http://attacker.invalid:8000",
        "null",
    ] {
        assert_eq!(allowed(origin).await, None, "{origin}");
    }
}

async fn page(idp: &TestIdp) -> TestResponse {
    let page = idp.send("GET /", &[BROWSER], "").await;
    assert_eq!(page.status, 200);
    page
}

async fn explain(idp: &TestIdp, token: &str) -> Value {
    let response = idp
        .send_json(
            "POST /admin/explain",
            &json!({ "token": token }).to_string(),
        )
        .await;
    assert_eq!(response.status, 200, "{}", response.body);
    response.json()
}

async fn api_status(idp: &TestIdp) -> Value {
    idp.get("/admin/api").await.json()["api"].clone()
}

/// A verifier with a test clock, so that two reports of one token are equal.
async fn verifier_with_clock(idp: &TestIdp, clock: &TestClock) -> Bearward {
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
