//! Time from the start of `bearward serve` to its first 200, with a local `bearward idp`.

use std::{process::Command, time::Instant};

use crate::{
    Plan,
    process::{self, Process},
    table::Spread,
};

pub fn measure(plan: &Plan) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bearward"));
    let idp = Process::start(
        command
            .env_clear()
            .current_dir("/")
            .args(["idp", "--bind", "127.0.0.1:0"]),
        "http://",
    );
    let request = "POST /admin/tokens HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    let response = process::exchange(idp.address, request).expect("a response of the IdP");
    let body = response.split_once("\r\n\r\n").unwrap().1;
    let minted: serde_json::Value =
        serde_json::from_str(body).unwrap_or_else(|_| panic!("no token: {response}"));
    let (token, issuer) = (
        minted["access_token"].as_str().unwrap(),
        minted["claims"]["iss"].as_str().unwrap(),
    );
    let starts = (0..plan.rounds.max(3) * 3).map(|_| {
        let address = process::free_address();
        let since = Instant::now();
        let server = Process::start_at(&mut process::serve(address, issuer), address);
        let public = server.wait_for_ok("/livez", "none", since);
        [public, server.wait_for_ok("/protected", token, since)]
            .map(|elapsed| elapsed.as_secs_f64() * 1e3)
    });
    let starts: Vec<[f64; 2]> = starts.collect();
    println!(
        "\n## Start of `bearward serve` beside `bearward idp`, {} starts\n\n| until | ms: median (min–max) |\n|---|---|",
        starts.len()
    );
    for (index, name) in ["/livez", "/protected"].into_iter().enumerate() {
        let spread = Spread::from_values(starts.iter().map(|start| start[index]));
        println!(
            "| the first 200 of {name} | {:.1} ({:.1}–{:.1}) |",
            spread.median, spread.min, spread.max
        );
    }
}
