use super::checks::{jwks, mapping, non_empty};
use crate::{
    algorithm::Algorithm,
    issuer::{Issuer, IssuerError},
};

const ISS: &str = "https://kubernetes.default.svc.cluster.local";
const JWKS: &str = "https://kubernetes.default.svc/openid/v1/jwks";
const TOKEN_FILE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

impl Issuer {
    /// Creates the issuer of a Kubernetes cluster's service account tokens, for a service that runs
    /// in the cluster.
    ///
    /// `namespace` is the namespace of the calling pods; a trailing `*` is a prefix. Keys are fetched
    /// from the API server with the pod's own token. The issuer is
    /// `https://kubernetes.default.svc.cluster.local`; managed clusters have their own, see
    /// `kubectl get --raw /.well-known/openid-configuration`. The certificate authority of the API
    /// server is set with `JwksCacheConfig::ca_file`.
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let cluster = Issuer::kubernetes("orders", "prod")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if `audience` or `namespace` is empty.
    ///
    /// # Security
    /// A pod requests any audience (projected volumes), so the audience does not restrict who may
    /// call; that is why `namespace` is required. Restrict service accounts with a rule on `sub`,
    /// such as `system:serviceaccount:prod:billing`.
    pub fn kubernetes(audience: &str, namespace: &str) -> Result<Self, IssuerError> {
        let namespace = non_empty("namespace", namespace)?;
        Self::new(ISS, audience)?
            .name("kubernetes")
            .keys(jwks("namespace", JWKS)?)
            .jwks_token_file(TOKEN_FILE)
            .require_claim("/kubernetes.io/namespace", namespace)?
            .claim_mapping(mapping(&[("tenant", &["/kubernetes.io/namespace"])])?)
            .algorithms([Algorithm::RS256, Algorithm::ES256])
    }
}
