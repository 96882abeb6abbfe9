//! Reads the layers of the configuration and merges them. Later layers override earlier ones.

use std::path::Path;

use ::config::{
    ConfigBuilder, ConfigError, FileFormat, Format, Map, Source, Value, ValueKind,
    builder::DefaultState,
};

use super::{Config, Problem, Sources, ValueSource, variables, well_known_env};

/// The merged tree, each leaf tagged with its source, and warnings.
pub(super) struct MergedConfig {
    pub(super) tree: Map<String, Value>,
    pub(super) warnings: Vec<String>,
}

/// Reads the files and merges all layers. A file that cannot be read is reported, and the other
/// layers are still merged.
pub(super) fn merge(sources: &Sources, problems: &mut Vec<Problem>) -> MergedConfig {
    let mut warnings = Vec::new();
    let defaults = parse(Config::DEFAULTS, &ValueSource::Default, problems);
    let files = match &sources.dir {
        Some(dir) => {
            // A copy of the built-in defaults, such as the one in the repository, sets nothing.
            let unset = sources.development_defaults.is_some().then_some(&defaults);
            files(dir, &sources.environment, unset, problems, &mut warnings)
        }
        None => Vec::new(),
    };
    let mut lower = vec![defaults];
    if let Some(text) = &sources.development_defaults {
        lower.push(parse(text, &ValueSource::Development, problems));
    }
    lower.extend(files);
    let upper = vec![variables::layer(sources), variables::overrides(sources)];
    let lower = merge_layers(lower, problems);
    let upper = merge_layers(upper, problems);
    let well_known =
        well_known_env::read(&sources.variables, &lower, &upper, problems, &mut warnings);
    let layers = vec![lower, well_known.below, upper, well_known.above];
    MergedConfig {
        tree: merge_layers(layers, problems),
        warnings,
    }
}

/// Reads the files. The values of `default.toml` that are in `unset` too are not set.
fn files(
    dir: &Path,
    environment: &str,
    unset: Option<&Map<String, Value>>,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<String>,
) -> Vec<Map<String, Value>> {
    if !dir.is_dir() {
        problems.push(Problem::plain(format!(
            "the configuration folder {} does not exist",
            dir.display()
        )));
        return Vec::new();
    }
    // The name becomes part of a path, so path separators must not be accepted.
    if !environment
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    {
        problems.push(Problem::plain(format!(
            "BEARWARD_ENV: found {environment:?}; use only letters, digits, - and _, such as production"
        )));
        return Vec::new();
    }
    let mut layers = Vec::new();
    for name in ["default", environment]
        .into_iter()
        .filter(|name| !name.is_empty())
    {
        let path = dir.join(format!("{name}.toml"));
        let source = ValueSource::File(
            path.strip_prefix(".")
                .unwrap_or(&path)
                .display()
                .to_string(),
        );
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let mut layer = parse(&text, &source, problems);
                if let Some(unset) = unset.filter(|_| name == "default") {
                    remove_values_of(&mut layer, unset);
                }
                layers.push(layer);
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                // default.toml is optional. The file of an environment is expected to exist.
                if name == environment {
                    warnings.push(format!("{source} does not exist and is ignored"));
                }
            }
            Err(error) => {
                problems.push(Problem::plain(format!("{source} cannot be read: {error}")));
            }
        }
    }
    layers
}

fn parse(text: &str, source: &ValueSource, problems: &mut Vec<Problem>) -> Map<String, Value> {
    FileFormat::Toml
        .parse(Some(&source.tag()), text)
        .unwrap_or_else(|error| {
            problems.push(Problem::plain(syntax_error(text, source, error.as_ref())));
            Map::new()
        })
}

/// Removes the values that are the same in both.
fn remove_values_of(layer: &mut Map<String, Value>, other: &Map<String, Value>) {
    layer.retain(|key, value| match other.get(key) {
        Some(found) => match (&mut value.kind, &found.kind) {
            (ValueKind::Table(table), ValueKind::Table(other)) => {
                remove_values_of(table, other);
                true
            }
            (one, other) => !has_same_value(one, other),
        },
        None => true,
    });
}

/// Compares values without their sources.
fn has_same_value(one: &ValueKind, other: &ValueKind) -> bool {
    match (one, other) {
        (ValueKind::Array(one), ValueKind::Array(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| has_same_value(&one.kind, &other.kind))
        }
        (one, other) => one == other,
    }
}

/// Formats a TOML error with line, column and message. The excerpt that the TOML crate prints is
/// left out, because it may contain a secret.
fn syntax_error(
    text: &str,
    source: &ValueSource,
    error: &(dyn std::error::Error + 'static),
) -> String {
    let Some(error) = error.downcast_ref::<toml::de::Error>() else {
        return format!("{source} is not valid TOML: a number is out of range");
    };
    let offset = error.span().map_or(0, |span| span.start.min(text.len()));
    let before = text.get(..offset).unwrap_or(text);
    let (line, column) = (
        before.matches('\n').count() + 1,
        before.chars().rev().take_while(|c| *c != '\n').count() + 1,
    );
    // The parser's own message about a missing quote mentions literal strings, which is misleading.
    let message = if error.message().starts_with("string values must be quoted") {
        "write text, durations and sizes in quotes, such as \"6h\""
    } else {
        error.message()
    };
    format!("{source} line {line}, column {column}: {message}")
}

/// Merges the layers. Tables are merged key by key; a list replaces a list.
fn merge_layers(
    layers: Vec<Map<String, Value>>,
    problems: &mut Vec<Problem>,
) -> Map<String, Value> {
    let builder = layers.into_iter().fold(
        ConfigBuilder::<DefaultState>::default(),
        |builder, layer| builder.add_source(Layer(layer)),
    );
    builder
        .build()
        .and_then(|merged| merged.collect())
        .unwrap_or_else(|error| {
            problems.push(Problem::plain(error.to_string()));
            Map::new()
        })
}

#[derive(Clone)]
struct Layer(Map<String, Value>);

/// Prints no values, because a layer may hold secrets.
impl std::fmt::Debug for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Layer")
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone())
    }
}
