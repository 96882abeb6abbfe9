//! Merges the OpenAPI document of own routes into the built-in one.

use std::collections::{BTreeMap, HashSet};

use actix_web::http::header::HeaderValue;
use utoipa::{
    IntoResponses,
    openapi::{
        OpenApi, RefOr, Response,
        path::{Operation, Parameter, ParameterIn, PathItem},
    },
};

use super::{
    openapi::{add_error_example, operations},
    schema::{BodyErrors, ParameterErrors, ServerErrors, TokenErrors},
};

/// Why the document of own routes cannot be merged. Clients are generated from names, so none is
/// replaced silently.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// The built-in document has the path, too.
    #[error(
        "the OpenAPI path {0} of own routes is the path of a built-in route: choose another path"
    )]
    Path(String),
    /// The built-in document has another component with this name.
    #[error(
        "the OpenAPI schema {0} of own routes has the name of a built-in schema: set another name with #[schema(as = ...)]"
    )]
    Schema(String),
    /// Two operations have the same id.
    #[error(
        "the OpenAPI operation id {0} is used twice: set another one with #[utoipa::path(operation_id = \"...\")]"
    )]
    OperationId(String),
}

/// Merges `own` into `built_in`. Title, version and description are those of `own`.
pub(super) fn merge(mut built_in: OpenApi, mut own: OpenApi) -> Result<OpenApi, DocumentError> {
    let duplicate = |path: &&String| built_in.paths.paths.contains_key(*path);
    if let Some(path) = own.paths.paths.keys().find(duplicate) {
        return Err(DocumentError::Path(path.clone()));
    }
    let built_in_schemas = built_in.components.get_or_insert_default().schemas.clone();
    for (name, schema) in own.components.iter().flat_map(|own| &own.schemas) {
        if built_in_schemas
            .get(name)
            .is_some_and(|other| other != schema)
        {
            return Err(DocumentError::Schema(name.clone()));
        }
    }
    // Operations without `security` inherit that of the document.
    let has_default = own.security.take();
    for item in own.paths.paths.values_mut() {
        for (_, operation) in operations(item) {
            if operation.security.is_none() {
                operation.security.clone_from(&has_default);
            }
            add_error_responses(operation);
        }
    }
    built_in.info = own.info.clone();
    built_in.merge(own);
    unique_operation_ids(&mut built_in)?;
    Ok(built_in)
}

/// Returns the methods of a path, as in the `Allow` header.
pub(super) fn allow(item: &PathItem) -> Option<HeaderValue> {
    let mut item = item.clone();
    let methods: Vec<String> = operations(&mut item)
        .map(|(method, _)| method.to_uppercase())
        .collect();
    HeaderValue::try_from(methods.join(", ")).ok()
}

/// Adds the error responses that the server adds to every route, unless the operation describes them
/// itself.
fn add_error_responses(operation: &mut Operation) {
    let mut errors: BTreeMap<String, RefOr<Response>> = if requires_token(operation) {
        TokenErrors::responses()
    } else {
        ServerErrors::responses()
    };
    if operation.request_body.is_some() {
        errors.extend(BodyErrors::responses());
    }
    let mut parameters = operation.parameters.iter().flatten();
    let is_query = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query);
    if parameters.any(is_query) {
        errors.extend(ParameterErrors::responses());
    }
    for (status, mut response) in errors {
        add_error_example(&status, &mut response);
        operation
            .responses
            .responses
            .entry(status)
            .or_insert(response);
    }
}

/// Returns whether the operation needs a token: it does not say `security(())`.
fn requires_token(operation: &Operation) -> bool {
    let public = |requirement| {
        serde_json::to_value(requirement).is_ok_and(|value| value == serde_json::json!({}))
    };
    !operation.security.iter().flatten().any(public)
}

fn unique_operation_ids(document: &mut OpenApi) -> Result<(), DocumentError> {
    let mut ids = HashSet::new();
    for item in document.paths.paths.values_mut() {
        for (_, operation) in operations(item) {
            if let Some(id) = &operation.operation_id
                && !ids.insert(id.clone())
            {
                return Err(DocumentError::OperationId(id.clone()));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use utoipa::OpenApi as _;

    use super::*;
    use crate::api::Document;

    /// Merges a document with one handler.
    macro_rules! merged {
        ($path:literal, $operation:literal, $schema:ident) => {{
            #[derive(utoipa::ToSchema)]
            #[schema(as = $schema)]
            #[expect(dead_code, reason = "only its schema is used")]
            struct Body {
                text: String,
            }

            #[utoipa::path(post, path = $path, operation_id = $operation, request_body = Body, responses((status = 200)))]
            #[expect(dead_code, reason = "only its description is used")]
            fn handler() {}

            #[derive(utoipa::OpenApi)]
            #[openapi(paths(handler), components(schemas(Body)))]
            struct Api;
            Document::with_own(Some(Api::openapi()))
        }};
    }

    #[test]
    fn own_operations_get_the_errors_of_the_server() {
        let document = merged!("/orders", "addOrder", NewOrder).expect("a document");
        let document: serde_json::Value =
            serde_json::from_str(document.as_str()).expect("valid JSON");
        let responses = &document["paths"]["/orders"]["post"]["responses"];
        let statuses: Vec<&String> = responses.as_object().expect("an object").keys().collect();
        let expected = [
            "200", "400", "401", "403", "408", "413", "415", "422", "429", "500", "503",
        ];
        assert_eq!(statuses, expected);
        assert!(document["components"]["schemas"]["NewOrder"].is_object());
        assert!(document["paths"]["/api/auth/me"].is_object());
        assert_eq!(document["info"]["title"], env!("CARGO_PKG_NAME"));
    }

    #[test]
    fn names_of_the_built_in_document_are_refused() {
        let error = |result: Result<Document, DocumentError>| result.err();
        assert_eq!(
            error(merged!("/health", "a", A)),
            Some(DocumentError::Path("/health".to_owned()))
        );
        assert_eq!(
            error(merged!("/a", "whoami", A)),
            Some(DocumentError::OperationId("whoami".to_owned()))
        );
        assert_eq!(
            error(merged!("/a", "a", Profile)),
            Some(DocumentError::Schema("Profile".to_owned()))
        );
    }

    #[test]
    fn methods_are_listed_as_in_allow() {
        let document = merged!("/orders/{id}", "a", A).expect("a document");
        let allow = document.allowed_methods("/orders/{id}");
        assert_eq!(allow, Some(HeaderValue::from_static("POST")));
        assert_eq!(document.allowed_methods("/orders"), None);
    }
}
