//! Public documents: key set, discovery, index, health.

use bearward::{Algorithm, Bearward, Issuer};
use bearward_idp::Options;
use bearward_testing::FORGERIES;

use crate::fixture::{TestIdp, options};

const JWKS: &str = "/.well-known/jwks.json";
const DISCOVERY: &str = "/.well-known/openid-configuration";

#[tokio::test]
async fn documents_are_served_at_the_root_and_the_issuer() {
    let idp = TestIdp::start();
    assert_eq!(idp.issuer(), format!("http://{}/auth/v1", idp.address()));
    assert_eq!(idp.jwks_url(), format!("{}{JWKS}", idp.issuer()));
    for document in [JWKS, DISCOVERY] {
        let below = idp.get(&format!("/auth/v1{document}")).await;
        assert_eq!(below.status, 200);
        assert_eq!(idp.get(document).await.json(), below.json(), "{document}");
    }
}

#[tokio::test]
async fn discovery_contains_issuer_and_jwks_uri() {
    let idp = TestIdp::start();
    let document = idp.get(&format!("/auth/v1{DISCOVERY}")).await.json();
    assert_eq!(document["issuer"], idp.issuer());
    assert_eq!(document["jwks_uri"], idp.jwks_url());
    assert_eq!(
        document["id_token_signing_alg_values_supported"][0],
        "RS256"
    );
}

#[tokio::test]
async fn keys_are_found_by_discovery() {
    let idp = TestIdp::start();
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
async fn key_set_has_public_members_only() {
    let idp = TestIdp::start();
    let response = idp.get(JWKS).await;
    assert_eq!(
        response.header("cache-control"),
        Some("public, max-age=600")
    );
    let key = &response.json()["keys"][0];
    assert_eq!(
        (&key["kty"], &key["alg"], &key["use"]),
        (&"RSA".into(), &"RS256".into(), &"sig".into())
    );
    assert_eq!(key["key_ops"], serde_json::json!(["verify"]));
    for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
        assert!(key.get(private).is_none(), "{private}");
    }
    assert!(
        idp.verifier()
            .await
            .verify(&idp.token(std::time::Duration::from_secs(60)).sign())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn unchanged_key_set_is_304() {
    let idp = TestIdp::start();
    let etag = idp
        .get(JWKS)
        .await
        .header("etag")
        .expect("an ETag")
        .to_owned();
    let again = idp
        .send(&format!("GET {JWKS}"), &[("if-none-match", &etag)], "")
        .await;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
}

#[tokio::test]
async fn index_lists_routes_forgeries_and_faults() {
    let idp = TestIdp::start();
    let page = idp.get("/").await;
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
        idp.get("/health").await.json()["name"],
        "bearward development IdP"
    );
}

#[tokio::test]
async fn head_returns_no_body() {
    let idp = TestIdp::start();
    for path in [
        "/",
        "/health",
        "/.well-known/jwks.json",
        "/admin/keys",
        "/admin/faults",
    ] {
        let head = idp.send(&format!("HEAD {path}"), &[], "").await;
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
    }
}

#[tokio::test]
async fn unknown_paths_are_404_and_wrong_methods_405() {
    let idp = TestIdp::start();
    for path in ["/nothing", "/admin", "/admin/nothing", "/admin/keys/kid"] {
        assert_eq!(
            idp.get(path).await.error(),
            (404, "NOT_FOUND".to_owned()),
            "{path}"
        );
    }
    for (line, allowed) in [
        ("POST /", "GET, HEAD"),
        ("DELETE /health", "GET, HEAD"),
        ("POST /.well-known/jwks.json", "GET, HEAD"),
        ("GET /admin/tokens", "POST"),
        ("PUT /admin/keys", "GET, HEAD"),
        ("GET /admin/keys/rotate", "POST"),
        ("DELETE /admin/keys/standby", "POST"),
        ("DELETE /admin/keys/some-kid/revoke", "POST"),
        ("POST /admin/faults", "GET, HEAD, PUT, DELETE"),
        ("POST /admin/users", "GET, HEAD"),
        ("GET /admin/users/some-id", "PATCH, DELETE"),
        ("DELETE /admin/clock", "GET, HEAD, PUT"),
        ("POST /.inbox", "GET, HEAD, DELETE"),
        ("GET /google/credential", "POST"),
    ] {
        let response = idp.send(line, &[], "").await;
        assert_eq!(
            response.error(),
            (405, "METHOD_NOT_ALLOWED".to_owned()),
            "{line}"
        );
        assert_eq!(response.header("allow"), Some(allowed), "{line}");
    }
}

#[tokio::test]
async fn key_set_names_the_algorithm() {
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA, Algorithm::PS384] {
        let idp = TestIdp::with_options(Options {
            algorithm,
            ..options()
        });
        assert_eq!(
            idp.get(JWKS).await.json()["keys"][0]["alg"],
            algorithm.name()
        );
    }
}
