//! `bearward --version`: the version, the commit and the enabled features.

use std::{fs, path::Path};

use crate::run;

#[allow(dead_code, reason = "main is called by Cargo only")]
#[path = "../../build.rs"]
mod build_script;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

#[test]
fn the_version_has_the_commit_and_the_features() {
    let output = run(&["--version"], &[]);
    output.expect(
        0,
        &[concat!("bearward ", env!("CARGO_PKG_VERSION"), " (commit ")],
    );
    output.expect(0, &[", features: contract idp)"]);
    assert_eq!(run(&["-V"], &[]).stdout, output.stdout);
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn the_commit_of_a_checkout_is_read_without_git() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    assert_eq!(build_script::commit_of_checkout(root), None);
    write(root, ".git/HEAD", "ref: refs/heads/main\n");
    assert_eq!(
        build_script::commit_of_checkout(root),
        None,
        "no commit yet"
    );
    let packed = format!(
        "# pack-refs\n{} refs/heads/domain\n{COMMIT} refs/heads/main\n",
        "f".repeat(40)
    );
    write(root, ".git/packed-refs", &packed);
    assert_eq!(build_script::commit_of_checkout(root).unwrap(), COMMIT);
    let newer = "a".repeat(40);
    write(root, ".git/refs/heads/main", &format!("{newer}\n"));
    assert_eq!(build_script::commit_of_checkout(root).unwrap(), newer);
    write(root, ".git/HEAD", COMMIT);
    assert_eq!(build_script::commit_of_checkout(root).unwrap(), COMMIT);
}

#[test]
fn the_commit_of_a_worktree_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "main/.git/worktrees/w/HEAD", "ref: refs/heads/w\n");
    write(root, "main/.git/worktrees/w/commondir", "../..\n");
    write(root, "main/.git/refs/heads/w", COMMIT);
    write(root, "w/.git", "gitdir: ../main/.git/worktrees/w\n");
    let commit = build_script::commit_of_checkout(&root.join("w"));
    assert_eq!(commit.unwrap(), COMMIT);
}

#[test]
fn the_commit_of_a_package_or_an_archive_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let info = format!("{{\n  \"git\": {{\n    \"sha1\": \"{COMMIT}\"\n  }}\n}}");
    write(root, ".cargo_vcs_info.json", &info);
    assert_eq!(build_script::commit_of_package(root).unwrap(), COMMIT);
    write(root, ".git_archival.txt", &format!("node: {COMMIT}\n"));
    let archive = build_script::commit_of_archive(root).unwrap();
    assert_eq!(build_script::abbreviate(&archive).unwrap(), "0123456789ab");
    assert_eq!(build_script::abbreviate("$Format:%H$"), None);
    assert_eq!(build_script::abbreviate("0123456789a"), None);
}
