//! Reads a list of roles or scopes from a claim, in the shapes that providers use.

use super::strict_object::{StrictObject, parse_string, parse_string_array};

/// Why a claim is not read as a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ListProblem {
    /// An object whose members are objects or arrays, such as Keycloak's `resource_access`.
    #[error(
        "it is an object of objects, whose keys are not taken; point to the list inside, such as /resource_access/CLIENT/roles"
    )]
    NestedObjects,
    /// An array with elements other than strings.
    #[error("it is an array with elements other than strings")]
    MixedArray,
    /// A number or a boolean, or an object with such members.
    #[error(
        "it is neither a string, nor an array of strings, nor an object whose keys are the values"
    )]
    OtherType,
}

/// Calls `each` for every element of a list:
///
/// - a string is split at the separators,
/// - an array contributes its elements, which must be strings,
/// - an object contributes its keys: those with `true`, a string, or an object of strings, as
///   Zitadel writes roles. Keys with `false` or `null` are not taken.
///
/// # Errors
/// [`ListProblem`] for other values; then nothing is taken.
pub(crate) fn for_each_element(
    json: &str,
    separators: &[char],
    mut each: impl FnMut(&str),
) -> Result<(), ListProblem> {
    match json.as_bytes().first() {
        Some(b'"') => {
            let text = parse_string(json).ok_or(ListProblem::OtherType)?;
            text.split(separators)
                .filter(|element| !element.is_empty())
                .for_each(each);
        }
        Some(b'[') => parse_string_array(json)
            .ok_or(ListProblem::MixedArray)?
            .iter()
            .for_each(|element| each(element)),
        Some(b'{') => {
            let object =
                StrictObject::parse(json.as_bytes()).map_err(|_| ListProblem::OtherType)?;
            let mut keys = Vec::new();
            for (key, value) in object.members() {
                if is_granted(value)? {
                    keys.push(key);
                }
            }
            keys.into_iter().for_each(each);
        }
        _ if json == "null" => {}
        _ => return Err(ListProblem::OtherType),
    }
    Ok(())
}

/// Returns whether a key with this value is an element.
fn is_granted(value: &str) -> Result<bool, ListProblem> {
    match value.as_bytes().first() {
        Some(b'"' | b't') => Ok(true),
        Some(b'f' | b'n') => Ok(false),
        Some(b'[') => Err(ListProblem::NestedObjects),
        Some(b'{') => {
            let inner =
                StrictObject::parse(value.as_bytes()).map_err(|_| ListProblem::OtherType)?;
            let mut values = inner.members().map(|(_, value)| value).peekable();
            if values.peek().is_some() && values.all(|value| value.starts_with('"')) {
                Ok(true)
            } else {
                Err(ListProblem::NestedObjects)
            }
        }
        _ => Err(ListProblem::OtherType),
    }
}
