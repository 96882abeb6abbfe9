//! Access to the admin API: local programs and pages only.

use crate::fixture::TestIdp;

const ROUTES: [&str; 23] = [
    "GET /admin/api",
    "POST /admin/explain",
    "GET /admin/sessions",
    "POST /admin/tokens",
    "GET /admin/keys",
    "POST /admin/keys/rotate",
    "POST /admin/keys/standby",
    "POST /admin/keys/any/revoke",
    "GET /admin/faults",
    "PUT /admin/faults",
    "DELETE /admin/faults",
    "GET /admin/users",
    "PATCH /admin/users/any",
    "DELETE /admin/users/any",
    "GET /admin/clock",
    "PUT /admin/clock",
    "GET /admin/rate-limit",
    "PUT /admin/rate-limit",
    "GET /admin/connect",
    "GET /admin/events",
    "GET /admin/completions",
    "PUT /admin/completions",
    "DELETE /admin/sessions/any",
];

#[tokio::test]
async fn foreign_origins_are_rejected_on_every_admin_route() {
    let idp = TestIdp::start();
    let before = idp.get("/admin/keys").await.json();
    for origin in [
        "https://attacker.invalid",
        "null",
        "http://localhost.attacker.invalid",
        "http://10.0.0.1:9999",
        "file://",
    ] {
        for line in ROUTES {
            let response = idp.send(line, &[("origin", origin)], "").await;
            assert_eq!(
                response.error(),
                (403, "ORIGIN_REFUSED".to_owned()),
                "{line} from {origin}"
            );
            assert_eq!(response.header("access-control-allow-origin"), None);
        }
    }
    assert_eq!(
        idp.get("/admin/keys").await.json(),
        before,
        "the keys are unchanged"
    );
}

#[tokio::test]
async fn foreign_host_names_are_rejected_on_every_admin_route() {
    let idp = TestIdp::start();
    let port = idp.address().port();
    for host in [
        "attacker.invalid",
        "127.0.0.1.attacker.invalid",
        "localhost.attacker.invalid",
        "10.0.0.1",
        "0.0.0.0",
        "169.254.169.254",
    ] {
        for line in ROUTES {
            for host in [host.to_owned(), format!("{host}:{port}")] {
                let response = idp.send(line, &[("host", &host)], "").await;
                assert_eq!(
                    response.error(),
                    (403, "ORIGIN_REFUSED".to_owned()),
                    "{line} at {host}"
                );
            }
        }
    }
}

#[tokio::test]
async fn cross_site_forms_cannot_issue_tokens() {
    let idp = TestIdp::start();
    // A form with enctype="text/plain" is sent without a preflight.
    let headers = [
        ("origin", "https://attacker.invalid"),
        ("content-type", "text/plain"),
    ];
    assert_eq!(
        idp.send("POST /admin/tokens", &headers, r#"{"claims":{"sub":"x"}}"#)
            .await
            .status,
        403
    );
    // Without Origin, the content type is rejected.
    assert_eq!(
        idp.send(
            "POST /admin/tokens",
            &[headers[1]],
            r#"{"claims":{"sub":"x"}}"#
        )
        .await
        .status,
        415
    );
}

#[tokio::test]
async fn loopback_hosts_and_origins_are_accepted() {
    let idp = TestIdp::start();
    let port = idp.address().port();
    for host in [
        format!("127.0.0.1:{port}"),
        format!("localhost:{port}"),
        format!("[::1]:{port}"),
    ] {
        assert_eq!(
            idp.send("GET /admin/keys", &[("host", &host)], "")
                .await
                .status,
            200,
            "{host}"
        );
    }
    for origin in [
        "http://localhost:3000",
        "http://127.0.0.1:5173",
        "http://[::1]:3000",
    ] {
        assert_eq!(
            idp.send("POST /admin/tokens", &[("origin", origin)], "")
                .await
                .status,
            200,
            "{origin}"
        );
    }
}

#[tokio::test]
async fn public_documents_accept_any_origin_and_host() {
    let idp = TestIdp::start();
    for path in [
        "/.well-known/jwks.json",
        "/.well-known/openid-configuration",
        "/health",
        "/",
    ] {
        let headers = [
            ("origin", "https://attacker.invalid"),
            ("host", "attacker.invalid"),
        ];
        assert_eq!(
            idp.send(&format!("GET {path}"), &headers, "").await.status,
            200,
            "{path}"
        );
    }
    assert_eq!(idp.send_json("POST /admin/tokens", "{}").await.status, 200);
}
