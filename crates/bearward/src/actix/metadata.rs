//! Serves the metadata of protected resources (RFC 9728).

use actix_web::{
    HttpRequest, HttpResponse, Resource,
    http::header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL, HeaderValue,
    },
    web::{self, ServiceConfig},
};

use super::methods::{allow_methods, get_or_head};
use crate::{bearward::Bearward, http::ProtectedResource};

/// The path before that of the resource (RFC 9728 §3.1).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

impl Bearward {
    /// Registers the metadata routes of all [protected resources](ProtectedResource), for clients
    /// of every origin.
    ///
    /// The metadata of `https://api.example.com/mcp` is at
    /// `/.well-known/oauth-protected-resource/mcp`. At `/.well-known/oauth-protected-resource` is
    /// that of the resource without a path, else of the first resource, because some clients look
    /// only there.
    ///
    /// ```
    /// use actix_web::App;
    /// # use bearward::Bearward;
    ///
    /// # fn build(auth: Bearward) {
    /// let app = App::new()
    ///     .configure(|cfg| auth.metadata_routes(cfg))
    ///     .app_data(auth.clone());
    /// # }
    /// ```
    ///
    /// The routes are public. A [`Guard`](super::Guard) around the whole application must except
    /// `/.well-known/oauth-protected-resource{path:.*}`.
    pub fn metadata_routes(&self, cfg: &mut ServiceConfig) {
        let resources = &self.http.resources;
        for resource in resources {
            let path = resource.url().path().trim_end_matches('/');
            if !path.is_empty() {
                cfg.service(metadata_resource(
                    self,
                    resource,
                    &format!("{WELL_KNOWN}{path}"),
                ));
            }
        }
        let root = resources
            .iter()
            .find(|resource| resource.url().path() == "/")
            .or(resources.first());
        if let Some(root) = root {
            cfg.service(metadata_resource(self, root, WELL_KNOWN));
        }
    }
}

fn metadata_resource(auth: &Bearward, resource: &ProtectedResource, path: &str) -> Resource {
    let (auth, resource) = (auth.clone(), resource.clone());
    let metadata = move |_: HttpRequest| {
        let document = resource.metadata(&auth);
        async move {
            HttpResponse::Ok()
                .insert_header((CACHE_CONTROL, "public, max-age=300"))
                .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
                .json(document)
        }
    };
    // `{` and `}` are encoded in the path of a URL, so it is no pattern.
    let resource = web::resource([path.to_owned(), format!("{path}/")])
        .route(get_or_head().to(metadata))
        .route(web::method(actix_web::http::Method::OPTIONS).to(preflight));
    allow_methods(HeaderValue::from_static("GET, HEAD, OPTIONS"), resource)
}

/// Clients in browsers send the header `MCP-Protocol-Version`, for which CORS requires a preflight.
async fn preflight() -> HttpResponse {
    HttpResponse::NoContent()
        .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .insert_header((ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD"))
        .insert_header((ACCESS_CONTROL_ALLOW_HEADERS, "*"))
        .insert_header((ACCESS_CONTROL_MAX_AGE, "600"))
        .finish()
}
