//! Which pages may call: those to which a sign-in may return, and the auth API alone.

use bearward_idp::AuthOptions;

use super::{start, start_with};
use crate::http::send;

const PREFLIGHT: [(&str, &str); 2] = [
    ("access-control-request-method", "POST"),
    (
        "access-control-request-headers",
        "apikey,authorization,content-type,x-client-info,x-supabase-api-version",
    ),
];

#[tokio::test]
async fn the_apps_pages_may_call_the_auth_api_and_read_the_keys() {
    let redirects = vec!["https://*.preview.example/**".to_owned()];
    let (idp, _) = start_with(AuthOptions {
        redirects,
        ..AuthOptions::default()
    });
    for origin in [
        "http://localhost:3000",
        "http://127.0.0.1:5173",
        "https://pr-1.preview.example",
    ] {
        for path in [
            "/auth/v1/token",
            "/auth/v1/user",
            "/auth/v1/.well-known/jwks.json",
            "/google/credential",
        ] {
            let asked = send(
                &idp,
                &format!("OPTIONS {path}"),
                &[PREFLIGHT[0], PREFLIGHT[1], ("origin", origin)],
                "",
            )
            .await;
            assert_eq!(
                (asked.status, asked.header("access-control-allow-origin")),
                (200, Some(origin)),
                "{path}"
            );
        }
        let keys = send(
            &idp,
            "GET /auth/v1/.well-known/jwks.json",
            &[("origin", origin)],
            "",
        )
        .await;
        assert_eq!(keys.header("access-control-allow-origin"), Some(origin));
        let refused = send(&idp, "GET /auth/v1/user", &[("origin", origin)], "").await;
        assert_eq!(
            refused.header("access-control-expose-headers"),
            Some("x-supabase-api-version"),
            "errors too"
        );
    }
}

#[tokio::test]
async fn other_pages_may_not() {
    let (idp, _) = start();
    for origin in [
        "https://attacker.invalid",
        "null",
        "http://localhost.attacker.invalid",
        "http://localhost@attacker.invalid",
    ] {
        for path in [
            "/auth/v1/token",
            "/auth/v1/.well-known/jwks.json",
            "/google/credential",
        ] {
            let asked = send(
                &idp,
                &format!("OPTIONS {path}"),
                &[PREFLIGHT[0], PREFLIGHT[1], ("origin", origin)],
                "",
            )
            .await;
            assert_eq!(
                asked.header("access-control-allow-origin"),
                None,
                "{path} from {origin}"
            );
        }
    }
}

#[tokio::test]
async fn a_page_whose_name_was_rebound_to_this_machine_gets_no_session() {
    let (idp, _) = start();
    let name = format!("attacker.invalid:{}", idp.address().port());
    let origin = format!("http://{name}");
    let headers = [
        ("host", name.as_str()),
        ("origin", origin.as_str()),
        ("content-type", "application/json"),
    ];
    for (line, body) in [
        (
            "POST /auth/v1/signup",
            r#"{"email": "mallory@example.com", "password": "long enough"}"#,
        ),
        ("POST /auth/v1/signup", "{}"),
        (
            "POST /auth/v1/token?grant_type=password",
            r#"{"email": "mallory@example.com", "password": "long enough"}"#,
        ),
    ] {
        let answer = send(&idp, line, &headers, body).await;
        assert!(
            answer.status == 400 && answer.body.contains("Origin"),
            "{line}: {} {}",
            answer.status,
            answer.body
        );
    }
    assert_eq!(
        send(&idp, "GET /admin/users", &[], "").await.json()["users"],
        serde_json::json!([]),
        "nobody has signed up"
    );
    // Programs send no Origin, and may reach it by a name of their own, as containers do.
    let program = [("host", "host.docker.internal:9999"), headers[2]];
    assert_eq!(
        send(&idp, "POST /auth/v1/signup", &program, "{}")
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn the_admin_api_grants_no_page_anything() {
    let (idp, _) = start();
    for path in ["/admin/tokens", "/admin/users", "/admin/clock", "/.inbox"] {
        let headers = [
            PREFLIGHT[0],
            PREFLIGHT[1],
            ("origin", "http://localhost:3000"),
        ];
        let asked = send(&idp, &format!("OPTIONS {path}"), &headers, "").await;
        assert_eq!(
            (asked.status, asked.header("access-control-allow-origin")),
            (405, None),
            "{path}"
        );
    }
}
