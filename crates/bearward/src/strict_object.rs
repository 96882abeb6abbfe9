//! Parses one JSON object strictly: member names are distinct after unescaping; values stay
//! unparsed.
//!
//! Hand-written because no JSON crate rejects duplicate members without allocating.

use std::{borrow::Cow, collections::HashSet, fmt};

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use smallvec::SmallVec;

use super::error::ObjectError;

/// The members of one JSON object, in the order of the document, with unparsed values.
#[derive(Debug)]
pub(crate) struct StrictObject<'a> {
    members: Vec<(Cow<'a, str>, &'a str)>,
}

impl<'a> StrictObject<'a> {
    /// Parses exactly one object. Only whitespace may surround it.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, ObjectError> {
        let text = str::from_utf8(bytes).map_err(|_| ObjectError::NotAnObject)?;
        let mut json = serde_json::Deserializer::from_str(text);
        let members = json
            .deserialize_map(MembersVisitor)
            .map_err(|_| ObjectError::NotAnObject)?;
        json.end().map_err(|_| ObjectError::NotAnObject)?;
        let object = Self { members };
        if object.has_duplicates() {
            Err(ObjectError::Duplicate)
        } else {
            Ok(object)
        }
    }

    /// Returns the JSON text of a member.
    pub(crate) fn member(&self, name: &str) -> Option<&'a str> {
        self.members
            .iter()
            .find(|(found, _)| found == name)
            .map(|&(_, value)| value)
    }

    /// Returns names and JSON texts, in the order of the document.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.members
            .iter()
            .map(|(name, value)| (name.as_ref(), *value))
    }

    /// Uses a 64-bit filter for objects of usual size, and a set for larger ones to stay linear.
    fn has_duplicates(&self) -> bool {
        const SMALL: usize = 64;
        if self.members.len() > SMALL {
            let mut names = HashSet::with_capacity(self.members.len());
            return !self
                .members
                .iter()
                .all(|(name, _)| names.insert(name.as_ref()));
        }
        let mut filter = 0_u64;
        self.members.iter().enumerate().any(|(index, (name, _))| {
            let bytes = name.as_bytes();
            let sample = [bytes.first(), bytes.get(bytes.len() / 2), bytes.last()];
            let hash = sample.iter().flatten().fold(bytes.len(), |sum, &&byte| {
                sum.wrapping_mul(31) + usize::from(byte)
            });
            let bit = 1 << (hash % 64);
            let is_candidate = filter & bit != 0;
            filter |= bit;
            is_candidate
                && self.members[..index]
                    .iter()
                    .any(|(earlier, _)| earlier == name)
        })
    }
}

/// An object has several members of one name. Which of them is meant depends on the parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AmbiguousMember;

/// Returns the JSON text of a member of an object; `None` if it is absent, or the object is not valid.
///
/// # Errors
/// [`AmbiguousMember`] if the object has several of this name.
pub(crate) fn unique_member<'a>(
    object: &'a str,
    name: &str,
) -> Result<Option<&'a str>, AmbiguousMember> {
    serde_json::Deserializer::from_str(object)
        .deserialize_map(UniqueMemberVisitor(name))
        .unwrap_or(Ok(None))
}

/// Parses a JSON string; borrows unless it has escapes. Returns `None` for any other value.
pub(crate) fn parse_string(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(json).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// Parses a JSON array of strings. Returns `None` for any other value.
pub(crate) fn parse_string_array(json: &str) -> Option<SmallVec<[Cow<'_, str>; 4]>> {
    let elements: SmallVec<[&RawValue; 4]> =
        serde_json::from_str::<Vec<&RawValue>>(json).ok()?.into();
    elements
        .into_iter()
        .map(|element| parse_string(element.get()))
        .collect()
}

// The names that `keys` uses.
pub(crate) use self::{parse_string as string, parse_string_array as strings};

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Vec<(Cow<'de, str>, &'de str)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        // A Supabase token has 17 claims. A `SmallVec` of that size is slower: moving it copies a
        // kilobyte.
        let mut members = Vec::with_capacity(24);
        while let Some(name) = map.next_key_seed(MemberName)? {
            members.push((name, map.next_value::<&'de RawValue>()?.get()));
        }
        Ok(members)
    }
}

/// Finds the member of this name, without allocating.
struct UniqueMemberVisitor<'n>(&'n str);

impl<'de> Visitor<'de> for UniqueMemberVisitor<'_> {
    type Value = Result<Option<&'de str>, AmbiguousMember>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut found, mut is_unique) = (None, true);
        while let Some(is_match) = map.next_key_seed(NameEquals(self.0))? {
            if is_match {
                is_unique &= found.is_none();
                found = Some(map.next_value::<&'de RawValue>()?.get());
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(if is_unique {
            Ok(found)
        } else {
            Err(AmbiguousMember)
        })
    }
}

/// Compares a member name.
struct NameEquals<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for NameEquals<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameEquals<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

/// Deserializes a member name; the implementation for `Cow` always allocates.
struct MemberName;

impl<'de> DeserializeSeed<'de> for MemberName {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for MemberName {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn member_names_are_compared_after_unescaping() {
        assert_eq!(
            StrictObject::parse(br#"{"sub":"a","s\u0075b":"b"}"#).unwrap_err(),
            ObjectError::Duplicate
        );
        assert!(StrictObject::parse(br#"{"sub":"a","suc":"b"}"#).is_ok());
    }

    #[test]
    fn duplicates_are_found_among_a_thousand_members() {
        let members = |last: &str| {
            let members: Vec<String> = (0..1000).map(|n| format!("\"m{n}\":0")).collect();
            format!("{{{},\"{last}\":1}}", members.join(","))
        };
        assert!(StrictObject::parse(members("other").as_bytes()).is_ok());
        assert_eq!(
            StrictObject::parse(members("m7").as_bytes()).unwrap_err(),
            ObjectError::Duplicate
        );
    }

    #[test]
    fn only_one_complete_object_parses() {
        for text in [
            "",
            "[]",
            "null",
            "1",
            "{",
            "{}{}",
            "{} x",
            "{\"a\":}",
            "{\"a\":\"\u{1}\"}",
            "{a:1}",
            "{\"a\":1,}",
            "\u{feff}{}",
        ] {
            assert_eq!(
                StrictObject::parse(text.as_bytes()).unwrap_err(),
                ObjectError::NotAnObject,
                "{text:?}"
            );
        }
        assert_eq!(
            StrictObject::parse(b"{\"a\":\"\xff\"}").unwrap_err(),
            ObjectError::NotAnObject
        );
        assert!(StrictObject::parse(b" {\"a\": [1]} ").is_ok());
    }

    #[test]
    fn ten_thousand_levels_of_nesting_do_not_overflow() {
        let deep = format!(
            "{{\"a\":{}{},\"b\":1}}",
            "[".repeat(10_000),
            "]".repeat(10_000)
        );
        assert_eq!(
            StrictObject::parse(deep.as_bytes()).unwrap().member("b"),
            Some("1")
        );
    }
}
