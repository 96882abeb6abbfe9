//! What anybody may read: the key set, discovery, the first page.

use bearward::{Algorithm, Bearward, Issuer};
use bearward_testing::FORGERIES;

use crate::{
    http::{get, send},
    start, trusting,
};

const JWKS: &str = "/.well-known/jwks.json";
const DISCOVERY: &str = "/.well-known/openid-configuration";

#[tokio::test]
async fn the_documents_stand_at_the_root_and_under_the_issuer() {
    let idp = start();
    assert_eq!(idp.issuer(), format!("http://{}/auth/v1", idp.address()));
    assert_eq!(idp.jwks_url(), format!("{}{JWKS}", idp.issuer()));
    for document in [JWKS, DISCOVERY] {
        let below = get(&idp, &format!("/auth/v1{document}")).await;
        assert_eq!(below.status, 200);
        assert_eq!(get(&idp, document).await.json(), below.json(), "{document}");
    }
}

#[tokio::test]
async fn discovery_names_this_issuer_and_where_its_keys_are() {
    let idp = start();
    let document = get(&idp, &format!("/auth/v1{DISCOVERY}")).await.json();
    assert_eq!(document["issuer"], idp.issuer());
    assert_eq!(document["jwks_uri"], idp.jwks_url());
    assert_eq!(
        document["id_token_signing_alg_values_supported"][0],
        "RS256"
    );
}

#[tokio::test]
async fn a_server_that_is_told_the_issuer_alone_finds_the_keys() {
    let idp = start();
    let auth = Bearward::builder()
        .issuer(Issuer::new(idp.issuer(), idp.audience()).unwrap())
        .build()
        .await
        .unwrap();
    let token = idp
        .token(std::time::Duration::from_secs(60))
        .sub("ada")
        .sign();
    assert_eq!(auth.verify(&token).await.unwrap().subject(), "ada");
}

#[tokio::test]
async fn the_key_set_looks_like_the_hosted_ones_and_holds_nothing_private() {
    let idp = start();
    let answer = get(&idp, JWKS).await;
    assert_eq!(answer.header("cache-control"), Some("public, max-age=600"));
    let key = &answer.json()["keys"][0];
    assert_eq!(
        (&key["kty"], &key["alg"], &key["use"]),
        (&"RSA".into(), &"RS256".into(), &"sig".into())
    );
    assert_eq!(key["key_ops"], serde_json::json!(["verify"]));
    for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
        assert!(key.get(private).is_none(), "{private}");
    }
    assert!(
        trusting(&idp)
            .await
            .verify(&idp.token(std::time::Duration::from_secs(60)).sign())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn an_unchanged_key_set_is_not_sent_twice() {
    let idp = start();
    let etag = get(&idp, JWKS)
        .await
        .header("etag")
        .expect("an ETag")
        .to_owned();
    let again = send(
        &idp,
        &format!("GET {JWKS}"),
        &[("if-none-match", &etag)],
        "",
    )
    .await;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
}

#[tokio::test]
async fn the_first_page_says_what_it_is_for_and_lists_what_there_is() {
    let idp = start();
    let page = get(&idp, "/").await;
    assert_eq!(
        page.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    assert!(page.body.contains("FOR DEVELOPMENT ONLY"), "{}", page.body);
    for named in [
        &*idp.issuer(),
        &*idp.jwks_url(),
        "/admin/tokens",
        "/admin/keys/rotate",
        "/admin/keys/standby",
        "/admin/faults",
        "/admin/users",
        "/admin/clock",
        "/.inbox",
        "/google/credential",
    ] {
        assert!(page.body.contains(named), "{named} in {}", page.body);
    }
    assert!(
        FORGERIES.iter().all(|forgery| page.body.contains(forgery)),
        "{}",
        page.body
    );
    assert!(
        ["retry_after", "padding_bytes", "hang", "times"]
            .iter()
            .all(|fault| page.body.contains(fault)),
        "{}",
        page.body
    );
    assert_eq!(
        get(&idp, "/health").await.json()["name"],
        "bearward development IdP"
    );
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let idp = start();
    for path in [
        "/",
        "/health",
        JWKS,
        "/auth/v1/.well-known/openid-configuration",
        "/admin/keys",
        "/admin/faults",
    ] {
        let head = send(&idp, &format!("HEAD {path}"), &[], "").await;
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
    }
}

#[tokio::test]
async fn an_unknown_path_and_a_wrong_method_are_answered_in_the_envelope() {
    let idp = start();
    for path in [
        "/nothing",
        "/admin",
        "/admin/nothing",
        "/auth/v1",
        "/auth/v1/nothing",
        "/admin/keys/kid",
    ] {
        assert_eq!(
            get(&idp, path).await.refusal(),
            (404, "NOT_FOUND".to_owned()),
            "{path}"
        );
    }
    for (line, allowed) in [
        ("POST /", "GET, HEAD"),
        ("DELETE /health", "GET, HEAD"),
        ("POST /.well-known/jwks.json", "GET, HEAD"),
        ("PUT /auth/v1/.well-known/jwks.json", "GET, HEAD"),
        (
            "POST /auth/v1/.well-known/openid-configuration",
            "GET, HEAD",
        ),
        ("GET /admin/tokens", "POST"),
        ("PUT /admin/keys", "GET, HEAD"),
        ("GET /admin/keys/rotate", "POST"),
        ("DELETE /admin/keys/standby", "POST"),
        ("DELETE /admin/keys/some-kid/revoke", "POST"),
        ("POST /admin/faults", "GET, HEAD, PUT, DELETE"),
        ("POST /admin/users", "GET, HEAD"),
        ("GET /admin/users/some-id", "PATCH, DELETE"),
        ("DELETE /admin/clock", "GET, HEAD, PUT"),
        ("POST /auth/v1/authorize", "GET"),
        ("POST /auth/v1/callback", "GET"),
        ("PUT /auth/v1/verify", "GET, POST"),
        ("GET /auth/v1/token", "POST"),
        ("GET /auth/v1/signup", "POST"),
        ("GET /auth/v1/logout", "POST"),
        ("POST /auth/v1/user", "GET, HEAD, PUT"),
        ("POST /.inbox", "GET, HEAD, DELETE"),
        ("GET /google/credential", "POST"),
    ] {
        let answer = send(&idp, line, &[], "").await;
        assert_eq!(
            answer.refusal(),
            (405, "METHOD_NOT_ALLOWED".to_owned()),
            "{line}"
        );
        assert_eq!(answer.header("allow"), Some(allowed), "{line}");
    }
}

#[tokio::test]
async fn every_algorithm_is_published_under_its_own_name() {
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA, Algorithm::PS384] {
        let idp = bearward_idp::Idp::start(bearward_idp::Options {
            algorithm,
            ..crate::options()
        })
        .unwrap();
        assert_eq!(
            get(&idp, JWKS).await.json()["keys"][0]["alg"],
            algorithm.name()
        );
    }
}
