//! `config/default.toml` documents the configuration: its values are the defaults, and its comments
//! state the range of every number.

use std::collections::BTreeMap;

use bearward::Issuer;

use super::{environment, error, file};

const DEFAULT_TOML: &str = include_str!("../../config/default.toml");

/// The lines of the example issuer, without the first comment sign.
fn example_issuer() -> Vec<&'static str> {
    DEFAULT_TOML
        .lines()
        .skip_while(|line| *line != "# [issuers.example]")
        .take_while(|line| line.starts_with('#'))
        .filter_map(|line| line.strip_prefix("# "))
        .collect()
}

/// The comment above each key, by the path of the key.
fn comments(lines: &[&str]) -> BTreeMap<String, String> {
    let (mut comments, mut section, mut comment) = (BTreeMap::new(), "", String::new());
    for line in lines {
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            section = name;
            comment.clear();
        } else if let Some(text) = line.strip_prefix("# ") {
            comment.push_str(text);
            comment.push(' ');
        } else if let Some((key, _)) = line.split_once(" = ") {
            comments.insert(format!("{section}.{key}"), std::mem::take(&mut comment));
        } else {
            comment.clear();
        }
    }
    comments
}

/// The range in the message for a value that is out of bounds, such as `1s to 7days`. `None` if
/// the key has no range.
fn enforced_range(path: &str) -> Option<String> {
    let variable = format!("BEARWARD_{}", path.to_uppercase().replace('.', "__"));
    ["99999999h", "99999999GiB", "99999999999"]
        .into_iter()
        .find_map(|value| {
            let mut variables = vec![(variable.as_str(), value)];
            if path.starts_with("issuers.") {
                variables.extend([
                    (
                        "BEARWARD_ISSUERS__EXAMPLE__ISSUER",
                        "https://idp.example.com",
                    ),
                    ("BEARWARD_ISSUERS__EXAMPLE__AUDIENCES", "api"),
                ]);
            }
            let message = environment(&variables).err()?;
            let line = message.lines().find(|line| line.contains(&variable))?;
            let range = line
                .split_once("; it must be from ")
                .or_else(|| line.split_once("; write a whole number from "))?;
            Some(range.1.to_owned())
        })
}

#[test]
fn the_comment_of_each_number_states_the_enforced_range() {
    let mut all = comments(&DEFAULT_TOML.lines().collect::<Vec<_>>());
    all.extend(comments(&example_issuer()));
    let mut ranges = 0;
    for (path, comment) in &all {
        let documented = comment
            .split_once("Range: ")
            .and_then(|(_, range)| range.split_once('.'))
            .map(|(range, _)| range.to_owned());
        assert_eq!(documented, enforced_range(path), "{path}: {comment}");
        ranges += usize::from(documented.is_some());
    }
    assert_eq!(ranges, 40, "{all:#?}");
}

#[test]
fn the_library_enforces_the_same_bounds() {
    for (key, range) in [
        ("jwks.max_stale", bearward::JwksCacheConfig::MAX_STALE),
        (
            "jwks.connect_timeout",
            bearward::JwksCacheConfig::CONNECT_TIMEOUT,
        ),
        ("issuers.example.leeway", Issuer::LEEWAY),
    ] {
        let [min, max] =
            [range.min, range.max].map(|bound| humantime::format_duration(bound).to_string());
        assert_eq!(
            enforced_range(key),
            Some(format!("{min} to {max}")),
            "{key}"
        );
    }
}

#[test]
fn the_example_issuer_shows_the_defaults() {
    let lines: Vec<_> = example_issuer()
        .into_iter()
        .filter(|line| !line.starts_with('#'))
        .collect();
    let config = file(&lines.join("\n")).expect("a valid example");
    let example = config.issuers["example"].clone();
    let keys = example.key_source().clone();
    let expected = Issuer::new("https://idp.example.com/", "https://api.example.com")
        .map(|issuer| issuer.name("example").keys(keys));
    assert_eq!(Ok(example), expected);
    assert!(error(file("[issuers.example]\nissuer = 'https://a'")).contains("audiences"));
}
