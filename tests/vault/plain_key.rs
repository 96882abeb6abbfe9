//! What can be an API key, and how much of it is shown.

use super::*;

#[test]
fn a_key_has_1_to_4096_bytes() {
    assert_eq!(refused(""), ApiKeySecretError::Empty);
    assert_eq!(plain("k").expose(), "k");
    assert_eq!(plain(&"k".repeat(4096)).expose().len(), 4096);
    assert_eq!(refused(&"k".repeat(4097)), ApiKeySecretError::TooLong);
}

#[test]
fn every_visible_ascii_character_can_be_in_a_key() {
    let all: String = ('!'..='~').collect();
    assert_eq!(plain(&all).expose(), all);
}

#[test]
fn nothing_else_can_and_nothing_is_trimmed() {
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
        assert_eq!(refused(text), ApiKeySecretError::Space, "{text:?}");
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
        assert_eq!(refused(text), ApiKeySecretError::NotVisible, "{text:?}");
    }
}

#[test]
fn a_masked_key_shows_its_first_8_and_last_4_characters() {
    for (text, shown) in [
        ("sk-abc1200000000000wxyz", "************"),
        ("sk-abc12000000000000wxyz", "sk-abc12...wxyz"),
        ("sk-abc120000000000000wxyz", "sk-abc12...wxyz"),
    ] {
        assert_eq!(plain(text).masked(), shown, "{} characters", text.len());
    }
    assert_eq!(plain(&"k".repeat(4096)).masked(), "kkkkkkkk...kkkk");
}

#[test]
fn a_short_key_is_12_stars_whatever_its_length() {
    for length in 1..24 {
        assert_eq!(
            plain(&"k".repeat(length)).masked(),
            "*".repeat(12),
            "{length}"
        );
    }
}

#[test]
fn no_mask_shows_more_than_half_of_a_key() {
    for length in 1..200 {
        let masked = plain(&"k".repeat(length)).masked();
        assert!(
            masked.matches('k').count() * 2 <= length,
            "{length}: {masked}"
        );
    }
}
