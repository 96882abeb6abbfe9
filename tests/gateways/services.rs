//! `?caller=`: services at the forward-auth endpoint.

use bearward::NewServiceKey;

use crate::fixture::TestServer;

/// A server with the service `cron`, which has the scope `read`.
async fn server(key: &NewServiceKey) -> TestServer {
    TestServer::start(&[
        ("BEARWARD_SERVICE_KEYS__CRON__SHA256", &key.sha256()),
        ("BEARWARD_SERVICE_KEYS__CRON__SCOPES", "read,a:b"),
    ])
    .await
}

#[actix_web::test]
async fn a_service_passes_only_if_the_query_accepts_services() {
    let key = NewServiceKey::generate();
    let server = server(&key).await;
    let token = server.token().scope("read").roles(["a"]).sign();
    for (query, service, user) in [
        ("", 403, 200),
        ("?caller=user", 403, 200),
        ("?caller=service", 200, 403),
        ("?caller=any", 200, 200),
        ("?caller=any&scope=read", 200, 200),
        ("?caller=any&scope=write", 403, 403),
        ("?caller=any&role=a", 403, 200),
        ("?caller=any&claim=role=a", 403, 401),
        ("?caller=any&aal=aal1", 403, 200),
        ("?caller=any&aal=aal2", 403, 401),
        ("?caller=all", 422, 422),
        ("?caller=", 422, 422),
    ] {
        let response = server.verify(query, key.expose()).await;
        assert_eq!(response.status, service, "{query}: {response:?}");
        let response = server.verify(query, &token).await;
        assert_eq!(response.status, user, "{query}: {response:?}");
    }
    let response = server.verify("", key.expose()).await;
    assert_eq!(response.error(), (403, "USER_REQUIRED".to_owned()));
    let response = server.verify("?caller=service", &token).await;
    assert_eq!(response.error(), (403, "SERVICE_REQUIRED".to_owned()));
}

#[actix_web::test]
async fn the_headers_name_the_service_and_no_user() {
    let key = NewServiceKey::generate();
    let server = server(&key).await;
    let response = server.verify("?caller=service", key.expose()).await;
    for (name, value) in [
        ("x-auth-client", "cron"),
        ("x-auth-scopes", "read a:b"),
        ("x-auth-subject", ""),
        ("x-auth-issuer", ""),
        ("x-auth-email", ""),
        ("x-auth-role", ""),
        ("x-auth-roles", ""),
        ("x-auth-tenant", ""),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(response.header(name), Some(value), "{name}: {response:?}");
    }
}
