//! The last paragraph of each page names the files that check its code and its commands.

use std::path::Path;

use super::{Page, pages, root};

const CHECKED_BY: &str = "Checked by: ";
const NOT_RUN: &str = " Not run: ";

/// Whether the page must have the paragraph: those of the documentation, and others with code.
fn is_required(page: &Page) -> bool {
    let without_code = ["docs/adr", "docs/book"];
    let is_guide = page.path.starts_with("docs")
        && !without_code
            .iter()
            .any(|folder| page.path.starts_with(folder));
    is_guide || !page.blocks().is_empty()
}

/// Returns the paths that the paragraph names, or `None` if the page does not end with it.
fn named_files(page: &Page) -> Option<Vec<&str>> {
    let (_, paragraph) = page.text.trim_end().rsplit_once("\n\n")?;
    let checks = paragraph.strip_prefix(CHECKED_BY)?;
    let (checks, _) = checks.split_once(NOT_RUN).unwrap_or((checks, ""));
    Some(checks.split('`').skip(1).step_by(2).collect())
}

#[test]
fn each_page_names_the_files_that_check_it() {
    let mut problems = Vec::new();
    let mut named_pages = 0;
    for page in pages().iter().filter(|page| is_required(page)) {
        let path = page.path.display();
        let Some(named) = named_files(page) else {
            problems.push(format!(
                "{path}: the last paragraph must begin with {CHECKED_BY:?}"
            ));
            continue;
        };
        named_pages += 1;
        if named.is_empty() {
            problems.push(format!("{path}: name a file"));
        }
        for file in &named {
            if !root().join(file).is_file() {
                problems.push(format!("{path}: {file} is not a file"));
            }
        }
        for (code, files) in page.compiled_code() {
            if !files
                .iter()
                .any(|file| named.iter().any(|named| *file == Path::new(named)))
            {
                problems.push(format!(
                    "{path}: name one of {files:?}, which compile\n{code}"
                ));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(named_pages > 50, "{named_pages}");
}
