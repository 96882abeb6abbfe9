//! The bearward server with three routes of a team: a public one, one for every user, and one for a
//! role.
//!
//! `SUPABASE_URL=https://YOUR-PROJECT.supabase.co cargo run -p server-with-routes`

mod orders;
#[cfg(test)]
mod tests;

use actix_web::web::Data;
use bearward_server::{Server, StartError, settings::Sources};
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(paths(orders::menu, orders::list, orders::add, orders::all))]
struct ApiDoc;

/// Builds the server, for `main` and for the tests.
fn server(sources: &Sources) -> Result<Server, StartError> {
    let server = Server::from_sources(sources)?;
    // The section [app] of the configuration, and BEARWARD_APP__MENU.
    let settings: orders::Settings = server.config().app()?;
    // Routes are registered once per worker, so shared state is created before.
    let orders = Data::new(orders::Orders::new(settings));
    Ok(server.openapi(ApiDoc::openapi()).routes(move |routes| {
        routes
            .app_data(orders.clone())
            .service(orders::menu)
            .service(orders::list)
            .service(orders::add)
            .service(orders::all);
    }))
}

#[actix_web::main]
async fn main() -> Result<(), StartError> {
    server(&Sources::from_environment(None))?.run().await
}
