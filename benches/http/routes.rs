//! P1, P2 and P5: what a request costs on each route, and on the server of the release binary.

use std::{env, fs, path::PathBuf, process::Command, time::Instant};

use base64_simd::URL_SAFE_NO_PAD;
use tempfile::TempDir;

use crate::{
    Plan,
    load::Case,
    process::{self, Process},
    server,
    support::{Bench, ISSUER, split},
    table,
};

/// Token files, and the published key.
pub struct Ground {
    dir: TempDir,
}

impl Ground {
    pub fn new(bench: &Bench, plan: &Plan) -> Self {
        let ground = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        fs::write(ground.file("jwks"), bench.jwks()).unwrap();
        let mut many: Vec<String> = (0..plan.tokens).map(|n| bench.token(n)).collect();
        fastrand::Rng::with_seed(7).shuffle(&mut many);
        let one = bench.token(1);
        let (signed, _) = split(&one);
        ground.write(
            "bad-signature",
            &[format!(
                "{signed}.{}",
                URL_SAFE_NO_PAD.encode_to_string(vec![1_u8; 256])
            )],
        );
        ground.write("malformed", &[format!("{one}=")]);
        // Signed by the right key, so that only the key id is wrong.
        let flood: Vec<String> = (0..plan.tokens.min(2000))
            .map(|n| bench.token_with_kid(n, &format!("made-up-{n}")))
            .collect();
        ground.write("unknown-kid", &flood);
        ground.write("one", &[one]);
        ground.write("many", &many);
        ground
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
        let refused = matches!(tokens, "bad-signature" | "malformed" | "unknown-kid")
            && path != "/none"
            && path != "/livez";
        Case {
            name,
            server,
            path,
            tokens: self.file(tokens),
            refused,
        }
    }
}

pub fn compare(ground: &Ground, plan: &Plan) {
    let mut command = Command::new(env::current_exe().unwrap());
    let server = Process::announced(
        command.arg(server::COMMAND).arg(ground.file("jwks")),
        "listens on ",
    );
    let case = |name, path, tokens| ground.case(&server, name, path, tokens);
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
            case("signature check alone", "/rsa", "one"),
            "signature check alone",
        ),
        (
            case("bearward, cache off", "/off", "one"),
            "signature check alone",
        ),
        (
            case("jsonwebtoken decode", "/decode", "one"),
            "signature check alone",
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
            case("signature check alone", "/rsa", "many"),
            "signature check alone",
        ),
        (
            case("bearward, cache off", "/off", "many"),
            "signature check alone",
        ),
    ];
    table::run(
        &format!("{} tokens in turn", plan.tokens),
        &many,
        plan.rounds,
        plan.seconds,
    );
    let refused = [
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
    table::run("Refusals", &refused, plan.rounds, plan.seconds);
}

/// The whole server: its log (to /dev/null), its metrics, its middleware, which both rows pay for.
pub fn compare_serve(ground: &Ground, plan: &Plan) {
    let address = process::free_address();
    let mut command = process::serve(address, ISSUER);
    command
        .env("BEARWARD_ISSUERS__BENCH__JWKS_FILE", ground.file("jwks"))
        .env("BEARWARD_TOKENS__CACHE_ENTRIES", "40000");
    let server = Process::told(command.env("BEARWARD_SERVER__WORKERS", "1"), address);
    server.first_ok(
        "/protected",
        fs::read_to_string(ground.file("one")).unwrap().trim(),
        Instant::now(),
    );
    let case = |name, path, tokens| ground.case(&server, name, path, tokens);
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
