//! Through a gateway: `X-Auth-*` headers of the client do not reach the backend.

use rstest::rstest;

use crate::{
    fixture::Fixture,
    gateway::Gateway::{self, Caddy, Envoy, Nginx, Traefik},
};

/// Spellings that are the same name for a backend that folds case and special characters.
const SPOOFED: [&str; 12] = [
    "X-Auth-Role: root",
    "x-auth-role: root",
    "X_Auth_Role: root",
    "x-auth_role: root",
    "X_AUTH-ROLE: root",
    "X-AUTH-ROLE: root",
    "X-Auth.Role: root",
    "x.auth.role: root",
    "X.Auth-Role: root",
    "X_Auth.Role: root",
    "X~Auth~Role: root",
    "X!Auth!Role: root",
];

#[rstest]
#[actix_web::test]
async fn spoofed_auth_headers_are_removed(
    #[values(Nginx, Caddy, Envoy, Traefik)] gateway: Gateway,
) {
    let Some(fixture) = Fixture::start(gateway).await else {
        return;
    };
    for token in [
        fixture.token().role("reader").sign(),
        fixture.token().without("role").sign(),
    ] {
        let line = format!("Authorization: Bearer {token}");
        for header in SPOOFED {
            let response = fixture.send_raw(&[&line, header]).await;
            assert!(response.starts_with("HTTP/1.1 200"), "{header}: {response}");
            assert!(
                response.contains("\"x-auth-subject\",\"ada\""),
                "{header}: {response}"
            );
            assert!(!response.contains("root"), "{header}: {response}");
        }
        let all = fixture
            .send_raw(&[&[line.as_str()], &SPOOFED[..]].concat())
            .await;
        assert!(
            all.starts_with("HTTP/1.1 200") && !all.contains("root"),
            "{all}"
        );
    }
}

/// The characters of a header's name other than letters and digits (RFC 9110 §5.6.2). A backend may
/// fold all of them.
const SEPARATORS: &str = "!#$%&'*+-.^_`|~";

#[rstest]
#[actix_web::test]
async fn every_special_character_as_separator_is_removed(
    #[values(Nginx, Caddy, Envoy, Traefik)] gateway: Gateway,
) {
    let Some(fixture) = Fixture::start(gateway).await else {
        return;
    };
    let line = format!(
        "Authorization: Bearer {}",
        fixture.token().claim("role", "reader").sign()
    );
    for first in SEPARATORS.chars() {
        let spoofed: Vec<String> = SEPARATORS
            .chars()
            .flat_map(|second| {
                [
                    format!("X{first}Auth{second}Subject: root"),
                    format!("x{first}AUTH{second}role: root"),
                ]
            })
            .collect();
        let lines: Vec<&str> = [line.as_str()]
            .into_iter()
            .chain(spoofed.iter().map(String::as_str))
            .collect();
        let response = fixture.send_raw(&lines).await;
        assert!(response.starts_with("HTTP/1.1 200"), "{first}: {response}");
        assert!(
            response.contains("\"x-auth-subject\",\"ada\"")
                && response.contains("\"x-auth-role\",\"reader\""),
            "{first}: {response}"
        );
        assert!(!response.contains("root"), "{first}: {response}");
    }
}

/// nginx has no rule for a prefix. Its example replaces only the headers that bearward sends.
#[rstest]
#[actix_web::test]
async fn other_headers_with_the_prefix_are_removed(
    #[values(Caddy, Envoy, Traefik)] gateway: Gateway,
) {
    let Some(fixture) = Fixture::start(gateway).await else {
        return;
    };
    let line = format!("Authorization: Bearer {}", fixture.token().sign());
    let response = fixture
        .send_raw(&[
            &line,
            "X-Auth-Tenant: root",
            "X_Auth_Tenant: root",
            "X-Auth-Roles: root",
            "X-Auth-Client: root",
            "X-AUTH-User: root",
        ])
        .await;
    assert!(
        response.starts_with("HTTP/1.1 200") && !response.contains("root"),
        "{response}"
    );
}

/// A proxy removes the headers named in `Connection` (RFC 9110 §7.6.1). The headers it added itself
/// must remain.
#[rstest]
#[actix_web::test]
async fn connection_header_cannot_remove_auth_headers(
    #[values(Nginx, Caddy, Envoy, Traefik)] gateway: Gateway,
) {
    let Some(fixture) = Fixture::start(gateway).await else {
        return;
    };
    let line = format!(
        "Authorization: Bearer {}",
        fixture.token().claim("role", "reader").sign()
    );
    for named in [
        "X-Auth-Subject, X-Auth-Role",
        "x-auth-role,x-auth-subject",
        "upgrade, X-X-Auth-RoleAuth-Role, X-AUTH-ROLE",
    ] {
        let response = fixture
            .send_raw(&[&line, &format!("Connection: {named}")])
            .await
            .to_lowercase();
        assert!(response.starts_with("http/1.1 200"), "{named}: {response}");
        for expected in ["\"x-auth-subject\",\"ada\"", "\"x-auth-role\",\"reader\""] {
            assert!(response.contains(expected), "{named}: {response}");
        }
    }
}

/// nginx has no rule for a prefix: it replaces the headers that bearward sets.
#[actix_web::test]
async fn nginx_replaces_roles_tenant_and_client() {
    let Some(fixture) = Fixture::start(Gateway::Nginx).await else {
        return;
    };
    let line = format!("Authorization: Bearer {}", fixture.token().sign());
    let response = fixture
        .send_raw(&[
            &line,
            "X-Auth-Roles: root",
            "x-auth-tenant: root",
            "X-AUTH-CLIENT: root",
            "X_Auth_Client: root",
        ])
        .await;
    assert!(
        response.starts_with("HTTP/1.1 200") && !response.contains("root"),
        "{response}"
    );
}
