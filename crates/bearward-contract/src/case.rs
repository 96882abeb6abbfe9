//! One case of the suite: what is sent, what must happen, and why it matters.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use bearward::Algorithm;

use super::{error::StepError, forge::Forge, harness::Harness, target::Request};

/// One test case.
pub struct Case {
    /// The id, stable between versions: the group name followed by what is tested, for example
    /// `alg.none.mixed-case`.
    pub id: &'static str,
    /// What is sent, in a few words.
    pub title: &'static str,
    /// Why it matters.
    pub rationale: &'static str,
    /// The section of an RFC, or the CVE.
    pub reference: &'static str,
    /// The severity of a failure at its worst.
    pub severity: Severity,
    /// Why the severity is not higher, or empty.
    pub severity_note: &'static str,
    /// What must happen.
    pub expectation: Expectation,
    /// Whether the case runs only with [`Options::strict`](super::Options::strict): it tests RFC
    /// details in which secure servers differ.
    pub strict: bool,
    /// What the target must support for the case to apply.
    pub precondition: Precondition,
    /// How to fix a failure, if the group's hint does not apply.
    pub hint: Option<&'static str>,
    pub(super) action: Action,
}

/// The severity of a failed case. It depends on two questions: what is lost, and what an attacker
/// must control for it.
///
/// A case in which the attacker needs the issuer, a key that it publishes, or a valid token is at
/// most medium, and `Case::severity_note` says what is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// An attacker who controls nothing else gains access, with a forged token or with one that was
    /// issued for another purpose or time.
    Critical,
    /// An attacker who controls nothing else, or an outage or rotation of the identity provider,
    /// locks out other users.
    High,
    /// A valid token is rejected, an invalid one is rejected in the wrong way, or an attacker who
    /// controls the issuer, one of its keys or a valid token gains access.
    Medium,
    /// Protocol details, such as a missing challenge, from which no attacker gains.
    Low,
}

/// What must happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expectation {
    /// 2xx.
    Accepted,
    /// 401 or 403. In strict mode: 401 with a Bearer challenge that contains
    /// `error="invalid_token"` (RFC 6750 §3).
    Rejected,
    /// As [`Rejected`](Self::Rejected), or 503 with `Retry-After`: the target may not be able to
    /// look up the key, for example because it limits fetches.
    RejectedUnknownKey,
    /// 400, 401 or 403: the request is malformed, not only the token. In strict mode: 400, or 401
    /// with a challenge.
    RejectedRequest,
    /// 401 or 403. In strict mode: 401 with a Bearer challenge without an error code (RFC 6750
    /// §3.1).
    Unauthenticated,
    /// 400, 401 or 403. In strict mode: 401 with a `DPoP` challenge that contains
    /// `error="invalid_dpop_proof"` or `error="invalid_token"` (RFC 9449 §7.1).
    RejectedProof,
    /// 400, 401 or 403: the request has no proof of possession, or more than one. In strict mode:
    /// 400, or 401 with a `DPoP` challenge.
    RejectedProofCount,
    /// No 2xx and no crash: 3xx, 4xx or 501, or a closed connection.
    NotServed,
    /// Any response in time that is not 5xx.
    Survives,
    /// As [`Survives`](Self::Survives), or a closed connection, because the HTTP layer may reject
    /// the size of the request.
    SurvivesOversize,
    /// Described by the steps of the case.
    Steps(&'static str),
}

/// What the target must support for a case to apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precondition {
    /// No requirement.
    Nothing,
    /// An RSA algorithm.
    Rsa,
    /// ES256.
    Es256,
    /// EdDSA.
    EdDsa,
    /// Exactly this algorithm.
    Exactly(Algorithm),
    /// [`Options::algorithms`](super::Options::algorithms) is set and does not contain this
    /// algorithm.
    Unlisted(Algorithm),
    /// A key set with unusual members, which some targets reject as a whole.
    UnusualKeys,
    /// A key set with unusual members, and RS256.
    UnusualRsaKeys,
    /// Tokens with the usual `typ`.
    AnyTokenType,
    /// [`Options::ed25519`](super::Options::ed25519) is set.
    Ed25519Name,
    /// [`Options::client_id`](super::Options::client_id) is set.
    ClientId,
    /// [`Options::required_claim`](super::Options::required_claim) is set.
    RequiredClaim,
    /// [`Options::tenant_claim`](super::Options::tenant_claim) is set.
    TenantClaim,
    /// [`Options::dpop`](super::Options::dpop) is set.
    Dpop,
    /// [`Options::client_certificate_header`](super::Options::client_certificate_header) or
    /// [`Options::client_certificates`](super::Options::client_certificates) is set.
    ClientCertificate,
    /// [`Options::client_certificate_header`](super::Options::client_certificate_header) is set.
    ClientCertificateHeader,
    /// [`Options::client_certificates`](super::Options::client_certificates) is set.
    ClientCertificateHandshake,
    /// [`Options::token_type`](super::Options::token_type) is `at+jwt`.
    AccessTokenType,
}

pub(super) type Steps = Pin<Box<dyn Future<Output = Result<(), StepError>> + Send>>;

/// What the case does.
pub(super) enum Action {
    /// Sends a token in the Authorization header.
    Token(Box<dyn Fn(&Forge) -> String + Send + Sync>),
    /// Sends a custom request.
    Request(Box<dyn Fn(&Forge) -> Request + Send + Sync>),
    /// Runs several steps, for example rotates keys and counts fetches.
    Steps(Box<dyn Fn(Arc<Harness>) -> Steps + Send + Sync>),
}

impl Case {
    fn new(
        id: &'static str,
        title: &'static str,
        severity: Severity,
        expectation: Expectation,
        action: Action,
    ) -> Self {
        let (rationale, reference, severity_note, hint) = ("", "", "", None);
        Self {
            id,
            title,
            rationale,
            reference,
            severity,
            severity_note,
            expectation,
            strict: false,
            precondition: Precondition::Nothing,
            hint,
            action,
        }
    }

    /// Creates a case whose token must be rejected. The default severity is critical.
    pub(super) fn rejected(
        id: &'static str,
        title: &'static str,
        token: impl Fn(&Forge) -> String + Send + Sync + 'static,
    ) -> Self {
        Self::new(
            id,
            title,
            Severity::Critical,
            Expectation::Rejected,
            Action::Token(Box::new(token)),
        )
    }

    /// Allows the target to answer that it cannot look up the key.
    pub(super) fn with_unknown_key(mut self) -> Self {
        if matches!(self.expectation, Expectation::Rejected) {
            self.expectation = Expectation::RejectedUnknownKey;
        }
        self
    }

    /// Creates a case whose token must be accepted. The default severity is medium.
    pub(super) fn accepted(
        id: &'static str,
        title: &'static str,
        token: impl Fn(&Forge) -> String + Send + Sync + 'static,
    ) -> Self {
        Self::new(
            id,
            title,
            Severity::Medium,
            Expectation::Accepted,
            Action::Token(Box::new(token)),
        )
    }

    /// Creates a case whose token may be accepted or rejected, but must not cause an error. The
    /// default severity is high.
    pub(super) fn no_crash(
        id: &'static str,
        title: &'static str,
        token: impl Fn(&Forge) -> String + Send + Sync + 'static,
    ) -> Self {
        Self::new(
            id,
            title,
            Severity::High,
            Expectation::Survives,
            Action::Token(Box::new(token)),
        )
    }

    /// Also allows the HTTP layer to close the connection.
    pub(super) fn may_exceed_size_limit(mut self) -> Self {
        self.expectation = Expectation::SurvivesOversize;
        self
    }

    /// Creates a case with a custom request.
    pub(super) fn request(
        id: &'static str,
        title: &'static str,
        expectation: Expectation,
        request: impl Fn(&Forge) -> Request + Send + Sync + 'static,
    ) -> Self {
        let severity = if expectation == Expectation::Accepted {
            Severity::Medium
        } else {
            Severity::Critical
        };
        Self::new(
            id,
            title,
            severity,
            expectation,
            Action::Request(Box::new(request)),
        )
    }

    /// Creates a case with several steps.
    pub(super) fn steps(
        id: &'static str,
        title: &'static str,
        severity: Severity,
        expected: &'static str,
        steps: impl Fn(Arc<Harness>) -> Steps + Send + Sync + 'static,
    ) -> Self {
        Self::new(
            id,
            title,
            severity,
            Expectation::Steps(expected),
            Action::Steps(Box::new(steps)),
        )
    }

    pub(super) fn rationale(mut self, rationale: &'static str, reference: &'static str) -> Self {
        (self.rationale, self.reference) = (rationale, reference);
        self
    }

    /// Sets rationale and reference unless the case has its own.
    pub(super) fn default_rationale(
        self,
        rationale: &'static str,
        reference: &'static str,
    ) -> Self {
        if self.rationale.is_empty() {
            self.rationale(rationale, reference)
        } else {
            self
        }
    }

    pub(super) fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Lowers the severity to medium because only the issuer can sign the token.
    pub(super) fn requires_issuer(self) -> Self {
        self.severity(Severity::Medium)
            .severity_note("only the issuer can sign such a token")
    }

    /// Lowers the severity to medium because the sender needs a valid token.
    pub(super) fn requires_valid_token(self) -> Self {
        self.severity(Severity::Medium)
            .severity_note("the sender needs a valid token")
    }

    /// Lowers the severity to medium because the issuer would have to publish the key.
    pub(super) fn requires_published_key(self) -> Self {
        self.severity(Severity::Medium)
            .severity_note("the issuer would have to publish such a key")
    }

    pub(super) fn severity_note(mut self, severity_note: &'static str) -> Self {
        self.severity_note = severity_note;
        self
    }

    pub(super) fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    pub(super) fn requires(mut self, precondition: Precondition) -> Self {
        self.precondition = precondition;
        self
    }

    pub(super) fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// Returns a description of what must happen.
    pub fn expected(&self, strict: bool) -> &'static str {
        self.expectation.describe(strict)
    }
}

impl Expectation {
    pub(super) fn is_accepted(self) -> bool {
        self == Self::Accepted
    }

    /// Whether the target must reject the credentials of the request.
    pub(super) fn is_rejected(self) -> bool {
        matches!(
            self,
            Self::Rejected
                | Self::RejectedUnknownKey
                | Self::RejectedRequest
                | Self::Unauthenticated
                | Self::RejectedProof
                | Self::RejectedProofCount
        )
    }

    pub(super) fn describe(self, strict: bool) -> &'static str {
        match (self, strict) {
            (Self::Accepted, _) => "2xx",
            (Self::Rejected | Self::Unauthenticated, false) => "401 or 403",
            (Self::Rejected, true) => "401 with a Bearer challenge with error=\"invalid_token\"",
            (Self::RejectedUnknownKey, false) => "401 or 403, or 503 with Retry-After",
            (Self::RejectedUnknownKey, true) => {
                "401 with a Bearer challenge with error=\"invalid_token\", or 503 with Retry-After"
            }
            (Self::RejectedRequest | Self::RejectedProof | Self::RejectedProofCount, false) => {
                "400, 401 or 403"
            }
            (Self::RejectedProofCount, true) => "400, or 401 with a DPoP challenge",
            (Self::RejectedProof, true) => {
                "401 with a DPoP challenge with error=\"invalid_dpop_proof\" or \"invalid_token\""
            }
            (Self::RejectedRequest, true) => "400, or 401 with a Bearer challenge",
            (Self::Unauthenticated, true) => "401 with a Bearer challenge without an error code",
            (Self::NotServed, _) => "3xx, 4xx or 501, or a closed connection",
            (Self::Survives, _) => "any response in time except 5xx",
            (Self::SurvivesOversize, _) => {
                "any response in time except 5xx, or a closed connection"
            }
            (Self::Steps(description), _) => description,
        }
    }
}

impl Severity {
    /// Returns the name in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case")
            .field("id", &self.id)
            .field("expectation", &self.expectation)
            .finish_non_exhaustive()
    }
}
