//! CPU time per request on each comparison route, and on `bearward serve`.

use std::{env, fs, path::PathBuf, process::Command, time::Instant};

use base64_simd::URL_SAFE_NO_PAD;
use tempfile::TempDir;

use crate::{
    Plan,
    load::Case,
    process::{self, Process},
    server,
    support::{ISSUER, TokenFixture, split},
    table,
};

/// Token files and the JWKS file.
pub struct Fixture {
    dir: TempDir,
}

impl Fixture {
    pub fn new(tokens: &TokenFixture, plan: &Plan) -> Self {
        let fixture = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        fs::write(fixture.file("jwks"), tokens.jwks()).unwrap();
        let mut many: Vec<String> = (0..plan.tokens).map(|n| tokens.token(n)).collect();
        fastrand::Rng::with_seed(7).shuffle(&mut many);
        let one = tokens.token(1);
        let (signed, _) = split(&one);
        fixture.write(
            "bad-signature",
            &[format!(
                "{signed}.{}",
                URL_SAFE_NO_PAD.encode_to_string(vec![1_u8; 256])
            )],
        );
        fixture.write("malformed", &[format!("{one}=")]);
        // Signed with the valid key, so that only the kid is wrong.
        let unknown_kid: Vec<String> = (0..plan.tokens.min(2000))
            .map(|n| tokens.token_with_kid(n, &format!("made-up-{n}")))
            .collect();
        fixture.write("unknown-kid", &unknown_kid);
        fixture.write("one", &[one]);
        fixture.write("many", &many);
        fixture
    }

    fn write(&self, name: &str, tokens: &[String]) {
        fs::write(self.file(name), tokens.join("\n")).unwrap();
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn case<'a>(
        &self,
        server: &'a Process,
        name: &'a str,
        path: &'a str,
        tokens: &str,
    ) -> Case<'a> {
        let rejected = matches!(tokens, "bad-signature" | "malformed" | "unknown-kid")
            && path != "/none"
            && path != "/livez";
        Case {
            name,
            server,
            path,
            tokens: self.file(tokens),
            rejected,
        }
    }
}

pub fn compare(fixture: &Fixture, plan: &Plan) {
    let mut command = Command::new(env::current_exe().unwrap());
    let server = Process::start(
        command.arg(server::COMMAND).arg(fixture.file("jwks")),
        "listens on ",
    );
    let case = |name, path, tokens| fixture.case(&server, name, path, tokens);
    let one = [
        (
            case("no authentication", "/none", "one"),
            "no authentication",
        ),
        (
            case("bearward, cached", "/cached", "one"),
            "no authentication",
        ),
        (
            case("naive quick_cache", "/quick", "one"),
            "no authentication",
        ),
        (
            case("signature check only", "/rsa", "one"),
            "signature check only",
        ),
        (
            case("bearward, cache off", "/off", "one"),
            "signature check only",
        ),
        (
            case("jsonwebtoken decode", "/decode", "one"),
            "signature check only",
        ),
    ];
    table::run("One token", &one, plan.rounds, plan.seconds);
    let many = [
        (
            case("no authentication", "/none", "many"),
            "no authentication",
        ),
        (
            case("bearward, cached", "/cached", "many"),
            "no authentication",
        ),
        (
            case("naive quick_cache", "/quick", "many"),
            "no authentication",
        ),
        (
            case("signature check only", "/rsa", "many"),
            "signature check only",
        ),
        (
            case("bearward, cache off", "/off", "many"),
            "signature check only",
        ),
    ];
    table::run(
        &format!("{} tokens in turn", plan.tokens),
        &many,
        plan.rounds,
        plan.seconds,
    );
    let rejected = [
        (
            case("accepted, cache off", "/off", "one"),
            "accepted, cache off",
        ),
        (
            case("bad signature", "/cached", "bad-signature"),
            "accepted, cache off",
        ),
        (
            case("unknown kid, 2,000 of them", "/cached", "unknown-kid"),
            "accepted, cache off",
        ),
        (
            case("malformed", "/cached", "malformed"),
            "accepted, cache off",
        ),
        (
            case("jsonwebtoken, bad signature", "/decode", "bad-signature"),
            "accepted, cache off",
        ),
    ];
    table::run("Rejections", &rejected, plan.rounds, plan.seconds);
}

/// Measures the complete server. Every row includes logging (to /dev/null), metrics and middleware.
pub fn compare_serve(fixture: &Fixture, plan: &Plan) {
    let address = process::free_address();
    let mut command = process::serve(address, ISSUER);
    command
        .env("BEARWARD_ISSUERS__BENCH__JWKS_FILE", fixture.file("jwks"))
        .env("BEARWARD_TOKENS__CACHE_ENTRIES", "40000");
    let server = Process::start_at(command.env("BEARWARD_SERVER__WORKERS", "1"), address);
    server.wait_for_ok(
        "/protected",
        fs::read_to_string(fixture.file("one")).unwrap().trim(),
        Instant::now(),
    );
    let case = |name, path, tokens| fixture.case(&server, name, path, tokens);
    let cases = [
        (case("/livez", "/livez", "one"), "/livez"),
        (case("/protected, one token", "/protected", "one"), "/livez"),
        (case("/livez, many tokens", "/livez", "many"), "/livez"),
        (
            case("/protected, many tokens", "/protected", "many"),
            "/livez, many tokens",
        ),
        (
            case("/protected, bad signature", "/protected", "bad-signature"),
            "/livez",
        ),
        (
            case("/protected, unknown kids", "/protected", "unknown-kid"),
            "/livez",
        ),
    ];
    table::run(
        "`bearward serve`, one worker",
        &cases,
        plan.rounds,
        plan.seconds,
    );
}
