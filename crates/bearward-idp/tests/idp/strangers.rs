//! Programs on this machine drive it; a web page that somebody visits does not.

use crate::{
    http::{get, json, send},
    start,
};

const LINES: [&str; 16] = [
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
];

#[tokio::test]
async fn a_hostile_origin_is_refused_on_every_route_of_the_admin_api() {
    let idp = start();
    let before = get(&idp, "/admin/keys").await.json();
    for origin in [
        "https://attacker.invalid",
        "null",
        "http://localhost.attacker.invalid",
        "http://10.0.0.1:9999",
        "file://",
    ] {
        for line in LINES {
            let answer = send(&idp, line, &[("origin", origin)], "").await;
            assert_eq!(
                answer.refusal(),
                (403, "ORIGIN_REFUSED".to_owned()),
                "{line} from {origin}"
            );
            assert_eq!(answer.header("access-control-allow-origin"), None);
        }
    }
    assert_eq!(
        get(&idp, "/admin/keys").await.json(),
        before,
        "nothing has changed"
    );
}

#[tokio::test]
async fn a_host_name_that_was_rebound_to_this_machine_is_refused() {
    let idp = start();
    let port = idp.address().port();
    for host in [
        "attacker.invalid",
        "127.0.0.1.attacker.invalid",
        "localhost.attacker.invalid",
        "10.0.0.1",
        "0.0.0.0",
        "169.254.169.254",
    ] {
        for line in LINES {
            for host in [host.to_owned(), format!("{host}:{port}")] {
                let answer = send(&idp, line, &[("host", &host)], "").await;
                assert_eq!(
                    answer.refusal(),
                    (403, "ORIGIN_REFUSED".to_owned()),
                    "{line} at {host}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_form_of_another_site_mints_nothing() {
    let idp = start();
    // What a form with enctype="text/plain" sends without asking first.
    let headers = [
        ("origin", "https://attacker.invalid"),
        ("content-type", "text/plain"),
    ];
    assert_eq!(
        send(
            &idp,
            "POST /admin/tokens",
            &headers,
            r#"{"claims":{"sub":"x"}}"#
        )
        .await
        .status,
        403
    );
    // Where a browser leaves Origin out, the content type alone stops it.
    assert_eq!(
        send(
            &idp,
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
async fn programs_and_pages_of_this_machine_are_let_in() {
    let idp = start();
    let port = idp.address().port();
    for host in [
        format!("127.0.0.1:{port}"),
        format!("localhost:{port}"),
        format!("[::1]:{port}"),
    ] {
        assert_eq!(
            send(&idp, "GET /admin/keys", &[("host", &host)], "")
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
            send(&idp, "POST /admin/tokens", &[("origin", origin)], "")
                .await
                .status,
            200,
            "{origin}"
        );
    }
}

#[tokio::test]
async fn the_public_documents_are_for_everybody() {
    let idp = start();
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
            send(&idp, &format!("GET {path}"), &headers, "")
                .await
                .status,
            200,
            "{path}"
        );
    }
    assert_eq!(json(&idp, "POST /admin/tokens", "{}").await.status, 200);
}
