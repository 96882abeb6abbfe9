//! The OpenAPI 3.1 document, generated from the handlers.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use actix_web::{HttpResponse, http::header::HeaderValue, web::Data};
use serde_json::{Value, json};
use utoipa::{
    Modify, OpenApi as _,
    openapi::{
        Content, OpenApi, RefOr, Response,
        example::ExampleBuilder,
        path::{Operation, PathItem},
        schema::{AdditionalProperties, Schema},
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};

use super::{
    admin, api_keys, back_channel_logout, forward_auth, generate, google, health, me, metadata,
    own_document::{self, DocumentError},
    protected, revocations,
    schema::{ErrorBody, ErrorEnvelope},
    sessions, sign_out, status, user,
};

/// The OpenAPI document as JSON, generated once.
#[derive(Debug, Clone)]
pub struct Document {
    json: String,
    /// The methods of each own path, as in the `Allow` header.
    own: BTreeMap<String, HeaderValue>,
}

impl Document {
    /// Generates the document of this version, without own routes.
    pub fn new() -> Self {
        Self {
            json: serialize(&Api::openapi()),
            own: BTreeMap::new(),
        }
    }

    /// Generates the document with the operations of own routes.
    ///
    /// # Errors
    /// [`DocumentError`] if both documents define something under one name.
    pub(crate) fn with_own(own: Option<OpenApi>) -> Result<Self, DocumentError> {
        let Some(own) = own else {
            return Ok(Self::new());
        };
        let methods = own.paths.paths.iter();
        let methods = methods
            .filter_map(|(path, item)| Some((path.clone(), own_document::allow(item)?)))
            .collect();
        let merged = own_document::merge(Api::openapi(), own)?;
        Ok(Self {
            json: serialize(&merged),
            own: methods,
        })
    }

    /// Returns the document as indented JSON.
    pub fn as_str(&self) -> &str {
        &self.json
    }

    /// Returns the paths of all built-in routes.
    pub(crate) fn built_in_paths() -> impl Iterator<Item = String> {
        // The pages of the documentation are no operations.
        let pages = ["/docs", "/docs/{file}"].map(str::to_owned);
        Api::openapi().paths.paths.into_keys().chain(pages)
    }

    /// Returns the documented paths of own routes.
    pub(crate) fn own_paths(&self) -> impl Iterator<Item = &str> {
        self.own.keys().map(String::as_str)
    }

    /// Returns the methods of an own path, if it is documented.
    pub(super) fn allowed_methods(&self, path: &str) -> Option<HeaderValue> {
        self.own.get(path).cloned()
    }
}

/// Serializes a document. That cannot fail: it consists of strings, numbers and maps.
fn serialize(document: &OpenApi) -> String {
    document.to_pretty_json().unwrap_or_default()
}

impl Default for Document {
    fn default() -> Self {
        Self::new()
    }
}

/// Get the OpenAPI document
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "openapi", tag = "operation", security(()),
    responses((status = 200, description = "This document", body = Object, content_type = "application/json"))
)]
pub(super) async fn document(document: Data<Document>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("cache-control", "public, max-age=300"))
        .content_type("application/json")
        .body(document.as_str().to_owned())
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "bearward",
        description = "A resource server behind an external identity provider. All data belongs to the subject of a verified bearer token.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
        contact()
    ),
    servers((url = "/", description = "This server")),
    paths(
        protected::protected, me::me, user::update, user::delete, status::add, status::list,
        api_keys::list, api_keys::upsert, api_keys::remove, generate::generate,
        admin::list, admin::set_active, revocations::list, revocations::create, revocations::remove, sessions::end, sessions::list, sign_out::sign_out,
        forward_auth::verify, back_channel_logout::log_out, google::sign_in_url, google::sign_in,
        health::health, health::live, health::ready, health::metrics, metadata::metadata, document,
    ),
    components(schemas(ErrorEnvelope, ErrorBody)),
    security(("bearer" = [])),
    tags(
        (name = "account", description = "The caller's own account"),
        (name = "api keys", description = "Encrypted API keys of other services"),
        (name = "generation", description = "Code generation with the caller's own key"),
        (name = "status", description = "Status checks"),
        (name = "sign-in", description = "Sign-in with Google and forward authentication"),
        (name = "administration", description = "For tokens with the role `admin`"),
        (name = "operation", description = "For operators, load balancers and tools"),
    ),
    modifiers(&BearerScheme, &UniqueOperationIds, &ErrorExamples, &StrictSchemas)
)]
struct Api;

/// Adds the security scheme `bearer`.
struct BearerScheme;

impl Modify for BearerScheme {
    fn modify(&self, api: &mut OpenApi) {
        let bearer = Http::builder()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("An access token of a configured issuer."))
            .build();
        api.components
            .get_or_insert_default()
            .add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}

/// Makes the operation ids unique: a handler of several methods has the same id for each of them,
/// and all but the first get the method as a suffix.
struct UniqueOperationIds;

impl Modify for UniqueOperationIds {
    fn modify(&self, api: &mut OpenApi) {
        let mut ids = HashSet::new();
        for item in api.paths.paths.values_mut() {
            for (method, operation) in operations(item) {
                if let Some(id) = &mut operation.operation_id
                    && !ids.insert(id.clone())
                {
                    id.push_str(method);
                    ids.insert(id.clone());
                }
            }
        }
    }
}

/// Adds an example to each error response.
struct ErrorExamples;

impl Modify for ErrorExamples {
    fn modify(&self, api: &mut OpenApi) {
        let responses = api
            .paths
            .paths
            .values_mut()
            .flat_map(operations)
            .flat_map(|(_, operation)| &mut operation.responses.responses);
        for (status, response) in responses {
            add_error_example(status, response);
        }
    }
}

/// Adds the example of the status to an error response.
pub(super) fn add_error_example(status: &str, response: &mut RefOr<Response>) {
    if let (RefOr::T(response), Some(example)) = (response, example(status)) {
        add_example(response, example);
    }
}

/// The example is a named one: client generators copy the value of `example` into their output.
fn add_example(response: &mut Response, example: Value) {
    if let Some(RefOr::T(content)) = response.content.get_mut("application/json") {
        content.examples.insert(
            "usual".to_owned(),
            ExampleBuilder::new().value(Some(example)).build().into(),
        );
    }
}

/// Forbids additional properties in request bodies, and requires every property of a response.
struct StrictSchemas;

impl Modify for StrictSchemas {
    fn modify(&self, api: &mut OpenApi) {
        let mut bodies = BTreeSet::new();
        for (_, operation) in api.paths.paths.values_mut().flat_map(operations) {
            if let Some(RefOr::T(body)) = &operation.request_body {
                bodies.extend(body.content.values().filter_map(schema_name));
            }
        }
        for (name, schema) in &mut api.components.get_or_insert_default().schemas {
            if bodies.contains(name) {
                forbid_additional_properties(schema);
            } else {
                require_all_properties(schema);
            }
        }
    }
}

/// Returns the name of the component that the content refers to.
fn schema_name(content: &RefOr<Content>) -> Option<String> {
    let RefOr::T(content) = content else {
        return None;
    };
    match &content.schema {
        Some(RefOr::Ref(reference)) => reference.ref_location.rsplit('/').next().map(str::to_owned),
        _ => None,
    }
}

fn forbid_additional_properties(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        }
        RefOr::T(Schema::AllOf(all)) => {
            all.items.iter_mut().for_each(forbid_additional_properties);
        }
        _ => {}
    }
}

fn require_all_properties(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            let is_present = |name: &String, schema: &RefOr<Schema>| {
                // Only arrays are omitted, where they are empty (`skip_serializing_if`).
                let is_array = matches!(schema, RefOr::T(Schema::Array(_)));
                !is_array || object.required.contains(name)
            };
            object.required = object
                .properties
                .iter()
                .filter(|(name, schema)| is_present(name, schema))
                .map(|(name, _)| name.clone())
                .collect();
        }
        RefOr::T(Schema::AllOf(all)) => all.items.iter_mut().for_each(require_all_properties),
        _ => {}
    }
}

/// Returns the operations of a path with the suffix of their method in operation ids.
pub(super) fn operations(
    item: &mut PathItem,
) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let PathItem {
        get,
        head,
        post,
        put,
        patch,
        delete,
        options,
        trace,
        ..
    } = item;
    [
        ("Get", get),
        ("Head", head),
        ("Post", post),
        ("Put", put),
        ("Patch", patch),
        ("Delete", delete),
        ("Options", options),
        ("Trace", trace),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// Returns the envelope of the most common error with this status.
fn example(status: &str) -> Option<Value> {
    let (code, message) = match status {
        "400" => ("INVALID_REQUEST", "the body is not valid JSON"),
        "401" => ("TOKEN_EXPIRED", "the token has expired"),
        "403" => (
            "ACCOUNT_DISABLED",
            "this account is disabled; an administrator can enable it",
        ),
        "404" => ("NOT_FOUND", "not found"),
        "408" => (
            "REQUEST_TIMEOUT",
            "the request body did not arrive within server.request_timeout",
        ),
        "409" => (
            "API_KEY_MISSING",
            "no API key for togetherAI is stored; add one with POST /api/user/api-keys",
        ),
        "413" => ("PAYLOAD_TOO_LARGE", "the body is larger than 65536 bytes"),
        "415" => (
            "UNSUPPORTED_MEDIA_TYPE",
            "the content type must be application/json",
        ),
        "422" => ("VALIDATION_FAILED", "client_name is missing"),
        "429" => ("RATE_LIMITED", "too many requests; try again in 1 s"),
        "500" => (
            "INTERNAL",
            "internal error; use the request id to find it in the log",
        ),
        "502" => (
            "UPSTREAM_REJECTED_KEY",
            "the service rejected your API key; store one that it accepts and that may use the model",
        ),
        "503" => ("DATABASE_UNAVAILABLE", "the database is unavailable"),
        "504" => ("UPSTREAM_TIMEOUT", "the service did not respond within 60s"),
        _ => return None,
    };
    let details = match status {
        "400" => json!({"line": 1, "column": 17}),
        "413" => json!({"limit_bytes": 65536}),
        "422" => json!([{"field": "client_name", "problem": "is missing"}]),
        _ => Value::Null,
    };
    let error = json!({"code": code, "message": message, "details": details});
    Some(
        json!({"success": false, "error": error, "request_id": "01a1fdbd-b8ed-70b5-aedb-fc20b355d5ae"}),
    )
}
