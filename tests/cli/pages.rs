//! The pages of the documentation: links lead somewhere, code is compiled, commands exist, and the
//! commands of the quick start work as printed.

use std::{
    collections::BTreeSet,
    fs,
    path::{Component, Path, PathBuf},
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
            if let Some(info) = line.strip_prefix("```") {
                let lines = lines.by_ref().take_while(|line| *line != "```").collect();
                blocks.push(Block { info, lines });
            }
        }
        blocks
    }

    /// Returns the lines outside of code blocks.
    fn prose(&self) -> impl Iterator<Item = &str> {
        let mut is_code = false;
        self.text.lines().filter(move |line| {
            let is_fence = line.starts_with("```");
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

/// Code without comments, whitespace and the commas that rustfmt adds.
fn compact(code: &str) -> String {
    let is_comment = |line: &str| line.trim_start().starts_with("//");
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

#[test]
fn rust_code_on_pages_is_compiled() {
    let sources: Vec<String> = files(Path::new(""), "rs")
        .iter()
        .map(|path| fs::read_to_string(root().join(path)).unwrap())
        .collect();
    let compiled: Vec<String> = sources.iter().map(|source| compact(source)).collect();
    let mut unknown = Vec::new();
    for page in pages() {
        let is_doctest = || {
            // From the folder of the crate's sources.
            let path: PathBuf = match page.path.strip_prefix("crates") {
                Ok(path) => path.components().skip(1).collect(),
                Err(_) => page.path.clone(),
            };
            let include = format!("doc = include_str!(\"../{}\")", path.display());
            sources.iter().any(|source| source.contains(&include))
        };
        for block in page.blocks() {
            let is_compiled = match block.info {
                // Examples of a manifest's crate: each part between empty lines is in a source file.
                "rust,ignore" => block.lines.join("\n").split("\n\n").all(|part| {
                    let part = compact(part);
                    compiled.iter().any(|source| source.contains(&part))
                }),
                info if info.starts_with("rust") => {
                    let code = compact(&block.lines.join("\n"));
                    is_doctest() || compiled.iter().any(|source| source.contains(&code))
                }
                _ => true,
            };
            if !is_compiled {
                unknown.push(format!(
                    "{}: {}",
                    page.path.display(),
                    block.lines.join("\n")
                ));
            }
        }
    }
    assert!(
        unknown.is_empty(),
        "not in a compiled file:\n{}",
        unknown.join("\n\n")
    );
}

/// Returns the `bearward` commands of a page's console blocks, without comments, variables and pipes.
fn commands(page: &Page) -> Vec<Vec<String>> {
    let console = page
        .blocks()
        .into_iter()
        .filter(|block| matches!(block.info, "console" | "sh" | "bash"));
    let lines: Vec<_> = console.flat_map(|block| block.lines).collect();
    lines
        .join("\n")
        .replace("\\\n", " ")
        .lines()
        .filter_map(|line| line.strip_prefix("$ "))
        .filter_map(|line| {
            let line = match line.split_once("$(") {
                Some((before, rest)) => format!("{before}X{}", rest.split_once(')')?.1),
                None => line.to_owned(),
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
        })
        .collect()
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
    assert!(known >= 15, "{known} commands found");
}
