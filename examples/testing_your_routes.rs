//! Tests the routes of an application with `MockIdp`: valid and forged tokens, key rotations and
//! outages. The verifier is the one of production.
//!
//! `cargo test --example testing_your_routes`
//!
//! In your own crate, add `bearward-testing` to `[dev-dependencies]`.

use actix_web::{App, HttpServer, Responder, get, web};
use bearward::{AuthError, Bearward, NoCustomClaims, Principal, Require, Requirement, Verified};

struct Admin;

impl Requirement for Admin {
    type Claims = NoCustomClaims;

    fn check(user: &Verified) -> Result<(), AuthError> {
        user.require_role("admin")
    }
}

#[get("/orders")]
async fn orders(user: Principal) -> impl Responder {
    format!("orders of {}", user.subject())
}

#[get("/reports")]
async fn reports(admin: Require<Admin>) -> impl Responder {
    format!("reports for {}", admin.subject())
}

/// Registers all routes of the service, for `main` and for the tests.
fn routes(config: &mut web::ServiceConfig) {
    config.service(orders).service(reports);
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("Run the tests of this example: cargo test --example testing_your_routes");
    let Ok(url) = std::env::var("SUPABASE_URL") else {
        return Ok(());
    };
    let auth = Bearward::builder()
        .issuer(bearward::Issuer::supabase(&url)?)
        .build()
        .await?;
    Ok(
        HttpServer::new(move || App::new().app_data(auth.clone()).configure(routes))
            .bind("127.0.0.1:8000")?
            .run()
            .await?,
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use actix_web::test::{TestRequest, call_service, init_service, read_body};
    use bearward_testing::{FORGERIES, MockIdp};

    use super::*;

    /// Returns the status of a GET request to the service.
    async fn status(auth: &Bearward, path: &str, token: Option<&str>) -> u16 {
        let app = init_service(App::new().app_data(auth.clone()).configure(routes)).await;
        let request = TestRequest::get().uri(path);
        let request = match token {
            Some(token) => request.insert_header(("authorization", format!("Bearer {token}"))),
            None => request,
        };
        call_service(&app, request.to_request())
            .await
            .status()
            .as_u16()
    }

    async fn idp_and_auth() -> (MockIdp, Bearward) {
        let idp = MockIdp::start().await.with_movable_clock();
        let auth = Bearward::builder()
            .issuer(idp.as_issuer())
            .clock(std::sync::Arc::new(idp.clock()))
            .build()
            .await
            .unwrap();
        (idp, auth)
    }

    #[actix_web::test]
    async fn returns_the_orders_of_the_caller() {
        let (idp, auth) = idp_and_auth().await;
        let app = init_service(App::new().app_data(auth).configure(routes)).await;
        let token = idp.token().sub("user-1").sign();
        let request = TestRequest::get()
            .uri("/orders")
            .insert_header(("authorization", format!("Bearer {token}")))
            .to_request();
        assert_eq!(
            read_body(call_service(&app, request).await).await,
            "orders of user-1"
        );
    }

    #[actix_web::test]
    async fn rejects_missing_and_forged_tokens() {
        let (idp, auth) = idp_and_auth().await;
        for path in ["/orders", "/reports"] {
            assert_eq!(status(&auth, path, None).await, 401);
            for forgery in FORGERIES {
                let token = idp.token().role("admin").forged(forgery).unwrap();
                assert_eq!(status(&auth, path, Some(&token)).await, 401, "{forgery}");
            }
        }
    }

    #[actix_web::test]
    async fn reports_require_the_admin_role() {
        let (idp, auth) = idp_and_auth().await;
        assert_eq!(
            status(&auth, "/reports", Some(&idp.token().role("admin").sign())).await,
            200
        );
        assert_eq!(
            status(&auth, "/reports", Some(&idp.token().role("editor").sign())).await,
            403
        );
    }

    #[actix_web::test]
    async fn rejects_expired_tokens() {
        let (idp, auth) = idp_and_auth().await;
        let token = idp.token().expires_in(Duration::from_mins(5)).sign();
        assert_eq!(status(&auth, "/orders", Some(&token)).await, 200);
        idp.clock().advance(Duration::from_mins(6));
        assert_eq!(status(&auth, "/orders", Some(&token)).await, 401);
    }

    #[actix_web::test]
    async fn accepts_tokens_during_rotation_and_outage() {
        let (idp, auth) = idp_and_auth().await;
        let before = idp.token().sign();
        assert_eq!(status(&auth, "/orders", Some(&before)).await, 200);
        idp.rotate();
        assert_eq!(
            status(&auth, "/orders", Some(&idp.token().sign())).await,
            200
        );
        idp.outage();
        assert_eq!(status(&auth, "/orders", Some(&before)).await, 200);
        assert_eq!(
            idp.fetches(),
            2,
            "one fetch at the start, one for the new key"
        );
    }
}
