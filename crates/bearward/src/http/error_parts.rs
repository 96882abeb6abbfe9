//! A complete error response, independent of the HTTP framework.

use super::{ChallengeContext, error_content::ErrorContent, request_id::RequestId};
use crate::{
    bearward::Bearward,
    error::{AuthError, AuthFailure},
};

/// An error response, for frameworks other than actix-web. Created by [`Bearward::error_parts`].
///
/// The guide "Other frameworks" in the repository has an extractor for axum.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorParts {
    /// The status code.
    pub status: u16,
    /// The header fields, with names in lower case: `content-type`, `cache-control`, and where the
    /// error has them `www-authenticate`, `dpop-nonce` and `retry-after`.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Bearward {
    /// Returns the response of an error: the status, the challenge, `Retry-After` and the body.
    ///
    /// The body is an [`ErrorBody`](crate::ErrorBody), or problem details if
    /// [`Builder::problem_details`](crate::Builder::problem_details) was called. It contains the
    /// `request_id`.
    ///
    /// ```
    /// use bearward::{AuthError, Bearward};
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # let auth = Bearward::builder().issuer(bearward::Issuer::supabase("https://abc.supabase.co")?).build().await?;
    /// let response = auth.error_parts(&AuthError::NoToken.into(), None);
    /// assert_eq!(response.status, 401);
    /// assert!(response.headers.contains(&("www-authenticate", "Bearer realm=\"bearward\"".to_owned())));
    /// # Ok(()) }
    /// ```
    pub fn error_parts(&self, failure: &AuthFailure, request_id: Option<&RequestId>) -> ErrorParts {
        let content = self.http.content(&failure.error, request_id);
        let challenge_context = ChallengeContext::new(Some(&self.http)).scopes(failure.scopes);
        ErrorParts::new(&failure.error, &challenge_context, content)
    }
}

impl ErrorParts {
    pub(crate) fn new(
        error: &AuthError,
        challenge_context: &ChallengeContext<'_>,
        content: ErrorContent,
    ) -> Self {
        let mut headers = vec![
            ("content-type", content.content_type().to_owned()),
            // The same request may be accepted with another token, so caches must not store this.
            ("cache-control", "no-store".to_owned()),
        ];
        if let Some(challenge) = error.format_challenge(challenge_context) {
            headers.push(("www-authenticate", challenge));
        }
        if let AuthError::ProofNonceRequired { nonce } = error {
            headers.push(("dpop-nonce", nonce.to_string()));
        }
        if let Some(retry_after) = error.retry_after() {
            headers.push(("retry-after", retry_after.as_secs().to_string()));
        }
        Self {
            status: error.status(),
            headers,
            body: content.into_body(),
        }
    }
}
