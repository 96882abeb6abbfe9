//! Serves the todo service on 127.0.0.1:8080, with the configuration from `SUPABASE_URL` and
//! `DATABASE_URL`.

use std::{env, error::Error};

use actix_web::{App, HttpServer, web::Data};
use bearward::{Bearward, Issuer, postgres};
use sqlx::postgres::PgPoolOptions;

const ADDRESS: &str = "127.0.0.1:8080";

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    let supabase_url = variable("SUPABASE_URL")?;
    let database_url = variable("DATABASE_URL")?;

    let auth = Bearward::builder()
        .issuer(Issuer::supabase(&supabase_url)?)
        .build()
        .await?;
    let db = PgPoolOptions::new()
        .max_connections(10)
        .connect(&database_url)
        .await?;
    // Fails if the login role could see rows without `begin`.
    postgres::check(&db).await?;

    let app = move || {
        App::new()
            .app_data(auth.clone())
            .app_data(Data::new(db.clone()))
            .configure(supabase_rls::routes)
    };
    let server = HttpServer::new(app).bind(ADDRESS)?;
    println!("Listening on http://{ADDRESS}");
    Ok(server.run().await?)
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("set {name}, see README.md"))
}
