//! `bearward idp`: the printed lines are all that a test in another language needs.

use std::net::TcpListener;

use crate::{
    bearward,
    child::{Running, client, get, send},
    run,
};

fn start(more: &[&str]) -> (Running, String) {
    let idp = Running::start(bearward(&[&["idp", "--bind", "127.0.0.1:0"], more].concat(), &[]));
    idp.line("Ctrl-C stops it");
    let printed = idp.output();
    (idp, printed)
}

/// What stands behind a printed name.
fn named<'a>(printed: &'a str, name: &str) -> &'a str {
    printed.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name} in {printed}")).trim()
}

#[tokio::test]
async fn what_it_prints_is_where_it_is() {
    let (_idp, printed) = start(&[]);
    assert!(printed.starts_with("development only"), "{printed}");
    let (issuer, keys) = (named(&printed, "issuer"), named(&printed, "keys"));
    assert_eq!(get(&format!("{issuer}/.well-known/openid-configuration")).await.json()["issuer"], issuer);
    assert_eq!(get(keys).await.json()["keys"].as_array().unwrap().len(), 1);
    let tokens = printed.lines().find_map(|line| line.trim().strip_prefix("curl -s -X POST ")).expect("a line for a token");
    let answer = send(client().post(tokens)).await.json();
    assert_eq!(answer["claims"]["aud"], named(&printed, "audience"));
    let page = printed.lines().find_map(|line| line.trim().strip_prefix("curl -s http")).expect("a line for the page");
    assert!(get(&format!("http{page}")).await.body.contains("/admin/faults"));
}

#[tokio::test]
async fn a_server_trusts_it_by_the_printed_variable() {
    let (_idp, printed) = start(&["--alg", "ES256"]);
    let base = printed.lines().find_map(|line| line.trim().strip_prefix("SUPABASE_URL=")).expect("a line for a server");
    let base = base.split(' ').next().unwrap();
    run(&["check"], &[("SUPABASE_URL", base)]).expect(0, &["keys fetched"]);
}

#[test]
fn a_signal_ends_it_well() {
    for signal in ["TERM", "INT"] {
        let (idp, _) = start(&[]);
        let (status, _, output) = idp.stop(signal);
        assert_eq!(status.code(), Some(0), "{output}");
    }
}

#[test]
fn a_taken_port_is_answered_with_how_to_take_another() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    run(&["idp", "--bind", &address], &[]).expect(1, &[&address, "bearward idp --bind 127.0.0.1:PORT"]);
}

#[test]
fn an_address_that_other_machines_reach_is_refused_unless_it_is_called_dangerous() {
    run(&["idp", "--bind", "0.0.0.0:0"], &[]).expect(2, &["other machines", "127.0.0.1", "--dangerous-allow-remote"]);
    let command = bearward(&["idp", "--bind", "0.0.0.0:0", "--dangerous-allow-remote", "--base", "http://idp:9999"], &[]);
    assert!(Running::start(command).line("issuer").ends_with(" http://idp:9999/auth/v1"));
    run(&["idp", "--bind", "127.0.0.1:0", "--base", "idp:9999"], &[]).expect(2, &["idp:9999", "http://HOST:PORT"]);
}
