//! Rejection metrics: each rejection is counted once, by issuer and reason, wherever it happens.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use actix_web::{
    App, Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::{Condition, Next, from_fn},
    test::{TestRequest, call_service, init_service},
    web,
};
use bearward::Bearward;
use metrics::{
    Counter, CounterFn, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

use crate::{
    requirements::{Admin, routes},
    test_app::{counting_verifier, maybe, me},
};

/// Records counters by the values of their labels.
#[derive(Clone, Default)]
pub struct CounterRecorder(Arc<Mutex<BTreeMap<String, u64>>>);

impl CounterRecorder {
    /// Returns the counters by the values of their labels, separated by spaces.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap().clone()
    }
}

struct LabeledCounter(CounterRecorder, String);

impl CounterFn for LabeledCounter {
    fn increment(&self, value: u64) {
        if value > 0 {
            *self.0.0.lock().unwrap().entry(self.1.clone()).or_default() += value;
        }
    }

    fn absolute(&self, _: u64) {}
}

impl Recorder for CounterRecorder {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let labels: Vec<&str> = key.labels().map(metrics::Label::value).collect();
        Counter::from_arc(Arc::new(LabeledCounter(self.clone(), labels.join(" "))))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

/// Authenticates the request and ignores the result.
async fn authenticate_early(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let auth = request.app_data::<Bearward>().unwrap();
    let _ = auth.authenticate_early(request.request()).await;
    next.call(request).await
}

#[actix_web::test]
async fn each_rejection_is_counted_once() {
    for is_early in [false, true] {
        count_rejections(is_early).await;
    }
}

async fn count_rejections(is_early: bool) {
    let recorder = CounterRecorder::default();
    let _recorder = metrics::set_default_local_recorder(&recorder);
    let (auth, clock, token) = counting_verifier().await;
    let issuer = "https://id.example.com";
    let guarded = web::scope("/guarded")
        .wrap(auth.require::<Admin>())
        .route("", web::get().to(me));
    let routes = App::new()
        .app_data(auth.clone())
        .configure(routes)
        .route("/me", web::get().to(me))
        .route("/maybe", web::get().to(maybe));
    let early = Condition::new(is_early, from_fn(authenticate_early));
    let app = init_service(routes.service(guarded).wrap(early)).await;

    let (valid_token, admin) = (token.clone().sign(), token.clone().role("admin").sign());
    let expired = token.clone().expired().sign();
    let cases: [(&str, &[&str], &[&str]); 12] = [
        ("/maybe", &[], &[]),
        ("/me", &[], &["none no_token"]),
        ("/guarded", &[], &["none no_token"]),
        ("/maybe", &["Basic YTpi"], &[]),
        ("/maybe", &["Bearer"], &["none bad_authorization"]),
        (
            "/guarded",
            &["Bearer a", "Bearer b"],
            &["none several_credentials"],
        ),
        ("/me", &["Bearer x"], &["none format"]),
        (
            "/guarded",
            &[&format!("Bearer {expired}")],
            &["ISS expired"],
        ),
        (
            "/admin",
            &[&format!("Bearer {valid_token}")],
            &["ISS accepted", "ISS role"],
        ),
        (
            "/guarded",
            &[&format!("Bearer {valid_token}")],
            &["ISS accepted", "ISS role"],
        ),
        (
            "/paying",
            &[&format!("Bearer {valid_token}")],
            &["ISS accepted", "ISS claims_type"],
        ),
        ("/guarded", &[&format!("Bearer {admin}")], &["ISS accepted"]),
    ];
    for (path, headers, expected) in cases {
        recorder.0.lock().unwrap().clear();
        let reads = clock.reads();
        let request = TestRequest::get().uri(path);
        let request = headers.iter().fold(request, |request, value| {
            request.append_header(("authorization", *value))
        });
        call_service(&app, request.to_request()).await;
        let expected: BTreeMap<String, u64> = expected
            .iter()
            .map(|labels| (labels.replace("ISS", issuer), 1))
            .collect();
        let counts = recorder.0.lock().unwrap().clone();
        assert_eq!(counts, expected, "{path} {headers:?} early: {is_early}");
        assert!(
            clock.reads() - reads <= 1,
            "{path} {headers:?}: verified once"
        );
    }
}
