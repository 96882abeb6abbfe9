//! An HTTP server with the documents of a provider, and the keys that sign its tokens.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use bearward::Algorithm;
use bearward_testing::{KeyPair, Token};
use serde_json::{Map, Value, json};

/// The token that is required to fetch keys, if one is configured.
pub(super) const FETCH_TOKEN: &str = "token-of-this-pod";

pub(super) struct MockProvider {
    address: SocketAddr,
    keys: BTreeMap<String, KeyPair>,
}

struct Documents {
    by_path: BTreeMap<String, Value>,
    requires_token: bool,
}

impl MockProvider {
    /// Serves a JWK Set with real key material, an empty set before it, and a discovery document of
    /// `issuer`.
    pub(super) async fn start(issuer: &str, jwks: &Value, requires_token: bool) -> Self {
        let mut jwks = jwks.clone();
        let mut keys = BTreeMap::new();
        for (index, jwk) in jwks["keys"].as_array_mut().unwrap().iter_mut().enumerate() {
            let kid = jwk["kid"].as_str().unwrap().to_owned();
            let pair = KeyPair::cached(algorithm(jwk), index).with_kid(kid.clone());
            for (name, material) in pair.jwk() {
                if matches!(name.as_str(), "n" | "x" | "y") {
                    jwk[name] = material;
                }
            }
            keys.insert(kid, pair);
        }
        let (sender, address) = tokio::sync::oneshot::channel();
        let issuer = issuer.to_owned();
        std::thread::spawn(move || {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let discovery = json!({
                "issuer": issuer,
                "authorization_endpoint": format!("{issuer}/authorize"),
                "jwks_uri": format!("http://{address}/jwks/0"),
                "id_token_signing_alg_values_supported": ["RS256"],
            });
            let by_path = [
                ("/jwks/0", &jwks),
                ("/jwks/1", &jwks),
                ("/discovery", &discovery),
            ]
            .map(|(path, document)| (path.to_owned(), document.clone()));
            let documents = Arc::new(Documents {
                by_path: by_path.into(),
                requires_token,
            });
            actix_web::rt::System::new().block_on(async move {
                let app = move || {
                    App::new()
                        .app_data(web::Data::from(Arc::clone(&documents)))
                        .default_service(web::get().to(document))
                };
                let server = HttpServer::new(app).workers(1).listen(listener).unwrap();
                sender.send(address).unwrap();
                server.run().await.unwrap();
            });
        });
        let address = address.await.expect("the server starts");
        Self { address, keys }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Signs a token whose times are current. A token without `kid` is signed by the only key.
    pub(super) fn sign(&self, token: &Value) -> String {
        let object = |value: &Value| -> Map<String, Value> { value.as_object().cloned().unwrap() };
        let (header, mut claims) = (object(&token["header"]), object(&token["claims"]));
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        for (name, value) in [("exp", now + 600), ("iat", now), ("nbf", now)] {
            if claims.contains_key(name) {
                claims.insert(name.to_owned(), value.into());
            }
        }
        let pair = match header.get("kid") {
            Some(kid) => &self.keys[kid.as_str().unwrap()],
            None => self.keys.values().next().expect("a key"),
        };
        Token::new(&header, &claims).sign(pair)
    }
}

/// Returns the algorithm of a JWK, which may have no `alg`.
fn algorithm(jwk: &Value) -> Algorithm {
    let alg = jwk["alg"].as_str().and_then(|alg| alg.parse().ok());
    alg.unwrap_or(match jwk["crv"].as_str() {
        Some("P-256") => Algorithm::ES256,
        Some("P-384") => Algorithm::ES384,
        Some("Ed25519") => Algorithm::EdDSA,
        _ => Algorithm::RS256,
    })
}

async fn document(documents: web::Data<Documents>, request: HttpRequest) -> HttpResponse {
    let expected = format!("Bearer {FETCH_TOKEN}");
    let authorization = request.headers().get("authorization");
    if documents.requires_token
        && authorization.is_none_or(|sent| sent.as_bytes() != expected.as_bytes())
    {
        return HttpResponse::Unauthorized().finish();
    }
    match documents.by_path.get(request.path()) {
        Some(document) => HttpResponse::Ok().json(document),
        None => HttpResponse::NotFound().finish(),
    }
}
