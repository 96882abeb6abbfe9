//! The routes of a team, beside the built-in ones.

use std::{
    cell::RefCell,
    fmt,
    ops::{Deref, DerefMut},
    rc::Rc,
    sync::Arc,
};

use actix_web::{
    App, HttpResponse,
    dev::{ResourceMap, Service, ServiceRequest},
    test::{TestRequest, init_service},
    web::{self, ServiceConfig},
};
use bearward::Bearward;

use super::{StartError, middleware};
use crate::{
    api::{self, Document},
    server::RequestLimits,
};

/// Registers own routes; see [`Server::routes`](super::Server::routes).
///
/// It dereferences to [`ServiceConfig`]: `service`, `route`, `app_data` and `configure` work as in
/// actix-web.
pub struct Routes<'a> {
    config: &'a mut ServiceConfig,
    auth: &'a Bearward,
}

impl Routes<'_> {
    /// Returns the verifier of the server, for a guard of a scope.
    ///
    /// ```
    /// use actix_web::web;
    /// use bearward::{AuthError, NoCustomClaims, Requirement, Verified};
    /// # use bearward_server::Server;
    ///
    /// struct Staff;
    ///
    /// impl Requirement for Staff {
    ///     type Claims = NoCustomClaims;
    ///     fn check(user: &Verified) -> Result<(), AuthError> {
    ///         user.require_role("staff")
    ///     }
    /// }
    ///
    /// # async fn stock() -> &'static str { "" }
    /// # fn add(server: Server) -> Server {
    /// server.routes(|routes| {
    ///     let staff = web::scope("/staff")
    ///         .wrap(routes.auth().require::<Staff>())
    ///         .route("/stock", web::get().to(stock));
    ///     routes.service(staff);
    /// })
    /// # }
    /// ```
    pub fn auth(&self) -> &Bearward {
        self.auth
    }
}

impl Deref for Routes<'_> {
    type Target = ServiceConfig;

    fn deref(&self) -> &ServiceConfig {
        self.config
    }
}

impl DerefMut for Routes<'_> {
    fn deref_mut(&mut self) -> &mut ServiceConfig {
        self.config
    }
}

impl fmt::Debug for Routes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Routes")
    }
}

type Mount = Arc<dyn Fn(&mut Routes<'_>) + Send + Sync>;

/// The functions that register the own routes, in the order in which they were added.
#[derive(Clone, Default)]
pub(super) struct OwnRoutes(Vec<Mount>);

impl OwnRoutes {
    pub(super) fn add(&mut self, mount: impl Fn(&mut Routes<'_>) + Send + Sync + 'static) {
        self.0.push(Arc::new(mount));
    }

    /// Mounts the routes. Must follow the built-in routes: the scope matches every path.
    pub(super) fn mount(&self, config: &mut ServiceConfig, limits: RequestLimits, auth: &Bearward) {
        if self.0.is_empty() {
            return;
        }
        let scope = web::scope("")
            .default_service(web::to(api::no_own_route))
            .configure(|config| self.register(config, auth));
        config.service(middleware::own_routes(scope, limits));
    }

    /// Checks that no own route has the path of a built-in one. Built-in routes come first, so such
    /// an own route would never be reached.
    ///
    /// Paths are compared where both are known: the documented paths of one side with all routes of
    /// the other. An own pattern that merely covers a built-in path, such as `/{page}`, is allowed.
    pub(super) async fn check(
        &self,
        limits: RequestLimits,
        auth: &Bearward,
        document: &Document,
    ) -> Result<(), StartError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let own_routes = resource_map(|config| self.register(config, auth)).await;
        for built_in in Document::built_in_paths() {
            if let Some(own) = own_routes.match_pattern(&sample(&built_in))
                && without_parameters(&own) == without_parameters(&built_in)
            {
                return Err(StartError::RouteCollision { own, built_in });
            }
        }
        let built_in_routes = resource_map(|config| {
            api::routes(config, limits, auth);
            api::metrics(config, limits);
        })
        .await;
        for own in document.own_paths() {
            if let Some(built_in) = built_in_routes.match_pattern(&sample(own)) {
                let own = own.to_owned();
                return Err(StartError::RouteCollision { own, built_in });
            }
        }
        Ok(())
    }

    fn register(&self, config: &mut ServiceConfig, auth: &Bearward) {
        let mut routes = Routes { config, auth };
        for mount in &self.0 {
            mount(&mut routes);
        }
    }
}

impl fmt::Debug for OwnRoutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OwnRoutes").field(&self.0.len()).finish()
    }
}

/// Returns the paths of these routes. actix-web makes them available to requests only.
async fn resource_map(register: impl FnOnce(&mut ServiceConfig)) -> ResourceMap {
    let map = Rc::new(RefCell::new(None));
    let found = Rc::clone(&map);
    let app = App::new()
        .configure(register)
        .wrap_fn(move |request: ServiceRequest, _| {
            found.replace(Some(request.resource_map().clone()));
            async { Ok(request.into_response(HttpResponse::Ok())) }
        });
    let request = TestRequest::default().to_request();
    // The response is the one above.
    let _ = init_service(app).await.call(request).await;
    map.take()
        .expect("the middleware has processed the request")
}

/// Returns a path that matches the pattern.
fn sample(pattern: &str) -> String {
    replace_parameters(pattern, "1")
}

/// Returns the pattern with all parameters under one name: names and expressions of parameters do
/// not make two paths different.
fn without_parameters(pattern: &str) -> String {
    replace_parameters(pattern, "{}")
}

/// Replaces each `{…}` of a pattern. The expression of a parameter may contain braces.
fn replace_parameters(pattern: &str, replacement: &str) -> String {
    let (mut replaced, mut depth) = (String::new(), 0_u32);
    for character in pattern.chars() {
        match character {
            '{' => {
                if depth == 0 {
                    replaced.push_str(replacement);
                }
                depth += 1;
            }
            '}' => depth = depth.saturating_sub(1),
            _ if depth == 0 => replaced.push(character),
            _ => {}
        }
    }
    replaced
}
