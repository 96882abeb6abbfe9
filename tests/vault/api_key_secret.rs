//! Validation and masking of API keys.

use super::*;

#[test]
fn api_key_has_1_to_4096_bytes() {
    assert_eq!(parse_error(""), ApiKeySecretError::Empty);
    assert_eq!(secret("k").expose(), "k");
    assert_eq!(secret(&"k".repeat(4096)).expose().len(), 4096);
    assert_eq!(parse_error(&"k".repeat(4097)), ApiKeySecretError::TooLong);
}

#[test]
fn all_visible_ascii_is_accepted() {
    let all: String = ('!'..='~').collect();
    assert_eq!(secret(&all).expose(), all);
}

#[test]
fn other_characters_are_rejected_and_not_trimmed() {
    for text in [
        " sk-1",
        "sk-1 ",
        "sk 1",
        "sk-1\n",
        "sk-1\r\n",
        "\tsk-1",
        "sk\u{a0}1",
        " ",
    ] {
        assert_eq!(parse_error(text), ApiKeySecretError::Whitespace, "{text:?}");
    }
    for text in [
        "sk-\u{0}",
        "sk-\u{1b}",
        "sk-\u{7f}",
        "sk-ä",
        "sk\u{2010}1",
        "\u{feff}sk-1",
        "sk-\u{1f600}",
    ] {
        assert_eq!(
            parse_error(text),
            ApiKeySecretError::NotVisibleAscii,
            "{text:?}"
        );
    }
}

#[test]
fn mask_shows_first_8_and_last_4_characters() {
    for (text, masked) in [
        ("sk-abc1200000000000wxyz", "************"),
        ("sk-abc12000000000000wxyz", "sk-abc12...wxyz"),
        ("sk-abc120000000000000wxyz", "sk-abc12...wxyz"),
    ] {
        assert_eq!(secret(text).masked(), masked, "{} characters", text.len());
    }
    assert_eq!(secret(&"k".repeat(4096)).masked(), "kkkkkkkk...kkkk");
}

#[test]
fn short_keys_are_masked_with_12_stars() {
    for length in 1..24 {
        assert_eq!(
            secret(&"k".repeat(length)).masked(),
            "*".repeat(12),
            "{length}"
        );
    }
}

#[test]
fn mask_shows_at_most_half_of_the_key() {
    for length in 1..200 {
        let masked = secret(&"k".repeat(length)).masked();
        assert!(
            masked.matches('k').count() * 2 <= length,
            "{length}: {masked}"
        );
    }
}
