//! What a failed case reports: the expected behavior, the actual one, and its kind.

use super::target::{RequestError, Response};

/// The difference between the expected and the actual behavior of the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) expected: String,
    pub(super) got: String,
    pub(super) kind: FailureKind,
}

/// How a case failed. The kind decides the severity and the hint of the failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FailureKind {
    /// The target did what the case describes, for example accepted a forged token.
    AsDescribed,
    /// The target rejected a valid token, but may accept it later.
    Delayed,
    /// The target rejected the request, but its status or challenge does not follow the RFC.
    ChallengeDetails,
    /// The target rejected the request with a status that does not fit.
    WrongStatus,
    /// The target responded with a 5xx status.
    ServerError,
    /// The connection ended without a response.
    Disconnected,
    /// No response arrived in time.
    TimedOut,
    /// The target process exited, or no longer accepts connections.
    Crashed,
}

impl FailureKind {
    /// Classifies an unexpected response.
    pub(super) fn from_response(response: &Result<Response, RequestError>) -> Self {
        match response {
            Ok(response) if response.is_accepted() => Self::AsDescribed,
            Ok(response) if response.status >= 500 => Self::ServerError,
            Ok(_) => Self::WrongStatus,
            Err(RequestError::Connect(_)) => Self::Crashed,
            Err(RequestError::Disconnected(_) | RequestError::CertificateRefused(_)) => {
                Self::Disconnected
            }
            Err(RequestError::TimedOut(_)) => Self::TimedOut,
        }
    }
}
