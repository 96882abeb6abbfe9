//! What is common to all HTTP frameworks: where a request carries its token, and what an error
//! response contains.

mod challenge;
mod error_body;
mod error_content;
mod error_parts;
mod request_head;
mod request_id;
mod token_source;

use url::Url;

#[cfg(feature = "actix")]
pub(crate) use self::request_head::{API_KEY_HEADER, authorization_token, with_api_key};
pub use self::{
    error_body::ErrorBody, error_content::ErrorContent, error_parts::ErrorParts,
    request_head::RequestHead, request_id::RequestId, token_source::TokenSource,
};
pub(crate) use self::{error_content::ErrorFormat, token_source::InvalidSource};

/// How requests carry tokens, and what error responses contain.
#[derive(Debug)]
pub(crate) struct HttpConfig {
    /// The scheme of the `Authorization` header; `None` for Bearer.
    pub(crate) scheme: Option<Box<str>>,
    /// Where the token may be besides the `Authorization` header.
    pub(crate) sources: Vec<TokenSource>,
    /// Whether the `apikey` header may carry a service key.
    pub(crate) accepts_service_keys: bool,
    pub(crate) realm: String,
    pub(crate) resource: Option<Url>,
    pub(crate) format: ErrorFormat,
}

impl HttpConfig {
    pub(crate) fn new() -> Self {
        Self {
            scheme: None,
            sources: Vec::new(),
            accepts_service_keys: false,
            realm: "bearward".to_owned(),
            resource: None,
            format: ErrorFormat::Envelope,
        }
    }

    /// The authentication scheme of the `Authorization` header and of the challenges.
    pub(crate) fn scheme(&self) -> &str {
        self.scheme.as_deref().unwrap_or("Bearer")
    }
}
