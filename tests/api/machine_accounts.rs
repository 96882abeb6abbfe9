//! Machine callers and tenants: accounts by the mapped subject and by the concrete issuer.

use serde_json::json;

use crate::test_app::TestApp;

#[tokio::test]
async fn a_machine_caller_has_a_marked_account_of_its_client_id() {
    let app = TestApp::start_with(&[("issuers.main.claims.subject", "sub,client_id")]).await;
    let machine = app.token("").claim("client_id", "job").sign();
    let user = app.token("ada").claim("client_id", "web").sign();
    for (token, subject, is_machine) in [(&machine, "job", true), (&user, "ada", false)] {
        let me = app.get("/api/auth/me", token).await.expect_status(200);
        assert_eq!(me["subject"], subject);
        assert_eq!(me["is_machine"], is_machine, "{me}");
    }
    app.get("/api/auth/me", &app.token("").sign())
        .await
        .assert_error(401, "MISSING_CLAIM");
}

#[tokio::test]
async fn two_tenants_with_one_subject_are_two_accounts() {
    let start = TestApp::start().await;
    let (issuer, jwks_url) = ("https://login.example.com/{tid}/v2.0", start.idp.jwks_url());
    let settings = [
        ("issuers.main.issuer", issuer),
        ("issuers.main.jwks_url", &jwks_url),
    ];
    let server = start.replica_with(&settings).await;
    let mut ids = Vec::new();
    for tenant in ["a", "b", "a"] {
        let iss = issuer.replace("{tid}", tenant);
        let token = start.token("ada").issuer(&iss).claim("tid", tenant).sign();
        let request = start.request_to(server, reqwest::Method::GET, "/api/auth/me");
        let response = request.bearer_auth(token).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let me: serde_json::Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(me["issuer"], json!(iss));
        ids.push(me["id"].clone());
    }
    assert_eq!(ids[0], ids[2]);
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn the_token_may_be_in_one_configured_header() {
    let app = TestApp::start_with(&[("tokens.header", "Cf-Access-Jwt-Assertion")]).await;
    let token = app.token("ada").sign();
    let send = async |headers: &[(&str, String)]| {
        let request = app.request(reqwest::Method::GET, "/protected");
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, value)
        });
        request.send().await.unwrap().status().as_u16()
    };
    let name = "cf-access-jwt-assertion";
    let bearer = ("authorization", format!("Bearer {token}"));
    assert_eq!(send(&[(name, token.clone())]).await, 200);
    assert_eq!(send(std::slice::from_ref(&bearer)).await, 200);
    assert_eq!(send(&[(name, token.clone()), bearer.clone()]).await, 400);
    assert_eq!(
        send(&[(name, token.clone()), (name, token.clone())]).await,
        400
    );
    assert_eq!(send(&[(name, String::new())]).await, 401);
    assert_eq!(send(&[(name, String::new()), bearer]).await, 200);
    assert_eq!(send(&[(name, format!("Bearer {token}"))]).await, 401);
    assert_eq!(send(&[("x-other", token)]).await, 401);
}
