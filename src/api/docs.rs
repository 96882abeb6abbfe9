//! `/docs`: the OpenAPI document in a browser, from this server alone.

use std::{
    borrow::Cow,
    convert::Infallible,
    sync::{Arc, LazyLock},
};

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    body::SizedStream,
    http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION},
    web::{Bytes, Path},
};
use bearward::RequestId;
use futures_util::{Stream, stream};
use utoipa_swagger_ui::Config;

use super::ApiError;

/// The page runs its own scripts and asks this server alone; its styles are partly written into its
/// elements.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The validator's badge would ask another site about this one's document.
static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    let config = Config::from("../openapi.json")
        .use_base_layout()
        .validator_url("none")
        .try_it_out_enabled(true)
        .persist_authorization(false);
    Arc::new(
        config
            .display_request_duration(true)
            .default_models_expand_depth(0),
    )
});

/// A file of a megabyte is copied for a client as it reads, and not whole for each one that does
/// not.
fn pieces(file: &'static [u8]) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::iter(
        file.chunks(16 << 10)
            .map(|piece| Ok(Bytes::from_static(piece))),
    )
}

/// The page's files are named relative to its folder.
pub(super) async fn here() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((LOCATION, "/docs/"))
        .finish()
}

pub(super) async fn file(file: Path<String>, request: HttpRequest) -> HttpResponse {
    match utoipa_swagger_ui::serve(&file, Arc::clone(&CONFIG)) {
        Ok(Some(file)) => {
            let mut response = HttpResponse::Ok();
            response
                .insert_header((CONTENT_SECURITY_POLICY, POLICY))
                .insert_header((CACHE_CONTROL, "public, max-age=3600"))
                .content_type(file.content_type);
            match file.bytes {
                Cow::Borrowed(bytes) => {
                    response.body(SizedStream::new(bytes.len() as u64, pieces(bytes)))
                }
                Cow::Owned(bytes) => response.body(bytes),
            }
        }
        _ => ApiError::not_found(
            RequestId::from_request(&request),
            "the documentation has no such file",
        )
        .error_response(),
    }
}
