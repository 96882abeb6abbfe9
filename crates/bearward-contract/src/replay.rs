//! How to send a request again: a curl command, and the command that runs one case.

use std::{net::SocketAddr, path::Path};

use super::{
    client_certificate::Presented,
    options::Options,
    target::{BODY_HEADERS, Request},
};

/// The address of the mock IdP that the command line uses by default.
const DEFAULT_BIND: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9999);

/// Returns the command that runs the suite with these options. `--only ID` can be appended.
pub(super) fn command_line(target: &str, options: &Options) -> String {
    let defaults = Options::default();
    let mut words = vec!["bearward".to_owned(), "contract".to_owned()];
    let mut option = |name: &str, value: &str| {
        words.extend([name.to_owned(), quote(value)]);
    };
    option("--target", target);
    if options.issuer_bind != DEFAULT_BIND && options.issuer_bind.port() != 0 {
        option("--issuer-bind", &options.issuer_bind.to_string());
    }
    if let Some(base) = &options.issuer_base {
        option("--issuer-base", base);
    }
    if options.audience != defaults.audience {
        option("--audience", &options.audience);
    }
    let mut algorithms: Vec<&str> = options
        .algorithms
        .iter()
        .map(|algorithm| algorithm.name())
        .collect();
    if options.ed25519 && !algorithms.is_empty() {
        algorithms.push("Ed25519");
    }
    if !algorithms.is_empty() {
        option("--algorithms", &algorithms.join(","));
    }
    for (name, value) in &options.claims {
        option("--claim", &format!("{name}={value}"));
    }
    if let Some(client_id) = &options.client_id {
        option("--client-id", client_id);
    }
    if let Some((name, value)) = &options.required_claim {
        option("--require-claim", &format!("{name}={value}"));
    }
    if let Some(claim) = &options.tenant_claim {
        option("--tenant-claim", claim);
    }
    if let Some(header) = &options.client_certificate_header {
        option("--client-certificate-header", header);
    }
    if let Some(folder) = &options.client_certificates {
        option("--client-certificates", &folder.to_string_lossy());
    }
    if let Some(file) = &options.target_ca {
        option("--target-ca", &file.to_string_lossy());
    }
    if options.profile != defaults.profile {
        option("--profile", options.profile.name());
    }
    if options.token_type != defaults.token_type {
        option("--token-type", &options.token_type);
    }
    if options.cooldown != defaults.cooldown {
        option(
            "--cooldown",
            &humantime::format_duration(options.cooldown)
                .to_string()
                .replace(' ', ""),
        );
    }
    if let Some(start) = &options.start {
        option("--start", start);
    }
    if options.dangerous_allow_remote {
        words.push("--dangerous-allow-remote".to_owned());
    }
    if options.dpop {
        words.push("--dpop".to_owned());
    }
    if options.strict {
        words.push("--strict".to_owned());
    }
    words.join(" ")
}

/// Returns a curl command that sends the request.
pub(super) fn curl(target: &url::Url, options: &Options, request: &Request) -> String {
    let mut words = vec!["curl -i".to_owned()];
    words.extend(tls_options(options, request.presented));
    match request.method.as_str() {
        "GET" => {}
        // The method of a request with --data.
        "POST" if request.body.is_some() => {}
        "HEAD" => words.push("--head".to_owned()),
        method => words.push(format!("-X {method}")),
    }
    for (name, value) in &request.headers {
        let header = [name.as_bytes(), b": ", value].concat();
        words.push(format!("-H {}", quote_bytes(&header)));
    }
    if let Some(body) = request.body {
        for (name, value) in BODY_HEADERS {
            words.push(format!("-H {}", quote(&format!("{name}: {value}"))));
        }
        words.push(format!("--data {}", quote(body)));
    }
    words.push(quote(request.url(target).as_str()));
    words.join(" ")
}

/// Returns the options of curl for the certificates of the target and of the client.
fn tls_options(options: &Options, presented: Presented) -> Vec<String> {
    let file = |option: &str, path: &Path| format!("{option} {}", quote(&path.to_string_lossy()));
    let mut words = Vec::new();
    if let Some(authorities) = &options.target_ca {
        words.push(file("--cacert", authorities));
    }
    if let (Some(folder), Some((certificate, key))) =
        (&options.client_certificates, presented.files())
    {
        words.push(file("--cert", &folder.join(certificate)));
        words.push(file("--key", &folder.join(key)));
    }
    words
}

/// Quotes a word for a POSIX shell, if necessary.
fn quote(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./:@%+,=-".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Quotes bytes that may not be text, for bash and zsh.
fn quote_bytes(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains(char::is_control) => quote(text),
        _ => {
            let escaped: String = bytes
                .iter()
                .map(|byte| match byte {
                    b'\'' | b'\\' => format!("\\{}", char::from(*byte)),
                    b' '..=b'~' => char::from(*byte).to_string(),
                    byte => format!("\\x{byte:02x}"),
                })
                .collect();
            format!("$'{escaped}'")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bearward::Algorithm;

    use super::*;
    use crate::profile::Profile;

    #[test]
    fn the_command_names_only_what_differs_from_the_default() {
        let target = "http://127.0.0.1:3000/protected";
        assert_eq!(
            command_line(target, &Options::default()),
            format!("bearward contract --target {target}")
        );
        let options = Options {
            issuer_bind: "127.0.0.1:9971".parse().unwrap(),
            algorithms: vec![Algorithm::RS256],
            start: Some("node 'server.js'".to_owned()),
            cooldown: Duration::from_secs(61),
            required_claim: Some(("token_use".to_owned(), "access".into())),
            strict: true,
            ..Options::default()
        };
        assert_eq!(
            command_line(target, &options),
            format!(
                "bearward contract --target {target} --issuer-bind 127.0.0.1:9971 --algorithms RS256 \
                 --require-claim 'token_use=\"access\"' --cooldown 1m1s --start 'node '\\''server.js'\\''' --strict"
            )
        );
    }

    #[test]
    fn curl_quotes_headers_for_the_shell() {
        let target = url::Url::parse("http://127.0.0.1:3000/protected").unwrap();
        let request = Request::bare()
            .authorization("Bearer a'b")
            .header("x-raw", [b'a', 0xff, b'\''])
            .query("access_token=x");
        assert_eq!(
            curl(&target, &Options::default(), &request),
            r"curl -i -H 'authorization: Bearer a'\''b' -H $'x-raw: a\xff\'' 'http://127.0.0.1:3000/protected?access_token=x'"
        );
        assert_eq!(
            curl(
                &target,
                &Options::default(),
                &Request::bare().method(reqwest::Method::HEAD)
            ),
            "curl -i --head http://127.0.0.1:3000/protected"
        );
    }

    #[test]
    fn curl_presents_the_certificate_of_the_client() {
        let target = url::Url::parse("https://127.0.0.1:3000/protected").unwrap();
        let options = Options {
            client_certificates: Some("my certificates".into()),
            target_ca: Some("ca.pem".into()),
            ..Options::default()
        };
        let sent = |presented| curl(&target, &options, &Request::bare().presenting(presented));
        assert_eq!(
            sent(Presented::Renewed),
            "curl -i --cacert ca.pem --cert 'my certificates/renewed.pem' --key 'my certificates/client.key' \
             https://127.0.0.1:3000/protected"
        );
        assert_eq!(
            sent(Presented::Nothing),
            "curl -i --cacert ca.pem https://127.0.0.1:3000/protected"
        );
        assert_eq!(
            command_line(target.as_str(), &options),
            "bearward contract --target https://127.0.0.1:3000/protected --client-certificates 'my certificates' \
             --target-ca ca.pem"
        );
    }

    #[test]
    fn curl_sends_the_message_of_an_mcp_client() {
        let target = url::Url::parse("http://127.0.0.1:3000/mcp").unwrap();
        let options = Options::default();
        let sent = |request: Request| curl(&target, &options, &request.for_profile(Profile::Mcp));
        let message = sent(Request::bearer("a"));
        assert!(
            message.starts_with(
                "curl -i -H 'authorization: Bearer a' -H 'content-type: application/json' -H 'accept: application/json, \
                 text/event-stream' --data '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\","
            ),
            "{message}"
        );
        assert!(
            message.ends_with("}}' http://127.0.0.1:3000/mcp"),
            "{message}"
        );
        let plain = sent(Request::bare().plain());
        assert_eq!(plain, "curl -i http://127.0.0.1:3000/mcp");
        let post = sent(Request::bare().method(reqwest::Method::POST));
        assert_eq!(post, "curl -i -X POST http://127.0.0.1:3000/mcp");
    }
}
