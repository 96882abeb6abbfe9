//! OAuth protected resource metadata (RFC 9728), for targets that publish it.

use std::sync::Arc;

use serde_json::Value;
use url::Url;

use crate::{
    case::{Case, Severity, Steps},
    challenge::BearerChallenge,
    error::StepError,
    group::Group,
    harness::{Harness, failure},
    target::{Request, RequestError, Response},
};

pub(crate) const GROUP: Group = Group {
    name: "metadata",
    title: "the protected resource metadata leads clients to the issuer",
    hint: "serve the metadata without authentication at the well-known path followed by the path of the resource, with `resource` equal to the \
           identifier that clients use, and name its URL in `WWW-Authenticate: Bearer resource_metadata=\"URL\"`",
    timed: false,
    cases,
};

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

fn cases() -> Vec<Case> {
    let case = |id, title, severity, expected, steps: fn(Arc<Harness>) -> Steps| {
        Case::steps(id, title, severity, expected, steps)
    };
    vec![
        case(
            "metadata.document",
            "the metadata without a token",
            Severity::Medium,
            "200 with a JSON object",
            |harness| Box::pin(async move { fetch(&harness).await.map(drop) }),
        )
        .rationale("a client reads it before it has a token", "RFC 9728 §3.2"),
        case(
            "metadata.resource",
            "the member resource",
            Severity::Medium,
            "the identifier to whose path the metadata URL belongs",
            |harness| Box::pin(async move { check_resource(&harness).await }),
        )
        .rationale(
            "clients must not use metadata whose resource differs from the one that they asked for",
            "RFC 9728 §3.3",
        ),
        case(
            "metadata.issuer",
            "the member authorization_servers",
            Severity::Medium,
            "an array that contains the issuer",
            |harness| Box::pin(async move { check_issuer(&harness).await }),
        )
        .rationale("clients learn here where to get a token", "RFC 9728 §2"),
        case(
            "metadata.challenge",
            "no token",
            Severity::Low,
            "401 whose challenge has resource_metadata with the URL of the metadata",
            |harness| Box::pin(async move { check_challenge(&harness).await }),
        )
        .strict()
        .rationale(
            "clients that do not know the well-known path find it in the challenge",
            "RFC 9728 §5.1",
        ),
        case(
            "metadata.cors",
            "the metadata with an Origin header",
            Severity::Low,
            "Access-Control-Allow-Origin: *",
            |harness| Box::pin(async move { check_cors(&harness).await }),
        )
        .strict()
        .rationale(
            "clients in a browser cannot read it otherwise, and it is public",
            "RFC 9728 §3.1",
        ),
    ]
}

/// Where the metadata is: named by the challenge, or else at the well-known path.
async fn location(harness: &Harness) -> Result<(Url, bool), StepError> {
    let response = expect_response(harness.send_request(&Request::bare()).await)?;
    let named = BearerChallenge::from_headers(&response.headers)
        .ok()
        .and_then(|challenge| Url::parse(challenge.parameter("resource_metadata")?).ok());
    if let Some(url) = named {
        return Ok((url, true));
    }
    let mut url = harness.target.url().clone();
    url.set_query(None);
    let resource_path = url.path().trim_end_matches('/').to_owned();
    for path in [resource_path.as_str(), ""] {
        url.set_path(&format!("{WELL_KNOWN}{path}"));
        let response = expect_response(harness.target.get(&url, None).await)?;
        if response.is_accepted() && document(&response).is_some() {
            return Ok((url, false));
        }
    }
    Err(StepError::NotApplicable(
        "the target publishes no protected resource metadata (RFC 9728)".to_owned(),
    ))
}

async fn fetch(harness: &Harness) -> Result<(Url, Value), StepError> {
    let (url, _) = location(harness).await?;
    let response = expect_response(harness.target.get(&url, None).await)?;
    let expected = "200 with a JSON object";
    if response.status != 200 {
        return Err(failure(
            expected,
            format!("{} at {url}", response.describe()),
        ));
    }
    match document(&response) {
        Some(document) => Ok((url, document)),
        None => Err(failure(expected, format!("200 with another body at {url}"))),
    }
}

fn document(response: &Response) -> Option<Value> {
    let document: Value = serde_json::from_slice(&response.body).ok()?;
    document.is_object().then_some(document)
}

/// Returns the document, if metadata.document passes.
async fn fetched(harness: &Harness) -> Result<(Url, Value), StepError> {
    fetch(harness).await.map_err(|error| match error {
        StepError::Failed(_) => {
            StepError::NotApplicable("it requires metadata.document to pass".to_owned())
        }
        error => error,
    })
}

async fn check_resource(harness: &Harness) -> Result<(), StepError> {
    let (url, document) = fetched(harness).await?;
    let expected = "a URL whose metadata is at this address";
    let resource = document["resource"].as_str().unwrap_or_default();
    let Ok(identifier) = Url::parse(resource) else {
        return Err(failure(
            expected,
            format!("resource is {}", document["resource"]),
        ));
    };
    let resource_path = identifier.path().trim_end_matches('/');
    let metadata_path = url.path().strip_prefix(WELL_KNOWN);
    if metadata_path.is_none_or(|path| path.trim_end_matches('/') == resource_path) {
        return Ok(());
    }
    Err(failure(
        expected,
        format!("resource is {resource:?} at {url}"),
    ))
}

async fn check_issuer(harness: &Harness) -> Result<(), StepError> {
    let (_, document) = fetched(harness).await?;
    let servers = &document["authorization_servers"];
    let issuer = harness.forge.issuer.as_str();
    let contains = |servers: &Vec<Value>| servers.iter().any(|server| server == issuer);
    if servers.as_array().is_some_and(contains) {
        return Ok(());
    }
    Err(failure(
        format!("an array that contains {issuer}"),
        format!("authorization_servers is {servers}"),
    ))
}

async fn check_challenge(harness: &Harness) -> Result<(), StepError> {
    let response = expect_response(harness.send_request(&Request::bare()).await)?;
    if response.status != 401 {
        return Err(StepError::NotApplicable(
            "the target does not respond with 401 to a request without a token".to_owned(),
        ));
    }
    let (url, is_named) = location(harness).await?;
    if is_named {
        return Ok(());
    }
    Err(failure(
        format!("resource_metadata=\"{url}\" in the challenge"),
        "no resource_metadata in the challenge",
    ))
}

async fn check_cors(harness: &Harness) -> Result<(), StepError> {
    let (url, _) = fetched(harness).await?;
    let origin = "https://client.example";
    let response = expect_response(harness.target.get(&url, Some(origin)).await)?;
    let allowed = response.headers.get("access-control-allow-origin");
    match allowed.map(|value| value.to_str().unwrap_or_default()) {
        Some("*") => Ok(()),
        Some(value) if value == origin => Ok(()),
        Some(value) => Err(failure("Access-Control-Allow-Origin: *", value)),
        None => Err(failure(
            "Access-Control-Allow-Origin: *",
            "no Access-Control-Allow-Origin",
        )),
    }
}

fn expect_response<T>(response: Result<T, RequestError>) -> Result<T, StepError> {
    response.map_err(|error| match error {
        RequestError::Connect(error) => StepError::Connect(error),
        error => failure("a response", error.describe()),
    })
}
