//! `bearward openapi`.

use crate::run;

#[test]
fn the_document_is_printed_and_nothing_else() {
    let said = run(&["openapi"], &[]);
    said.expect(0, &["\"openapi\": \"3.1.0\"", "/api/auth/me"]);
    let document: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(said.stderr, "");
}
