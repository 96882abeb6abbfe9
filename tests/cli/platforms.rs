//! `bearward serve` with the environment variables that platforms set.

use crate::{
    bearward,
    process::{TestProcess, get},
};

/// Starts a server on a free port with these variables, and returns it with its URL.
fn serve(variables: &[(&str, &str)]) -> (TestProcess, String) {
    let variables = [&[("SUPABASE_URL", "http://127.0.0.1:1")], variables].concat();
    let server = TestProcess::start(bearward(&["serve", "--bind", "127.0.0.1:0"], &variables));
    let line = server.line(" serves ");
    let address = line
        .split("address=")
        .nth(1)
        .and_then(|rest| rest.split(' ').next())
        .expect("an address");
    let api = format!("http://{address}");
    (server, api)
}

#[tokio::test]
async fn kubernetes_services_named_bearward_are_no_configuration() {
    let (server, api) = serve(&[
        ("KUBERNETES_SERVICE_HOST", "10.96.0.1"),
        ("BEARWARD_SERVICE_HOST", "10.96.7.1"),
        ("BEARWARD_SERVICE_PORT", "8000"),
        ("BEARWARD_SERVICE_PORT_HTTP", "8000"),
        ("BEARWARD_PORT", "tcp://10.96.7.1:8000"),
        ("BEARWARD_PORT_8000_TCP", "tcp://10.96.7.1:8000"),
        ("BEARWARD_PORT_8000_TCP_PROTO", "tcp"),
        ("BEARWARD_PORT_8000_TCP_PORT", "8000"),
        ("BEARWARD_PORT_8000_TCP_ADDR", "10.96.7.1"),
    ]);
    assert_eq!(get(&format!("{api}/livez")).await.status, 200);
    let output = server.output();
    assert!(!output.contains("BEARWARD_"), "{output}");
}

/// The variables of `deploy/secrets.mjs` and of `examples/ci_pytest`, exported into the shell.
#[tokio::test]
async fn other_variables_with_the_prefix_are_no_configuration() {
    let (server, api) = serve(&[
        ("BEARWARD_IMAGE", "registry.example.com/bearward:1"),
        ("BEARWARD_DB_PASSWORD", "hunter2"),
        ("BEARWARD_VAULT_KEYS", "compose:c2VjcmV0"),
    ]);
    assert_eq!(get(&format!("{api}/livez")).await.status, 200);
    let output = server.output();
    assert!(
        output.contains("warning: BEARWARD_VAULT_KEYS is not used"),
        "{output}"
    );
    for hidden in ["c2VjcmV0", "hunter2", "BEARWARD_IMAGE"] {
        assert!(!output.contains(hidden), "{output}");
    }
}
