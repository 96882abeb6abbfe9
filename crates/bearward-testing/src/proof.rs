//! Proofs of possession (`DPoP`, RFC 9449), valid and invalid.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use bearward::{Algorithm, Clock, SystemClock, Timestamp};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::signing::{KeyPair, Token, encode};

/// The key of a client, which access tokens are bound to and which signs proofs.
///
/// ```
/// use bearward::{Bearward, DpopConfig, DpopMode, RequestHead};
/// use bearward_testing::{MockIdp, ProofKey};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let idp = MockIdp::offline();
/// let auth = Bearward::builder()
///     .issuer(idp.as_issuer().dpop(DpopMode::Required))
///     .dpop(DpopConfig::default().base_url("https://api.example.com".parse()?))
///     .build()
///     .await?;
///
/// let key = ProofKey::generate();
/// let token = idp.token().bound_to(&key).sign();
/// let proof = key.proof("GET", "https://api.example.com/orders").for_token(&token).sign();
/// let authorization = format!("DPoP {token}");
/// let headers = [("authorization", authorization.as_str()), ("dpop", proof.as_str())];
/// assert!(auth.authenticate(&RequestHead::new("GET", "/orders", headers)).await.is_ok());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct ProofKey(KeyPair);

impl ProofKey {
    /// Generates an ES256 key.
    pub fn generate() -> Self {
        Self(KeyPair::generate(Algorithm::ES256))
    }

    /// Returns a key for `algorithm` that no other caller of this process holds.
    pub fn with_algorithm(algorithm: Algorithm) -> Self {
        Self(KeyPair::cached_with(algorithm))
    }

    /// Returns the public key as in the header of a proof: only the members that its thumbprint
    /// consists of.
    pub fn jwk(&self) -> Map<String, Value> {
        let mut jwk = self.0.jwk();
        jwk.retain(|name, _| matches!(name.as_str(), "kty" | "crv" | "x" | "y" | "n" | "e"));
        jwk
    }

    /// Returns the thumbprint of the key (RFC 7638), the value of `cnf.jkt`.
    pub fn thumbprint(&self) -> String {
        let members: BTreeMap<String, Value> = self.jwk().into_iter().collect();
        let json = serde_json::to_vec(&members).expect("a map of strings can be serialized");
        sha256(&json)
    }

    /// Returns a builder for a proof that belongs to a request without an access token, such as a
    /// token request.
    pub fn proof(&self, method: &str, url: &str) -> ProofBuilder {
        let now = SystemClock::new().now();
        let header = json!({
            "typ": "dpop+jwt", "alg": self.0.algorithm().name(), "jwk": self.jwk(),
        });
        let claims = json!({
            "jti": Uuid::new_v4().to_string(), "htm": method, "htu": url, "iat": now.unix(),
        });
        ProofBuilder {
            key: self.0.clone(),
            header: header.as_object().cloned().unwrap_or_default(),
            claims: claims.as_object().cloned().unwrap_or_default(),
        }
    }
}

/// Builds a proof. [`sign`](Self::sign) produces a valid one, [`forged`](Self::forged) invalid ones.
#[derive(Debug, Clone)]
#[must_use]
pub struct ProofBuilder {
    key: KeyPair,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl ProofBuilder {
    /// Sets `ath` to the hash of an access token.
    pub fn for_token(self, token: &str) -> Self {
        let hash = sha256(token.as_bytes());
        self.claim("ath", hash)
    }

    /// Sets `nonce`.
    pub fn nonce(self, nonce: &str) -> Self {
        self.claim("nonce", nonce)
    }

    /// Sets `iat`.
    pub fn issued_at(self, at: Timestamp) -> Self {
        self.claim("iat", at.unix())
    }

    /// Sets any claim.
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    /// Removes a claim.
    pub fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Sets any header parameter.
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// Removes a header parameter.
    pub fn without_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    /// Signs the proof.
    pub fn sign(self) -> String {
        Token::new(&self.header, &self.claims).sign(&self.key)
    }

    /// Produces an invalid proof of one of the kinds in [`PROOF_FORGERIES`]. Returns `None` for an
    /// unknown name.
    pub fn forged(self, name: &str) -> Option<String> {
        const HOUR: i64 = 3600;
        let iat = self.claims.get("iat").and_then(Value::as_i64);
        let shifted = |by: i64| {
            self.clone()
                .claim("iat", iat.unwrap_or_default() + by)
                .sign()
        };
        let token = Token::new(&self.header, &self.claims);
        Some(match name {
            "tampered" => {
                let mut claims = self.claims.clone();
                claims.insert("jti".to_owned(), Uuid::new_v4().to_string().into());
                let signature = token.sign(&self.key);
                let signature = signature.rsplit('.').next()?.to_owned();
                format!("{}.{signature}", Token::new(&self.header, &claims).signed())
            }
            "signed_by_another_key" => token.sign(&KeyPair::foreign_key(&self.key)),
            "another_key" => {
                let foreign = ProofKey(KeyPair::foreign_key(&self.key));
                let header = self.clone().header("jwk", foreign.jwk()).header;
                Token::new(&header, &self.claims).sign(&foreign.0)
            }
            "alg_none" => self.clone().header("alg", "none").unsigned(),
            "stripped_signature" => token.unsigned(),
            "hmac_with_public_key" => {
                let (_, pem) = self.key.public_encodings().swap_remove(0);
                let header = self.clone().header("alg", "HS256").header;
                Token::new(&header, &self.claims).sign_hmac(&pem)
            }
            "symmetric_key" => {
                let secret = [7; 32];
                let jwk = json!({ "kty": "oct", "k": encode(&secret) });
                let header = self
                    .clone()
                    .header("alg", "HS256")
                    .header("jwk", jwk)
                    .header;
                Token::new(&header, &self.claims).sign_hmac(&secret)
            }
            "private_key" => {
                let mut jwk = self.header.get("jwk")?.as_object()?.clone();
                jwk.insert("d".to_owned(), encode(&[1; 32]).into());
                self.header("jwk", jwk).sign()
            }
            "no_key" => self.without_header("jwk").sign(),
            "no_typ" => self.without_header("typ").sign(),
            "wrong_typ" => self.header("typ", "JWT").sign(),
            "critical_extension" => self.header("crit", json!(["exp"])).sign(),
            "no_jti" => self.without("jti").sign(),
            "no_htm" => self.without("htm").sign(),
            "no_htu" => self.without("htu").sign(),
            "no_iat" => self.without("iat").sign(),
            "no_ath" => self.without("ath").sign(),
            "wrong_method" => self.claim("htm", "TRACE").sign(),
            "wrong_host" => self.claim("htu", "https://attacker.example/").sign(),
            "wrong_path" => {
                let htu = self.claims.get("htu").and_then(Value::as_str);
                let htu = format!("{}/other", htu.unwrap_or_default().trim_end_matches('/'));
                self.claim("htu", htu).sign()
            }
            "wrong_token" => self.for_token("another token").sign(),
            "too_old" => shifted(-HOUR),
            "in_future" => shifted(HOUR),
            _ => return None,
        })
    }

    fn unsigned(self) -> String {
        Token::new(&self.header, &self.claims).unsigned()
    }
}

/// The names of the forgeries that [`ProofBuilder::forged`] produces. Each violates one rule of RFC
/// 9449 §4.3 and is valid otherwise.
pub const PROOF_FORGERIES: [&str; 23] = [
    "tampered",
    "signed_by_another_key",
    "another_key",
    "alg_none",
    "stripped_signature",
    "hmac_with_public_key",
    "symmetric_key",
    "private_key",
    "no_key",
    "no_typ",
    "wrong_typ",
    "critical_extension",
    "no_jti",
    "no_htm",
    "no_htu",
    "no_iat",
    "no_ath",
    "wrong_method",
    "wrong_host",
    "wrong_path",
    "wrong_token",
    "too_old",
    "in_future",
];

fn sha256(bytes: &[u8]) -> String {
    encode(digest(&SHA256, bytes).as_ref())
}
