//! Commands and code in other languages than Rust and TOML.

use std::process::Command;

use serde_json::Value;

use super::{Page, pages};

/// The languages of code blocks, and what checks them.
const LANGUAGES: &[(&str, &str)] = &[
    (
        "console",
        "shell_commands_on_pages_can_be_parsed, commands_on_pages_exist",
    ),
    ("sh", "shell_commands_on_pages_can_be_parsed"),
    ("crontab", "shell_commands_on_pages_can_be_parsed"),
    ("toml", "configurations_and_manifests_on_pages_are_accepted"),
    ("ini", "variables_on_pages_are_configuration_keys"),
    ("json", "json_on_pages_can_be_parsed"),
    (
        "yaml",
        "commands_on_pages_exist; the page names what runs it",
    ),
    ("sql", "the page names the test that runs it"),
    ("python", "the page names the script that runs it"),
    ("ts", "the page names the test that runs it"),
    ("mermaid", "docs/book/build"),
    ("http", "an illustration"),
    ("text", "an illustration"),
    ("rust", "rust_code_on_pages_is_compiled"),
];

#[test]
fn each_language_of_code_blocks_has_a_check() {
    for page in pages() {
        for block in page.blocks() {
            let language = block.info.split([' ', ',']).next().unwrap();
            assert!(
                LANGUAGES.iter().any(|(known, _)| *known == language),
                "{}: {:?}",
                page.path.display(),
                block.info
            );
        }
    }
}

/// Returns the shell commands of a page: the lines behind a prompt with their continuations, and
/// blocks without prompts.
fn shell_commands(page: &Page) -> Vec<String> {
    let mut commands = Vec::new();
    for block in page.blocks() {
        match block.info {
            "console" => {
                let mut continues = false;
                for line in block.lines {
                    let command = line.strip_prefix("$ ").or(continues.then_some(line));
                    continues = command.is_some_and(|command| command.ends_with('\\'));
                    if let Some(command) = command {
                        commands.push(format!("{command}\n"));
                    }
                }
            }
            "sh" => commands.push(block.lines.join("\n")),
            // Five fields, then the command.
            "crontab" => commands.extend(block.lines.iter().map(|line| {
                let fields = line.split_whitespace().skip(5);
                fields.collect::<Vec<_>>().join(" ")
            })),
            _ => {}
        }
    }
    commands
}

#[test]
fn shell_commands_on_pages_can_be_parsed() {
    for page in pages() {
        let script = shell_commands(&page).concat();
        let output = Command::new("bash").args(["-n", "-c", &script]).output();
        let Ok(output) = output else {
            eprintln!("skipped: bash is not installed");
            return;
        };
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && stderr.is_empty(),
            "{}: {stderr}",
            page.path.display()
        );
    }
}

#[test]
fn json_on_pages_can_be_parsed() {
    for page in pages() {
        for block in page.blocks() {
            if block.info.starts_with("json") {
                let text = block.lines.join("\n");
                let parsed = serde_json::from_str::<Value>(&text);
                assert!(
                    parsed.is_ok(),
                    "{}: {parsed:?}: {text}",
                    page.path.display()
                );
            }
        }
    }
}
