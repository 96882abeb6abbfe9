//! Replays the fuzz corpus through the checks of the fuzz targets.

use std::{fs, path::Path};

#[path = "../../../../fuzz/checks.rs"]
mod checks;

fn replay(target: &str, check: fn(&[u8])) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target);
    let mut files: Vec<_> = fs::read_dir(&dir)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    assert!(
        files.len() >= 10,
        "the corpus is missing in {}",
        dir.display()
    );
    for file in files {
        // Shown only if the check panics.
        println!("{}", file.display());
        check(&fs::read(file).unwrap());
    }
}

#[test]
fn the_token_corpus_passes() {
    replay("token", |input| {
        checks::token(input);
    });
}

/// Ensures that the checks of the token target also cover accepted tokens.
#[test]
fn the_signed_tokens_of_the_fuzz_corpus_are_accepted() {
    for token in checks::SIGNED {
        assert!(checks::token(token.as_bytes()), "{token}");
    }
    let payload =
        r#"{"iss":"https://idp.example","sub":"u","aud":"authenticated","exp":1800000001}"#;
    assert!(checks::token(
        format!("{{\"alg\":\"EdDSA\",\"kid\":\"signer\"}}\n{payload}").as_bytes()
    ));
    assert!(!checks::token(
        format!("{{\"alg\":\"EdDSA\",\"kid\":\"another\"}}\n{payload}").as_bytes()
    ));
}

#[test]
fn the_jwks_corpus_passes() {
    replay("jwks", checks::jwks);
}

#[test]
fn the_authorization_corpus_passes() {
    replay("authorization", checks::authorization);
}
