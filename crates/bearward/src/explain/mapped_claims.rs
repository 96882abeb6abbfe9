//! What the claim mapping of the issuer finds in a token.

use crate::{
    claim_list::for_each_element,
    claim_mapping::{ClaimMapping, ROLE_SEPARATORS, SCOPE_SEPARATORS},
    json_pointer::JsonPointer,
    strict_object::{AmbiguousMember, StrictObject, parse_string},
    text::SanitizedText,
};

/// What the [`ClaimMapping`] finds for one field.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MappedClaim {
    /// The field: `roles`, `scopes`, `tenant`, `email` or `aal`.
    pub name: &'static str,
    /// The claims that the field is read from, as JSON pointers.
    pub sources: Vec<String>,
    /// The values; empty if there is none. They are unverified unless the token is accepted.
    pub found: Vec<String>,
    /// Why a claim is present and not used, or what is probably meant.
    pub problem: Option<String>,
}

const AMBIGUOUS: &str = "its object has the member twice";

/// Lists the fields that grant or identify something.
pub(super) fn mapped_claims(
    payload: &StrictObject<'_>,
    mapping: &ClaimMapping,
) -> Vec<MappedClaim> {
    [
        list(payload, "roles", &mapping.roles, ROLE_SEPARATORS),
        list(payload, "scopes", &mapping.scopes, SCOPE_SEPARATORS),
        single(payload, "tenant", &mapping.tenant),
        single(payload, "email", &mapping.email),
        single(payload, "aal", &mapping.aal),
    ]
    .into()
}

fn list(
    payload: &StrictObject<'_>,
    name: &'static str,
    sources: &[JsonPointer],
    separators: &[char],
) -> MappedClaim {
    let (mut found, mut problem) = (Vec::new(), None);
    for source in sources {
        let json = match payload.resolve_unambiguous(source) {
            Ok(Some(json)) => json,
            Ok(None) => continue,
            Err(AmbiguousMember) => {
                problem = Some(format!("{source}: {AMBIGUOUS}"));
                continue;
            }
        };
        let taken = for_each_element(json, separators, |element| {
            let element = SanitizedText::new(element).to_string();
            if !found.contains(&element) {
                found.push(element);
            }
        });
        if let Err(error) = taken {
            problem = Some(format!("{source}: {error}"));
        }
    }
    report(payload, name, sources, found, problem)
}

fn single(payload: &StrictObject<'_>, name: &'static str, sources: &[JsonPointer]) -> MappedClaim {
    let (mut found, mut problem) = (Vec::new(), None);
    for source in sources {
        let json = match payload.resolve_unambiguous(source) {
            Ok(Some(json)) => json,
            Ok(None) => continue,
            Err(AmbiguousMember) => {
                problem = Some(format!("{source}: {AMBIGUOUS}"));
                break;
            }
        };
        match parse_string(json) {
            Some(text) if !text.is_empty() => {
                found.push(SanitizedText::new(&text).to_string());
                break;
            }
            Some(_) => {}
            None if json == "null" => {}
            None => problem = Some(format!("{source}: it is not a string")),
        }
    }
    report(payload, name, sources, found, problem)
}

fn report(
    payload: &StrictObject<'_>,
    name: &'static str,
    sources: &[JsonPointer],
    found: Vec<String>,
    problem: Option<String>,
) -> MappedClaim {
    let problem = problem.or_else(|| {
        let hint = || {
            sources
                .iter()
                .find_map(|source| nested_name(payload, source))
        };
        if found.is_empty() { hint() } else { None }
    });
    MappedClaim {
        name,
        sources: sources.iter().map(ToString::to_string).collect(),
        found,
        problem,
    }
}

/// Suggests a JSON pointer for a name with dots, if the token has that nested claim.
fn nested_name(payload: &StrictObject<'_>, source: &JsonPointer) -> Option<String> {
    let name = source.name();
    let pointer: JsonPointer = format!("/{}", name.replace('.', "/")).parse().ok()?;
    if payload.member(name).is_some() || !name.contains('.') {
        return None;
    }
    payload.resolve(&pointer)?;
    Some(format!(
        "the token has no claim named {name:?}; for the nested claim write {:?}",
        pointer.as_str()
    ))
}
