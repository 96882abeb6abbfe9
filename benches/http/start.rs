//! P7: from the start of `bearward serve` to its first 200, with a local `bearward idp`.

use std::{process::Command, time::Instant};

use crate::{
    Plan,
    process::{self, Process},
    table::Spread,
};

pub fn measure(plan: &Plan) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bearward"));
    let idp = Process::announced(
        command
            .env_clear()
            .current_dir("/")
            .args(["idp", "--bind", "127.0.0.1:0"]),
        "http://",
    );
    let order = "POST /admin/tokens HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    let answer = process::exchange(idp.address, order).expect("the IdP mints");
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    let minted: serde_json::Value =
        serde_json::from_str(body).unwrap_or_else(|_| panic!("no token: {answer}"));
    let (token, issuer) = (
        minted["access_token"].as_str().unwrap(),
        minted["claims"]["iss"].as_str().unwrap(),
    );
    let starts = (0..plan.rounds.max(3) * 3).map(|_| {
        let address = process::free_address();
        let since = Instant::now();
        let server = Process::told(&mut process::serve(address, issuer), address);
        let open = server.first_ok("/livez", "none", since);
        [open, server.first_ok("/protected", token, since)].map(|took| took.as_secs_f64() * 1e3)
    });
    let starts: Vec<[f64; 2]> = starts.collect();
    println!(
        "\n## Start of `bearward serve` beside `bearward idp`, {} starts\n\n| until | ms: median (min–max) |\n|---|---|",
        starts.len()
    );
    for (place, name) in ["/livez", "/protected"].into_iter().enumerate() {
        let spread = Spread::of(starts.iter().map(|start| start[place]));
        println!(
            "| the first 200 of {name} | {:.1} ({:.1}–{:.1}) |",
            spread.median, spread.min, spread.max
        );
    }
}
