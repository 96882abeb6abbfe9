//! Through a gateway: what a client sends under the gateway's own names does not reach the backend.

use rstest::rstest;

use crate::{
    gateway::Gateway::{self, Caddy, Envoy, Nginx, Traefik},
    stand::Stand,
};

/// Spellings that are one name for a backend that folds case, underscores and dots.
const FORGED: [&str; 10] = [
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
];

#[rstest]
#[actix_web::test]
async fn a_forged_header_does_not_get_through_whether_the_token_has_the_claim_or_not(
    #[values(Nginx, Caddy, Envoy, Traefik)] gateway: Gateway,
) {
    let Some(stand) = Stand::start(gateway).await else {
        return;
    };
    for token in [
        stand.token().role("reader").sign(),
        stand.token().without("role").sign(),
    ] {
        let line = format!("Authorization: Bearer {token}");
        for forged in FORGED {
            let answer = stand.write(&[&line, forged]).await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{forged}: {answer}");
            assert!(
                answer.contains("\"x-auth-subject\",\"ada\""),
                "{forged}: {answer}"
            );
            assert!(!answer.contains("root"), "{forged}: {answer}");
        }
        let all = stand.write(&[&[line.as_str()], &FORGED[..]].concat()).await;
        assert!(
            all.starts_with("HTTP/1.1 200") && !all.contains("root"),
            "{all}"
        );
    }
}

/// nginx has no rule for a prefix: it replaces the names that it is told, and its example is told
/// all that bearward answers.
#[rstest]
#[actix_web::test]
async fn nor_does_a_header_of_that_prefix_that_bearward_does_not_answer(
    #[values(Caddy, Envoy, Traefik)] gateway: Gateway,
) {
    let Some(stand) = Stand::start(gateway).await else {
        return;
    };
    let line = format!("Authorization: Bearer {}", stand.token().sign());
    let answer = stand
        .write(&[
            &line,
            "X-Auth-Tenant: root",
            "X_Auth_Tenant: root",
            "X-AUTH-User: root",
        ])
        .await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && !answer.contains("root"),
        "{answer}"
    );
}

/// RFC 9110 §7.6.1: a proxy takes the headers away that `Connection` names. What it has just
/// written itself must not be among them.
#[rstest]
#[actix_web::test]
async fn a_client_cannot_have_the_gateways_headers_taken_away_again(
    #[values(Nginx, Caddy, Envoy, Traefik)] gateway: Gateway,
) {
    let Some(stand) = Stand::start(gateway).await else {
        return;
    };
    let line = format!(
        "Authorization: Bearer {}",
        stand.token().claim("role", "reader").sign()
    );
    for named in [
        "X-Auth-Subject, X-Auth-Role",
        "x-auth-role,x-auth-subject",
        "upgrade, X-X-Auth-RoleAuth-Role, X-AUTH-ROLE",
    ] {
        let answer = stand
            .write(&[&line, &format!("Connection: {named}")])
            .await
            .to_lowercase();
        assert!(answer.starts_with("http/1.1 200"), "{named}: {answer}");
        for kept in ["\"x-auth-subject\",\"ada\"", "\"x-auth-role\",\"reader\""] {
            assert!(answer.contains(kept), "{named}: {answer}");
        }
    }
}
