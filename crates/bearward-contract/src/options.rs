//! Options of a run, and progress notifications.

use std::{fmt, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use bearward::Algorithm;
use serde_json::{Map, Value};

use super::profile::Profile;

/// Options of a run.
///
/// The default runs every case that is not strict, with the mock IdP on a free port of 127.0.0.1.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct Options {
    /// The address on which the mock IdP listens. Port 0 selects a free port.
    pub issuer_bind: SocketAddr,
    /// `http://host:port` at which the target reaches the IdP. Derived from `issuer_bind` if unset.
    pub issuer_base: Option<String>,
    /// Allows an `issuer_bind` that other machines can reach. They can then read the public test
    /// keys.
    pub dangerous_allow_remote: bool,
    /// The `aud` of valid tokens.
    pub audience: String,
    /// The algorithms that the target accepts. If empty, the suite detects them; if set, all others
    /// must be rejected.
    pub algorithms: Vec<Algorithm>,
    /// Claims that are added to those of a Supabase access token or replace them; `null` removes a
    /// claim.
    pub claims: Map<String, Value>,
    /// Whether the target lists `Ed25519` (RFC 9864), the other name of `EdDSA` with an Ed25519 key.
    pub ed25519: bool,
    /// The client to which the target restricts tokens: the `client_id` of valid tokens. Tokens of
    /// other clients must then be rejected.
    pub client_id: Option<String>,
    /// A claim and the value that the target requires. Tokens with other values must then be
    /// rejected.
    pub required_claim: Option<(String, Value)>,
    /// The claim with the tenant, if the target accepts the issuers `{base}/TENANT/v1` and only the
    /// tenant [`TENANT`](Self::TENANT).
    pub tenant_claim: Option<String>,
    /// Whether the target accepts tokens that are bound to a key with proofs of possession (RFC
    /// 9449), besides bearer tokens. Proofs name the URL of the target without its query.
    pub dpop: bool,
    /// The request header in which the target expects the certificate of the client (RFC 8705), if
    /// it accepts tokens that are bound to one, besides bearer tokens. The target trusts the header
    /// from 127.0.0.1, where the suite is the proxy, and from no other peer.
    ///
    /// The name decides the format: `Client-Cert` as in RFC 9440, `X-Forwarded-Client-Cert` as
    /// Envoy writes it, and percent-encoded PEM otherwise, as in `$ssl_client_escaped_cert` of
    /// nginx.
    pub client_certificate_header: Option<String>,
    /// The folder with the certificates that the suite presents to the TLS listener of an `https`
    /// target (RFC 8705), if it accepts tokens that are bound to one, besides bearer tokens. A folder
    /// without certificates gets new ones. The target requests client certificates, and trusts the
    /// authority `ca.pem` in the folder for them.
    pub client_certificates: Option<PathBuf>,
    /// The PEM file with the authorities that may have issued the certificate of an `https` target.
    /// Those of the system if unset.
    pub target_ca: Option<PathBuf>,
    /// The identity provider whose tokens the tokens of the suite resemble.
    pub profile: Profile,
    /// The `typ` header of valid tokens.
    pub token_type: String,
    /// Also checks challenges, status codes and RFC details.
    pub strict: bool,
    /// Skips the groups that wait for cooldowns and outages.
    pub quick: bool,
    /// Groups or id prefixes to run; all if empty. `control.valid` and `control.no-token` always
    /// run.
    pub only: Vec<String>,
    /// Groups or id prefixes to skip.
    pub exclude: Vec<String>,
    /// How long to wait until the target accepts a valid token.
    pub ready_timeout: Duration,
    /// How long to wait until a target that crashed accepts connections again.
    pub restart_timeout: Duration,
    /// Timeout of one request.
    pub request_timeout: Duration,
    /// The longest time for which the target refuses to fetch the keys again. The default exceeds
    /// the cooldown of common libraries (30 s).
    pub cooldown: Duration,
    /// How long the target may wait after a failed fetch before it tries again.
    pub backoff: Duration,
    /// Timeout of a request that waits for a hanging key endpoint. The default exceeds the fetch
    /// timeout of common libraries (30 s).
    pub slow_request_timeout: Duration,
    /// A command line that starts the target, run with `sh -c` and stopped at the end.
    pub start: Option<String>,
    /// Called before each case.
    pub progress: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
}

/// The progress of a run.
#[derive(Debug, Clone, Copy)]
pub enum Progress {
    /// The suite waits until the target accepts a valid token.
    Waiting,
    /// The target is ready.
    Ready {
        /// The number of cases to run.
        cases: usize,
    },
    /// A case starts.
    Case {
        /// The id of the case.
        id: &'static str,
        /// The number of completed cases.
        done: usize,
    },
}

impl Default for Options {
    fn default() -> Self {
        Self {
            issuer_bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            issuer_base: None,
            dangerous_allow_remote: false,
            audience: "authenticated".to_owned(),
            algorithms: Vec::new(),
            claims: Map::new(),
            ed25519: false,
            client_id: None,
            required_claim: None,
            tenant_claim: None,
            dpop: false,
            client_certificate_header: None,
            client_certificates: None,
            target_ca: None,
            profile: Profile::default(),
            token_type: "JWT".to_owned(),
            strict: false,
            quick: false,
            only: Vec::new(),
            exclude: Vec::new(),
            ready_timeout: Duration::from_secs(60),
            restart_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(10),
            cooldown: Duration::from_secs(31),
            backoff: Duration::from_secs(20),
            slow_request_timeout: Duration::from_secs(35),
            start: None,
            progress: None,
        }
    }
}

impl Options {
    /// The tenant of valid tokens, which is a part of the issuer `{base}/auth/v1`.
    pub const TENANT: &str = "auth";

    /// Whether `only` and `exclude` select the case.
    pub(super) fn is_selected(&self, id: &str) -> bool {
        let matches_any =
            |patterns: &[String]| patterns.iter().any(|pattern| matches_prefix(id, pattern));
        (self.only.is_empty() || matches_any(&self.only)) && !matches_any(&self.exclude)
    }

    /// Whether valid tokens have the type of RFC 9068.
    pub(super) fn has_access_token_type(&self) -> bool {
        let name = self.token_type.to_ascii_lowercase();
        name == "at+jwt" || name == "application/at+jwt"
    }

    pub(super) fn report_progress(&self, progress: Progress) {
        if let Some(callback) = &self.progress {
            callback(progress);
        }
    }
}

/// Whether the id starts with the pattern, in whole segments: `alg.none` matches
/// `alg.none.lower-case`, `alg.no` does not.
pub(super) fn matches_prefix(id: &str, pattern: &str) -> bool {
    id.strip_prefix(pattern.trim_end_matches(['.', '*']))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("issuer_bind", &self.issuer_bind)
            .field("audience", &self.audience)
            .field("algorithms", &self.algorithms)
            .field("strict", &self.strict)
            .field("quick", &self.quick)
            .finish_non_exhaustive()
    }
}
