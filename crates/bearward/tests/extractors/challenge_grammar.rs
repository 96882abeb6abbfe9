//! The rules of Bearer challenges beyond the grammar of `WWW-Authenticate`.

use bearward_testing::challenge::Challenge;

/// Asserts conformance to RFC 6750 §3, RFC 9470 §3 and RFC 9728 §5.1.
pub fn assert_conformant(challenge: &Challenge) {
    assert_eq!(challenge.scheme, "Bearer");
    assert_eq!(challenge.token68, None);
    assert!(!challenge.parameters.is_empty(), "at least one attribute");
    let known = [
        "realm",
        "error",
        "error_description",
        "scope",
        "acr_values",
        "resource_metadata",
    ];
    for (at, (name, value)) in challenge.parameters.iter().enumerate() {
        assert!(known.contains(&name.as_str()), "unknown attribute {name}");
        assert!(
            !challenge.parameters[..at]
                .iter()
                .any(|(earlier, _)| earlier == name),
            "duplicate attribute {name}"
        );
        let is_allowed = |c: char| match name.as_str() {
            "realm" | "error_description" | "scope" | "acr_values" => {
                matches!(c, ' ' | '!' | '#'..='[' | ']'..='~')
            }
            _ => matches!(c, '!' | '#'..='[' | ']'..='~'),
        };
        assert!(
            value.chars().all(is_allowed),
            "invalid characters in {name}: {value:?}"
        );
    }
    if let Some(scope) = challenge.parameter("scope") {
        assert!(
            scope.split(' ').all(|word| !word.is_empty()),
            "scopes must be separated by one space: {scope:?}"
        );
    }
    assert_eq!(
        challenge.parameter("error").is_some(),
        challenge.parameter("error_description").is_some()
    );
    // Other rejections have it if the route names its scopes.
    assert!(
        challenge.parameter("scope").is_some()
            || challenge.parameter("error") != Some("insufficient_scope")
    );
    assert_eq!(
        challenge.parameter("acr_values").is_some(),
        challenge.parameter("error") == Some("insufficient_user_authentication")
    );
}
