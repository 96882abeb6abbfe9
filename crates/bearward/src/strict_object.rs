//! Parses one JSON object strictly: member names are distinct after unescaping; values stay
//! unparsed.
//!
//! Hand-written because no JSON crate rejects duplicate members without allocating.

use std::{borrow::Cow, collections::HashSet, fmt};

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, Visitor},
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
        Self::from_members(members)
    }

    /// Parses the value of a member of a parsed object, if it is an object. The syntax of the value
    /// has been checked then, so only the ends of names and values are searched.
    pub(crate) fn parse_nested(value: &'a str) -> Result<Self, ObjectError> {
        let members = Members(value).read().ok_or(ObjectError::NotAnObject)?;
        Self::from_members(members)
    }

    fn from_members(members: Vec<(Cow<'a, str>, &'a str)>) -> Result<Self, ObjectError> {
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

/// The rest of an object whose syntax is correct. Other text yields `None` or wrong members, and no
/// panic.
struct Members<'a>(&'a str);

impl<'a> Members<'a> {
    /// Reads all members of an object.
    fn read(mut self) -> Option<Vec<(Cow<'a, str>, &'a str)>> {
        let mut members = Vec::with_capacity(8);
        self.take('{')?;
        if self.take('}').is_some() {
            return Some(members);
        }
        loop {
            let name = self.take_value()?;
            self.take(':')?;
            members.push((parse_string(name)?, self.take_value()?));
            if self.take(',').is_none() {
                break;
            }
        }
        self.take('}')?;
        self.0.is_empty().then_some(members)
    }

    /// Removes a character and the whitespace after it.
    fn take(&mut self, character: char) -> Option<()> {
        let rest = self.0.strip_prefix(character)?;
        self.0 = skip_whitespace(rest);
        Some(())
    }

    /// Removes a value and the whitespace after it.
    fn take_value(&mut self) -> Option<&'a str> {
        let bytes = self.0.as_bytes();
        let length = match bytes.first()? {
            b'"' => string_length(bytes)?,
            b'{' | b'[' => nested_length(bytes)?,
            _ => bytes
                .iter()
                .position(|byte| matches!(byte, b',' | b'}' | b' ' | b'\t' | b'\n' | b'\r'))?,
        };
        let (value, rest) = self.0.split_at_checked(length)?;
        self.0 = skip_whitespace(rest);
        Some(value)
    }
}

/// RFC 8259 §2.
fn skip_whitespace(text: &str) -> &str {
    let is_whitespace = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    let length = text.bytes().take_while(is_whitespace).count();
    text.get(length..).unwrap_or_default()
}

/// Returns the length of the string at the start, with both quotation marks.
fn string_length(bytes: &[u8]) -> Option<usize> {
    let mut position = 1;
    loop {
        position += memchr::memchr2(b'"', b'\\', bytes.get(position..)?)?;
        match bytes.get(position)? {
            b'"' => return Some(position + 1),
            // The escaped character is one byte, or `u` and digits.
            _ => position += 2,
        }
    }
}

/// Returns the length of the object or array at the start.
fn nested_length(bytes: &[u8]) -> Option<usize> {
    let (mut position, mut depth) = (0, 0_usize);
    loop {
        match bytes.get(position)? {
            b'"' => position += string_length(bytes.get(position..)?)?,
            byte => {
                match byte {
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth = depth.checked_sub(1)?,
                    _ => {}
                }
                position += 1;
            }
        }
        if depth == 0 {
            return Some(position);
        }
    }
}

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
    use proptest::prelude::*;

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

    /// Returns what both ways to parse a nested object say about the value of `a`.
    fn parse_both_ways(document: &str) -> [Result<Vec<(String, String)>, ObjectError>; 2] {
        let object = StrictObject::parse(document.as_bytes()).unwrap();
        let value = object.member("a").unwrap();
        [
            StrictObject::parse(value.as_bytes()),
            StrictObject::parse_nested(value),
        ]
        .map(|object| {
            let object = object?;
            Ok(object
                .members()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect())
        })
    }

    #[test]
    fn nested_objects_have_the_members_that_serde_json_finds() {
        for value in [
            r"{}",
            r" { } ",
            r#"{"b":1}"#,
            r#"{ "b" : -1.5e3 , "c" :true,"d":null}"#,
            "{\n\t\"b\"\r\n:\n{ }\t,\"c\":[ ]\n}",
            r#"{"b":"}","c":"]\"{","d":"\\","e":"\\\"","f":"\u0022\ud83d\ude00"}"#,
            r#"{"\u0062":1,"\"":2,"":3,"\\":4}"#,
            r#"{"b":{"c":[{"d":"]}"},["}"]],"e":{}},"f":[[],{}]}"#,
            r#"{"b":1,"\u0062":2}"#,
            r#"{"b":1,"c":{"d":1,"d":2},"b":3}"#,
            r#"{"\ud800":1}"#,
            r"[]",
            r#"["{",{"b":1}]"#,
            r#""{\"b\":1}""#,
            r"true",
            r"12",
        ] {
            let [expected, found] = parse_both_ways(&format!("{{\"a\":{value}}}"));
            assert_eq!(found, expected, "{value}");
        }
    }

    proptest! {
        #[test]
        fn nested_objects_are_parsed_as_by_serde_json(
            tokens in prop::collection::vec(prop::sample::select(&TOKENS[..]), 0..24),
        ) {
            let document = format!("{{\"a\":{}}}", tokens.concat());
            if StrictObject::parse(document.as_bytes()).is_ok_and(|object| object.member("a").is_some()) {
                let [expected, found] = parse_both_ways(&document);
                prop_assert_eq!(found, expected);
            }
        }

        #[test]
        fn text_that_is_not_json_does_not_panic(text in "[\\{\\}\\[\\]:,\"\\\\ bä1]{0,24}") {
            let _ = StrictObject::parse_nested(&text);
        }
    }

    /// Parts of JSON texts, of which many sequences are valid.
    const TOKENS: [&str; 16] = [
        "{",
        "{",
        "}",
        "}",
        "[",
        "]",
        ":",
        ",",
        " ",
        "\"b\"",
        "\"c\"",
        "\"b\":",
        "\"c\":",
        "\"\\\"}\"",
        "1",
        "{\"b\":1}",
    ];

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
