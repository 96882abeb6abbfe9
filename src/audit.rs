//! The audit log: who changed what, and which tokens were rejected. Events have the target
//! `bearward::audit`, one line each, so that a collector can select them. They contain no token, no
//! key and no claim other than issuer and subject. Changes are written at once; rejections, which
//! every client can cause, are written with the next batch of the log.

use std::net::IpAddr;

use actix_web::HttpRequest;
use bearward::{RequestId, Verified};

use crate::telemetry;

/// What is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// The first request of a subject has created its account.
    AccountCreated,
    /// A caller has deleted their own account.
    AccountDeleted,
    /// An administrator has enabled an account.
    AccountEnabled,
    /// An administrator has disabled an account.
    AccountDisabled,
    /// A caller has stored an API key; the object is its provider.
    ApiKeyStored,
    /// A caller has removed an API key; the object is its provider.
    ApiKeyRemoved,
    /// A caller has revoked own tokens; the object is the scope: `local`, `others` or `global`.
    SignedOut,
    /// A caller has ended one of their own sessions; the object is its id in the list.
    SessionEnded,
    /// An administrator has added an entry to the revocation list; the object is its id.
    RevocationAdded,
    /// An administrator has removed an entry of the revocation list; the object is its id.
    RevocationRemoved,
}

impl Action {
    /// Returns the value of the field `event`.
    fn name(self) -> &'static str {
        match self {
            Self::AccountCreated => "account.created",
            Self::AccountDeleted => "account.deleted",
            Self::AccountEnabled => "account.enabled",
            Self::AccountDisabled => "account.disabled",
            Self::ApiKeyStored => "api_key.stored",
            Self::ApiKeyRemoved => "api_key.removed",
            Self::SignedOut => "user.signed_out",
            Self::SessionEnded => "session.ended",
            Self::RevocationAdded => "revocation.added",
            Self::RevocationRemoved => "revocation.removed",
        }
    }
}

/// Where a request comes from. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct RequestOrigin {
    pub(crate) request_id: Option<RequestId>,
    client: IpAddr,
}

impl RequestOrigin {
    pub(crate) fn of(request: &HttpRequest) -> Self {
        Self {
            request_id: RequestId::from_request(request),
            client: telemetry::client_address(request),
        }
    }

    /// An origin without a request.
    #[cfg(test)]
    pub(crate) fn test() -> Self {
        Self {
            request_id: None,
            client: std::net::Ipv4Addr::LOCALHOST.into(),
        }
    }

    /// Records a change by a verified caller. `object` is what was changed: the id of an account or
    /// the name of a provider.
    pub(crate) fn record(&self, action: Action, actor: &Verified, object: &str) {
        tracing::info!(
            target: "bearward::audit",
            parent: None,
            event = action.name(),
            issuer = actor.canonical_issuer(),
            subject = actor.subject(),
            object,
            client = %self.client,
            request_id = self.request_id.as_ref().map(RequestId::as_str),
        );
        telemetry::flush_log();
    }
}

impl RequestOrigin {
    /// Records that an identity provider has reported the end of a session, or of all sessions of a
    /// subject. `object` is `session` or `subject`.
    pub(crate) fn record_logout(&self, issuer: &str, subject: Option<&str>, object: &str) {
        tracing::info!(
            target: "bearward::audit",
            parent: None,
            event = "backchannel_logout.received",
            issuer,
            subject,
            object,
            client = %self.client,
            request_id = self.request_id.as_ref().map(RequestId::as_str),
        );
        telemetry::flush_log();
    }
}

/// Records the rejection of a request's token or service key.
pub(crate) fn record_rejection(
    client: IpAddr,
    request_id: &RequestId,
    route: &str,
    reason: &str,
    issuer: Option<&str>,
    kid: Option<&str>,
    service: Option<&str>,
) {
    tracing::info!(
        target: "bearward::audit",
        parent: None,
        event = "token.rejected",
        reason,
        issuer,
        kid,
        service,
        route,
        %client,
        request_id = request_id.as_str(),
    );
}
