//! `/docs`: a browser for the OpenAPI document (Swagger UI), served without external resources.

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

/// Allows the page's own scripts and requests to this server. Swagger UI needs inline styles.
const CONTENT_SECURITY_POLICY_VALUE: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                                             font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Size of the chunks of a response body, in bytes.
const CHUNK_SIZE: usize = 16 << 10;

/// The validator is disabled because it would send the document's URL to another site.
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

/// Splits an asset into chunks, so that actix-web copies it as the client reads and not as a whole.
fn chunks(asset: &'static [u8]) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::iter(
        asset
            .chunks(CHUNK_SIZE)
            .map(|chunk| Ok(Bytes::from_static(chunk))),
    )
}

/// Redirects `/docs` to `/docs/`, because the page refers to its assets by relative paths.
pub(super) async fn redirect() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((LOCATION, "/docs/"))
        .finish()
}

/// Serves the page and its assets.
pub(super) async fn asset(path: Path<String>, request: HttpRequest) -> HttpResponse {
    match utoipa_swagger_ui::serve(&path, Arc::clone(&CONFIG)) {
        Ok(Some(file)) => {
            let mut response = HttpResponse::Ok();
            response
                .insert_header((CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY_VALUE))
                .insert_header((CACHE_CONTROL, "public, max-age=3600"))
                .content_type(file.content_type);
            match file.bytes {
                Cow::Borrowed(bytes) => {
                    response.body(SizedStream::new(bytes.len() as u64, chunks(bytes)))
                }
                Cow::Owned(bytes) => response.body(bytes),
            }
        }
        _ => ApiError::not_found(
            RequestId::from_request(&request),
            "no documentation asset at this path",
        )
        .error_response(),
    }
}
