//! A JSON Pointer (RFC 6901) into a token's claims.

use std::{fmt, str::FromStr};

use serde_json::value::RawValue;

use super::strict_object::StrictObject;

/// Where a claim stands, for example `/app_metadata/roles`; `~1` writes a slash, `~0` a tilde.
#[derive(Clone, PartialEq, Eq)]
pub struct Pointer {
    text: Box<str>,
    first: Box<str>,
    rest: Box<[Box<str>]>,
}

/// The text is no JSON Pointer to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a JSON pointer: it starts with \"/\" and names at least one member, as in \"/app_metadata/roles\""
)]
pub struct PointerError;

impl FromStr for Pointer {
    type Err = PointerError;

    fn from_str(text: &str) -> Result<Self, PointerError> {
        let mut segments = text
            .strip_prefix('/')
            .ok_or(PointerError)?
            .split('/')
            .map(unescape);
        let first = segments
            .next()
            .flatten()
            .filter(|first| !first.is_empty())
            .ok_or(PointerError)?;
        let rest = segments.collect::<Option<_>>().ok_or(PointerError)?;
        Ok(Self {
            text: text.into(),
            first,
            rest,
        })
    }
}

impl Pointer {
    /// A pointer to a top-level claim.
    pub(crate) fn top(name: &str) -> Self {
        Self {
            text: format!("/{}", name.replace('~', "~0").replace('/', "~1")).into(),
            first: name.into(),
            rest: Box::default(),
        }
    }

    /// A pointer to a claim one level down; both names are plain.
    pub(crate) fn nested(first: &str, second: &str) -> Self {
        Self {
            text: format!("/{first}/{second}").into(),
            first: first.into(),
            rest: Box::new([second.into()]),
        }
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

fn step<'a>(json: &'a str, segment: &str) -> Option<&'a str> {
    match json.as_bytes().first()? {
        // An object that says two things says nothing.
        b'{' => StrictObject::parse(json.as_bytes()).ok()?.member(segment),
        b'[' => serde_json::from_str::<Vec<&'a RawValue>>(json)
            .ok()?
            .get(segment.parse::<usize>().ok()?)
            .map(|value| value.get()),
        _ => None,
    }
}

fn unescape(segment: &str) -> Option<Box<str>> {
    let well_formed = segment
        .split('~')
        .skip(1)
        .all(|after| after.starts_with('0') || after.starts_with('1'));
    well_formed.then(|| segment.replace("~1", "/").replace("~0", "~").into())
}

/// Finds claims in one payload, and reads an object that several of them live in once.
pub(crate) struct ClaimLookup<'o, 'a> {
    payload: &'o StrictObject<'a>,
    opened: Option<(&'a str, StrictObject<'a>)>,
}

impl<'o, 'a> ClaimLookup<'o, 'a> {
    pub(crate) fn of(payload: &'o StrictObject<'a>) -> Self {
        Self {
            payload,
            opened: None,
        }
    }

    pub(crate) fn find(&mut self, pointer: &Pointer) -> Option<&'a str> {
        let json = self.payload.member(&pointer.first)?;
        let Some((segment, rest)) = pointer.rest.split_first() else {
            return Some(json);
        };
        let opened = self.opened.take_if(|(text, _)| std::ptr::eq(*text, json));
        let found = match opened
            .map(|(_, object)| object)
            .or_else(|| StrictObject::parse(json.as_bytes()).ok())
        {
            Some(object) => {
                let found = object.member(segment);
                self.opened = Some((json, object));
                found
            }
            None => step(json, segment),
        };
        rest.iter()
            .try_fold(found?, |json, segment| step(json, segment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(pointer: &str, json: &'static str) -> Option<String> {
        let object = StrictObject::parse(json.as_bytes()).unwrap();
        ClaimLookup::of(&object)
            .find(&pointer.parse().unwrap())
            .map(str::to_owned)
    }

    #[test]
    fn it_walks_objects_and_arrays_and_unescapes() {
        assert_eq!(find("/a/b/1", r#"{"a":{"b":[1,2]}}"#).as_deref(), Some("2"));
        assert_eq!(
            find(
                "/https:~1~1x.test~1roles",
                r#"{"https://x.test/roles":["r"]}"#
            )
            .as_deref(),
            Some(r#"["r"]"#)
        );
        assert_eq!(find("/m~01", r#"{"m~1":true}"#).as_deref(), Some("true"));
        assert_eq!(find("/a/b", r#"{"a":"b"}"#), None);
        assert_eq!(find("/a/b", r#"{"a":{"\u0062":3}}"#).as_deref(), Some("3"));
    }

    #[test]
    fn what_is_no_pointer_is_refused() {
        for wrong in ["", "/", "a", "a/b", "/~", "/~2", "/a/~"] {
            assert!(wrong.parse::<Pointer>().is_err(), "{wrong:?}");
        }
    }
}
