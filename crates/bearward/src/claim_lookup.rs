//! Resolves JSON pointers in the payload of a token.

use serde_json::value::RawValue;

use super::{
    json_pointer::JsonPointer,
    strict_object::{AmbiguousMember, StrictObject, unique_member},
};

impl<'a> StrictObject<'a> {
    /// Returns the JSON text of the value that a pointer refers to. A member that an object has twice
    /// does not resolve.
    pub(crate) fn resolve(&self, pointer: &JsonPointer) -> Option<&'a str> {
        self.resolve_unambiguous(pointer).ok().flatten()
    }

    /// Returns the same, for callers that look elsewhere if there is no value.
    ///
    /// # Errors
    /// [`AmbiguousMember`] if an object on the path has the member twice.
    pub(crate) fn resolve_unambiguous(
        &self,
        pointer: &JsonPointer,
    ) -> Result<Option<&'a str>, AmbiguousMember> {
        let mut found = self.member(&pointer.claim);
        for segment in &pointer.path {
            let Some(json) = found else {
                return Ok(None);
            };
            found = child(json, segment)?;
        }
        Ok(found)
    }
}

/// Returns the member of an object, or the element of an array, that a segment names.
fn child<'a>(json: &'a str, segment: &str) -> Result<Option<&'a str>, AmbiguousMember> {
    match json.as_bytes().first() {
        Some(b'{') => unique_member(json, segment),
        Some(b'[') => Ok(element(json, segment)),
        _ => Ok(None),
    }
}

fn element<'a>(json: &'a str, segment: &str) -> Option<&'a str> {
    let index = array_index(segment)?;
    let elements = serde_json::from_str::<Vec<&'a RawValue>>(json).ok()?;
    elements.get(index).map(|value| value.get())
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
        object.resolve(&pointer.parse().unwrap()).map(str::to_owned)
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
    fn members_that_occur_twice_do_not_resolve() {
        let json = r#"{"a":{"x":1,"y":2,"\u0078":3},"b":{"c":{"d":4},"c":{"d":4}}}"#;
        assert_eq!(resolve("/a/x", json), None);
        assert_eq!(resolve("/a/y", json).as_deref(), Some("2"));
        assert_eq!(resolve("/b/c/d", json), None);
        let object = StrictObject::parse(json.as_bytes()).unwrap();
        let resolve = |pointer: &str| object.resolve_unambiguous(&pointer.parse().unwrap());
        for ambiguous in ["/a/x", "/a/x/z", "/b/c", "/b/c/d"] {
            assert_eq!(resolve(ambiguous), Err(AmbiguousMember), "{ambiguous}");
        }
        for (pointer, found) in [
            ("/a/y", Some("2")),
            ("/a/z", None),
            ("/b/d/c", None),
            ("/c", None),
        ] {
            assert_eq!(resolve(pointer), Ok(found), "{pointer}");
        }
        let thrice = StrictObject::parse(br#"{"a":{"x":1,"x":2,"x":3}}"#).unwrap();
        let pointer = "/a/x".parse().unwrap();
        assert_eq!(thrice.resolve_unambiguous(&pointer), Err(AmbiguousMember));
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
