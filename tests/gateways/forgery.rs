//! Through a gateway: what a client sends under the gateway's own names does not reach the backend.

use rstest::rstest;

use crate::{
    gateway::Gateway::{self, Caddy, Envoy, Nginx, Traefik},
    stand::Stand,
};

/// Spellings that are one name for a backend that folds case and underscores.
const FORGED: [&str; 6] = [
    "X-Auth-Role: root",
    "x-auth-role: root",
    "X_Auth_Role: root",
    "x-auth_role: root",
    "X_AUTH-ROLE: root",
    "X-AUTH-ROLE: root",
];

#[rstest]
#[case::nginx(Nginx)]
#[case::caddy(Caddy)]
#[case::envoy(Envoy)]
#[case::traefik(Traefik)]
#[actix_web::test]
async fn a_forged_header_does_not_get_through_whether_the_token_has_the_claim_or_not(#[case] gateway: Gateway) {
    let Some(stand) = Stand::start(gateway).await else { return };
    for token in [stand.token().role("reader").sign(), stand.token().without("role").sign()] {
        let line = format!("Authorization: Bearer {token}");
        for forged in FORGED {
            let answer = stand.write(&[&line, forged]).await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{forged}: {answer}");
            assert!(answer.contains("\"x-auth-subject\",\"ada\""), "{forged}: {answer}");
            assert!(!answer.contains("root"), "{forged}: {answer}");
        }
        let all = stand.write(&[&[line.as_str()], &FORGED[..]].concat()).await;
        assert!(all.starts_with("HTTP/1.1 200") && !all.contains("root"), "{all}");
    }
}

/// nginx has no rule for a prefix: it replaces the names that it is told, and its example is told all that bearward answers.
#[rstest]
#[case::caddy(Caddy)]
#[case::envoy(Envoy)]
#[case::traefik(Traefik)]
#[actix_web::test]
async fn nor_does_a_header_of_that_prefix_that_bearward_does_not_answer(#[case] gateway: Gateway) {
    let Some(stand) = Stand::start(gateway).await else { return };
    let line = format!("Authorization: Bearer {}", stand.token().sign());
    let answer = stand.write(&[&line, "X-Auth-Tenant: root", "X_Auth_Tenant: root", "X-AUTH-User: root"]).await;
    assert!(answer.starts_with("HTTP/1.1 200") && !answer.contains("root"), "{answer}");
}
