//! Reads the recipes of a page in `docs/providers`.

use std::{fs, path::PathBuf};

use serde_json::Value;

/// One configuration of a page, with its key set and its tokens.
#[derive(Debug, Default)]
pub(super) struct Recipe {
    /// The heading above it.
    pub(super) heading: String,
    /// The configuration file.
    pub(super) toml: String,
    /// The same configuration as environment variables.
    pub(super) variables: Vec<(String, String)>,
    /// The same configuration as a call of the library, without white space.
    pub(super) call: String,
    /// The provider's JWK Set. Key material is left out.
    pub(super) jwks: Value,
    pub(super) accepted: Vec<Example>,
    pub(super) refused: Vec<Example>,
}

/// A token and the sentence below it.
#[derive(Debug)]
pub(super) struct Example {
    /// An object with `header` and `claims`. A refused token is a change of the first accepted one.
    pub(super) token: Value,
    /// The paragraph below the token, in one line.
    pub(super) sentence: String,
}

/// Returns the names of all pages, sorted. The index is not one of them.
pub(super) fn names() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".md").map(str::to_owned))
        .filter(|name| name != "README")
        .collect();
    names.sort();
    names
}

/// Reads a file of `docs/providers`.
pub(super) fn text(name: &str) -> String {
    fs::read_to_string(directory().join(format!("{name}.md"))).unwrap()
}

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/providers")
}

/// Reads the recipes of a page: each begins with a `toml` block.
pub(super) fn recipes(page: &str) -> Vec<Recipe> {
    let mut recipes: Vec<Recipe> = Vec::new();
    for block in blocks(page) {
        if block.language == "toml" {
            // The variants of one provider share its key set.
            let jwks = recipes.last().map(|recipe| recipe.jwks.clone());
            recipes.push(Recipe {
                heading: block.heading,
                toml: block.text,
                jwks: jwks.unwrap_or_default(),
                ..Recipe::default()
            });
            continue;
        }
        let recipe = recipes.last_mut().expect("a toml block comes first");
        let example = || Example {
            token: serde_json::from_str(&block.text)
                .unwrap_or_else(|e| panic!("{e}: {}", block.text)),
            sentence: block.paragraph.clone(),
        };
        match block.language.as_str() {
            "sh" => recipe.variables = block.text.lines().map(variable).collect(),
            "rust,ignore" => recipe.call = without_white_space(&block.text),
            "json jwks" => recipe.jwks = example().token,
            "json accepted" => recipe.accepted.push(example()),
            "json refused" => recipe.refused.push(example()),
            // Commands for the reader, such as one that requests a token.
            "console" => {}
            other => panic!("unknown block {other:?}"),
        }
    }
    recipes
}

/// A fenced block and the paragraph below it.
struct Block {
    heading: String,
    language: String,
    text: String,
    paragraph: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let (mut lines, mut heading) = (page.lines(), "");
    while let Some(line) = lines.next() {
        heading = line.strip_prefix("## ").unwrap_or(heading);
        let Some(language) = line.strip_prefix("```") else {
            continue;
        };
        let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let paragraph: Vec<&str> = lines
            .clone()
            .skip_while(|line| line.is_empty())
            .take_while(|line| !line.is_empty())
            .collect();
        blocks.push(Block {
            heading: heading.to_owned(),
            language: language.to_owned(),
            text: text.join("\n"),
            paragraph: paragraph.join(" "),
        });
    }
    blocks
}

/// Parses `NAME=value` or `NAME='value'`.
fn variable(line: &str) -> (String, String) {
    let (name, value) = line.split_once('=').expect("NAME=value");
    (name.to_owned(), value.trim_matches('\'').to_owned())
}

pub(super) fn without_white_space(text: &str) -> String {
    text.split_whitespace().collect()
}
