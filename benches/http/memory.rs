//! Resident memory of `bearward serve` after startup, with a full token cache, and after many more
//! distinct tokens.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64_simd::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::{
    Plan,
    process::{self, Process},
    support::ISSUER,
};

const KID: &str = "5f0c2b8e-6a53-4a9f-9df1-0c1f0e6d2b11";

/// Default of `tokens.cache_entries`.
const CACHE_ENTRIES: usize = 10_000;

/// Number of pipelined requests; actix responds in order.
const PIPELINE: usize = 32;

pub fn measure(plan: &Plan) {
    let signer = TokenSigner::new();
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("jwks"), signer.jwks()).unwrap();
    let address = process::free_address();
    let mut command = process::serve(address, ISSUER);
    let server = Process::start_at(
        command.env(
            "BEARWARD_ISSUERS__BENCH__JWKS_FILE",
            dir.path().join("jwks"),
        ),
        address,
    );
    server.wait_for_ok("/livez", "none", Instant::now());
    let after_start = server.rss();
    send(address, &signer, 0..CACHE_ENTRIES);
    let full = server.rss();
    println!("\n## Memory of `bearward serve`, all defaults\n\n| when | RSS, MiB |\n|---|---|");
    println!("| after start, one request | {after_start:.1} |");
    println!(
        "| {CACHE_ENTRIES} distinct tokens of {} bytes | {full:.1} |",
        signer.token(0).len()
    );
    let mut sent = CACHE_ENTRIES;
    while sent < plan.distinct {
        let next = (sent * 4).min(plan.distinct);
        send(address, &signer, sent..next);
        sent = next;
        println!("| {sent} distinct tokens | {:.1} |", server.rss());
    }
}

fn send(address: SocketAddr, signer: &TokenSigner, numbers: std::ops::Range<usize>) {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut responses = vec![0_u8; 64 * 1024];
    let numbers: Vec<usize> = numbers.collect();
    for batch in numbers.chunks(PIPELINE) {
        let request = |&n: &usize| {
            format!(
                "GET /protected HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
                signer.token(n)
            )
        };
        let requests = batch.iter().map(request).collect::<Vec<_>>().concat();
        stream.write_all(requests.as_bytes()).unwrap();
        let (mut filled, mut response_count) = (0, 0);
        while response_count < batch.len() {
            let count = stream.read(&mut responses[filled..]).unwrap();
            assert!(count > 0, "the server closed the connection");
            filled += count;
            response_count = String::from_utf8_lossy(&responses[..filled])
                .matches("\"user_id\"")
                .count();
        }
    }
}

/// Signs tokens of 1 KB with Ed25519: a million RSA signatures would take ten minutes, and memory use
/// is the same.
struct TokenSigner {
    key: Ed25519KeyPair,
    header: String,
    exp: u64,
    padding: String,
}

impl TokenSigner {
    fn new() -> Self {
        Self {
            key: Ed25519KeyPair::generate().unwrap(),
            header: URL_SAFE_NO_PAD
                .encode_to_string(json!({"alg": "EdDSA", "typ": "JWT", "kid": KID}).to_string()),
            exp: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap()
                .as_secs()
                + 86_400,
            padding: "x".repeat(380),
        }
    }

    fn jwks(&self) -> String {
        let x = URL_SAFE_NO_PAD.encode_to_string(self.key.public_key().as_ref());
        json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": KID, "alg": "EdDSA", "use": "sig", "x": x}]}).to_string()
    }

    fn token(&self, n: usize) -> String {
        let claims = json!({
            "iss": ISSUER, "sub": format!("11111111-2222-4333-8444-{n:012}"), "aud": "authenticated", "exp": self.exp,
            "email": format!("user{n}@example.com"), "role": "authenticated", "aal": "aal1",
            "session_id": "0f0e0d0c-0b0a-4908-8706-050403020100", "user_metadata": {"picture": self.padding},
        });
        let signed = format!(
            "{}.{}",
            self.header,
            URL_SAFE_NO_PAD.encode_to_string(claims.to_string())
        );
        let signature = URL_SAFE_NO_PAD.encode_to_string(self.key.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}
