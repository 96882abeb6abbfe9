#![allow(clippy::unwrap_used, reason = "helpers of tests")]

//! The direction of dependencies: a module may use only what lies below it.

use std::{collections::HashSet, fs, path::Path};

/// Bottom to top. A module may name modules of earlier rows, and its own.
const LAYERS: &[&[&str]] = &[
    &["auth::clock", "auth::algorithm"],
    &["auth::error"],
    &["auth::object"],
    &["auth::pointer", "auth::jws"],
    &["auth::claim_map"],
    &["auth::claims"],
    &["auth::issuer"],
    &["auth::keys"],
    &["auth::counters", "auth::judge"],
    &["auth::verified"],
    &["auth::token_cache"],
    &["auth::explain"],
    &["auth::verifier"],
    &["cookie"],
    &["bearward"],
    &["actix"],
    &["config"],
    &["vault", "upstream"],
    &["telemetry"],
    &["domain"],
    &["store"],
    &["accounts"],
    &["rate_limit", "at_once"],
    &["api"],
    &["mint"],
    &["testing"],
    &["contract"],
    &["idp"],
    &["server"],
    &["cli"],
];

#[test]
fn no_module_uses_what_lies_above_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for file in sources(&root) {
        let path = file.strip_prefix(&root).unwrap().with_extension("").to_string_lossy().replace('/', "::");
        let path = path.trim_end_matches("::mod");
        let Some(rank) = rank(path) else { continue };
        let text = fs::read_to_string(&file).unwrap();
        for used in named_modules(&text, path) {
            if self::rank(&used) > Some(rank) {
                wrong.push(format!("{path} uses {used}"));
            }
        }
    }
    assert!(wrong.is_empty(), "upward dependencies:\n{}", wrong.join("\n"));
}

#[test]
fn the_check_sees_an_upward_use() {
    let text = "use crate::{\n    auth::{error::Rejection, verifier::Verifier},\n    bearward::Bearward,\n};";
    let seen = named_modules(text, "auth::issuer");
    assert!(seen.contains("auth::verifier") && seen.contains("bearward") && seen.contains("auth::error"), "{seen:?}");
    assert!(rank("auth::verifier") > rank("auth::issuer"));
}

#[test]
fn every_module_has_a_rank() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let unranked: Vec<String> = sources(&root)
        .iter()
        .map(|file| file.strip_prefix(&root).unwrap().with_extension("").to_string_lossy().replace('/', "::"))
        .map(|path| path.trim_end_matches("::mod").to_owned())
        .filter(|path| !matches!(path.as_str(), "lib" | "main" | "auth") && rank(path).is_none())
        .collect();
    assert!(unranked.is_empty(), "no rank for {unranked:?}: add them to LAYERS");
}

/// Methods of the store that see no user's rows.
const OF_NOBODY: [&str; 4] = ["open", "look", "ping", "kind"];
/// Whose keys a rotation of the vault has still to seal: it gives owners, and their rows are then asked for as each one's own.
const OF_OWNERS: [&str; 2] = ["count_owners_to_reseal", "owners_to_reseal"];

#[test]
fn every_method_of_the_store_takes_first_on_whose_behalf_it_works() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut unscoped: Vec<String> = Vec::new();
    let mut scoped = 0;
    for text in sources(&root).iter().map(|file| fs::read_to_string(file).unwrap()) {
        let code = text.split_once("impl Store {").map_or("", |(_, code)| code);
        for method in code.split("pub ").skip(1).filter_map(|text| text.trim_start_matches("async ").strip_prefix("fn ")) {
            let (name, rest) = method.split_once('(').unwrap();
            let parameters: Vec<&str> = rest.split(')').next().unwrap().split(',').map(str::trim).collect();
            let first = parameters.get(1).and_then(|parameter| parameter.split(": ").nth(1)).unwrap_or_default();
            if first.starts_with("&Sighting") || ["&Owner", "&Administrator"].contains(&first) {
                scoped += 1;
            } else if !OF_NOBODY.contains(&name) && !OF_OWNERS.contains(&name) {
                unscoped.push(name.to_owned());
            }
        }
    }
    assert!(scoped >= 12, "the methods are no longer found in the source: {scoped}");
    assert!(unscoped.is_empty(), "no owner comes first: {unscoped:?}");
}

fn rank(module: &str) -> Option<usize> {
    let belongs = |layer: &&str| module == *layer || module.starts_with(&format!("{layer}::"));
    LAYERS.iter().position(|row| row.iter().any(belongs))
}

/// The modules, to the depth of the layers, that a file names in its `use` lines or in paths from the crate's root.
fn named_modules(text: &str, module: &str) -> HashSet<String> {
    let code: String = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
    let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut named = HashSet::new();
    for (start, prefix) in code.match_indices("crate::").map(|(at, text)| (at + text.len(), String::new())) {
        expand(&code[start..], &prefix, &mut named);
    }
    if module.starts_with("auth::") && module.matches("::").count() == 1 {
        for (start, text) in code.match_indices("super::") {
            expand(&code[start + text.len()..], "auth::", &mut named);
        }
    }
    named
}

/// Reads a path or a `{..}` group of paths; keeps what a layer is named by.
fn expand(text: &str, prefix: &str, named: &mut HashSet<String>) {
    let text = text.trim_start();
    if let Some(group) = text.strip_prefix('{') {
        let (mut depth, mut start) = (0_usize, 0);
        for (at, character) in group.char_indices() {
            match character {
                '{' => depth += 1,
                '}' if depth == 0 => return expand(&group[start..at], prefix, named),
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    expand(&group[start..at], prefix, named);
                    start = at + 1;
                }
                _ => {}
            }
        }
        return;
    }
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    let path = format!("{prefix}{}", &text[..end]);
    if rank(&path).is_some() {
        named.insert(path);
    } else if let Some(rest) = text[end..].strip_prefix("::") {
        expand(rest, &format!("{path}::"), named);
    }
}

fn sources(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}
