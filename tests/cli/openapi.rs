//! `bearward openapi`.

use crate::run;

#[test]
fn only_the_document_is_printed() {
    let output = run(&["openapi"], &[]);
    output.expect(0, &["\"openapi\": \"3.1.0\"", "/api/auth/me"]);
    let document: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(output.stderr, "");
}
