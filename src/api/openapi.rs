//! The OpenAPI 3.1 document: every route with its errors, from the handlers that answer it.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, web::Data};
use serde_json::{Value, json};
use utoipa::{
    Modify, OpenApi, ToSchema,
    openapi::{
        Content, Ref, RefOr, Response, ResponseBuilder,
        example::ExampleBuilder,
        header::Header,
        path::{Operation, Parameter, ParameterIn, PathItem},
        schema::{AdditionalProperties, Object, ObjectBuilder, Schema, SchemaType, Type},
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};

use super::{
    admin, api_keys, forward_auth, generate, google, health, me, metadata, protected, status, user,
};

/// The document, as text, made once.
#[derive(Debug, Clone)]
pub struct Document(String);

impl Document {
    /// The document of this version.
    pub fn new() -> Self {
        // A document of plain data becomes JSON, whatever is in it.
        Self(Api::openapi().to_pretty_json().unwrap_or_default())
    }

    /// JSON, indented.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Document {
    fn default() -> Self {
        Self::new()
    }
}

/// The OpenAPI document
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

/// The body of every error.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes ErrorBody")]
pub(super) struct ErrorEnvelope {
    /// Always false.
    #[schema(example = false)]
    success: bool,
    error: ErrorBody,
    /// Under which id the log has the cause.
    request_id: Option<String>,
}

/// What is wrong.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes ErrorBody")]
pub(super) struct ErrorBody {
    /// Stable, for programs.
    #[schema(example = "TOKEN_EXPIRED")]
    code: String,
    /// For people.
    #[schema(example = "the token has expired")]
    message: String,
    /// What the client can act on; for `VALIDATION_FAILED` a list of `{field, problem}`.
    details: Option<Value>,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "bearward",
        description = "A resource server behind an external identity provider: everything is keyed by the subject of a verified bearer token.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
        contact()
    ),
    servers((url = "/", description = "This server")),
    paths(
        protected::protected, me::me, user::change, user::erase, status::add, status::list,
        api_keys::list, api_keys::keep, api_keys::remove, generate::generate,
        admin::list, admin::set_active,
        forward_auth::verify, google::address, google::sign_in,
        health::health, health::live, health::ready, health::metrics, metadata::metadata, document,
    ),
    components(schemas(ErrorEnvelope, ErrorBody)),
    security(("bearer" = [])),
    tags(
        (name = "account", description = "The caller's own account"),
        (name = "api keys", description = "Keys of other services, kept sealed"),
        (name = "generation", description = "Code, by the caller's own key"),
        (name = "status", description = "Status checks"),
        (name = "sign-in", description = "Signing in with Google"),
        (name = "administration", description = "For tokens with the role `admin`"),
        (name = "operation", description = "For operators, load balancers and tools"),
    ),
    modifiers(&CommonResponses)
)]
struct Api;

/// What holds for every route, so that no route has to say it.
struct CommonResponses;

/// One line of text without control characters and without spaces around it, as the domain's types
/// take it.
const LINE: &str = concat!(
    r"^[^\s\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]",
    r"([^\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]*",
    r"[^\s\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff])?$"
);

fn line(most: usize, example: &str) -> ObjectBuilder {
    let line = ObjectBuilder::new()
        .min_length(Some(1))
        .max_length(Some(most))
        .pattern(Some(LINE));
    line.schema_type(Type::String).examples([example])
}

/// The name of a client.
pub(super) fn client_name() -> Object {
    line(100, "web")
        .description(Some("One line, without spaces around it."))
        .build()
}

/// The name of a user, or null.
pub(super) fn name() -> Object {
    let name = line(200, "Ada Lovelace").description(Some("One line, without spaces around it."));
    name.schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .build()
}

impl Modify for CommonResponses {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let components = api.components.get_or_insert_default();
        let bearer = Http::builder()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT");
        let bearer = bearer.description(Some("An access token of a configured issuer."));
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
        let mut bodies = BTreeSet::new();
        for (path, item) in &mut api.paths.paths {
            for (method, operation) in operations(item) {
                complete(path, operation);
                // A route that answers every method is an operation for each, and names are unique.
                if let Some(name) = operation
                    .operation_id
                    .as_mut()
                    .filter(|name| *name == "verify")
                {
                    name.push_str(method);
                }
                if let Some(RefOr::T(body)) = &operation.request_body {
                    bodies.extend(body.content.values().filter_map(name_of));
                }
            }
        }
        for (name, schema) in &mut components.schemas {
            close(schema, bodies.contains(name));
        }
    }
}

fn name_of(content: &RefOr<Content>) -> Option<String> {
    let RefOr::T(content) = content else {
        return None;
    };
    match &content.schema {
        Some(RefOr::Ref(reference)) => reference.ref_location.rsplit('/').next().map(str::to_owned),
        _ => None,
    }
}

/// A body may hold nothing else; an answer holds each of its members always, if only as null.
fn close(schema: &mut RefOr<Schema>, is_body: bool) {
    match schema {
        RefOr::T(Schema::Object(object)) if is_body => {
            object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        }
        RefOr::T(Schema::Object(object)) => {
            object.required = object.properties.keys().cloned().collect()
        }
        RefOr::T(Schema::AllOf(all)) => all.items.iter_mut().for_each(|part| close(part, is_body)),
        _ => {}
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
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
    let methods = [
        ("", get),
        ("Head", head),
        ("Post", post),
        ("Put", put),
        ("Patch", patch),
        ("Delete", delete),
        ("Options", options),
        ("Trace", trace),
    ];
    methods
        .into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// The errors that follow from what an operation is.
fn complete(path: &str, operation: &mut Operation) {
    let is_public = operation.security.is_some();
    let is_operation = [
        "/health",
        "/livez",
        "/readyz",
        "/metrics",
        "/openapi.json",
        "/.well-known/oauth-protected-resource",
    ]
    .contains(&path);
    let takes_a_body = operation.request_body.is_some();
    // What stands in a path is a name, and one that is not there is 404.
    let is_field = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in != ParameterIn::Path);
    let takes_fields = operation.parameters.iter().flatten().any(is_field);
    let works_on_an_account = takes_a_body || !is_public;
    let has_account = works_on_an_account && path != "/protected";
    let errors = [
        (
            "400",
            works_on_an_account,
            "Two tokens, or a body that is not readable",
            "www-authenticate",
        ),
        (
            "401",
            works_on_an_account,
            "No token, or one that is refused; the challenge says why",
            "www-authenticate",
        ),
        (
            "403",
            works_on_an_account,
            "A closed account, or a missing role, scope or origin",
            "www-authenticate",
        ),
        (
            "404",
            has_account,
            "The account was erased while the request was on its way",
            "",
        ),
        ("408", true, "It took longer than the server allows", ""),
        ("413", takes_a_body, "A body that is too large", ""),
        (
            "415",
            takes_a_body,
            "A body that is not application/json",
            "",
        ),
        (
            "422",
            takes_a_body || takes_fields,
            "Fields that are not as they must be, each named in `details`",
            "",
        ),
        (
            "429",
            works_on_an_account,
            "Too many requests, or too many at once",
            "retry-after",
        ),
        (
            "500",
            true,
            "A fault of ours, which the log has under the request's id",
            "",
        ),
        (
            "503",
            works_on_an_account,
            "Keys, database or vault are away",
            "retry-after",
        ),
    ];
    let responses = &mut operation.responses.responses;
    for (status, _, description, header) in errors
        .into_iter()
        .filter(|(_, applies, ..)| *applies && !is_operation)
    {
        responses
            .entry(status.to_owned())
            .or_insert_with(|| RefOr::T(error(description, header)));
    }
    for (status, response) in responses {
        if let (RefOr::T(response), Some(example)) = (response, example(status))
            && let Some(RefOr::T(content)) = response.content.get_mut("application/json")
        {
            // Named, not `example`: clients made from the document have the shape and not a copy of
            // the words.
            content.examples.insert(
                "usual".to_owned(),
                ExampleBuilder::new().value(Some(example)).build().into(),
            );
        }
    }
}

fn error(description: &str, header: &str) -> Response {
    let envelope = Content::new(Some(Ref::from_schema_name("ErrorEnvelope")));
    let response = ResponseBuilder::new()
        .description(description)
        .content("application/json", envelope);
    match header {
        "" => response.build(),
        name => response
            .header(name, Header::new(Object::with_type(Type::String)))
            .build(),
    }
}

/// The envelope of the error that a status most often is.
fn example(status: &str) -> Option<Value> {
    let (code, message) = match status {
        "400" => ("INVALID_REQUEST", "the body is not readable JSON"),
        "401" => ("TOKEN_EXPIRED", "the token has expired"),
        "403" => (
            "ACCOUNT_DISABLED",
            "this account has been disabled; an administrator can enable it",
        ),
        "404" => ("NOT_FOUND", "there is nothing under this name"),
        "408" => (
            "REQUEST_TIMEOUT",
            "the request took longer than this server allows",
        ),
        "409" => (
            "API_KEY_MISSING",
            "no key for togetherAI is kept; keep one with POST /api/user/api-keys",
        ),
        "413" => ("PAYLOAD_TOO_LARGE", "the body is larger than 65536 bytes"),
        "415" => (
            "UNSUPPORTED_MEDIA_TYPE",
            "send the body as application/json",
        ),
        "422" => ("VALIDATION_FAILED", "client_name is missing"),
        "429" => ("RATE_LIMITED", "too many requests; try again in 1 s"),
        "500" => (
            "INTERNAL",
            "something went wrong here; the request id finds it in the log",
        ),
        "502" => (
            "UPSTREAM_REJECTED_KEY",
            "the service refused your API key; store one that it accepts and that may use the model",
        ),
        "503" => ("DATABASE_UNAVAILABLE", "the database cannot be reached"),
        "504" => ("UPSTREAM_TIMEOUT", "the service gave no answer within 60s"),
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
