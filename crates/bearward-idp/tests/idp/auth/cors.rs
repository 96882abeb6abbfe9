//! CORS: allowed origins of the auth API, and none for the admin API.

use bearward_idp::AuthOptions;

use crate::fixture::{self, TestIdp};

const PREFLIGHT: [(&str, &str); 2] = [
    ("access-control-request-method", "POST"),
    (
        "access-control-request-headers",
        "apikey,authorization,content-type,x-client-info,x-supabase-api-version",
    ),
];

#[tokio::test]
async fn allowed_origins_can_call_the_auth_api() {
    let redirects = vec!["https://*.preview.example/**".to_owned()];
    let (idp, _) = TestIdp::with_auth(AuthOptions {
        redirects,
        ..fixture::auth_options()
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
            let preflight = idp
                .send(
                    &format!("OPTIONS {path}"),
                    &[PREFLIGHT[0], PREFLIGHT[1], ("origin", origin)],
                    "",
                )
                .await;
            let expected = if path.starts_with("/auth") { 204 } else { 200 };
            assert_eq!(
                (
                    preflight.status,
                    preflight.header("access-control-allow-origin")
                ),
                (expected, Some(origin)),
                "{path}"
            );
        }
        let keys = idp
            .send(
                "GET /auth/v1/.well-known/jwks.json",
                &[("origin", origin)],
                "",
            )
            .await;
        assert_eq!(keys.header("access-control-allow-origin"), Some(origin));
        let rejected = idp
            .send("GET /auth/v1/user", &[("origin", origin)], "")
            .await;
        assert_eq!(
            rejected.header("access-control-expose-headers"),
            Some("x-supabase-api-version"),
            "also on errors"
        );
    }
}

#[tokio::test]
async fn other_origins_get_no_cors_headers() {
    let (idp, _) = TestIdp::with_clock();
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
            let preflight = idp
                .send(
                    &format!("OPTIONS {path}"),
                    &[PREFLIGHT[0], PREFLIGHT[1], ("origin", origin)],
                    "",
                )
                .await;
            assert_eq!(
                preflight.header("access-control-allow-origin"),
                None,
                "{path} from {origin}"
            );
        }
    }
}

#[tokio::test]
async fn rebound_host_name_gets_no_session() {
    let (idp, _) = TestIdp::with_clock();
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
        let response = idp.send(line, &headers, body).await;
        assert_eq!(
            response.auth_error(),
            (400, "origin_not_allowed".to_owned()),
            "{line}"
        );
    }
    assert_eq!(
        idp.send("GET /admin/users", &[], "").await.json()["users"],
        serde_json::json!([]),
        "no user was created"
    );
    // Programs send no Origin and may use another host name, as containers do.
    let program = [("host", "host.docker.internal:9999"), headers[2]];
    assert_eq!(
        idp.send("POST /auth/v1/signup", &program, "{}")
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn admin_api_has_no_cors() {
    let (idp, _) = TestIdp::with_clock();
    for (path, status) in [
        // Only the documentation page of the attached API may request tokens.
        ("/admin/tokens", 400),
        ("/admin/users", 405),
        ("/admin/clock", 405),
        ("/.inbox", 405),
    ] {
        let headers = [
            PREFLIGHT[0],
            PREFLIGHT[1],
            ("origin", "http://localhost:3000"),
        ];
        let preflight = idp.send(&format!("OPTIONS {path}"), &headers, "").await;
        assert_eq!(
            (
                preflight.status,
                preflight.header("access-control-allow-origin")
            ),
            (status, None),
            "{path}"
        );
    }
}
