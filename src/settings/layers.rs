//! The layers of configuration, laid over each other in the order of the contract.

use std::path::Path;

use ::config::{
    ConfigBuilder, ConfigError, FileFormat, Format, Map, Source, Value, builder::DefaultState,
};

use super::{Problem, Sources, ValueSource, variables, well_known_env};

/// The lowest layer, which also is the documentation of every key.
const COMPILED_IN: &str = include_str!("../../config/default.toml");

/// Laid over it in production.
const PRODUCTION: &str = include_str!("../../config/production.toml");

/// The effective tree, each leaf with the tag of its origin, and what is worth telling although it
/// is no mistake.
pub(super) struct MergedConfig {
    pub(super) tree: Map<String, Value>,
    pub(super) notes: Vec<String>,
}

/// Reads the files and merges all layers. A file that cannot be read is a problem, and the others
/// are merged nevertheless.
pub(super) fn merge(sources: &Sources, problems: &mut Vec<Problem>) -> MergedConfig {
    let mut notes = Vec::new();
    let mut lower = vec![parsed(COMPILED_IN, &ValueSource::Default, problems)];
    // A server that says that it is in production, and finds no folder, must not run with what is
    // meant for a developer's machine.
    if sources.is_production() {
        lower.push(parsed(PRODUCTION, &ValueSource::Default, problems));
    }
    if let Some(dir) = &sources.dir {
        lower.extend(files(dir, &sources.environment, problems, &mut notes));
    }
    let upper = vec![variables::layer(sources), variables::overrides(sources)];
    let lower = merge_layers(lower, problems);
    let upper = merge_layers(upper, problems);
    let shortcuts = well_known_env::layer(&sources.variables, &lower, &upper, problems, &mut notes);
    MergedConfig {
        tree: merge_layers(vec![lower, shortcuts, upper], problems),
        notes,
    }
}

fn files(
    dir: &Path,
    environment: &str,
    problems: &mut Vec<Problem>,
    notes: &mut Vec<String>,
) -> Vec<Map<String, Value>> {
    if !dir.is_dir() {
        problems.push(Problem::plain(format!(
            "the configuration folder {} does not exist",
            dir.display()
        )));
        return Vec::new();
    }
    // The name becomes part of a path.
    if environment.is_empty()
        || !environment
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    {
        problems.push(Problem::plain(format!(
            "BEARWARD_ENV: found {environment:?}; an environment is named with letters, digits, - and _, for example production"
        )));
        return Vec::new();
    }
    let mut layers = Vec::new();
    for name in ["default", environment] {
        let path = dir.join(format!("{name}.toml"));
        let origin = ValueSource::File(
            path.strip_prefix(".")
                .unwrap_or(&path)
                .display()
                .to_string(),
        );
        match std::fs::read_to_string(&path) {
            Ok(text) => layers.push(parsed(&text, &origin, problems)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                // Whoever names an environment expects its file; nobody has to have the other two.
                if name == environment && environment != Sources::DEVELOPMENT {
                    notes.push(format!(
                        "{origin} does not exist, so nothing is read from it"
                    ));
                }
            }
            Err(error) => {
                problems.push(Problem::plain(format!("{origin} cannot be read: {error}")))
            }
        }
    }
    layers
}

fn parsed(text: &str, origin: &ValueSource, problems: &mut Vec<Problem>) -> Map<String, Value> {
    FileFormat::Toml
        .parse(Some(&origin.tag()), text)
        .unwrap_or_else(|error| {
            problems.push(Problem::plain(syntax(text, origin, error.as_ref())));
            Map::new()
        })
}

/// Line, column and message only: the excerpt that the TOML crate would print may hold a secret.
fn syntax(text: &str, origin: &ValueSource, error: &(dyn std::error::Error + 'static)) -> String {
    let Some(error) = error.downcast_ref::<toml::de::Error>() else {
        return format!("{origin} is not readable as TOML: a number is out of range");
    };
    let at = error.span().map_or(0, |span| span.start.min(text.len()));
    let before = text.get(..at).unwrap_or(text);
    let (line, column) = (
        before.matches('\n').count() + 1,
        before.chars().rev().take_while(|c| *c != '\n').count() + 1,
    );
    // The mistake that everybody makes once; the parser speaks of literal strings.
    let message = if error.message().starts_with("string values must be quoted") {
        "text, durations and sizes are written in quotes, such as \"6h\""
    } else {
        error.message()
    };
    format!("{origin} line {line}, column {column}: {message}")
}

/// Later layers win, table by table; a list replaces a list.
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

/// A layer holds secrets.
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
