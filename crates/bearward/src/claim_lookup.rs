//! Resolves JSON pointers in one payload.

use serde_json::value::RawValue;

use super::{json_pointer::JsonPointer, strict_object::StrictObject};

/// Resolves JSON pointers in one payload. An object that several pointers share is parsed once.
pub(crate) struct ClaimLookup<'o, 'a> {
    payload: &'o StrictObject<'a>,
    /// The JSON text of the nested object that was parsed last, and the object.
    nested: Option<(&'a str, StrictObject<'a>)>,
}

impl<'o, 'a> ClaimLookup<'o, 'a> {
    pub(crate) fn new(payload: &'o StrictObject<'a>) -> Self {
        Self {
            payload,
            nested: None,
        }
    }

    /// Returns the JSON text of the value that a pointer refers to.
    pub(crate) fn resolve(&mut self, pointer: &JsonPointer) -> Option<&'a str> {
        let json = self.payload.member(&pointer.claim)?;
        let Some((segment, rest)) = pointer.path.split_first() else {
            return Some(json);
        };
        let cached = self.nested.take_if(|(text, _)| std::ptr::eq(*text, json));
        let value = match cached
            .map(|(_, object)| object)
            .or_else(|| StrictObject::parse(json.as_bytes()).ok())
        {
            Some(object) => {
                let value = object.member(segment);
                self.nested = Some((json, object));
                value
            }
            None => child(json, segment),
        };
        rest.iter()
            .try_fold(value?, |json, segment| child(json, segment))
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
