//! The document and the server say the same.

use std::collections::BTreeSet;

use bearward::api::Document;
use reqwest::Method;
use serde_json::Value;

use crate::world::{World, send};

fn document() -> Value {
    serde_json::from_str(Document::new().as_str()).unwrap()
}

/// `METHOD /path` of every operation in the document.
fn documented() -> BTreeSet<String> {
    let document = document();
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase())))
        .collect()
}

/// The same of every route that `src/api/mod.rs` mounts.
fn mounted() -> BTreeSet<String> {
    let source = include_str!("../../src/api/mod.rs");
    let mut routes = BTreeSet::new();
    for statement in source.split("at(\"").skip(1) {
        let (path, rest) = statement.split_once('"').unwrap();
        let methods = rest.split(';').next().unwrap();
        for (call, method) in
            [(".get(", "GET"), (".post(", "POST"), (".patch(", "PATCH"), (".delete(", "DELETE"), (".any(", "GET")]
        {
            if methods.contains(call) {
                routes.insert(format!("{method} {path}"));
            }
        }
    }
    routes
}

#[test]
fn every_mounted_route_is_in_the_document() {
    let (mounted, documented) = (mounted(), documented());
    assert!(mounted.len() > 12, "the routes are no longer found in the source: {mounted:?}");
    // Pages for people are no operations.
    let missing: Vec<_> = mounted.difference(&documented).filter(|route| !route.contains(" /docs")).collect();
    assert!(missing.is_empty(), "not in the document: {missing:?}");
}

#[tokio::test]
async fn every_documented_operation_is_answered() {
    let world = World::start().await;
    for operation in documented() {
        let (method, path) = operation.split_once(' ').unwrap();
        let answer = send(world.request(method.parse::<Method>().unwrap(), path).bearer_auth(world.admin())).await;
        assert_ne!(answer.status, 405, "{operation}");
        assert!(answer.status != 404 || path.contains('{') || answer.body.contains("issuer"), "{operation}: {answer:?}");
    }
}

#[test]
fn every_operation_has_a_name_of_its_own_a_summary_and_its_errors() {
    let document = document();
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name} twice");
            assert!(operation["summary"].as_str().is_some_and(|summary| !summary.ends_with('.')), "{method} {path}");
            let is_behind_a_token = operation.get("security").is_none();
            for status in ["401", "403", "429", "503"] {
                assert!(!is_behind_a_token || operation["responses"].get(status).is_some(), "{method} {path} {status}");
            }
        }
    }
}

#[tokio::test]
async fn the_document_and_its_page_come_from_this_server_alone() {
    let world = World::start().await;
    let served = world.get("/openapi.json", "").await;
    assert_eq!(served.expect(200)["openapi"], "3.1.0");
    let redirect = world.get("/docs", "").await;
    assert_eq!((redirect.status, redirect.header("location")), (308, "/docs/"));
    let page = world.get("/docs/", "").await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-security-policy").starts_with("default-src 'none'; script-src 'self'"), "{page:?}");
    for file in page.body.split('"').filter(|text| [".css", ".js", ".png"].iter().any(|end| text.ends_with(end))) {
        assert!(!file.contains("//"), "{file} comes from elsewhere");
        assert_eq!(world.get(&format!("/docs/{}", file.trim_start_matches("./")), "").await.status, 200, "{file}");
    }
    world.get("/docs/../Cargo.toml", "").await.refuses(404, "NOT_FOUND");
    world.get("/docs/nothing.js", "").await.refuses(404, "NOT_FOUND");
}
