//! One JSON object read strictly: member names in order, distinct after unescaping; values kept as
//! they stand.

use std::{borrow::Cow, collections::HashSet, fmt};

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use smallvec::SmallVec;

use super::error::ObjectError;

/// The members of one JSON object, values unparsed.
#[derive(Debug)]
pub(crate) struct StrictObject<'a> {
    members: Vec<(Cow<'a, str>, &'a str)>,
}

impl<'a> StrictObject<'a> {
    /// Reads exactly one object; white space may surround it, nothing else may.
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

    /// The JSON text of a member.
    pub(crate) fn member(&self, name: &str) -> Option<&'a str> {
        self.members
            .iter()
            .find(|(found, _)| found == name)
            .map(|&(_, value)| value)
    }

    /// Names and JSON texts, in the order of the document.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.members
            .iter()
            .map(|(name, value)| (name.as_ref(), *value))
    }

    /// A small filter makes the usual object cheap; a set keeps a hostile one linear.
    fn has_duplicates(&self) -> bool {
        const SMALL: usize = 64;
        if self.members.len() > SMALL {
            let mut seen = HashSet::with_capacity(self.members.len());
            return !self
                .members
                .iter()
                .all(|(name, _)| seen.insert(name.as_ref()));
        }
        let mut filter = 0_u64;
        self.members.iter().enumerate().any(|(index, (name, _))| {
            let bytes = name.as_bytes();
            let ends = [bytes.first(), bytes.get(bytes.len() / 2), bytes.last()];
            let mixed = ends.iter().flatten().fold(bytes.len(), |sum, &&byte| {
                sum.wrapping_mul(31) + usize::from(byte)
            });
            let bit = 1 << (mixed % 64);
            let suspect = filter & bit != 0;
            filter |= bit;
            suspect
                && self.members[..index]
                    .iter()
                    .any(|(earlier, _)| earlier == name)
        })
    }
}

/// A JSON string's content; borrowed unless it has escapes. `None` when the text is no string.
pub(crate) fn string(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(json).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// A JSON array's strings. `None` when the text is no array, or holds something else.
pub(crate) fn strings(json: &str) -> Option<SmallVec<[Cow<'_, str>; 4]>> {
    let elements: SmallVec<[&RawValue; 4]> =
        serde_json::from_str::<Vec<&RawValue>>(json).ok()?.into();
    elements
        .into_iter()
        .map(|element| string(element.get()))
        .collect()
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Vec<(Cow<'de, str>, &'de str)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        // A Supabase token has 17 claims. On the stack they would be copied a kilobyte at a time.
        let mut members = Vec::with_capacity(24);
        while let Some(name) = map.next_key_seed(Name)? {
            members.push((name, map.next_value::<&'de RawValue>()?.get()));
        }
        Ok(members)
    }
}

/// A member name; `Cow` alone would always allocate.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
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
    fn names_are_compared_after_unescaping() {
        assert_eq!(
            StrictObject::parse(br#"{"sub":"a","s\u0075b":"b"}"#).unwrap_err(),
            ObjectError::Duplicate
        );
        assert!(StrictObject::parse(br#"{"sub":"a","suc":"b"}"#).is_ok());
    }

    #[test]
    fn a_thousand_members_are_read_and_one_repeated_among_them_is_found() {
        let members = |last: &str| {
            let many: Vec<String> = (0..1000).map(|n| format!("\"m{n}\":0")).collect();
            format!("{{{},\"{last}\":1}}", many.join(","))
        };
        assert!(StrictObject::parse(members("other").as_bytes()).is_ok());
        assert_eq!(
            StrictObject::parse(members("m7").as_bytes()).unwrap_err(),
            ObjectError::Duplicate
        );
    }

    #[test]
    fn only_one_whole_object_is_an_object() {
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
    fn nesting_of_ten_thousand_neither_overflows_nor_hides_a_member() {
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
