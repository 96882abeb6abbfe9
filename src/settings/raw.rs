//! One value as it was written, and the plain types that it can be read as.

use std::ops::RangeInclusive;

use ::config::ValueKind;

/// A value before it has a type. Each reader's error is the advice: what would be right.
#[derive(Clone, Copy)]
pub(super) struct Raw<'v> {
    pub(super) kind: &'v ValueKind,
    /// From a variable, a flag or a `_file` twin: text stands for every type.
    pub(super) is_text: bool,
}

pub(super) type Hint = String;

impl<'v> Raw<'v> {
    /// Text that is not empty.
    pub(super) fn text(self) -> Result<&'v str, Hint> {
        match self.kind {
            ValueKind::String(text) if !text.is_empty() => Ok(text),
            ValueKind::String(_) => Err("it must not be empty".to_owned()),
            _ => Err("this is text, written in quotes".to_owned()),
        }
    }

    /// A list of texts: in a file a list, in a variable separated by commas.
    pub(super) fn list(self) -> Result<Vec<&'v str>, Hint> {
        let advice = || "this is a list, written [\"a\", \"b\"]".to_owned();
        match self.kind {
            ValueKind::String(text) if self.is_text => Ok(text
                .split(',')
                .map(str::trim)
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
                    .map_err(|_| advice())
                })
                .collect(),
            _ => Err(advice()),
        }
    }

    /// A list, or text for a list of one.
    pub(super) fn one_or_list(self) -> Result<Vec<&'v str>, Hint> {
        match self.kind {
            ValueKind::String(_) if !self.is_text => self.text().map(|only| vec![only]),
            _ => self.list(),
        }
    }

    fn integer(self) -> Option<u64> {
        match self.kind {
            ValueKind::I64(value) => u64::try_from(*value).ok(),
            ValueKind::String(text) if self.is_text => text.parse().ok(),
            _ => None,
        }
    }
}

/// `true` or `false`.
pub(super) fn switch(raw: Raw<'_>) -> Result<bool, Hint> {
    match raw.kind {
        ValueKind::Boolean(value) => Ok(*value),
        ValueKind::String(text) if raw.is_text && text == "true" => Ok(true),
        ValueKind::String(text) if raw.is_text && text == "false" => Ok(false),
        ValueKind::String(_) if !raw.is_text => {
            Err("write true or false, without quotes".to_owned())
        }
        _ => Err("write true or false".to_owned()),
    }
}

/// A whole number within `range`.
pub(super) fn integer<T: TryFrom<u64>>(
    range: RangeInclusive<u64>,
) -> impl Fn(Raw<'_>) -> Result<T, Hint> {
    move |raw| {
        let value = raw
            .integer()
            .filter(|value| range.contains(value))
            .and_then(|value| T::try_from(value).ok());
        value.ok_or_else(|| {
            let quoted = matches!(raw.kind, ValueKind::String(text) if !raw.is_text && text.parse::<u64>().is_ok());
            let hint = if quoted { ", without quotes" } else { "" };
            format!("write a whole number from {} to {}{hint}", range.start(), range.end())
        })
    }
}

/// One of the written names.
pub(super) fn one_of<T: Copy>(
    choices: &'static [(&'static str, T)],
) -> impl Fn(Raw<'_>) -> Result<T, Hint> {
    move |raw| {
        let found = raw
            .text()
            .ok()
            .and_then(|text| choices.iter().find(|(name, _)| *name == text));
        found.map(|(_, choice)| *choice).ok_or_else(|| {
            let names: Vec<String> = choices
                .iter()
                .map(|(name, _)| format!("{name:?}"))
                .collect();
            format!("write {}", names.join(" or "))
        })
    }
}
