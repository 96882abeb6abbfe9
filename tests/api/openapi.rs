//! The OpenAPI document matches the server.

use std::collections::BTreeSet;

use bearward_server::api::Document;
use reqwest::Method;
use serde_json::Value;

use crate::test_app::{TestApp as World, send};

fn document() -> Value {
    serde_json::from_str(Document::new().as_str()).unwrap()
}

/// Returns `METHOD /path` of every operation in the document.
fn documented() -> BTreeSet<String> {
    let document = document();
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, item)| {
            item.as_object()
                .unwrap()
                .keys()
                .map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect()
}

/// Returns `METHOD /path` of every route in `src/api/mod.rs`.
fn mounted() -> BTreeSet<String> {
    let source = include_str!("../../src/api/mod.rs");
    let mut routes = BTreeSet::new();
    for statement in source.split("endpoint(\"").skip(1) {
        let (path, rest) = statement.split_once('"').unwrap();
        let methods = rest.split(';').next().unwrap();
        for (call, method) in [
            (".get(", "GET"),
            (".post(", "POST"),
            (".patch(", "PATCH"),
            (".delete(", "DELETE"),
            (".any(", "GET"),
        ] {
            if methods.contains(call) {
                routes.insert(format!("{method} {path}"));
            }
        }
    }
    routes
}

#[test]
fn the_document_contains_every_route() {
    let (mounted, documented) = (mounted(), documented());
    assert!(
        mounted.len() > 12,
        "routes not found in the source: {mounted:?}"
    );
    // The documentation pages are not operations.
    let missing: Vec<_> = mounted
        .difference(&documented)
        .filter(|route| !route.contains(" /docs"))
        .collect();
    assert!(missing.is_empty(), "not in the document: {missing:?}");
}

#[tokio::test]
async fn the_server_handles_every_documented_operation() {
    let world = World::start().await;
    for operation in documented() {
        let (method, path) = operation.split_once(' ').unwrap();
        let response = send(
            world
                .request(method.parse::<Method>().unwrap(), path)
                .bearer_auth(world.admin_token()),
        )
        .await;
        assert_ne!(response.status, 405, "{operation}");
        assert!(
            response.status != 404 || path.contains('{') || response.body.contains("issuer"),
            "{operation}: {response:?}"
        );
    }
}

#[test]
fn operations_have_a_unique_id_a_summary_and_errors() {
    let document = document();
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} is not unique");
            assert!(
                operation["summary"]
                    .as_str()
                    .is_some_and(|summary| !summary.ends_with('.')),
                "{method} {path}"
            );
            let requires_token = operation.get("security").is_none();
            for status in ["401", "403", "429", "503"] {
                assert!(
                    !requires_token || operation["responses"].get(status).is_some(),
                    "{method} {path} {status}"
                );
            }
        }
    }
}

/// Returns the error codes of a status.
fn codes(status: &str) -> &'static [&'static str] {
    match status {
        "400" => &["INVALID_REQUEST"],
        "401" => &["MISSING_TOKEN", "TOKEN_EXPIRED", "INVALID_SIGNATURE"],
        "403" => &[
            "INSUFFICIENT_SCOPE",
            "INSUFFICIENT_ROLE",
            "ACCOUNT_DISABLED",
            "ORIGIN_REFUSED",
        ],
        "404" => &["NOT_FOUND"],
        "408" => &["REQUEST_TIMEOUT"],
        "409" => &["API_KEY_MISSING", "LAST_ADMINISTRATOR"],
        "413" => &["PAYLOAD_TOO_LARGE"],
        "415" => &["UNSUPPORTED_MEDIA_TYPE"],
        "422" => &["VALIDATION_FAILED"],
        "429" => &["RATE_LIMITED"],
        "500" => &["INTERNAL"],
        "502" => &["UPSTREAM_FAILED", "UPSTREAM_REJECTED_KEY"],
        "503" => &[
            "KEYS_UNAVAILABLE",
            "DATABASE_UNAVAILABLE",
            "VAULT_UNAVAILABLE",
            "TIMEOUT",
        ],
        "504" => &["UPSTREAM_TIMEOUT"],
        _ => &[],
    }
}

#[test]
fn errors_have_an_example_with_a_code_of_their_status() {
    let document = document();
    let mut statuses = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for (status, response) in operation["responses"]
                .as_object()
                .unwrap()
                .iter()
                .filter(|(status, _)| status.as_str() >= "400")
            {
                let example =
                    &response["content"]["application/json"]["examples"]["usual"]["value"];
                let code = example["error"]["code"]
                    .as_str()
                    .unwrap_or_else(|| panic!("{method} {path} {status}: {response}"));
                assert!(
                    codes(status).contains(&code),
                    "{method} {path} {status}: {code}"
                );
                assert_eq!(
                    status == "422",
                    example["error"]["details"].is_array(),
                    "{method} {path} {status}"
                );
                statuses.insert(status.clone());
            }
        }
    }
    assert_eq!(statuses.len(), 14, "{statuses:?}");
}

#[test]
fn operations_list_exactly_their_errors() {
    let document = document();
    let errors = |method: &str, path: &str| -> String {
        let responses = document["paths"][path][method]["responses"]
            .as_object()
            .unwrap();
        let statuses: Vec<&str> = responses
            .keys()
            .map(String::as_str)
            .filter(|status| *status >= "400")
            .collect();
        statuses.join(" ")
    };
    for (method, path, expected) in [
        ("get", "/protected", "400 401 403 429 500 503"),
        ("get", "/api/auth/me", "400 401 403 404 429 500 503"),
        ("get", "/api/auth/google", "404 422 500 503"),
        (
            "post",
            "/api/auth/google",
            "400 401 403 404 408 413 415 422 429 500 503",
        ),
        ("get", "/api/status", "400 401 403 404 422 429 500 503"),
        (
            "post",
            "/api/status",
            "400 401 403 404 408 413 415 422 429 500 503",
        ),
        ("delete", "/api/user", "400 401 403 404 429 500 503"),
        (
            "delete",
            "/api/user/api-keys/{provider}",
            "400 401 403 404 429 500 503",
        ),
        (
            "post",
            "/api/generate",
            "400 401 403 404 408 409 413 415 422 429 500 502 503 504",
        ),
        ("get", "/api/auth/verify", "400 401 403 404 422 429 500 503"),
        ("get", "/readyz", "422 503"),
        ("get", "/health", ""),
    ] {
        assert_eq!(errors(method, path), expected, "{method} {path}");
    }
}

#[test]
fn required_fields_have_an_example() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let bodies: Vec<_> = schemas
        .values()
        .filter(|schema| schema["additionalProperties"] == false)
        .collect();
    assert_eq!(bodies.len(), 9);
    for schema in bodies {
        for required in schema["required"].as_array().into_iter().flatten() {
            let field = &schema["properties"][required.as_str().unwrap()];
            assert!(
                field.get("example").or(field.get("examples")).is_some(),
                "{required}: {schema}"
            );
        }
    }
}

#[tokio::test]
async fn document_and_page_use_no_external_resources() {
    let world = World::start().await;
    let served = world.get("/openapi.json", "").await;
    assert_eq!(served.expect_status(200)["openapi"], "3.1.0");
    let redirect = world.get("/docs", "").await;
    assert_eq!(
        (redirect.status, redirect.header("location")),
        (308, "/docs/")
    );
    let page = world.get("/docs/", "").await;
    assert_eq!(page.status, 200);
    assert!(
        page.header("content-security-policy")
            .starts_with("default-src 'none'; script-src 'self'; style-src 'self'"),
        "{page:?}"
    );
    assert!(!page.header("content-security-policy").contains("unsafe"));
    // Only `bearward dev` sets a URL for tokens.
    assert!(
        page.body.contains("name=\"token-url\" content=\"\""),
        "{page:?}"
    );
    for file in page.body.split('"').filter(|text| {
        [".css", ".js", ".png"]
            .iter()
            .any(|suffix| text.ends_with(suffix))
    }) {
        assert!(!file.contains("//"), "{file} is an external resource");
        assert_eq!(
            world
                .get(&format!("/docs/{}", file.trim_start_matches("./")), "")
                .await
                .status,
            200,
            "{file}"
        );
    }
    world
        .get("/docs/../Cargo.toml", "")
        .await
        .assert_error(404, "NOT_FOUND");
    world
        .get("/docs/nothing.js", "")
        .await
        .assert_error(404, "NOT_FOUND");
}
