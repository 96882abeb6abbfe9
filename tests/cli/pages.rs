//! The pages of the documentation: links lead somewhere, code is compiled, commands exist, and each
//! page names the files that check it.

mod checked_by;
mod configuration;
mod counts;
mod syntax;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Component, Path, PathBuf},
    sync::LazyLock,
};

use crate::{bearward, dev::words};

/// A page and its path from the root of the repository.
struct Page {
    path: PathBuf,
    text: String,
}

/// A fenced code block.
struct Block<'a> {
    /// What follows the opening fence.
    info: &'a str,
    lines: Vec<&'a str>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the files below a folder with this extension, without build outputs.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        let name = name.to_str().expect("a UTF-8 name");
        let path = folder.join(name);
        if entry.file_type().unwrap().is_dir() {
            if !matches!(name, "target" | "node_modules" | "vectors" | "fuzz")
                && !name.starts_with('.')
            {
                found.extend(files(&path, extension));
            }
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found
}

fn pages() -> Vec<Page> {
    let pages: Vec<_> = files(Path::new(""), "md")
        .into_iter()
        .map(|path| Page {
            text: fs::read_to_string(root().join(&path)).unwrap(),
            path,
        })
        .collect();
    assert!(pages.len() > 50, "{}", pages.len());
    pages
}

impl Page {
    /// Returns the code blocks.
    fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks = Vec::new();
        let mut lines = self.text.lines();
        while let Some(line) = lines.next() {
            // Blocks of list items are indented.
            let code = line.trim_start();
            let Some(info) = code.strip_prefix("```") else {
                continue;
            };
            let indent = &line[..line.len() - code.len()];
            let lines = lines
                .by_ref()
                .map(|line| line.strip_prefix(indent).unwrap_or(line));
            let lines = lines.take_while(|line| *line != "```").collect();
            blocks.push(Block { info, lines });
        }
        blocks
    }

    /// Returns the lines outside of code blocks.
    fn prose(&self) -> impl Iterator<Item = &str> {
        let mut is_code = false;
        self.text.lines().filter(move |line| {
            let is_fence = line.trim_start().starts_with("```");
            is_code ^= is_fence;
            !is_code && !is_fence
        })
    }

    /// Returns the targets of the links.
    fn links(&self) -> Vec<&str> {
        self.prose()
            .flat_map(|line| line.split("](").skip(1))
            .filter_map(|rest| rest.split_once(')'))
            .map(|(target, _)| target)
            .collect()
    }

    /// Returns the anchors of the headings, as hosts of repositories and mdBook derive them, and
    /// those that are written in HTML.
    fn anchors(&self) -> BTreeSet<String> {
        let headings = self.prose().filter_map(|line| {
            let text = line.trim_start_matches('#');
            (text.len() < line.len() && text.starts_with(' ')).then(|| slug(text.trim()))
        });
        let ids = self.prose().filter_map(|line| {
            let (id, _) = line.split_once("<a id=\"")?.1.split_once('"')?;
            Some(id.to_owned())
        });
        headings.chain(ids).collect()
    }
}

fn slug(heading: &str) -> String {
    heading
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| {
            if c == ' ' {
                '-'
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect()
}

/// Resolves `..` without following links.
fn normalized(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut path, part| {
        if part == Component::ParentDir {
            path.pop();
        } else {
            path.push(part);
        }
        path
    })
}

#[test]
fn links_lead_to_files_and_headings() {
    let pages = pages();
    let mut dead = Vec::new();
    for page in &pages {
        for link in page.links() {
            if link.contains("://")
                || link.starts_with("mailto:")
                || link.contains(char::is_whitespace)
            {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            // `docs/book/build` resolves the links of the summary from the root.
            let folder = if page.path.ends_with("SUMMARY.md") {
                Path::new("")
            } else {
                page.path.parent().expect("a file has a folder")
            };
            let target = if file.is_empty() {
                page.path.clone()
            } else {
                normalized(&folder.join(file))
            };
            let has_anchor = || {
                let target = pages.iter().find(|page| page.path == target);
                target.is_none_or(|page| page.anchors().contains(anchor))
            };
            if !root().join(&target).exists() || !anchor.is_empty() && !has_anchor() {
                dead.push(format!("{}: {link}", page.path.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{dead:#?}");
}

/// Code without comments, hidden lines of examples, whitespace and the commas that rustfmt adds.
fn compact(code: &str) -> String {
    let is_comment = |line: &str| line.trim_start().starts_with("//") || line.starts_with("# ");
    let code: String = code
        .lines()
        .filter(|line| !is_comment(line))
        .map(|line| line.split_once(" // ").map_or(line, |(code, _)| code))
        .flat_map(str::chars)
        .filter(|c| !c.is_whitespace())
        .collect();
    code.replace(",)", ")")
        .replace(",]", "]")
        .replace(",}", "}")
}

/// A Rust file of the repository.
struct Source {
    text: String,
    /// The code without what rustfmt may change.
    compact: String,
    /// The same of the documentation comments, which have the examples.
    examples: String,
}

static SOURCES: LazyLock<BTreeMap<PathBuf, Source>> = LazyLock::new(|| {
    let source = |path: PathBuf| {
        let text = fs::read_to_string(root().join(&path)).unwrap();
        let comments = text.lines().map(str::trim_start);
        let comments =
            comments.filter_map(|line| line.strip_prefix("//!").or(line.strip_prefix("///")));
        let examples: Vec<_> = comments
            .map(|line| line.strip_prefix(' ').unwrap_or(line))
            .collect();
        let source = Source {
            compact: compact(&text),
            examples: compact(&examples.join("\n")),
            text,
        };
        (path, source)
    };
    files(Path::new(""), "rs").into_iter().map(source).collect()
});

impl Page {
    /// Returns the files that compile the examples of the page as doctests.
    fn doctests(&self) -> Vec<&'static Path> {
        let includes = |(path, source): &(&'static PathBuf, &Source)| {
            let folder = path.parent().expect("a file has a folder");
            let included = source.text.split("doc = include_str!(\"").skip(1);
            let mut included = included.filter_map(|rest| rest.split('"').next());
            included.any(|file| normalized(&folder.join(file)) == self.path)
        };
        let including = SOURCES.iter().filter(includes);
        including.map(|(path, _)| path.as_path()).collect()
    }

    /// Returns the parts of the Rust code, each with the files that compile it.
    fn compiled_code(&self) -> Vec<(String, Vec<&'static Path>)> {
        let mut compiled = Vec::new();
        for block in self.blocks() {
            if !block.info.starts_with("rust") {
                continue;
            }
            let code = block.lines.join("\n");
            // Without main: each part between empty lines is in a source file.
            let (parts, doctests) = if block.info == "rust,ignore" {
                (code.split("\n\n").map(str::to_owned).collect(), Vec::new())
            } else {
                (vec![code], self.doctests())
            };
            for part in parts {
                let needle = compact(&part);
                let sources = SOURCES.iter().filter(|(_, source)| {
                    source.compact.contains(&needle) || source.examples.contains(&needle)
                });
                let files = sources.map(|(path, _)| path.as_path());
                compiled.push((part, files.chain(doctests.iter().copied()).collect()));
            }
        }
        compiled
    }
}

#[test]
fn rust_code_on_pages_is_compiled() {
    let mut unknown = Vec::new();
    for page in pages() {
        for (code, files) in page.compiled_code() {
            if files.is_empty() {
                unknown.push(format!("{}: {code}", page.path.display()));
            }
        }
    }
    assert!(
        unknown.is_empty(),
        "not in a compiled file:\n{}",
        unknown.join("\n\n")
    );
}

/// Returns the `bearward` commands of a page's console blocks and of its files for CI, without
/// comments, variables and pipes.
fn commands(page: &Page) -> Vec<Vec<String>> {
    let mut lines = Vec::new();
    for block in page.blocks() {
        match block.info {
            "console" | "sh" => {
                let text = block.lines.join("\n").replace("\\\n", " ");
                let commands = text.lines().filter_map(|line| line.strip_prefix("$ "));
                lines.extend(commands.map(str::to_owned));
            }
            "yaml" => {
                let words = block.lines.iter().map(|line| {
                    let line = line.trim().trim_start_matches("- ");
                    line.strip_prefix("run: ").unwrap_or(line).to_owned()
                });
                lines.extend(words.filter(|line| line.starts_with("bearward ")));
            }
            _ => {}
        }
    }
    let command = |line: String| {
        let line = match line.split_once("$(") {
            Some((before, rest)) => format!("{before}X{}", rest.split_once(')')?.1),
            None => line,
        };
        let line = line.replace("cargo run -- ", "bearward ");
        let line = line.replace("cargo run -p bearward-server -- ", "bearward ");
        let (_, arguments) = line.split_once("bearward ")?;
        let is_command = line.split(' ').find(|word| !word.contains('='))? == "bearward";
        let end = arguments
            .find([';', '|', '<', '>', '&'])
            .unwrap_or(arguments.len());
        let end = arguments.find(" #").map_or(end, |comment| comment.min(end));
        is_command.then(|| words(&arguments[..end]))
    };
    lines.into_iter().filter_map(command).collect()
}

/// `docs/book/build` makes a book of the pages that the summary lists.
#[test]
fn the_book_contains_every_page() {
    let summary = fs::read_to_string(root().join("docs/book/SUMMARY.md")).unwrap();
    let documentation =
        |page: &Page| page.path.starts_with("docs") && !page.path.starts_with("docs/book");
    let missing: Vec<_> = pages()
        .into_iter()
        .filter(documentation)
        .map(|page| format!("({})", page.path.display()))
        .filter(|link| !summary.contains(link))
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn commands_on_pages_exist() {
    let mut known = 0;
    for page in pages() {
        for mut arguments in commands(&page) {
            // The help is printed if every option before it exists.
            arguments.push("--help".to_owned());
            let words: Vec<&str> = arguments
                .iter()
                .map(String::as_str)
                .filter(|word| !word.is_empty())
                .collect();
            let output = bearward(&words, &[]).output().unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(
                output.status.success(),
                "{}: {words:?}: {stderr}",
                page.path.display()
            );
            known += 1;
        }
    }
    assert!(known >= 20, "{known} commands found");
}
