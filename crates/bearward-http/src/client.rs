//! HTTP clients that follow no redirects and read a bounded part of the body.

use reqwest::{ClientBuilder, Response, redirect};

use crate::error_chain;

/// Returns a client builder that follows no redirects, never retries, ignores the proxy variables
/// of the environment and sends no `Referer`.
pub fn client_builder(user_agent: &str) -> ClientBuilder {
    ClientBuilder::new()
        .user_agent(user_agent)
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .retry(reqwest::retry::never())
}

/// Reads a response body of at most `limit` bytes. Stops at the limit even if `Content-Length` is
/// missing or wrong.
///
/// # Errors
/// [`ReadBodyError`]
pub async fn read_body(mut response: Response, limit: usize) -> Result<Vec<u8>, ReadBodyError> {
    let announced = response.content_length().unwrap_or(0);
    if usize::try_from(announced).map_or(true, |announced| announced > limit) {
        return Err(ReadBodyError::TooLarge);
    }
    let mut body = Vec::new();
    read_prefix(&mut response, limit.saturating_add(1), &mut body)
        .await
        .map_err(ReadBodyError::Http)?;
    if body.len() > limit {
        return Err(ReadBodyError::TooLarge);
    }
    Ok(body)
}

/// Appends the response body to `body`, until it has `limit` bytes; the rest is not read. What was
/// received before an error stays in `body`.
///
/// # Errors
/// The error of the connection.
pub async fn read_prefix(
    response: &mut Response,
    limit: usize,
    body: &mut Vec<u8>,
) -> Result<(), reqwest::Error> {
    while body.len() < limit {
        let Some(chunk) = response.chunk().await? else {
            break;
        };
        body.extend_from_slice(&chunk[..chunk.len().min(limit - body.len())]);
    }
    Ok(())
}

/// Why a response body could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadBodyError {
    /// The body is larger than the limit.
    #[error("the body is too large")]
    TooLarge,
    /// The connection failed.
    #[error(transparent)]
    Http(reqwest::Error),
}

/// Formats an error with its sources and without its URL. reqwest's own `Display` omits the
/// sources, and the innermost one is the useful one ("`UnknownIssuer`", "Connection refused").
#[must_use]
pub fn client_error_chain(error: reqwest::Error) -> String {
    error_chain(&error.without_url())
}
