//! Configuration and manifests on the pages: the configuration reader accepts each section and each
//! variable, and manifests agree with this workspace.

use std::{fs, path::Path};

use bearward_server::settings::{Config, Sources};
use tempfile::TempDir;
use toml::{Table, Value};

use super::{Block, Page, pages, root};

/// A project, for sections that need an issuer.
const ISSUER: (&str, &str) = ("SUPABASE_URL", "https://abc.supabase.co");

/// The files that configurations on the pages name, with the path on the page.
const FILES: &[(&str, &str)] = &[
    (
        "/run/secrets/supabase_url",
        "postgres://user:password@127.0.0.1/postgres",
    ),
    ("/run/secrets/dpop_nonce_keys", KEY),
    ("/var/run/secrets/kubernetes.io/serviceaccount/ca.crt", ""),
    ("/secrets/database-url", "sqlite://bearward.db"),
    ("/secrets/vault-keys", VAULT_KEYS),
    ("%d/vault.keys", VAULT_KEYS),
];
const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const VAULT_KEYS: &str = "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// Creates the files of [`FILES`], and returns their folder with the text that names them there.
fn with_files(text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut text = text.replace("YOUR-PROJECT", "abc");
    for (index, (path, contents)) in FILES.iter().enumerate() {
        let file = folder.path().join(format!("file-{index}"));
        fs::write(&file, contents).unwrap();
        text = text.replace(path, &file.display().to_string());
    }
    (folder, text)
}

fn owned(variables: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    variables.iter().map(owned).collect()
}

/// Loads a block as the configuration file.
fn load_file(text: &str) -> Result<Config, String> {
    let (folder, text) = with_files(text);
    let config = folder.path().join("config");
    fs::create_dir(&config).unwrap();
    fs::write(config.join("default.toml"), text).unwrap();
    Config::load(&Sources::new(Some(config), owned(&[ISSUER]))).map_err(|errors| errors.to_string())
}

/// Returns the environment variables that a block of a deployment sets.
fn variables(block: &Block<'_>) -> Vec<(String, String)> {
    let variable = |line: &&str| {
        let (name, value) = if let Some(pair) = line.strip_prefix("Environment=") {
            pair.split_once('=')?
        } else if block.info == "toml" {
            line.split_once(" = ")?
        } else {
            let (_, entry) = line
                .split_once("{ key: ")
                .or(line.split_once("- { name: "))?;
            let (name, value) = entry.split_once(", value: ")?;
            (name, value.split_once(" }")?.0)
        };
        Some((name.to_owned(), value.trim_matches('"').to_owned()))
    };
    let is_section = |line: &&&str| !line.starts_with('[');
    match block.info {
        "toml" => {
            let environment = block.lines.iter().skip_while(|line| **line != "[env]");
            environment
                .skip(1)
                .take_while(is_section)
                .filter_map(variable)
                .collect()
        }
        _ => block.lines.iter().filter_map(variable).collect(),
    }
}

#[test]
fn configurations_and_manifests_on_pages_are_accepted() {
    let mut accepted = 0;
    for page in pages() {
        for block in page.blocks() {
            if block.info != "toml" {
                continue;
            }
            let text = block.lines.join("\n");
            let table: Table = text
                .parse()
                .unwrap_or_else(|error| panic!("{}: {error}", page.path.display()));
            let result = if table.contains_key("dependencies") {
                check_manifest(&table)
            } else if table.contains_key("bearward") {
                check_dependencies(&table)
            } else if table.contains_key("rules") || table.contains_key("http_service") {
                continue; // gitleaks; Fly.io, whose variables are checked below
            } else {
                load_file(&text).map(|_| ())
            };
            assert_eq!(result, Ok(()), "{}:\n{text}", page.path.display());
            accepted += 1;
        }
    }
    assert!(accepted > 30, "{accepted}");
}

/// The sections of a manifest that list dependencies, each from this workspace or its lock file.
fn check_manifest(manifest: &Table) -> Result<(), String> {
    let sections = ["dependencies", "dev-dependencies"];
    let tables = sections
        .iter()
        .filter_map(|name| manifest.get(*name)?.as_table());
    tables.into_iter().try_for_each(check_dependencies)
}

fn check_dependencies(dependencies: &Table) -> Result<(), String> {
    for (name, value) in dependencies {
        if name.starts_with("bearward") {
            let folder = match name.as_str() {
                "bearward-server" => root().to_owned(),
                name => root().join("crates").join(name),
            };
            check_features(&folder, value).map_err(|error| format!("{name}: {error}"))?;
        } else {
            let version = value.as_str().or_else(|| value.get("version")?.as_str());
            let version = version.ok_or_else(|| format!("{name} has no version"))?;
            if !locked_versions(name)
                .iter()
                .any(|locked| is_compatible(version, locked))
            {
                return Err(format!(
                    "{name} {version}: the lock file has {:?}",
                    locked_versions(name)
                ));
            }
        }
    }
    Ok(())
}

/// A dependency on a crate of this workspace: its folder and its features exist.
fn check_features(folder: &Path, dependency: &Value) -> Result<(), String> {
    let manifest =
        fs::read_to_string(folder.join("Cargo.toml")).map_err(|error| error.to_string())?;
    let manifest: Table = manifest.parse().unwrap();
    let features = dependency.get("features").and_then(Value::as_array);
    for feature in features.into_iter().flatten() {
        let feature = feature.as_str().unwrap();
        let exists = manifest
            .get("features")
            .and_then(|features| features.get(feature));
        exists.ok_or_else(|| format!("there is no feature {feature}"))?;
    }
    Ok(())
}

fn locked_versions(name: &str) -> Vec<String> {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let header = format!("name = \"{name}\"\nversion = \"");
    let versions = lock.split(&header).skip(1);
    versions
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

/// Whether a version satisfies a caret requirement.
fn is_compatible(requirement: &str, version: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        let text = text.split(['-', '+']).next().unwrap();
        text.split('.').map(|part| part.parse().unwrap()).collect()
    };
    let (requirement, version) = (numbers(requirement), numbers(version));
    let fixed = if requirement[0] == 0 { 2 } else { 1 };
    let fixed = fixed.min(requirement.len());
    requirement[..fixed] == version[..fixed] && requirement <= version
}

#[test]
fn variables_of_deployments_on_pages_are_accepted() {
    let mut deployments = 0;
    for page in pages() {
        for block in page.blocks() {
            let variables = variables(&block);
            if !matches!(block.info, "toml" | "yaml" | "ini") || variables.is_empty() {
                continue;
            }
            let mut files = Vec::new();
            let variables = variables.into_iter().map(|(name, value)| {
                let (folder, value) = with_files(&value);
                files.push(folder);
                (name, value)
            });
            let variables: Vec<_> = variables.collect();
            let loaded = Config::load(&Sources::new(None, variables.clone()));
            let error = loaded.err().map(|errors| errors.to_string());
            assert_eq!(error, None, "{}: {variables:?}", page.path.display());
            deployments += 1;
        }
    }
    // Render, Fly.io, Kubernetes, systemd.
    assert_eq!(deployments, 4);
}

/// Whether the reader knows a variable; its value does not matter.
fn is_known(variable: &str) -> bool {
    let variables = owned(&[ISSUER, (variable, "x")]);
    let error = Config::load(&Sources::new(None, variables)).err();
    let error = error.map(|errors| errors.to_string()).unwrap_or_default();
    !["unknown key ", "unknown section "]
        .iter()
        .any(|unknown| error.contains(unknown))
}

/// Splits a text at everything that cannot be part of a name.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '.'))
        .map(|word| word.trim_matches('.'))
}

#[test]
fn variables_on_pages_are_configuration_keys() {
    let mut known = 0;
    // `tests/api/providers` loads the variables of the recipes, which depend on each other.
    let is_recipe = |page: &Page| page.path.starts_with("docs/providers");
    for page in pages().into_iter().filter(|page| !is_recipe(page)) {
        for name in names(&page.text) {
            // `BEARWARD_SECTION__KEY` is the pattern of all; `…__NAME__…` is an issuer or a service.
            if !name.starts_with("BEARWARD_")
                || !name.contains("__")
                || name.contains("SECTION__KEY")
            {
                continue;
            }
            assert!(is_known(name), "{}: {name}", page.path.display());
            known += 1;
        }
    }
    assert!(known > 25, "{known}");
}

#[test]
fn keys_on_pages_are_configuration_keys() {
    let defaults = fs::read_to_string(root().join("config/default.toml")).unwrap();
    let defaults: Table = defaults.parse().unwrap();
    // Case ids of the suite have the same form, and so have events of the audit log.
    let without_keys = [
        "contract-results.md",
        "comparison.md",
        "conformance.md",
        "contract/README.md",
    ];
    let events = ["revocation.added", "revocation.removed"];
    let is_file = |name: &str| {
        [".rs", ".py", ".js", ".css"]
            .iter()
            .any(|end| name.ends_with(end))
    };
    let mut known = 0;
    for page in pages() {
        if without_keys.iter().any(|name| page.path.ends_with(name)) {
            continue;
        }
        let words = page
            .prose()
            .flat_map(|line| line.split('`').skip(1).step_by(2));
        for word in words {
            let key = word.split(" = ").next().unwrap();
            let is_key = key.split('.').all(|part| {
                !part.is_empty()
                    && part
                        .chars()
                        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            });
            let Some((section, _)) = key.split_once('.').filter(|_| is_key) else {
                continue;
            };
            if !defaults.contains_key(section) || events.contains(&key) || is_file(key) {
                continue;
            }
            let variable = format!("BEARWARD_{}", key.to_uppercase().replace('.', "__"));
            assert!(is_known(&variable), "{}: {key}", page.path.display());
            known += 1;
        }
    }
    assert!(known > 50, "{known}");
}
