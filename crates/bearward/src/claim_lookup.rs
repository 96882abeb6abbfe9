//! Resolves JSON pointers in one payload.

use serde_json::value::RawValue;
use smallvec::SmallVec;

use super::{json_pointer::JsonPointer, strict_object::StrictObject};

/// Resolves JSON pointers in one payload. Top-level claims that are objects are parsed once, however
/// many pointers lead into them.
pub(crate) struct ClaimLookup<'o, 'a> {
    payload: &'o StrictObject<'a>,
    /// The JSON text of each top-level claim that was parsed, and the object. `None`: the object has
    /// duplicate member names.
    nested: SmallVec<[(&'a str, Option<StrictObject<'a>>); 2]>,
}

impl<'o, 'a> ClaimLookup<'o, 'a> {
    pub(crate) fn new(payload: &'o StrictObject<'a>) -> Self {
        Self {
            payload,
            nested: SmallVec::new(),
        }
    }

    /// Returns the JSON text of the value that a pointer refers to.
    pub(crate) fn resolve(&mut self, pointer: &JsonPointer) -> Option<&'a str> {
        let json = self.payload.member(&pointer.claim)?;
        let Some((segment, rest)) = pointer.path.split_first() else {
            return Some(json);
        };
        let value = if json.starts_with('{') {
            self.nested_object(json)?.member(segment)
        } else {
            child(json, segment)
        };
        rest.iter()
            .try_fold(value?, |json, segment| child(json, segment))
    }

    /// Returns a top-level claim as an object, parsed at the first call.
    fn nested_object(&mut self, json: &'a str) -> Option<&StrictObject<'a>> {
        let parsed = self
            .nested
            .iter()
            .position(|(text, _)| std::ptr::eq(*text, json));
        let index = parsed.unwrap_or_else(|| {
            let object = StrictObject::parse(json.as_bytes()).ok();
            self.nested.push((json, object));
            self.nested.len() - 1
        });
        self.nested.get(index)?.1.as_ref()
    }
}

/// Returns the member of an object, or the element of an array, that a segment names.
fn child<'a>(json: &'a str, segment: &str) -> Option<&'a str> {
    match json.as_bytes().first()? {
        // An object with duplicate member names does not parse and so resolves to nothing.
        b'{' => StrictObject::parse(json.as_bytes()).ok()?.member(segment),
        b'[' => serde_json::from_str::<Vec<&'a RawValue>>(json)
            .ok()?
            .get(array_index(segment)?)
            .map(|value| value.get()),
        _ => None,
    }
}

/// RFC 6901 §4: digits without a sign or leading zeros.
fn array_index(segment: &str) -> Option<usize> {
    let is_index = segment == "0"
        || (!segment.starts_with('0') && segment.bytes().all(|byte| byte.is_ascii_digit()));
    if is_index { segment.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(pointer: &str, json: &'static str) -> Option<String> {
        let object = StrictObject::parse(json.as_bytes()).unwrap();
        ClaimLookup::new(&object)
            .resolve(&pointer.parse().unwrap())
            .map(str::to_owned)
    }

    #[test]
    fn objects_and_arrays_are_traversed() {
        assert_eq!(
            resolve("/a/b/1", r#"{"a":{"b":[1,2]}}"#).as_deref(),
            Some("2")
        );
        assert_eq!(
            resolve(
                "/https:~1~1x.test~1roles",
                r#"{"https://x.test/roles":["r"]}"#
            )
            .as_deref(),
            Some(r#"["r"]"#)
        );
        assert_eq!(resolve("/m~01", r#"{"m~1":true}"#).as_deref(), Some("true"));
        assert_eq!(resolve("/a/b", r#"{"a":"b"}"#), None);
        assert_eq!(
            resolve("/a/b", r#"{"a":{"\u0062":3}}"#).as_deref(),
            Some("3")
        );
        assert_eq!(resolve("/a/", r#"{"a":{"":4}}"#).as_deref(), Some("4"));
    }

    #[test]
    fn objects_that_pointers_share_are_parsed_once() {
        let payload = br#"{"a":{"x":1,"y":2},"b":{"x":3},"c":{"x":4},"twice":{"x":5,"x":6}}"#;
        let payload = StrictObject::parse(payload).unwrap();
        let mut lookup = ClaimLookup::new(&payload);
        let mut resolve = |pointer: &str| lookup.resolve(&pointer.parse().unwrap());
        for _ in 0..2 {
            assert_eq!(resolve("/a/x"), Some("1"));
            assert_eq!(resolve("/b/x"), Some("3"));
            assert_eq!(resolve("/a/y"), Some("2"));
            assert_eq!(resolve("/c/x"), Some("4"));
            assert_eq!(resolve("/twice/x"), None);
        }
        assert_eq!(lookup.nested.len(), 4);
    }

    #[test]
    fn array_indexes_have_no_sign_and_no_leading_zeros() {
        assert_eq!(resolve("/a/0", r#"{"a":[7]}"#).as_deref(), Some("7"));
        assert_eq!(
            resolve("/a/10", r#"{"a":[0,1,2,3,4,5,6,7,8,9,10]}"#).as_deref(),
            Some("10")
        );
        for segment in ["+0", "-0", "00", "01", "1", "-", "", " 0"] {
            assert_eq!(
                resolve(&format!("/a/{segment}"), r#"{"a":[7]}"#),
                None,
                "{segment:?}"
            );
        }
    }
}
