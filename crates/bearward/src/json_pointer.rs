//! JSON pointers (RFC 6901) into the claims of a token.
//!
//! Hand-written because `serde_json`'s pointers need a parsed document, and claims stay unparsed
//! text.

use std::{fmt, str::FromStr};

/// A JSON pointer (RFC 6901) to a claim, for example `/app_metadata/roles`.
///
/// Each segment names a member of an object or an index of an array. In a name, `~1` encodes
/// `/` and `~0` encodes `~`; no other use of `~` is valid. Two pointers that RFC 6901 allows are
/// rejected because they cannot name a claim: the empty text, which means the whole payload, and
/// pointers whose first segment is empty (`/`, `//x`).
///
/// ```
/// use bearward::JsonPointer;
///
/// let pointer: JsonPointer = "/https:~1~1example.com~1roles".parse()?;
/// assert_eq!(pointer.to_string(), "/https:~1~1example.com~1roles");
/// assert!("realm_access.roles".parse::<JsonPointer>().is_err());
/// # Ok::<(), bearward::JsonPointerError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct JsonPointer {
    text: Box<str>,
    /// The name of the claim, unescaped.
    pub(crate) claim: Box<str>,
    /// The path below the claim, unescaped.
    pub(crate) path: Box<[Box<str>]>,
}

/// The reason why a text is not a [`JsonPointer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonPointerError {
    /// The text does not begin with `/`.
    #[error("not a JSON pointer: it starts with \"/\", as in \"/app_metadata/roles\"")]
    NoLeadingSlash,
    /// The first segment is empty, so the pointer names no claim.
    #[error(
        "not a JSON pointer to a claim: it names at least one member, as in \"/app_metadata/roles\""
    )]
    NoClaim,
    /// `~` is followed by something other than `0` or `1`.
    #[error("not a JSON pointer: \"~\" is written \"~0\", and \"/\" inside a name \"~1\"")]
    Escape,
}

impl FromStr for JsonPointer {
    type Err = JsonPointerError;

    fn from_str(text: &str) -> Result<Self, JsonPointerError> {
        let mut segments = text
            .strip_prefix('/')
            .ok_or(JsonPointerError::NoLeadingSlash)?
            .split('/')
            .map(unescape);
        let claim = segments
            .next()
            .transpose()?
            .filter(|claim| !claim.is_empty())
            .ok_or(JsonPointerError::NoClaim)?;
        let path = segments.collect::<Result<_, _>>()?;
        Ok(Self {
            text: text.into(),
            claim,
            path,
        })
    }
}

impl JsonPointer {
    /// Creates a pointer to a top-level claim. `name` must need no escapes.
    pub(crate) fn root_member(name: &str) -> Self {
        Self {
            text: format!("/{name}").into(),
            claim: name.into(),
            path: Box::default(),
        }
    }

    /// Creates a pointer to a member of a top-level claim. The names must need no escapes.
    pub(crate) fn nested_member(claim: &str, member: &str) -> Self {
        Self {
            text: format!("/{claim}/{member}").into(),
            claim: claim.into(),
            path: Box::new([member.into()]),
        }
    }

    /// Creates a pointer from a JSON pointer or from the name of a top-level claim. Providers show
    /// names like `https://acme.example.com/roles`, which begin with no slash.
    ///
    /// # Errors
    /// [`JsonPointerError`] if the text is empty, or begins with `/` and is not a pointer.
    pub(crate) fn from_pointer_or_name(text: &str) -> Result<Self, JsonPointerError> {
        if text.is_empty() {
            return Err(JsonPointerError::NoClaim);
        }
        if text.starts_with('/') {
            return text.parse();
        }
        Ok(Self {
            text: format!("/{}", text.replace('~', "~0").replace('/', "~1")).into(),
            claim: text.into(),
            path: Box::default(),
        })
    }

    /// Returns the name of a top-level claim, or the pointer to a nested one.
    pub(crate) fn name(&self) -> &str {
        if self.path.is_empty() {
            &self.claim
        } else {
            &self.text
        }
    }

    /// Returns the pointer as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl TryFrom<&str> for JsonPointer {
    type Error = JsonPointerError;

    fn try_from(text: &str) -> Result<Self, JsonPointerError> {
        text.parse()
    }
}

impl fmt::Display for JsonPointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for JsonPointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

fn unescape(segment: &str) -> Result<Box<str>, JsonPointerError> {
    let is_escaped = segment
        .split('~')
        .skip(1)
        .all(|after| after.starts_with(['0', '1']));
    if is_escaped {
        // In this order, so that "~01" becomes "~1" (RFC 6901 §4).
        Ok(segment.replace("~1", "/").replace("~0", "~").into())
    } else {
        Err(JsonPointerError::Escape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pins which texts are pointers. The configuration and the library use this one parser.
    #[test]
    fn only_pointers_that_name_a_claim_parse() {
        for valid in ["/a", "/a/", "/a//b", "/a/0", "/~0", "/~1", "/a b", "/ü"] {
            let pointer = valid.parse::<JsonPointer>().unwrap();
            assert_eq!(pointer.as_str(), valid);
        }
        for (invalid, error) in [
            ("", JsonPointerError::NoLeadingSlash),
            ("a", JsonPointerError::NoLeadingSlash),
            ("a/b", JsonPointerError::NoLeadingSlash),
            ("#/a", JsonPointerError::NoLeadingSlash),
            ("/", JsonPointerError::NoClaim),
            ("//a", JsonPointerError::NoClaim),
            ("/~", JsonPointerError::Escape),
            ("/~2", JsonPointerError::Escape),
            ("/a/~", JsonPointerError::Escape),
            ("/a/b~~0", JsonPointerError::Escape),
        ] {
            assert_eq!(invalid.parse::<JsonPointer>(), Err(error), "{invalid:?}");
        }
    }

    #[test]
    fn a_name_is_a_pointer_to_a_top_level_claim() {
        for (name, pointer) in [
            ("roles", "/roles"),
            ("https://a.test/roles", "/https:~1~1a.test~1roles"),
            ("a.b", "/a.b"),
            ("a~1", "/a~01"),
            ("/a/b", "/a/b"),
        ] {
            assert_eq!(JsonPointer::from_pointer_or_name(name), pointer.parse());
        }
        for invalid in ["", "/", "/~"] {
            assert!(
                JsonPointer::from_pointer_or_name(invalid).is_err(),
                "{invalid}"
            );
        }
    }

    #[test]
    fn segments_are_unescaped_once() {
        let pointer: JsonPointer = "/https:~1~1x.test/~01/~10".parse().unwrap();
        assert_eq!(&*pointer.claim, "https://x.test");
        assert_eq!(
            pointer.path.iter().map(|s| &**s).collect::<Vec<_>>(),
            ["~1", "/0"]
        );
    }

    #[test]
    fn built_pointers_equal_parsed_ones() {
        assert_eq!(JsonPointer::root_member("a"), "/a".parse().unwrap());
        assert_eq!(
            JsonPointer::nested_member("a", "b"),
            "/a/b".parse().unwrap()
        );
    }
}
