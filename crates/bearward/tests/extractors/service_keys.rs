//! Service keys: accepted and rejected keys, both headers, requirements, guards and metrics.

use std::{sync::Arc, time::Duration};

use actix_web::{HttpRequest, web};
use bearward::{
    AuthError, Bearward, BuildError, Caller, Clock, Issuer, MaybePrincipal, NewServiceKey,
    NoCustomClaims, Principal, RequestHead, Require, Requirement, Service, ServiceKey,
    ServiceKeyError, ServiceKeyProblem, Timestamp, Verified,
};
use bearward_testing::{MockIdp, TestClock, service};
use test_support::raw_http::{Request, get};

use crate::{
    rejection_metrics::CounterRecorder,
    test_app::{TestApp, me},
    test_server::TestServer,
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

/// A requirement that says nothing about services.
struct AnyUser;

impl Requirement for AnyUser {
    type Claims = NoCustomClaims;

    fn check(_: &Verified) -> Result<(), AuthError> {
        Ok(())
    }
}

fn configured(name: &str, key: &NewServiceKey) -> ServiceKey {
    ServiceKey::new(name)
        .unwrap()
        .sha256(&key.sha256())
        .unwrap()
}

fn name(caller: &Caller) -> String {
    match caller {
        Caller::User(user) => format!("user {}", user.subject()),
        Caller::Service(service) => format!("service {}", service.name()),
    }
}

fn routes(config: &mut web::ServiceConfig) {
    let service = |service: Service| async move { service.name().to_owned() };
    let caller = |caller: Caller| async move { name(&caller) };
    let write = |caller: Require<WriteReports, Caller>| async move { name(&caller) };
    let service_write =
        |service: Require<WriteReports, Service>| async move { service.name().to_owned() };
    let any = |caller: Require<AnyUser, Caller>| async move { name(&caller) };
    let user_write = |user: Require<WriteReports>| async move { user.subject().to_owned() };
    config
        .route("/service", web::get().to(service))
        .route("/caller", web::get().to(caller))
        .route("/write", web::get().to(write))
        .route("/service-write", web::get().to(service_write))
        .route("/any-user", web::get().to(any))
        .route("/user-write", web::get().to(user_write))
        .route("/public", web::get().to(|| async { "public" }));
}

struct Fixture {
    app: TestApp,
    /// Without scopes.
    cron: NewServiceKey,
    /// With the scopes `reports:read` and `reports:write`.
    reporter: NewServiceKey,
    server: TestServer,
}

impl Fixture {
    async fn start() -> Self {
        let [cron, reporter] = [NewServiceKey::generate(), NewServiceKey::generate()];
        let app = TestApp::start_with(|builder| {
            builder.service_key(configured("cron", &cron)).service_key(
                configured("reporter", &reporter)
                    .scope("reports:read reports:write")
                    .unwrap(),
            )
        })
        .await;
        let server = app.serve(routes);
        Self {
            app,
            cron,
            reporter,
            server,
        }
    }

    async fn send(&self, request: Request) -> (u16, String) {
        let response = self.server.send(request).await;
        if response.status == 200 {
            (200, response.body.clone())
        } else {
            response.error()
        }
    }

    async fn with_key(&self, path: &str, key: &NewServiceKey) -> (u16, String) {
        self.send(get(path).bearer(key.expose())).await
    }

    async fn with_token(&self, path: &str) -> (u16, String) {
        let token = self.app.token().sub("ada").scope("reports:write").sign();
        self.send(get(path).bearer(&token)).await
    }
}

fn ok(text: &str) -> (u16, String) {
    (200, text.to_owned())
}

fn error(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[actix_web::test]
async fn routes_accept_the_callers_that_their_parameters_name() {
    let fixture = Fixture::start().await;
    let user_required = error(403, "USER_REQUIRED");
    let service_required = error(403, "SERVICE_REQUIRED");
    let scope = error(403, "INSUFFICIENT_SCOPE");
    for (path, cron, reporter, user) in [
        (
            "/service",
            ok("cron"),
            ok("reporter"),
            service_required.clone(),
        ),
        (
            "/caller",
            ok("service cron"),
            ok("service reporter"),
            ok("user ada"),
        ),
        (
            "/write",
            scope.clone(),
            ok("service reporter"),
            ok("user ada"),
        ),
        ("/service-write", scope, ok("reporter"), service_required),
        (
            "/any-user",
            user_required.clone(),
            user_required.clone(),
            ok("user ada"),
        ),
        (
            "/user-write",
            user_required.clone(),
            user_required.clone(),
            ok("ada"),
        ),
        (
            "/me",
            user_required.clone(),
            user_required.clone(),
            ok("ada"),
        ),
        ("/maybe", user_required.clone(), user_required, ok("ada")),
        ("/public", ok("public"), ok("public"), ok("public")),
    ] {
        assert_eq!(fixture.with_key(path, &fixture.cron).await, cron, "{path}");
        assert_eq!(
            fixture.with_key(path, &fixture.reporter).await,
            reporter,
            "{path}"
        );
        assert_eq!(fixture.with_token(path).await, user, "{path}");
    }
    for path in ["/service", "/caller", "/write", "/service-write"] {
        assert_eq!(
            fixture.send(get(path)).await,
            error(401, "MISSING_TOKEN"),
            "{path}"
        );
    }
}

#[actix_web::test]
async fn a_mistyped_or_unknown_key_is_401_with_a_challenge() {
    let fixture = Fixture::start().await;
    let key = fixture.cron.expose();
    let last = if key.ends_with('0') { "1" } else { "0" };
    let mistyped = format!("{}{last}", &key[..key.len() - 1]);
    for (key, message) in [
        (mistyped.as_str(), "mistyped or incomplete"),
        (&key[..key.len() - 1], "mistyped or incomplete"),
        ("bwk_", "mistyped or incomplete"),
        (NewServiceKey::generate().expose(), "unknown service key"),
        ("sb_secret_unknown", "unknown service key"),
    ] {
        for path in ["/service", "/caller", "/me", "/maybe"] {
            let response = fixture.server.send(get(path).bearer(key)).await;
            assert_eq!(
                response.error(),
                error(401, "INVALID_SERVICE_KEY"),
                "{path}"
            );
            let text = response.body.clone();
            assert!(text.contains(message) && !text.contains(key), "{text}");
            let challenge = response.header("www-authenticate").unwrap();
            assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
        }
    }
}

#[actix_web::test]
async fn both_headers_carry_a_key_and_different_credentials_are_400() {
    let fixture = Fixture::start().await;
    let (cron, reporter) = (fixture.cron.expose(), fixture.reporter.expose());
    let token = fixture.app.valid_token();
    for (authorization, api_key, expected) in [
        (Some(cron), None, ok("service cron")),
        (None, Some(cron), ok("service cron")),
        (Some(cron), Some(cron), ok("service cron")),
        (Some(cron), Some(reporter), error(400, "INVALID_REQUEST")),
        (Some(&token), Some(cron), error(400, "INVALID_REQUEST")),
        // supabase-js sends a publishable or legacy key next to the user's token.
        (Some(&token), Some("sb_publishable_x"), ok("user ada")),
        (
            Some(&token),
            Some("eyJhbGciOiJIUzI1NiJ9.e30.c2ln"),
            ok("user ada"),
        ),
        (Some(cron), Some("sb_publishable_x"), ok("service cron")),
        (None, Some("sb_publishable_x"), error(401, "MISSING_TOKEN")),
        (None, Some(""), error(401, "MISSING_TOKEN")),
    ] {
        let mut request = get("/caller");
        if let Some(authorization) = authorization {
            request = request.bearer(authorization);
        }
        if let Some(api_key) = api_key {
            request = request.header("apikey", api_key);
        }
        assert_eq!(fixture.send(request).await, expected, "{api_key:?}");
    }
    let twice = get("/caller").header("apikey", cron).header("apikey", cron);
    assert_eq!(fixture.send(twice).await, ok("service cron"));
    let two = get("/caller")
        .header("apikey", cron)
        .header("apikey", reporter);
    assert_eq!(fixture.send(two).await, error(400, "INVALID_REQUEST"));
}

#[actix_web::test]
async fn an_expired_key_is_rejected_from_its_expiry_on() {
    let clock = TestClock::new();
    let (key, eternal) = (NewServiceKey::generate(), NewServiceKey::generate());
    let expires = clock.now().plus(Duration::from_secs(60));
    let auth = Bearward::builder()
        .issuer(MockIdp::offline().as_issuer())
        .clock(Arc::new(clock.clone()))
        .service_key(configured("cron", &key).expires(expires))
        .service_key(configured("eternal", &eternal))
        .build()
        .await
        .unwrap();
    clock.advance(Duration::from_millis(59_999));
    let service = auth.verify_service_key(key.expose()).unwrap();
    assert_eq!(service.expires_at(), Some(expires));
    clock.advance(Duration::from_millis(1));
    let failure = auth.verify_service_key(key.expose()).unwrap_err();
    let expired = ServiceKeyProblem::Expired {
        at: expires,
        now: expires,
    };
    assert_eq!(failure.error, AuthError::ServiceKey(expired));
    assert_eq!(failure.service.as_deref(), Some("cron"));
    assert!(failure.error.is_outside_validity_period());
    assert!(auth.verify_service_key(eternal.expose()).is_ok());
}

/// The code of docs/service-keys.md.
async fn build(
    issuer: Issuer,
    digest: String,
    at: Timestamp,
) -> Result<Bearward, Box<dyn std::error::Error>> {
    let cron = ServiceKey::new("cron")?
        .sha256(&digest)?
        .scope("reports:write")?
        .expires(at);
    let auth = Bearward::builder()
        .issuer(issuer)
        .service_key(cron)
        .build()
        .await?;
    Ok(auth)
}

#[actix_web::test]
async fn the_code_of_the_page_accepts_the_key() {
    let key = NewServiceKey::generate();
    let issuer = MockIdp::offline().as_issuer();
    let auth = build(issuer, key.sha256(), Timestamp::from_unix(4_102_444_800))
        .await
        .unwrap();
    assert!(
        auth.verify_service_key(key.expose())
            .unwrap()
            .has_scope("reports:write")
    );
}

#[actix_web::test]
async fn several_digests_of_a_service_are_accepted_for_rotation() {
    let (old, new) = (NewServiceKey::generate(), NewServiceKey::generate());
    let supabase = "sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz";
    let supabase_digest = "c85debb55f2f204d868cc1552c42faa143b4c675f61363ab040dd50b5b5304cd";
    let service = configured("cron", &old)
        .sha256(&new.sha256())
        .unwrap()
        .sha256(supabase_digest)
        .unwrap();
    let auth = Bearward::builder()
        .issuer(MockIdp::offline().as_issuer())
        .service_key(service)
        .build()
        .await
        .unwrap();
    for (key, digest) in [
        (old.expose(), old.sha256()),
        (new.expose(), new.sha256()),
        (supabase, supabase_digest.to_owned()),
    ] {
        let service = auth.verify_service_key(key).unwrap();
        assert_eq!(service.name(), "cron");
        assert_eq!(service.key_id(), &digest[..8]);
        assert!(!format!("{service:?}").contains(key));
    }
    assert!(auth.verify_service_key("sb_secret_other").is_err());
}

#[actix_web::test]
async fn without_configured_services_every_key_is_unknown() {
    let app = TestApp::start().await;
    let server = app.serve(routes);
    let key = NewServiceKey::generate();
    for path in ["/me", "/service", "/caller"] {
        let response = server.send(get(path).bearer(key.expose())).await;
        assert_eq!(
            response.error(),
            error(401, "INVALID_SERVICE_KEY"),
            "{path}"
        );
    }
    let response = server.send(get("/me").header("apikey", key.expose())).await;
    assert_eq!(response.error(), error(401, "MISSING_TOKEN"));
    let failure = app.auth.verify_service_key(key.expose()).unwrap_err();
    assert_eq!(
        failure.error,
        AuthError::ServiceKey(ServiceKeyProblem::Unknown)
    );
}

#[actix_web::test]
async fn a_key_is_no_access_token_without_actix() {
    let fixture = Fixture::start().await;
    let auth = &fixture.app.auth;
    let failure = auth.verify(fixture.cron.expose()).await.unwrap_err();
    assert_eq!(failure.error, AuthError::UserRequired);
    let token = fixture.app.valid_token();
    let failure = auth.verify_service_key(&token).unwrap_err();
    assert_eq!(
        failure.error,
        AuthError::ServiceKey(ServiceKeyProblem::Unknown)
    );

    let headers = [("apikey", fixture.cron.expose().as_bytes())];
    let head = RequestHead::new("POST", "/jobs", headers);
    assert_eq!(auth.authenticate_service(&head).unwrap().name(), "cron");
    let failure = auth.authenticate(&head).await.unwrap_err();
    assert_eq!(failure.error, AuthError::UserRequired);
}

#[actix_web::test]
async fn guards_accept_services_only_if_they_say_so() {
    let fixture = Fixture::start().await;
    let auth = fixture.app.auth.clone();
    let server = fixture.app.serve(move |config| {
        let caller = |caller: Caller| async move { name(&caller) };
        let logged = |request: HttpRequest| async move {
            Service::of(&request).map_or_else(String::new, |service| service.name().to_owned())
        };
        config
            .service(
                web::scope("/users")
                    .wrap(auth.guard())
                    .route("", web::get().to(caller)),
            )
            .service(
                web::scope("/all")
                    .wrap(auth.guard().services())
                    .route("", web::get().to(caller))
                    .route("/logged", web::get().to(logged))
                    .route("/me", web::get().to(me)),
            )
            .service(
                web::scope("/write")
                    .wrap(auth.require::<WriteReports>().services())
                    .route("", web::get().to(caller)),
            )
            .service(
                web::scope("/user-write")
                    .wrap(auth.require::<WriteReports>())
                    .route("", web::get().to(caller)),
            );
    });
    let send = async |path: &str, key: &NewServiceKey| {
        let response = server.send(get(path).bearer(key.expose())).await;
        if response.status == 200 {
            (200, response.body.clone())
        } else {
            response.error()
        }
    };
    let user_required = error(403, "USER_REQUIRED");
    assert_eq!(send("/users", &fixture.reporter).await, user_required);
    assert_eq!(send("/all", &fixture.cron).await, ok("service cron"));
    assert_eq!(send("/all/logged", &fixture.cron).await, ok("cron"));
    assert_eq!(send("/all/me", &fixture.cron).await, user_required);
    assert_eq!(
        send("/write", &fixture.cron).await,
        error(403, "INSUFFICIENT_SCOPE")
    );
    assert_eq!(
        send("/write", &fixture.reporter).await,
        ok("service reporter")
    );
    assert_eq!(send("/user-write", &fixture.reporter).await, user_required);
}

#[actix_web::test]
async fn metrics_name_the_service_and_never_the_key() {
    let recorder = CounterRecorder::default();
    let key = NewServiceKey::generate();
    let _recorder = metrics::set_default_local_recorder(&recorder);
    let auth = Bearward::builder()
        .issuer(MockIdp::offline().as_issuer())
        .service_key(configured("cron", &key))
        .build()
        .await
        .unwrap();
    auth.verify_service_key(key.expose()).unwrap();
    auth.verify(key.expose()).await.unwrap_err();
    let unknown = NewServiceKey::generate();
    auth.verify_service_key(unknown.expose()).unwrap_err();
    auth.verify_service_key("bwk_short").unwrap_err();
    let counted = recorder.counts();
    let expected = [
        ("cron accepted", 2),
        ("cron user_required", 1),
        ("none service_key_mistyped", 1),
        ("none service_key_unknown", 1),
    ];
    assert_eq!(
        counted,
        expected
            .into_iter()
            .map(|(labels, count)| (labels.to_owned(), count))
            .collect()
    );
}

#[actix_web::test]
async fn invalid_configurations_are_rejected() {
    for invalid in ["", "a b", "a/b", "none", &"a".repeat(65)] {
        assert!(ServiceKey::new(invalid).is_err(), "{invalid:?}");
    }
    for valid in ["a", "a.b-c_D9", &"a".repeat(64)] {
        assert!(ServiceKey::new(valid).is_ok(), "{valid:?}");
    }
    let key = NewServiceKey::generate();
    let cron = || ServiceKey::new("cron").unwrap();
    let not_a_digest = cron().sha256(key.expose()).unwrap_err();
    assert_eq!(not_a_digest, ServiceKeyError::Digest);
    assert!(!not_a_digest.to_string().contains(key.expose()));
    assert!(cron().scope("a\"b").is_err() && cron().scope("a\u{7f}").is_err());
    assert!(cron().scope("").is_ok() && cron().scope("a:b/c d!~").is_ok());

    let build = async |services: Vec<ServiceKey>| {
        let builder = Bearward::builder().issuer(MockIdp::offline().as_issuer());
        let builder = services
            .into_iter()
            .fold(builder, bearward::Builder::service_key);
        match builder.build().await {
            Ok(_) => None,
            Err(BuildError::ServiceKey(error)) => Some(error),
            Err(other) => panic!("{other}"),
        }
    };
    let other = NewServiceKey::generate();
    assert_eq!(
        build(vec![configured("a", &key), configured("b", &other)]).await,
        None
    );
    assert_eq!(
        build(vec![cron()]).await,
        Some(ServiceKeyError::NoDigest("cron".to_owned()))
    );
    assert_eq!(
        build(vec![configured("a", &key), configured("a", &other)]).await,
        Some(ServiceKeyError::DoubledName("a".to_owned()))
    );
    assert_eq!(
        build(vec![configured("a", &key), configured("b", &key)]).await,
        Some(ServiceKeyError::DoubledDigest(
            "a".to_owned(),
            "b".to_owned()
        ))
    );
}

#[test]
fn the_test_kit_creates_services() {
    let cron = service("cron").scope("a b").build();
    assert_eq!((cron.name(), cron.has_scope("b")), ("cron", true));
    let caller: Caller = service("cron").extract();
    assert!(caller.service().is_some() && caller.user().is_none());
    let _: Require<WriteReports, Service> = service("cron").scope("reports:write").extract();
}

#[test]
#[should_panic(expected = "rejects this service")]
fn a_service_is_no_principal() {
    let _: Principal = service("cron").extract();
}

#[test]
#[should_panic(expected = "rejects this service")]
fn a_service_is_not_anonymous() {
    let _: MaybePrincipal = service("cron").extract();
}
