//! Reads one table of the merged configuration, key by key.

use ::config::{Map, Value, ValueKind};

use super::{
    Problem, ValueSource,
    raw::{Hint, Raw, trimmed},
    redact::{REDACTED, first_tag, redacted, redacted_text},
    report::{EffectiveValue, Report},
};

/// The error of a value that could not be read. The reason is already in the [`Report`], and
/// reading continues with the next key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reported;

/// A reader of one table. Keys that are not read by [`finish`](Self::finish) are unknown.
pub(super) struct Section<'r> {
    path: String,
    entries: Map<String, Value>,
    source: ValueSource,
    pub(super) report: &'r mut Report,
}

impl<'r> Section<'r> {
    /// Takes the table `name` out of `tree`. A missing table is read as an empty one.
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
        let source = ValueSource::from_tag(first_tag(&value));
        if let ValueKind::Table(entries) = value.kind {
            return Ok(Self {
                path,
                entries,
                source,
                report,
            });
        }
        let hint = format!("this is a section; write [{path}] and its keys below it");
        report.problems.push(Problem::value(
            &path,
            &source,
            Some(&redacted(&value.kind)),
            &hint,
        ));
        Err(Reported)
    }

    /// Opens the table `name` inside this one.
    pub(super) fn subsection(&mut self, name: &str) -> Result<Section<'_>, Reported> {
        Section::open(&mut self.entries, &self.path, name, self.report)
    }

    /// Returns the names of the entries that have not been read, sorted.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.entries.keys().cloned().collect();
        names.sort();
        names
    }

    /// Reads a key that must have a value. Keys of `config/default.toml` always have one.
    pub(super) fn take<T>(
        &mut self,
        key: &str,
        parse: impl FnOnce(Raw<'_>) -> Result<T, Hint>,
    ) -> Result<T, Reported> {
        let Some(value) = self.entries.remove(key) else {
            return self.require(key, Ok(None), "write a value");
        };
        self.read(key, &value, parse)
    }

    /// Reads a key that may be missing. An empty string counts as missing.
    pub(super) fn optional<T>(
        &mut self,
        key: &str,
        parse: impl FnOnce(Raw<'_>) -> Result<T, Hint>,
    ) -> Result<Option<T>, Reported> {
        let Some(value) = self.entries.remove(key) else {
            self.register(key);
            return Ok(None);
        };
        if matches!(&value.kind, ValueKind::String(text) if trimmed(text).is_empty()) {
            return self.read(key, &value, |_| Ok(None));
        }
        self.read(key, &value, |raw| parse(raw).map(Some))
    }

    /// Reads a key with a default that `config/default.toml` cannot hold, because the name of the
    /// section is arbitrary. `written` is the default in the notation of a variable.
    pub(super) fn with_default<T>(
        &mut self,
        key: &str,
        default: T,
        written: &str,
        parse: impl FnOnce(Raw<'_>) -> Result<T, Hint>,
    ) -> Result<T, Reported> {
        if self.entries.contains_key(key) {
            return self.take(key, parse);
        }
        let path = self.register(key);
        self.report.values.push(EffectiveValue {
            path,
            value: redacted_text(written),
            source: ValueSource::Default,
        });
        Ok(default)
    }

    /// Reads a key that holds a secret and has a `_file` twin. `mask` returns the part of the text
    /// that may be shown.
    pub(super) fn secret<T>(
        &mut self,
        key: &str,
        mask: fn(&str) -> String,
        parse: impl FnOnce(Raw<'_>) -> Result<T, Hint>,
    ) -> Result<Option<T>, Reported> {
        let (path, twin) = (self.register(key), self.register(&format!("{key}_file")));
        let is_set = |value: &Value| !matches!(&value.kind, ValueKind::String(text) if trimmed(text).is_empty());
        let value = self.entries.remove(key).filter(is_set);
        let file = self.entries.remove(&format!("{key}_file")).filter(is_set);
        let source_of =
            |value: &Option<Value>| ValueSource::from_tag(value.as_ref().and_then(first_tag));
        let (value_source, file_source) = (source_of(&value), source_of(&file));
        // A file overrides the compiled-in default, but not a value that a user set.
        if value.is_some() && file.is_some() && value_source != ValueSource::Default {
            let parts = [
                (path.as_str(), &value_source, None),
                (twin.as_str(), &file_source, None),
            ];
            self.report
                .problems
                .push(Problem::conflict(&parts, "set only one of them"));
            return Err(Reported);
        }
        let (kind, source, is_text) = match (file, value) {
            (Some(file), _) => {
                let contents = self.read_secret_file(&twin, &file_source, &file)?;
                self.report.values.push(EffectiveValue {
                    path: twin,
                    value: redacted(&file.kind),
                    source: file_source.clone(),
                });
                (ValueKind::String(contents), file_source, true)
            }
            (None, Some(value)) => {
                let is_text = value_source.is_text();
                (value.kind, value_source, is_text)
            }
            (None, None) => return Ok(None),
        };
        let masked = match &kind {
            ValueKind::String(text) => mask(text),
            ValueKind::Array(items) if items.is_empty() => "[]".to_owned(),
            _ => REDACTED.to_owned(),
        };
        self.report.values.push(EffectiveValue {
            path: path.clone(),
            value: masked,
            source: source.clone(),
        });
        match parse(Raw {
            kind: &kind,
            is_text,
        }) {
            Ok(parsed) => Ok(Some(parsed)),
            Err(hint) => {
                self.report
                    .problems
                    .push(Problem::value(&path, &source, None, &hint));
                Err(Reported)
            }
        }
    }

    /// Unwraps an optional value that is required after all. `hint` says what to write.
    pub(super) fn require<T>(
        &mut self,
        key: &str,
        value: Result<Option<T>, Reported>,
        hint: &str,
    ) -> Result<T, Reported> {
        value?.ok_or_else(|| {
            let path = self.register(key);
            self.report.problems.push(Problem::plain(format!(
                "{path} is missing ([{}] is in {}): {hint}",
                self.path, self.source
            )));
            Reported
        })
    }

    /// Reports that values of this section conflict with each other.
    pub(super) fn conflict(&mut self, keys: &[&str], hint: &str) {
        let paths: Vec<String> = keys
            .iter()
            .map(|key| format!("{}.{key}", self.path))
            .collect();
        self.report
            .conflict(&paths.iter().map(String::as_str).collect::<Vec<_>>(), hint);
    }

    /// Reports that the values of this section cannot be used together.
    pub(super) fn invalid(&mut self, error: &dyn std::error::Error) -> Reported {
        self.report
            .problems
            .push(Problem::plain(format!("{}: {error}", self.path)));
        Reported
    }

    /// Reports every key that was not read as unknown, and returns the report.
    pub(super) fn finish(self) -> &'r mut Report {
        let mut unread: Vec<(String, Value)> = self.entries.into_iter().collect();
        unread.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (key, value) in unread {
            self.report
                .add_unknown(format!("{}.{key}", self.path), &value);
        }
        self.report
    }

    fn read<T>(
        &mut self,
        key: &str,
        value: &Value,
        parse: impl FnOnce(Raw<'_>) -> Result<T, Hint>,
    ) -> Result<T, Reported> {
        let path = self.register(key);
        let source = ValueSource::from_tag(first_tag(value));
        let text = redacted(&value.kind);
        let parsed = parse(Raw {
            kind: &value.kind,
            is_text: source.is_text(),
        });
        let parsed = parsed.map_err(|hint| {
            self.report
                .problems
                .push(Problem::value(&path, &source, Some(&text), &hint));
            Reported
        });
        self.report.values.push(EffectiveValue {
            path,
            value: text,
            source,
        });
        parsed
    }

    /// Adds the key to the known keys, which suggestions are made from, and returns its path.
    fn register(&mut self, key: &str) -> String {
        let path = format!("{}.{key}", self.path);
        self.report.known.insert(path.clone());
        path
    }

    /// Reads the file that a `_file` key names, without whitespace around its text.
    fn read_secret_file(
        &mut self,
        twin: &str,
        source: &ValueSource,
        file: &Value,
    ) -> Result<String, Reported> {
        let text = Raw {
            kind: &file.kind,
            is_text: true,
        }
        .text()
        .and_then(|name| {
            let text = std::fs::read_to_string(name).map_err(|error| match error.kind() {
                std::io::ErrorKind::InvalidData => {
                    "the file is not UTF-8 text; save it as UTF-8".to_owned()
                }
                _ => format!("the file cannot be read: {error}"),
            })?;
            let text = trimmed(&text);
            if text.is_empty() {
                Err("the file is empty".to_owned())
            } else {
                Ok(text.to_owned())
            }
        });
        text.map_err(|hint| {
            self.report.problems.push(Problem::value(
                twin,
                source,
                Some(&redacted(&file.kind)),
                &hint,
            ));
            Reported
        })
    }
}
