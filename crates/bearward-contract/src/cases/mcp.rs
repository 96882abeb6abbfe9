//! The authorization rules of the Model Context Protocol (specification of 2025-11-25).

use std::sync::Arc;

use reqwest::Method;
use serde_json::Value;
use url::Url;

use super::strict_http::expect_response;
use crate::{
    case::{Case, Severity, Steps},
    challenge::BearerChallenge,
    error::StepError,
    group::Group,
    harness::{Harness, failure},
    target::{Request, RequestError, Response},
};

pub(crate) const GROUP: Group = Group {
    name: "mcp",
    title: "clients of the Model Context Protocol can authorize, and tokens are for this server",
    hint: "serve RFC 9728 metadata, name it in the challenge of every 401, accept only tokens whose aud is the URL of this server, and check \
           the token of every request; libraries for OAuth resource servers do this, session ids do not",
    timed: false,
    cases,
};

const SPECIFICATION: &str = "MCP 2025-11-25, Authorization";

fn cases() -> Vec<Case> {
    let mut cases = discovery();
    cases.extend(tokens());
    cases
}

fn discovery() -> Vec<Case> {
    vec![
        steps(
            "mcp.challenge.metadata",
            "no token, then an invalid token",
            Severity::Medium,
            "401 with resource_metadata in the Bearer challenge",
            |harness| Box::pin(async move { challenges_name_metadata(&harness).await }),
        )
        .rationale(
            "a client learns from the challenge where the metadata is, and how the user can sign in",
            "MCP 2025-11-25 Authorization, RFC 9728 §5.1",
        ),
        steps(
            "mcp.metadata.location",
            "the metadata at the path of RFC 9728",
            Severity::Medium,
            "200 with a JSON object at /.well-known/oauth-protected-resource followed by the path of the server",
            |harness| {
                Box::pin(async move {
                    let location = well_known(harness.target.url());
                    fetch_document(&harness, &location).await.map(drop)
                })
            },
        )
        .rationale(
            "clients that do not read the challenge look there",
            "RFC 9728 §3.1",
        ),
        steps(
            "mcp.metadata.resource",
            "the member resource of the metadata",
            Severity::Medium,
            "the URL of the server, or one that is a prefix of it",
            |harness| Box::pin(async move { resource_is_the_server(&harness).await }),
        )
        .rationale(
            "a client must not use metadata of another resource, and requests tokens for this URL",
            "RFC 9728 §3.3, RFC 8707 §2",
        ),
        steps(
            "mcp.metadata.authorization-servers",
            "the member authorization_servers of the metadata",
            Severity::Medium,
            "a list that contains the issuer of this run",
            |harness| {
                Box::pin(async move {
                    let (document, _) = metadata(&harness).await?;
                    let issuer = harness.forge.issuer.as_str();
                    let listed = document["authorization_servers"].as_array();
                    if listed.is_some_and(|servers| servers.iter().any(|server| server == issuer)) {
                        return Ok(());
                    }
                    Err(failure(
                        "authorization_servers with the issuer of this run",
                        document["authorization_servers"].to_string(),
                    ))
                })
            },
        )
        .rationale(
            "without an authorization server no user can sign in",
            SPECIFICATION,
        ),
        steps(
            "mcp.metadata.methods",
            "the member bearer_methods_supported of the metadata",
            Severity::Low,
            "no member, or a list with header and without query",
            |harness| {
                Box::pin(async move {
                    let (document, _) = metadata(&harness).await?;
                    let methods = &document["bearer_methods_supported"];
                    let has = |name: &str| {
                        let mut methods = methods.as_array().into_iter().flatten();
                        methods.any(|method| method == name)
                    };
                    if methods.is_null() || (has("header") && !has("query")) {
                        return Ok(());
                    }
                    Err(failure("header and not query", methods.to_string()))
                })
            },
        )
        .rationale(
            "tokens are sent in the Authorization header only",
            SPECIFICATION,
        ),
        steps(
            "mcp.metadata.cors",
            "the metadata from a page of another origin",
            Severity::Low,
            "Access-Control-Allow-Origin that allows the origin",
            |harness| {
                Box::pin(async move {
                    let (_, response) = metadata(&harness).await?;
                    let allowed = response.headers.get("access-control-allow-origin");
                    if allowed.is_some_and(|value| value == "*" || value == ORIGIN) {
                        return Ok(());
                    }
                    Err(failure("Access-Control-Allow-Origin", "no such header"))
                })
            },
        )
        .rationale(
            "clients in browsers cannot read the metadata without it",
            "RFC 9728 §3, Fetch §3.2",
        ),
    ]
}

fn tokens() -> Vec<Case> {
    vec![
        steps(
            "mcp.audience",
            "valid tokens for another server, for the origin and for a longer path",
            Severity::Critical,
            "401 for each",
            |harness| Box::pin(async move { other_audiences_are_rejected(&harness).await }),
        )
        .rationale(
            "another server can use the tokens that it receives to act as the user here",
            "MCP 2025-11-25 Authorization, RFC 8707 §2",
        ),
        steps(
            "mcp.scope",
            "a valid token without a scope",
            Severity::Medium,
            "403 with error=\"insufficient_scope\" and the required scope in the challenge",
            |harness| Box::pin(async move { missing_scope_is_named(&harness).await }),
        )
        .rationale(
            "a client asks the user for the scopes that the challenge names, and else gives up",
            "MCP 2025-11-25 Authorization, RFC 6750 §3.1",
        ),
        steps(
            "mcp.query",
            "a valid token in the query string",
            Severity::Medium,
            "401",
            |harness| {
                Box::pin(async move {
                    let token = harness.forge.token().sign();
                    let request = Request::bare().query(format!("access_token={token}"));
                    expect_status(harness.send_request(&request).await, &[400, 401])
                })
            },
        )
        .severity_note("the sender needs a valid token")
        .rationale(
            "URLs appear in logs, browser histories and Referer headers",
            SPECIFICATION,
        ),
        steps(
            "mcp.session",
            "the session id of an authenticated client without a token",
            Severity::Critical,
            "401",
            |harness| Box::pin(async move { session_is_no_credential(&harness).await }),
        )
        .rationale(
            "a session id is no credential: it appears in logs, and outlives the token",
            "MCP 2025-11-25, Security Best Practices",
        ),
        steps(
            "mcp.methods",
            "GET and DELETE without a token",
            Severity::Critical,
            "401, or 405 if the method is not supported",
            |harness| {
                Box::pin(async move {
                    for method in [Method::GET, Method::DELETE] {
                        let request = Request::bare()
                            .plain()
                            .method(method)
                            .header("accept", "text/event-stream");
                        expect_status(harness.send_request(&request).await, &[401, 405])?;
                    }
                    Ok(())
                })
            },
        )
        .rationale(
            "every request must carry a token, also the one that opens the stream of messages",
            SPECIFICATION,
        ),
    ]
}

/// The origin of a page that reads the metadata.
const ORIGIN: &str = "https://client.example";

fn steps(
    id: &'static str,
    title: &'static str,
    severity: Severity,
    expected: &'static str,
    steps: fn(Arc<Harness>) -> Steps,
) -> Case {
    Case::steps(id, title, severity, expected, steps)
}

async fn challenges_name_metadata(harness: &Harness) -> Result<(), StepError> {
    let invalid = harness.forge.token().tampered();
    for request in [Request::bare(), Request::bearer(&invalid)] {
        let response = expect_response(harness.send_request(&request).await)?;
        let named = BearerChallenge::from_headers(&response.headers)
            .map_err(|problem| failure("a Bearer challenge", problem))?;
        let url = named.parameter("resource_metadata").map(Url::parse);
        if response.status != 401 || !matches!(url, Some(Ok(_))) {
            return Err(failure(
                "401 with resource_metadata, an absolute URL",
                format!("{} without it", response.describe()),
            ));
        }
    }
    Ok(())
}

async fn resource_is_the_server(harness: &Harness) -> Result<(), StepError> {
    let (document, _) = metadata(harness).await?;
    let server = harness.target.url();
    let is_server = document["resource"]
        .as_str()
        .and_then(|resource| Url::parse(resource).ok())
        .is_some_and(|resource| {
            let path = resource.path().trim_end_matches('/');
            let rest = server.path().strip_prefix(path);
            resource.origin() == server.origin()
                && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
    if is_server {
        Ok(())
    } else {
        Err(failure(server.as_str(), document["resource"].to_string()))
    }
}

async fn other_audiences_are_rejected(harness: &Harness) -> Result<(), StepError> {
    let server = harness.target.url();
    let origin = server.origin().ascii_serialization();
    let longer = format!("{}/other", harness.forge.audience.trim_end_matches('/'));
    let others = [
        "https://other.example/mcp",
        &origin,
        &longer,
        "authenticated",
    ];
    for audience in others
        .into_iter()
        .filter(|other| *other != harness.forge.audience)
    {
        let token = harness.forge.token().claim("aud", audience).sign();
        let result = harness.send_request(&Request::bearer(&token)).await;
        expect_status(result, &[401])?;
    }
    Ok(())
}

async fn missing_scope_is_named(harness: &Harness) -> Result<(), StepError> {
    let token = harness.forge.token().without("scope").without("scp").sign();
    let response = expect_response(harness.send_request(&Request::bearer(&token)).await)?;
    if response.is_accepted() {
        return Err(StepError::NotApplicable(
            "the target requires no scope".to_owned(),
        ));
    }
    let challenge = BearerChallenge::from_headers(&response.headers).unwrap_or_default();
    let is_named = challenge.parameter("error") == Some("insufficient_scope")
        && challenge
            .parameter("scope")
            .is_some_and(|scope| !scope.is_empty());
    if response.status == 403 && is_named {
        Ok(())
    } else {
        Err(failure(
            "403 with error=\"insufficient_scope\" and scope",
            response.describe(),
        ))
    }
}

async fn session_is_no_credential(harness: &Harness) -> Result<(), StepError> {
    let token = harness.forge.token().sign();
    let opened = expect_response(harness.send_request(&Request::bearer(&token)).await)?;
    let session = opened.headers.get("mcp-session-id");
    let session = session.map_or(b"1".as_slice(), |session| session.as_bytes());
    let request = Request::bare().header("mcp-session-id", session.to_vec());
    expect_status(harness.send_request(&request).await, &[401])
}

/// Returns the metadata that the challenge names, else that at the path of RFC 9728.
async fn metadata(harness: &Harness) -> Result<(Value, Response), StepError> {
    let challenged = expect_response(harness.send_request(&Request::bare()).await)?;
    let named = BearerChallenge::from_headers(&challenged.headers).unwrap_or_default();
    let location = named
        .parameter("resource_metadata")
        .and_then(|url| Url::parse(url).ok())
        .unwrap_or_else(|| well_known(harness.target.url()));
    fetch_document(harness, &location).await
}

async fn fetch_document(harness: &Harness, location: &Url) -> Result<(Value, Response), StepError> {
    let fetched = expect_response(harness.target.get(location, Some(ORIGIN)).await)?;
    let document: Value = serde_json::from_slice(&fetched.body).unwrap_or_default();
    if fetched.status == 200 && document.is_object() {
        Ok((document, fetched))
    } else {
        Err(failure(
            format!("200 with a JSON object at {location}"),
            fetched.describe(),
        ))
    }
}

/// Returns the URL of the metadata (RFC 9728 §3.1).
fn well_known(server: &Url) -> Url {
    let mut url = server.clone();
    let path = server.path().trim_end_matches('/');
    url.set_path(&format!("/.well-known/oauth-protected-resource{path}"));
    url
}

fn expect_status(
    result: Result<Response, RequestError>,
    expected: &[u16],
) -> Result<(), StepError> {
    let response = expect_response(result)?;
    if expected.contains(&response.status) {
        return Ok(());
    }
    let expected: Vec<String> = expected.iter().map(u16::to_string).collect();
    Err(failure(expected.join(" or "), response.describe()))
}
