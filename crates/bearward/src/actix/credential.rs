//! Reads the token of an actix-web request.

use std::rc::Rc;

use actix_web::{
    HttpMessage, HttpRequest,
    http::header::{self, HeaderValue},
};

use crate::{
    bearward::Bearward,
    dpop::ProofRequest,
    error::AuthError,
    http::{
        API_KEY_HEADER, Credential, HttpConfig, RequestHead, authorization_token, with_api_key,
    },
};

/// The request that a client has sent to a gateway, for an endpoint that the gateway asks whether
/// the request is authorized. A proof of possession (RFC 9449) belongs to the client's request.
///
/// ```
/// use actix_web::dev::ServiceRequest;
/// use bearward::OriginalRequest;
///
/// /// For a middleware. `method` and `url` are from header fields that only the gateway can set.
/// fn compare_proofs_with(method: &str, url: &str, request: &ServiceRequest) {
///     OriginalRequest::new(method, url).store_in(request.request());
/// }
/// ```
#[derive(Debug, Clone)]
pub struct OriginalRequest {
    method: String,
    url: String,
}

impl OriginalRequest {
    /// Creates it from the method and the absolute URL.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
        }
    }

    /// Stores it in the extensions of a request, where extractors and guards find it.
    ///
    /// # Security
    /// Call it only if the request comes from the gateway: a client that sets the method and the URL
    /// could use a proof for another request.
    pub fn store_in(self, request: &HttpRequest) {
        request.extensions_mut().insert(Rc::new(self));
    }
}

/// Returns the proof of a request. All extractors of the request share it: the second one must not
/// take the proof for a replay.
pub(super) fn proof(request: &HttpRequest, auth: &Bearward) -> Rc<ProofRequest> {
    if let Some(proof) = request.extensions().get::<Rc<ProofRequest>>() {
        return Rc::clone(proof);
    }
    let original = request.extensions().get::<Rc<OriginalRequest>>().cloned();
    let head = RequestHead::from(request);
    let proof = match original {
        Some(original) => ProofRequest::new(head.values("dpop"), &original.method, &original.url),
        None => ProofRequest::from_head(&head, auth.proofs().config()),
    };
    let proof = Rc::new(proof);
    request.extensions_mut().insert(Rc::clone(&proof));
    proof
}

/// Returns the token of a request and its scheme. Without further sources, only the `Authorization`
/// header and the `apikey` header are read, and nothing is collected.
pub(super) fn credential<'r>(
    request: &'r HttpRequest,
    config: &HttpConfig,
) -> Result<Credential<'r>, AuthError> {
    if config.sources.is_empty() {
        let values = request.headers().get_all(header::AUTHORIZATION);
        let mut token = authorization_token(values.map(HeaderValue::as_bytes), config)?;
        if config.accepts_service_keys {
            let values = request.headers().get_all(API_KEY_HEADER);
            token = with_api_key(token, values.map(HeaderValue::as_bytes))?;
        }
        return token.ok_or(AuthError::NoToken);
    }
    config.credential(&request.into())
}

impl<'r> From<&'r HttpRequest> for RequestHead<'r> {
    fn from(request: &'r HttpRequest) -> Self {
        let uri = request.uri();
        let head = Self::new(
            request.method().as_str(),
            uri.path_and_query().map_or("/", |target| target.as_str()),
            request.headers(),
        );
        let head = match uri.authority() {
            Some(authority) => head.with_authority(authority.as_str()),
            None => head,
        };
        match request.peer_addr() {
            Some(peer) => head.with_peer(peer.ip(), request.app_config().secure()),
            None => head,
        }
    }
}
