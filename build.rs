//! Passes the commit and the enabled features to `bearward --version`.
//!
//! There is no date, so that two builds of one commit are identical. `git` is not needed.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// Sets the commit where it cannot be found, such as in a container build without `.git`.
const VARIABLE: &str = "BEARWARD_COMMIT";

/// The number of characters of the commit that are shown.
const SHOWN: usize = 12;

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    println!("cargo::rerun-if-changed=build.rs");
    let commit = [
        env::var(VARIABLE).ok(),
        commit_of_checkout(&root),
        commit_of_package(&root),
        commit_of_archive(&root),
    ]
    .into_iter()
    .flatten()
    .find_map(|commit| abbreviate(&commit))
    .unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=BEARWARD_BUILD_COMMIT={commit}");
    println!("cargo::rustc-env=BEARWARD_BUILD_FEATURES={}", features());
}

/// Lists the features of this package that are enabled.
fn features() -> String {
    let names = env::vars().filter_map(|(name, _)| {
        let name = name
            .strip_prefix("CARGO_FEATURE_")?
            .to_lowercase()
            .replace('_', "-");
        (name != "default").then_some(name)
    });
    let mut names: Vec<_> = names.collect();
    names.sort();
    if names.is_empty() {
        names.push("none".to_owned());
    }
    names.join(" ")
}

/// Reads `HEAD` of a git checkout. A `.git` in a folder above belongs to another project.
pub(crate) fn commit_of_checkout(root: &Path) -> Option<String> {
    let entry = root.join(".git");
    let git_dir = if entry.is_dir() {
        entry
    } else {
        // A worktree has a file that names the folder.
        root.join(read(&entry)?.strip_prefix("gitdir: ")?)
    };
    let head_file = git_dir.join("HEAD");
    let head = read(&head_file)?;
    let common_dir =
        read(&git_dir.join("commondir")).map_or_else(|| git_dir.clone(), |path| git_dir.join(path));
    let packed = common_dir.join("packed-refs");
    let reference = head.strip_prefix("ref: ");
    let loose = reference.map(|name| common_dir.join(name));
    // Development builds only look again when the sources change: a commit alone must not cause a
    // build of everything.
    if env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        let files = [Some(&head_file), loose.as_ref(), Some(&packed)];
        // Cargo runs the script each time if a file does not exist.
        for file in files.into_iter().flatten().filter(|file| file.exists()) {
            println!("cargo::rerun-if-changed={}", file.display());
        }
    } else {
        println!("cargo::rerun-if-changed=src");
    }
    let Some(name) = reference else {
        return Some(head);
    };
    loose.and_then(|file| read(&file)).or_else(|| {
        let packed = read(&packed)?;
        let line = packed
            .lines()
            .find_map(|line| line.strip_suffix(name)?.strip_suffix(' '))?;
        Some(line.to_owned())
    })
}

/// Reads the file that `cargo package` adds.
pub(crate) fn commit_of_package(root: &Path) -> Option<String> {
    let info = read(&root.join(".cargo_vcs_info.json"))?;
    let (_, rest) = info.split_once("\"sha1\": \"")?;
    Some(rest.split_once('"')?.0.to_owned())
}

/// Reads the file in which `git archive` writes the commit.
pub(crate) fn commit_of_archive(root: &Path) -> Option<String> {
    Some(
        read(&root.join(".git_archival.txt"))?
            .strip_prefix("node: ")?
            .to_owned(),
    )
}

fn read(path: &Path) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

/// Shortens a commit id. Returns `None` for other text, such as the placeholder that
/// `git archive` replaces.
pub(crate) fn abbreviate(commit: &str) -> Option<String> {
    let is_id = commit.len() >= SHOWN && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| commit[..SHOWN].to_ascii_lowercase())
}
