//! The errors of issuer configuration.

use std::fmt;

use super::Issuer;
use crate::{
    claim_mapping::ClaimMappingError, claim_rule::ClaimRuleError, issuer_template::TemplateError,
    json_pointer::JsonPointerError,
};

/// An invalid issuer configuration.
///
/// `Debug` prints the message, so that a `main` that returns this error shows it.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssuerError {
    /// The issuer is empty.
    #[error("the issuer is empty; write the exact \"iss\" of its tokens")]
    EmptyIssuer,
    /// The audience is missing or empty.
    #[error(
        "the audience is empty; write the \"aud\" of the tokens, or use `.client_ids(..)` if they have none"
    )]
    EmptyAudience,
    /// The list of client ids is empty, or one of them is.
    #[error("the list of client ids is empty, or one of them is")]
    EmptyClientId,
    /// The issuer has a brace and is not a template, or its tenants are invalid.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A rule on a claim's value is invalid.
    #[error("the rule on the claim {claim:?}: {source}")]
    ClaimRule {
        /// The claim.
        claim: Box<str>,
        /// What is wrong with the rule.
        source: ClaimRuleError,
    },
    /// The list of algorithms is empty.
    #[error("the list of algorithms is empty")]
    NoAlgorithm,
    /// The leeway is above the maximum of [`Issuer::LEEWAY`].
    #[error("the leeway must be from 0s to {:?}", Issuer::LEEWAY.max)]
    Leeway,
    /// The URL is not that of a Supabase project.
    #[error(
        "not the URL of a Supabase project, such as https://abc.supabase.co or http://127.0.0.1:54321: {0}"
    )]
    NotAProject(&'static str),
    /// A token type is not a media type, or is one that no access token has.
    #[error(
        "the token type {0:?} is not a media type such as \"at+jwt\", or belongs to tokens that are no access tokens"
    )]
    MediaType(Box<str>),
    /// A claim that the subject is read from is invalid, or there is none.
    #[error("the claims of the subject: {0}")]
    Subject(JsonPointerError),
    /// A claim mapping is invalid.
    #[error(transparent)]
    Claims(#[from] ClaimMappingError),
    /// A parameter of a provider is invalid.
    #[error("{name}: {hint}")]
    Parameter {
        /// The parameter.
        name: &'static str,
        /// What is wrong, or what would be right.
        hint: &'static str,
    },
}

impl fmt::Debug for IssuerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
