//! One table of the tree, read key by key.

use ::config::{Map, Value, ValueKind};

use super::{
    Problem, ValueSource,
    raw::{Hint, Raw},
    redact::{REDACTED, first_tag, shown, shown_text},
    report::{EffectiveValue, Report},
};

/// A value cannot be had, and the report tells why. The next key is read all the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reported;

/// Reads a table.
pub(super) struct Section<'r> {
    path: String,
    entries: Map<String, Value>,
    origin: ValueSource,
    pub(super) report: &'r mut Report,
}

impl<'r> Section<'r> {
    /// Takes the table `name` out of `tree`. An absent table is an empty one.
    pub(super) fn open(
        tree: &mut Map<String, Value>,
        parent: &str,
        name: &str,
        report: &'r mut Report,
    ) -> Result<Self, Reported> {
        let path = if parent.is_empty() {
            name.to_owned()
        } else {
            format!("{parent}.{name}")
        };
        report.known.insert(path.clone());
        let value = tree
            .remove(name)
            .unwrap_or_else(|| Value::new(None, ValueKind::Table(Map::new())));
        let origin = ValueSource::from_tag(first_tag(&value));
        if let ValueKind::Table(entries) = value.kind {
            return Ok(Self {
                path,
                entries,
                origin,
                report,
            });
        }
        let advice = format!("this is a section, written [{path}] with its keys below it");
        report.problems.push(Problem::value(
            &path,
            &origin,
            Some(&shown(&value.kind)),
            &advice,
        ));
        Err(Reported)
    }

    /// The table `name` inside this one.
    pub(super) fn inner(&mut self, name: &str) -> Result<Section<'_>, Reported> {
        Section::open(&mut self.entries, &self.path, name, self.report)
    }

    /// The names that are not taken yet.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.entries.keys().cloned().collect();
        names.sort();
        names
    }

    /// A key that has a value in the compiled-in file, or one that the caller knows to be there.
    pub(super) fn take<T>(
        &mut self,
        key: &str,
        parse: impl FnOnce(Raw<'_>) -> Result<T, Hint>,
    ) -> Result<T, Reported> {
        let Some(value) = self.entries.remove(key) else {
            return self.present(key, Ok(None), "it must have a value");
        };
        self.read(key, &value, parse)
    }

    /// A key that may be absent or empty, which reads as None.
    pub(super) fn optional<T>(
        &mut self,
        key: &str,
        parse: impl FnOnce(Raw<'_>) -> Result<T, Hint>,
    ) -> Result<Option<T>, Reported> {
        let Some(value) = self.entries.remove(key) else {
            self.known(key);
            return Ok(None);
        };
        if matches!(&value.kind, ValueKind::String(text) if text.is_empty()) {
            return self.read(key, &value, |_| Ok(None));
        }
        self.read(key, &value, |raw| parse(raw).map(Some))
    }

    /// A key whose default is `written`, in the same notation as in a variable.
    pub(super) fn or<T>(
        &mut self,
        key: &str,
        written: &str,
        parse: impl FnOnce(Raw<'_>) -> Result<T, Hint>,
    ) -> Result<T, Reported> {
        if !self.entries.contains_key(key) {
            let path = self.known(key);
            let default = ValueKind::String(written.to_owned());
            self.report.shown.push(EffectiveValue {
                path,
                value: shown_text(written),
                origin: ValueSource::Default,
            });
            return parse(Raw {
                kind: &default,
                is_text: true,
            })
            .map_err(|_| Reported);
        }
        self.take(key, parse)
    }

    /// A key that holds a secret and has a `_file` twin. `mask` says what of its text may be shown.
    pub(super) fn secret<T>(
        &mut self,
        key: &str,
        mask: fn(&str) -> String,
        parse: impl FnOnce(Raw<'_>) -> Result<T, Hint>,
    ) -> Result<Option<T>, Reported> {
        let (path, twin) = (self.known(key), self.known(&format!("{key}_file")));
        let is_set =
            |value: &Value| !matches!(&value.kind, ValueKind::String(text) if text.is_empty());
        let value = self.entries.remove(key).filter(is_set);
        let file = self.entries.remove(&format!("{key}_file")).filter(is_set);
        let origin_of =
            |value: &Option<Value>| ValueSource::from_tag(value.as_ref().and_then(first_tag));
        let (value_origin, file_origin) = (origin_of(&value), origin_of(&file));
        // The compiled-in value yields to the file; one that somebody wrote does not.
        if value.is_some() && file.is_some() && value_origin != ValueSource::Default {
            let parts = [
                (path.as_str(), &value_origin, None),
                (twin.as_str(), &file_origin, None),
            ];
            self.report
                .problems
                .push(Problem::conflict(&parts, "both are set; keep one of them"));
            return Err(Reported);
        }
        let (kind, origin, is_text) = match (file, value) {
            (Some(file), _) => {
                let contents = self.contents(&twin, &file_origin, &file)?;
                self.report.shown.push(EffectiveValue {
                    path: twin,
                    value: shown(&file.kind),
                    origin: file_origin.clone(),
                });
                (ValueKind::String(contents), file_origin, true)
            }
            (None, Some(value)) => {
                let is_text = value_origin.is_text();
                (value.kind, value_origin, is_text)
            }
            (None, None) => return Ok(None),
        };
        let masked = match &kind {
            ValueKind::String(text) => mask(text),
            ValueKind::Array(items) if items.is_empty() => "[]".to_owned(),
            _ => REDACTED.to_owned(),
        };
        self.report.shown.push(EffectiveValue {
            path: path.clone(),
            value: masked,
            origin: origin.clone(),
        });
        match parse(Raw {
            kind: &kind,
            is_text,
        }) {
            Ok(parsed) => Ok(Some(parsed)),
            Err(advice) => {
                self.report
                    .problems
                    .push(Problem::value(&path, &origin, None, &advice));
                Err(Reported)
            }
        }
    }

    /// An optional value that must be there after all; `advice` says what to write.
    pub(super) fn present<T>(
        &mut self,
        key: &str,
        value: Result<Option<T>, Reported>,
        advice: &str,
    ) -> Result<T, Reported> {
        value?.ok_or_else(|| {
            let path = self.known(key);
            self.report.problems.push(Problem::plain(format!(
                "{path} is missing ([{}] is in {}): {advice}",
                self.path, self.origin
            )));
            Reported
        })
    }

    /// Reports that values of this section do not fit together.
    pub(super) fn conflict(&mut self, keys: &[&str], advice: &str) {
        let paths: Vec<String> = keys
            .iter()
            .map(|key| format!("{}.{key}", self.path))
            .collect();
        self.report.conflict(
            &paths.iter().map(String::as_str).collect::<Vec<_>>(),
            advice,
        );
    }

    /// Whatever nobody asked for is unknown.
    pub(super) fn finish(self) {
        let mut left: Vec<(String, Value)> = self.entries.into_iter().collect();
        left.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (key, value) in left {
            self.report.unknown(format!("{}.{key}", self.path), &value);
        }
    }

    fn read<T>(
        &mut self,
        key: &str,
        value: &Value,
        parse: impl FnOnce(Raw<'_>) -> Result<T, Hint>,
    ) -> Result<T, Reported> {
        let path = self.known(key);
        let origin = ValueSource::from_tag(first_tag(value));
        let text = shown(&value.kind);
        let parsed = parse(Raw {
            kind: &value.kind,
            is_text: origin.is_text(),
        });
        let parsed = parsed.map_err(|advice| {
            self.report
                .problems
                .push(Problem::value(&path, &origin, Some(&text), &advice));
            Reported
        });
        self.report.shown.push(EffectiveValue {
            path,
            value: text,
            origin,
        });
        parsed
    }

    fn known(&mut self, key: &str) -> String {
        let path = format!("{}.{key}", self.path);
        self.report.known.insert(path.clone());
        path
    }

    /// The text of the file that a `_file` key names, without the line end that editors add.
    fn contents(
        &mut self,
        twin: &str,
        origin: &ValueSource,
        file: &Value,
    ) -> Result<String, Reported> {
        let text = Raw {
            kind: &file.kind,
            is_text: true,
        }
        .text()
        .and_then(|name| {
            let text = std::fs::read_to_string(name)
                .map_err(|error| format!("the file cannot be read: {error}"))?;
            let text = text.trim_end_matches(['\r', '\n']);
            if text.is_empty() {
                Err("the file is empty".to_owned())
            } else {
                Ok(text.to_owned())
            }
        });
        text.map_err(|advice| {
            self.report.problems.push(Problem::value(
                twin,
                origin,
                Some(&shown(&file.kind)),
                &advice,
            ));
            Reported
        })
    }
}
