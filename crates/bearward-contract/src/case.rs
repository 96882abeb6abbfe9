//! One case of the battery: what is sent, what must happen, and why it matters.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use bearward::Algorithm;

use super::{
    cases::{self, Group},
    failure_kind::FailureKind,
    forge::Forge,
    harness::Harness,
    target::Request,
};

/// What a target is asked, under an id that does not change between versions.
pub struct Case {
    /// For example `alg.none.mixed-case`: the group, then what is special.
    pub id: &'static str,
    /// What is sent, in a few words.
    pub title: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// The RFC's section, or the CVE.
    pub reference: &'static str,
    /// What a failure means at its worst.
    pub severity: Severity,
    /// Why it means no more than that, where a reader may think so.
    pub caveat: &'static str,
    /// What must happen.
    pub expectation: Expectation,
    /// Asked with [`Options::strict`](super::Options::strict) alone: what the RFCs say and sound
    /// servers differ in.
    pub strict: bool,
    /// What the target must accept for the case to say something.
    pub needs: Precondition,
    /// How this is usually put right, where the group's hint does not say it.
    pub hint: Option<&'static str>,
    pub(super) action: Action,
}

/// What a failed case means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// A stranger gets in: by a token that he made, or by one that the issuer gave for something
    /// else or for another time.
    Critical,
    /// A stranger, or an outage of the identity provider, keeps others out.
    High,
    /// A good token is refused, a bad one in the wrong way, or one is believed that should not be
    /// and that only the issuer can make.
    Medium,
    /// Manners: what clients need to know why they were refused.
    Low,
}

/// What must happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expectation {
    /// 2xx.
    Accepted,
    /// 401 or 403; strictly 401 with a Bearer challenge that says `invalid_token` (RFC 6750 §3).
    Refused,
    /// 400, 401 or 403: the request is wrong, not the token alone; strictly 400 or 401 with a
    /// challenge.
    RefusedRequest,
    /// 401 or 403; strictly 401 with a Bearer challenge without an error code (RFC 6750 §3.1).
    Unauthenticated,
    /// No 2xx and no crash: 3xx, 4xx or 501, or a connection that is closed.
    NotServed,
    /// Whatever the verdict, an answer in time that is no 5xx.
    Survives,
    /// The same of what an HTTP layer may find too large: it may close the connection.
    SurvivesSize,
    /// What the steps of the case look for.
    Steps(&'static str),
}

/// What the target must accept before a case says something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precondition {
    /// Any algorithm.
    Nothing,
    /// An RSA algorithm.
    Rsa,
    /// ES256.
    Es256,
    /// EdDSA.
    EdDsa,
    /// This very algorithm.
    Exactly(Algorithm),
    /// A list given by `algorithms`, of which this is none.
    Unlisted(Algorithm),
    /// The key set with unusual members, which not every target takes.
    UnusualKeys,
    /// The unusual members, and RS256.
    OddRsaKeys,
    /// No fixed token type.
    FreeType,
}

/// A finding: what was expected and what came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) expected: String,
    pub(super) got: String,
    pub(super) symptom: FailureKind,
}

pub(super) type Steps = Pin<Box<dyn Future<Output = Result<(), StepError>> + Send>>;

/// Why the steps of a case end before their end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StepError {
    /// The case has failed.
    Found(Finding),
    /// It cannot be said: why.
    Cannot(String),
    /// The target is gone.
    Down(String),
}

/// What is done.
pub(super) enum Action {
    /// A token in the Authorization header.
    Token(Box<dyn Fn(&Forge) -> String + Send + Sync>),
    /// A request of its own.
    Request(Box<dyn Fn(&Forge) -> Request + Send + Sync>),
    /// Several steps: keys turned, fetches counted.
    Steps(fn(Arc<Harness>) -> Steps),
}

impl Case {
    fn new(
        id: &'static str,
        title: &'static str,
        severity: Severity,
        expectation: Expectation,
        action: Action,
    ) -> Self {
        let (why, reference, caveat, hint) = ("", "", "", None);
        Self {
            id,
            title,
            why,
            reference,
            severity,
            caveat,
            expectation,
            strict: false,
            needs: Precondition::Nothing,
            hint,
            action,
        }
    }

    /// A token that must be refused: critical unless said otherwise.
    pub(super) fn refused(
        id: &'static str,
        title: &'static str,
        token: impl Fn(&Forge) -> String + Send + Sync + 'static,
    ) -> Self {
        Self::new(
            id,
            title,
            Severity::Critical,
            Expectation::Refused,
            Action::Token(Box::new(token)),
        )
    }

    /// A token that must be accepted.
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

    /// A token that may be judged either way, and breaks nothing.
    pub(super) fn survived(
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

    /// An HTTP layer may close the connection on it.
    pub(super) fn may_be_too_large(mut self) -> Self {
        self.expectation = Expectation::SurvivesSize;
        self
    }

    /// A request with headers of its own.
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

    /// Several steps.
    pub(super) fn steps(
        id: &'static str,
        title: &'static str,
        severity: Severity,
        expected: &'static str,
        steps: fn(Arc<Harness>) -> Steps,
    ) -> Self {
        Self::new(
            id,
            title,
            severity,
            Expectation::Steps(expected),
            Action::Steps(steps),
        )
    }

    pub(super) fn rationale(mut self, why: &'static str, reference: &'static str) -> Self {
        (self.why, self.reference) = (why, reference);
        self
    }

    pub(super) fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Medium: it takes the issuer's own hand.
    pub(super) fn requires_issuer(self) -> Self {
        self.severity(Severity::Medium)
            .severity_note("only the issuer can sign such a token")
    }

    /// Medium: it takes a good token.
    pub(super) fn requires_valid_token(self) -> Self {
        self.severity(Severity::Medium)
            .severity_note("whoever sends it holds a good token")
    }

    pub(super) fn severity_note(mut self, caveat: &'static str) -> Self {
        self.caveat = caveat;
        self
    }

    pub(super) fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    pub(super) fn needs(mut self, needs: Precondition) -> Self {
        self.needs = needs;
        self
    }

    pub(super) fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// The group that it belongs to.
    pub fn group(&self) -> &'static Group {
        cases::group(self.id)
    }

    /// What must happen, in words.
    pub fn expected(&self, strict: bool) -> &'static str {
        self.expectation.words(strict)
    }
}

impl Expectation {
    pub(super) fn words(self, strict: bool) -> &'static str {
        match (self, strict) {
            (Self::Accepted, _) => "2xx",
            (Self::Refused | Self::Unauthenticated, false) => "401 or 403",
            (Self::Refused, true) => {
                "401 with a Bearer challenge that says error=\"invalid_token\""
            }
            (Self::RefusedRequest, false) => "400, 401 or 403",
            (Self::RefusedRequest, true) => "400, or 401 with a Bearer challenge",
            (Self::Unauthenticated, true) => "401 with a Bearer challenge without an error code",
            (Self::NotServed, _) => "3xx, 4xx or 501, or a closed connection",
            (Self::Survives, _) => "an answer in time, whatever it is, but no 5xx",
            (Self::SurvivesSize, _) => {
                "an answer in time, whatever it is, but no 5xx; or a closed connection"
            }
            (Self::Steps(words), _) => words,
        }
    }
}

impl Severity {
    /// In lower case.
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
