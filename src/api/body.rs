//! What a client sends, field by field: every problem is told at once, none repeats what was sent.

use std::fmt;

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, dev, error::PayloadError, http::StatusCode, web::Bytes,
};
use bearward::RequestId;
use futures_util::future::LocalBoxFuture;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor},
};
use serde_json::{Value, json};

use super::ApiError;

/// The members of a JSON body, or of a query. Ask for each field that the route knows, then
/// [`finish`](Self::finish).
pub(super) struct FieldReader {
    members: Vec<(String, Value)>,
    known: Vec<&'static str>,
    problems: Vec<FieldProblem>,
    request_id: Option<RequestId>,
}

/// How many problems one answer tells.
const MOST: usize = 20;

#[derive(Serialize)]
struct FieldProblem {
    field: String,
    problem: String,
}

impl FieldReader {
    /// The members of the query. Their values are texts.
    pub(super) fn of_query(request: &HttpRequest) -> Self {
        let pairs = url::form_urlencoded::parse(request.query_string().as_bytes());
        let members = pairs
            .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
            .collect();
        Self::new(members, request)
    }

    fn new(members: Vec<(String, Value)>, request: &HttpRequest) -> Self {
        let request_id = RequestId::from_request(request);
        Self {
            members,
            known: Vec::new(),
            problems: Vec::new(),
            request_id,
        }
    }

    /// Whether nothing was sent.
    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// A text that must be there, as `parse` reads it.
    pub(super) fn text<T, E: fmt::Display>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(String) -> Result<T, E>,
    ) -> Option<T> {
        match self.take(name) {
            None => {
                self.problem(name, "is missing");
                None
            }
            Some(value) => self.parse(name, value, parse),
        }
    }

    /// A text that may be absent; null is the same.
    pub(super) fn optional<T, E: fmt::Display>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(String) -> Result<T, E>,
    ) -> Option<T> {
        let value = self.take(name).filter(|value| !value.is_null())?;
        self.parse(name, value, parse)
    }

    /// A text, null, or absent: each means something else.
    pub(super) fn nullable<T, E: fmt::Display>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(String) -> Result<T, E>,
    ) -> Option<Option<T>> {
        match self.take(name)? {
            Value::Null => Some(None),
            value => Some(self.parse(name, value, parse)),
        }
    }

    /// True or false, which must be there.
    pub(super) fn flag(&mut self, name: &'static str) -> Option<bool> {
        match self.take(name) {
            Some(Value::Bool(flag)) => return Some(flag),
            Some(_) => self.problem(name, "must be true or false"),
            None => self.problem(name, "is missing"),
        }
        None
    }

    /// True or false; absent and null are false.
    pub(super) fn switch(&mut self, name: &'static str) -> bool {
        let is_there = self
            .members
            .iter()
            .any(|(member, value)| member == name && !value.is_null());
        if is_there {
            self.flag(name).unwrap_or_default()
        } else {
            self.take(name).is_some_and(|_| false)
        }
    }

    /// A field that may be sent and is never looked at.
    pub(super) fn ignore(&mut self, name: &'static str) {
        let _ = self.take(name);
    }

    /// Every member that has not been asked for, for a body whose names are data.
    pub(super) fn rest(&mut self) -> Vec<(String, Value)> {
        std::mem::take(&mut self.members)
    }

    /// Tells a problem.
    pub(super) fn problem(&mut self, field: impl Into<String>, problem: impl fmt::Display) {
        // A small request must not make a large answer.
        if self.problems.len() == MOST {
            return;
        }
        self.problems.push(FieldProblem {
            field: field.into(),
            problem: problem.to_string(),
        });
    }

    /// Tells a problem of a member whose name comes from the client.
    pub(super) fn unknown(&mut self, name: String, problem: impl fmt::Display) {
        // What does not look like a name may be the secret itself: only short, plain names are said
        // again.
        let is_plain = (1..=32).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        self.problem(if is_plain { name } else { "?".to_owned() }, problem);
    }

    /// What the fields have become: none of them without a problem is absent.
    ///
    /// # Errors
    /// 422 with every problem, a field that nobody asked for among them.
    pub(super) fn finish<T>(mut self, value: Option<T>) -> Result<T, ApiError> {
        let known = self.known.join(", ");
        for (name, _) in std::mem::take(&mut self.members).into_iter().take(MOST) {
            let again = self.known.iter().any(|known| *known == name);
            let problem = match (again, known.as_str()) {
                (true, _) => "is there twice".to_owned(),
                (false, "") => "is not known here; there is nothing to send".to_owned(),
                (false, known) => format!("is not known here; what may be sent: {known}"),
            };
            self.unknown(name, problem);
        }
        if self.problems.is_empty() {
            return value.ok_or_else(|| {
                tracing::error!("a field is absent and nobody has told a problem");
                ApiError::fault(self.request_id)
            });
        }
        let message = match self.problems.as_slice() {
            [one] => format!("{} {}", one.field, one.problem),
            several => format!(
                "{} fields are not as they must be; details name them",
                several.len()
            ),
        };
        Err(invalid(self.request_id, message, json!(self.problems)))
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        let at = self.members.iter().position(|(member, _)| member == name)?;
        Some(self.members.remove(at).1)
    }

    fn parse<T, E: fmt::Display>(
        &mut self,
        name: &'static str,
        value: Value,
        parse: impl FnOnce(String) -> Result<T, E>,
    ) -> Option<T> {
        let Value::String(text) = value else {
            self.problem(name, "must be a text");
            return None;
        };
        parse(text)
            .map_err(|problem| self.problem(name, problem))
            .ok()
    }
}

/// A field whose fault shows only when the work is done.
pub(super) fn unfit(request_id: Option<RequestId>, field: &str, problem: &str) -> ApiError {
    invalid(
        request_id,
        format!("{field} {problem}"),
        json!([{ "field": field, "problem": problem }]),
    )
}

fn invalid(request_id: Option<RequestId>, message: impl Into<String>, details: Value) -> ApiError {
    ApiError::under(
        request_id,
        StatusCode::UNPROCESSABLE_ENTITY,
        "VALIDATION_FAILED",
        message,
    )
    .with_details(details)
}

/// The members of the JSON body. It belongs behind a guard: a stranger must not learn what a body
/// should look like.
impl FromRequest for FieldReader {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let limit = request.app_data::<Limit>().copied().unwrap_or_default();
        let request = request.clone();
        if !is_json(&request) {
            let problem = ApiError::new(
                &request,
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "UNSUPPORTED_MEDIA_TYPE",
                "send the body as application/json",
            );
            return Box::pin(async move { Err(problem) });
        }
        let read = Bytes::from_request(&request, payload);
        Box::pin(async move {
            let body = read
                .await
                .map_err(|error| unread(&request, &error, limit))?;
            members(&body, &request).map(|members| Self::new(members, &request))
        })
    }
}

/// The largest body, in bytes, for the text of the refusal.
#[derive(Clone, Copy, Default)]
pub(super) struct Limit(pub(super) usize);

fn is_json(request: &HttpRequest) -> bool {
    let essence = request.content_type().trim();
    let suffix = essence
        .split_once('/')
        .and_then(|(_, subtype)| subtype.rsplit_once('+'))
        .map(|(_, suffix)| suffix);
    essence.eq_ignore_ascii_case("application/json")
        || suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case("json"))
}

fn unread(request: &HttpRequest, error: &actix_web::Error, Limit(limit): Limit) -> ApiError {
    if matches!(
        error.as_error::<PayloadError>(),
        Some(PayloadError::Overflow)
    ) {
        let message = format!("the body is larger than {limit} bytes");
        return ApiError::new(
            request,
            StatusCode::PAYLOAD_TOO_LARGE,
            "PAYLOAD_TOO_LARGE",
            message,
        )
        .with_details(json!({ "limit_bytes": limit }));
    }
    ApiError::new(
        request,
        StatusCode::BAD_REQUEST,
        "INVALID_REQUEST",
        "the body ended before it was whole",
    )
}

fn members(body: &[u8], request: &HttpRequest) -> Result<Vec<(String, Value)>, ApiError> {
    match serde_json::from_slice::<Members>(body) {
        Ok(Members(members)) => Ok(members),
        Err(error) if error.is_data() => {
            let request_id = RequestId::from_request(request);
            Err(invalid(
                request_id,
                "the body must be a JSON object",
                json!([{ "field": Value::Null, "problem": "must be a JSON object" }]),
            ))
        }
        Err(_) if body.trim_ascii().is_empty() => Err(ApiError::new(
            request,
            StatusCode::BAD_REQUEST,
            "INVALID_REQUEST",
            "the body is empty; send a JSON object",
        )),
        Err(error) => {
            let details = json!({ "line": error.line(), "column": error.column() });
            Err(ApiError::new(
                request,
                StatusCode::BAD_REQUEST,
                "INVALID_REQUEST",
                "the body is not readable JSON",
            )
            .with_details(details))
        }
    }
}

/// An object whose doubled members are still there: which of them counts is a question that must
/// not be answered differently elsewhere.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}
