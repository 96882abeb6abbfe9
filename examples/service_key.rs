//! A route that a cron job calls with a service key.
//!
//! `cargo run --example service_key` prints two commands: one is accepted, the other lacks a scope.

use actix_web::{App, HttpServer, Responder, post, web};
use bearward::{
    AuthError, Bearward, Caller, Issuer, NewServiceKey, NoCustomClaims, Require, Requirement,
    Service, ServiceKey, Verified,
};

/// Users and services with the scope `reports:write`.
struct WriteReports;

impl Requirement for WriteReports {
    type Claims = NoCustomClaims;

    fn check(user: &Verified) -> Result<(), AuthError> {
        user.require_scope("reports:write")
    }

    fn check_service(service: &Service) -> Result<(), AuthError> {
        service.require_scope("reports:write")
    }
}

/// For the cron job only.
#[post("/reports/nightly")]
async fn nightly(service: Require<WriteReports, Service>) -> impl Responder {
    format!("nightly reports started by {}\n", service.name())
}

/// For users and services.
#[post("/reports")]
async fn create(caller: Require<WriteReports, Caller>) -> impl Responder {
    match caller.into_inner() {
        Caller::User(user) => format!("report for user {}\n", user.subject()),
        Caller::Service(service) => format!("report for service {}\n", service.name()),
    }
}

fn routes(config: &mut web::ServiceConfig) {
    config.service(nightly).service(create);
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // In a real service the digest is configured, and only the caller has the key:
    // `bearward keys new cron` creates one.
    let (cron, backup) = (NewServiceKey::generate(), NewServiceKey::generate());
    let auth = Bearward::builder()
        .issuer(Issuer::supabase("https://abc.supabase.co")?)
        .service_key(
            ServiceKey::new("cron")?
                .sha256(&cron.sha256())?
                .scope("reports:write")?,
        )
        .service_key(ServiceKey::new("backup")?.sha256(&backup.sha256())?)
        .build()
        .await?;
    let server = HttpServer::new(move || App::new().app_data(auth.clone()).configure(routes))
        .bind("127.0.0.1:0")?;
    for address in server.addrs() {
        let url = format!("http://{address}/reports/nightly");
        println!(
            "curl -X POST {url} -H 'Authorization: Bearer {}'",
            cron.expose()
        );
        println!(
            "curl -X POST {url} -H 'apikey: {}'    # 403",
            backup.expose()
        );
    }
    server.run().await?;
    Ok(())
}
