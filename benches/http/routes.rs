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

impl Fixture {
    /// Starts `bearward serve` with one worker and waits until it answers.
    fn serve(&self, cache_entries: &str, rate_limit: &str) -> Process {
        let address = process::free_address();
        let mut command = process::serve(address, ISSUER);
        command
            .env("BEARWARD_ISSUERS__BENCH__JWKS_FILE", self.file("jwks"))
            .env("BEARWARD_TOKENS__CACHE_ENTRIES", cache_entries)
            .env("BEARWARD_RATE_LIMIT__ENABLED", rate_limit)
            .env("BEARWARD_SERVER__WORKERS", "1");
        let log = fs::File::create(self.file("log")).unwrap();
        let server = Process::start_with_log(&mut command, address, log.into());
        let token = fs::read_to_string(self.file("one")).unwrap();
        server.wait_for_ok("/protected", token.trim(), Instant::now());
        server
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

/// Measures the complete server beside bare actix-web: every row of `serve` includes request id, access
/// log (to a file), metrics, security headers, CORS and rate limits.
pub fn compare_serve(fixture: &Fixture, plan: &Plan) {
    let mut command = Command::new(env::current_exe().unwrap());
    let bare = Process::start(
        command.arg(server::COMMAND).arg(fixture.file("jwks")),
        "listens on ",
    );
    let cached = fixture.serve("40000", "true");
    let uncached = fixture.serve("0", "true");
    let unlimited = fixture.serve("0", "false");
    let of_bare = |name, path, tokens| fixture.case(&bare, name, path, tokens);
    let of_serve = |server, name, tokens| fixture.case(server, name, "/protected", tokens);
    let (none, many) = ("bare: no authentication", "bare: the same requests");
    let (check, rejection) = ("bare: signature check", "bare: rejected signature");
    let cases = [
        (of_bare(none, "/none", "one"), none),
        (of_bare("library, cached", "/cached", "one"), none),
        (of_serve(&cached, "serve, cached", "one"), none),
        (of_bare(many, "/none", "many"), many),
        (of_bare("library, many tokens", "/cached", "many"), many),
        (of_serve(&cached, "serve, many tokens", "many"), many),
        (of_bare(check, "/rsa", "one"), check),
        (of_bare("library, cache off", "/off", "one"), check),
        (of_serve(&uncached, "serve, cache off", "one"), check),
        (of_bare(rejection, "/rsa", "bad-signature"), rejection),
        (
            of_bare("library, rejected", "/off", "bad-signature"),
            rejection,
        ),
        (
            of_serve(&unlimited, "serve, rejected with 401", "bad-signature"),
            rejection,
        ),
        (
            of_serve(&uncached, "serve, rejected with 429", "bad-signature"),
            rejection,
        ),
    ];
    table::run(
        &format!("`bearward serve`, one worker, {} tokens", plan.tokens),
        &cases,
        plan.rounds,
        plan.seconds,
    );
}
