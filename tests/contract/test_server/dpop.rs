//! Finds the flaws of requests with a token that is bound to a key (RFC 9449).

use actix_web::{HttpRequest, http::header::HeaderValue};
use aws_lc_rs::digest::{SHA256, digest};
use bearward_testing::encode;
use jsonwebtoken::{DecodingKey, crypto::verify, jwk::Jwk};
use serde_json::Value;

use super::{Flaw, Flaws, Observations, State, now, token::lenient};

/// How far `iat` may differ from the clock.
const MAX_AGE: f64 = 60.0;

/// Returns whether the request has the scheme `DPoP`.
pub(super) fn is_dpop(request: &HttpRequest) -> bool {
    let authorization = request.headers().get("authorization");
    authorization.is_some_and(|value| value.as_bytes().to_ascii_lowercase().starts_with(b"dpop "))
}

/// Returns the flaws of a token with those of its proof.
pub(super) fn analyze(
    state: &State,
    request: &HttpRequest,
    token: Option<&str>,
    mut flaws: Flaws,
    found: &mut Observations,
) -> Flaws {
    let proofs: Vec<&str> = request
        .headers()
        .get_all("dpop")
        .filter_map(|value: &HeaderValue| value.to_str().ok())
        .collect();
    if !is_dpop(request) {
        if !proofs.is_empty() && flaws.remove("claims.cnf") {
            flaws.insert("dpop.bearer");
        }
        return flaws;
    }
    let token = token.unwrap_or_default();
    let claims = lenient(token.split('.').nth(1).unwrap_or_default());
    flaws.remove("claims.cnf");
    let jkt = claims["cnf"]["jkt"].as_str();
    if jkt.is_none() {
        flaws.insert("dpop.unbound");
    }
    match proofs.as_slice() {
        [] => drop(flaws.insert("dpop.no-proof")),
        [proof, others @ ..] => {
            if !others.is_empty() {
                flaws.insert("dpop.two-proofs");
            }
            let url = format!("http://{}{}", host(request), request.path());
            let proof = Proof::parse(proof);
            flaws.extend(proof.flaws(request.method().as_str(), &url, token, jkt));
            if flaws.is_empty() {
                let id = format!("{} {}", proof.header["jwk"], proof.claims["jti"]);
                if state.used_proofs.lock().unwrap().insert(id) {
                    found.traits.insert(proof.property(request, &url));
                } else {
                    flaws.insert("dpop.replay");
                }
            }
        }
    }
    flaws
}

fn host(request: &HttpRequest) -> String {
    request.connection_info().host().to_owned()
}

struct Proof {
    header: Value,
    claims: Value,
    signed: String,
    signature: String,
}

impl Proof {
    fn parse(text: &str) -> Self {
        let mut parts = text.split('.');
        let mut part = || parts.next().unwrap_or_default();
        let (header, claims, signature) = (part(), part(), part());
        Self {
            header: lenient(header),
            claims: lenient(claims),
            signed: format!("{header}.{claims}"),
            signature: signature.to_owned(),
        }
    }

    fn flaws(&self, method: &str, url: &str, token: &str, jkt: Option<&str>) -> Flaws {
        let claim = |name: &str| self.claims[name].as_str();
        let age = self.claims["iat"].as_f64().map(|iat| now() - iat);
        let htu = claim("htu").map(|htu| htu.split('?').next().unwrap_or_default());
        let htu = htu.map(str::to_ascii_lowercase);
        let (host_end, url) = (url.rfind('/').unwrap_or(0), url.to_ascii_lowercase());
        let checks: [(bool, Flaw); 14] = [
            (self.header["typ"].is_null(), "dpop.typ.missing"),
            (self.header["typ"] == "JWT", "dpop.typ.jwt"),
            (!self.header["crit"].is_null(), "dpop.crit"),
            (claim("jti").is_none(), "dpop.jti.missing"),
            (claim("htm").is_none(), "dpop.htm.missing"),
            (
                claim("htm").is_some_and(|htm| htm != method),
                "dpop.htm.other",
            ),
            (htu.is_none(), "dpop.htu.missing"),
            (
                htu.as_deref()
                    .is_some_and(|htu| !htu.starts_with(&url[..host_end])),
                "dpop.htu.host",
            ),
            (
                htu.as_deref()
                    .is_some_and(|htu| htu.starts_with(&url[..host_end]) && htu != url),
                "dpop.htu.path",
            ),
            (age.is_none(), "dpop.iat.missing"),
            (age.is_some_and(|age| age > MAX_AGE), "dpop.iat.past"),
            (age.is_some_and(|age| age < -MAX_AGE), "dpop.iat.future"),
            (claim("ath").is_none(), "dpop.ath.missing"),
            (
                claim("ath").is_some_and(|ath| ath != sha256(token.as_bytes())),
                "dpop.ath.other",
            ),
        ];
        let checks = checks.into_iter().filter(|(is_flaw, _)| *is_flaw);
        let flaws = checks.map(|(_, flaw)| flaw);
        flaws.chain(self.key_flaw(jkt)).collect()
    }

    /// Returns the flaw of the key or the signature.
    fn key_flaw(&self, jkt: Option<&str>) -> Option<Flaw> {
        let jwk = &self.header["jwk"];
        match self.header["alg"].as_str() {
            Some("none") => return Some("dpop.alg.none"),
            Some("HS256") if jwk["kty"] == "oct" => return Some("dpop.key.symmetric"),
            Some("HS256") => return Some("dpop.alg.hmac"),
            _ => {}
        }
        if jwk.is_null() {
            return Some("dpop.key.missing");
        }
        if self.signature.is_empty() {
            return Some("dpop.signature.empty");
        }
        if !self.is_signed() {
            return Some("dpop.signature.tampered");
        }
        if !jwk["d"].is_null() {
            return Some("dpop.key.private");
        }
        let [crv, kty, x, y] = ["crv", "kty", "x", "y"].map(|name| &jwk[name]);
        let members = format!(r#"{{"crv":{crv},"kty":{kty},"x":{x},"y":{y}}}"#);
        jkt.is_some_and(|jkt| jkt != sha256(members.as_bytes()))
            .then_some("dpop.key.other")
    }

    fn is_signed(&self) -> bool {
        let jwk: Option<Jwk> = serde_json::from_value(self.header["jwk"].clone()).ok();
        let key = jwk.and_then(|jwk| DecodingKey::from_jwk(&jwk).ok());
        let algorithm = jsonwebtoken::Algorithm::ES256;
        key.is_some_and(|key| {
            let result = verify(&self.signature, self.signed.as_bytes(), &key, algorithm);
            result.is_ok_and(|is_valid| is_valid)
        })
    }

    /// Returns the case that a valid proof belongs to.
    fn property(&self, request: &HttpRequest, url: &str) -> Flaw {
        let htu = self.claims["htu"].as_str().unwrap_or_default();
        let age = now() - self.claims["iat"].as_f64().unwrap_or_default();
        let authorization = request.headers().get("authorization");
        if authorization.is_some_and(|value| value.as_bytes().starts_with(b"dpop ")) {
            "dpop.scheme.lower-case"
        } else if htu.contains('?') {
            "dpop.htu.query"
        } else if !request.query_string().is_empty() {
            "dpop.htu.request-query"
        } else if htu != url {
            "dpop.htu.case"
        } else if age > 9.0 {
            "dpop.iat.recent"
        } else if age < -2.0 {
            "dpop.iat.ahead"
        } else {
            "dpop.valid"
        }
    }
}

fn sha256(bytes: &[u8]) -> String {
    encode(digest(&SHA256, bytes).as_ref())
}
