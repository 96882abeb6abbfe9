//! One value as written in its source, and parsers for basic types.

use std::{fmt::Display, ops::RangeInclusive};

use ::config::ValueKind;

/// A value that is not parsed yet. The error of each parser is a hint that says what to write.
#[derive(Clone, Copy)]
pub(super) struct Raw<'v> {
    pub(super) kind: &'v ValueKind,
    /// Whether the value is from a variable, a flag or a `_file` twin. Such a value is always text,
    /// and numbers, booleans and lists are parsed from it.
    pub(super) is_text: bool,
}

/// What to write instead of a value that was rejected.
pub(super) type Hint = String;

impl<'v> Raw<'v> {
    /// Returns non-empty text, without whitespace around it.
    pub(super) fn text(self) -> Result<&'v str, Hint> {
        match self.kind {
            ValueKind::String(text) => match trimmed(text) {
                "" => Err("it must not be empty".to_owned()),
                text => Ok(text),
            },
            _ => Err("write text in quotes".to_owned()),
        }
    }

    /// Returns a list of strings: an array in a file, comma-separated in a variable.
    pub(super) fn list(self) -> Result<Vec<&'v str>, Hint> {
        let hint = || "write a list, such as [\"a\", \"b\"]".to_owned();
        match self.kind {
            ValueKind::String(text) if self.is_text => Ok(text
                .split(',')
                .map(trimmed)
                .filter(|item| !item.is_empty())
                .collect()),
            ValueKind::Array(items) => items
                .iter()
                .map(|item| {
                    Raw {
                        kind: &item.kind,
                        is_text: false,
                    }
                    .text()
                    .map_err(|_| hint())
                })
                .collect(),
            _ => Err(hint()),
        }
    }

    /// Returns a list of strings, or one string as a list.
    pub(super) fn one_or_list(self) -> Result<Vec<&'v str>, Hint> {
        match self.kind {
            ValueKind::String(_) if !self.is_text => self.text().map(|only| vec![only]),
            _ => self.list(),
        }
    }

    fn integer(self) -> Option<u64> {
        match self.kind {
            ValueKind::I64(value) => u64::try_from(*value).ok(),
            ValueKind::String(text) if self.is_text => trimmed(text).parse().ok(),
            _ => None,
        }
    }
}

/// Removes whitespace, line breaks and a byte order mark around a value. Files that were written on
/// Windows and values that were copied bring them along.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(|character: char| character.is_whitespace() || character == '\u{feff}')
}

/// Parses `true` or `false`.
pub(super) fn boolean(raw: Raw<'_>) -> Result<bool, Hint> {
    match raw.kind {
        ValueKind::Boolean(value) => Ok(*value),
        ValueKind::String(text) if raw.is_text && trimmed(text) == "true" => Ok(true),
        ValueKind::String(text) if raw.is_text && trimmed(text) == "false" => Ok(false),
        ValueKind::String(_) if !raw.is_text => {
            Err("write true or false, without quotes".to_owned())
        }
        _ => Err("write true or false".to_owned()),
    }
}

/// Parses a whole number within `range`.
pub(super) fn integer<T: TryFrom<u64> + PartialOrd + Display>(
    range: RangeInclusive<T>,
) -> impl Fn(Raw<'_>) -> Result<T, Hint> {
    move |raw| {
        let value = raw
            .integer()
            .and_then(|value| T::try_from(value).ok())
            .filter(|value| range.contains(value));
        value.ok_or_else(|| {
            let is_quoted = matches!(raw.kind, ValueKind::String(text) if !raw.is_text && text.parse::<u64>().is_ok());
            let quotes = if is_quoted { ", without quotes" } else { "" };
            format!("write a whole number from {} to {}{quotes}", range.start(), range.end())
        })
    }
}

/// Parses one of the names in `choices`.
pub(super) fn one_of<T: Copy>(
    choices: &'static [(&'static str, T)],
) -> impl Fn(Raw<'_>) -> Result<T, Hint> {
    move |raw| {
        let choice = raw
            .text()
            .ok()
            .and_then(|text| choices.iter().find(|(name, _)| *name == text));
        choice.map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<String> = choices
                .iter()
                .map(|(name, _)| format!("{name:?}"))
                .collect();
            format!("write {}", names.join(" or "))
        })
    }
}

/// Returns the name of `value` in `choices`; the inverse of [`one_of`].
pub(super) fn name_of<T: PartialEq>(choices: &[(&'static str, T)], value: T) -> &'static str {
    choices
        .iter()
        .find(|(_, choice)| *choice == value)
        .map_or("", |(name, _)| name)
}
