//! `?role=`, `?scope=` and `?aal=`: requirements in the query of the forward-auth endpoint.

use bearward_testing::TokenBuilder;
use test_support::http::Response;

use crate::fixture::TestServer;

/// A user with the roles a and b, the scopes read and write, and the level aal2.
fn user(server: &TestServer) -> TokenBuilder {
    server
        .token()
        .roles(["a", "b"])
        .scope("read write")
        .aal("aal2")
}

async fn verify(query: &str) -> Response {
    let server = TestServer::start(&[]).await;
    let token = user(&server).sign();
    server.verify(query, &token).await
}

#[actix_web::test]
async fn met_requirements_pass() {
    let server = TestServer::start(&[]).await;
    let token = user(&server).sign();
    for query in [
        "?",
        "?role=a",
        "?role=a&role=b",
        "?scope=read",
        "?scope=write+read",
        "?scope=write%20%20read",
        "?scope=read&scope=write",
        "?aal=aal1",
        "?aal=aal2&aal=aal1",
        "?aal=aal2&scope=read&role=b",
    ] {
        assert_eq!(server.verify(query, &token).await.status, 200, "{query}");
    }
}

#[actix_web::test]
async fn every_named_claim_must_have_its_value() {
    let server = TestServer::start(&[]).await;
    let token = server
        .token()
        .claim("repository_owner", "octo-org")
        .claim("sub", "repo:octo-org/a")
        .claim("kubernetes.io", serde_json::json!({"namespace": "prod"}))
        .claim("verified", true)
        .claim("level", 2)
        .sign();
    for query in [
        "?claim=repository_owner=octo-org",
        "?claim=repository_owner%3Docto-org",
        "?claim=sub=repo:octo-org/*&claim=/kubernetes.io/namespace=prod",
        "?claim=verified=true&claim=level=2",
    ] {
        assert_eq!(server.verify(query, &token).await.status, 200, "{query}");
    }
    for query in [
        "?claim=repository_owner=other",
        "?claim=repository_owner=octo-org&claim=level=3",
        "?claim=sub=octo-org/*",
        "?claim=absent=x",
        "?claim=verified=True",
        "?claim=level=02",
    ] {
        let response = server.verify(query, &token).await;
        assert_eq!(
            response.error(),
            (401, "INVALID_CLAIM".to_owned()),
            "{query}"
        );
        assert!(!response.body.contains("repo:octo-org/a"), "{response:?}");
    }
    for query in ["?claim=", "?claim=a", "?claim=a=*", "?claims=a=b"] {
        assert_eq!(server.verify(query, &token).await.status, 422, "{query}");
    }
}

#[actix_web::test]
async fn every_named_role_is_required() {
    for query in [
        "?role=c",
        "?role=a&role=c",
        "?role=c&role=a",
        "?role=A",
        "?role=a+b",
        "?role=a,b",
    ] {
        let response = verify(query).await;
        assert_eq!(
            response.error(),
            (403, "INSUFFICIENT_ROLE".to_owned()),
            "{query}"
        );
    }
}

#[actix_web::test]
async fn every_named_scope_is_required_and_in_the_challenge() {
    for (query, scope) in [
        ("?scope=admin", "admin"),
        ("?scope=read+admin", "read admin"),
        ("?scope=admin&scope=read", "admin read"),
        ("?scope=READ", "READ"),
    ] {
        let response = verify(query).await;
        assert_eq!(
            response.error(),
            (403, "INSUFFICIENT_SCOPE".to_owned()),
            "{query}"
        );
        let challenge = response.header("www-authenticate").unwrap();
        assert!(
            challenge.contains("error=\"insufficient_scope\""),
            "{challenge}"
        );
        assert!(
            challenge.contains(&format!("scope=\"{scope}\"")),
            "{challenge}"
        );
        assert!(challenge.contains("resource_metadata="), "{challenge}");
    }
}

#[actix_web::test]
async fn low_aal_gives_a_step_up_challenge() {
    for query in ["?aal=aal3", "?aal=aal1&aal=aal3", "?role=a&aal=aal3"] {
        let response = verify(query).await;
        assert_eq!(
            response.error(),
            (401, "STEP_UP_REQUIRED".to_owned()),
            "{query}"
        );
        let challenge = response.header("www-authenticate").unwrap();
        assert!(
            challenge.contains("error=\"insufficient_user_authentication\""),
            "{challenge}"
        );
        assert!(challenge.contains("acr_values=\"aal3\""), "{challenge}");
    }
    assert_eq!(
        verify("?aal=aal3&role=c").await.error().1,
        "INSUFFICIENT_ROLE",
        "a new sign-in would not help"
    );
}

#[actix_web::test]
async fn unknown_or_invalid_parameters_are_named() {
    for (query, field) in [
        ("?roles=a", "roles"),
        ("?role=a&tenant=x", "tenant"),
        ("?Role=a", "Role"),
        ("?role", "role"),
        ("?role=", "role"),
        ("?scope=+", "scope"),
        ("?aal=2", "aal"),
        ("?aal=aal4", "aal"),
    ] {
        let response = verify(query).await;
        assert_eq!(
            response.error(),
            (422, "VALIDATION_FAILED".to_owned()),
            "{query}"
        );
        assert_eq!(
            response.json()["error"]["details"][0]["field"],
            field,
            "{query}"
        );
    }
}

#[actix_web::test]
async fn authentication_precedes_query_validation() {
    let server = TestServer::start(&[]).await;
    let response = server.verify("?tenant=x", &server.token().tampered()).await;
    assert_eq!(response.error(), (401, "INVALID_SIGNATURE".to_owned()));
}
