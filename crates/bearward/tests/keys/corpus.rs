//! Every file of the fuzz corpus, through the same checks as in `fuzz/`.

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
        "{} is where the corpus lies",
        dir.display()
    );
    for file in files {
        // Printed only when the check panics.
        println!("{}", file.display());
        check(&fs::read(file).unwrap());
    }
}

#[test]
fn the_token_corpus_breaks_nothing() {
    replay("token", |input| {
        checks::token(input);
    });
}

/// Without these the checks of the token target would hold because nothing was ever accepted.
#[test]
fn the_tokens_that_were_signed_for_the_fuzzers_are_accepted() {
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
fn the_key_set_corpus_breaks_nothing() {
    replay("jwks", checks::jwks);
}

#[test]
fn the_authorization_corpus_breaks_nothing() {
    replay("authorization", checks::authorization);
}
