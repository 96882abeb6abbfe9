//! Numbers on the pages that follow from the repository.

use std::fs;

use super::root;
use crate::run;

fn page(path: &str) -> String {
    let text = fs::read_to_string(root().join(path)).unwrap();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The number between two texts of a page.
fn number(path: &str, before: &str, after: &str) -> usize {
    let text = page(path);
    let found = text.split(before).skip(1).find_map(|rest| {
        let (number, rest) = rest.split_once(' ')?;
        rest.starts_with(after).then(|| number.parse().ok())?
    });
    found.unwrap_or_else(|| panic!("{path}: {before:?}, a number, {after:?}"))
}

#[test]
fn the_number_of_cases_is_that_of_the_suite() {
    let list = run(&["contract", "--list"], &[]);
    let (count, _) = list
        .stdout
        .trim_end()
        .rsplit_once('\n')
        .map_or(("", ""), |(_, last)| {
            last.split_once(" cases").expect("the number of cases")
        });
    let count: usize = count.parse().unwrap();
    let pages = [
        ("README.md", "has more than "),
        ("docs/conformance.md", "(more than "),
        ("CHANGELOG.md", "- More than "),
    ];
    for (path, before) in pages {
        let written = number(path, before, "cases");
        assert!(
            (written..written + 100).contains(&count),
            "{path}: {written}, {count} exist"
        );
    }
}

#[test]
fn the_number_of_servers_is_that_of_the_results() {
    let folders = fs::read_dir(root().join("examples/contract")).unwrap();
    let peers = folders.filter(|entry| entry.as_ref().unwrap().path().join("peer.json").exists());
    assert_eq!(
        number("README.md", "[results of ", "other servers"),
        peers.count()
    );
}

#[test]
fn the_number_of_recipes_is_that_of_the_pages() {
    let pages = fs::read_dir(root().join("docs/providers")).unwrap().count() - 1;
    assert_eq!(number("README.md", "a recipe for each of ", "|"), pages);
    for path in ["docs/server.md", "CHANGELOG.md"] {
        assert_eq!(
            number(path, "tested recipe for each of ", "providers"),
            pages,
            "{path}"
        );
    }
}

#[test]
fn the_readme_is_short() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(
        readme.lines().count() <= 150,
        "{} lines",
        readme.lines().count()
    );
}
