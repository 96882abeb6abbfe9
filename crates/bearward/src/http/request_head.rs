//! The token of a request, independent of the HTTP framework.

use std::net::IpAddr;

use smallvec::SmallVec;

use super::HttpConfig;
use crate::{
    bearward::Bearward,
    client_certificate::ClientCertificate,
    dpop::{ProofRequest, Scheme},
    error::{AuthError, AuthFailure},
    service_key::{Service, is_service_key},
    text::is_token_char,
    verified::Verified,
};

/// The parts of an HTTP request that can carry a token, for frameworks other than actix-web.
///
/// ```
/// use bearward::{AuthFailure, Bearward, RequestHead, Verified};
///
/// /// `headers` are the name and the value of every header field.
/// async fn authenticate(
///     auth: &Bearward,
///     method: &str,
///     headers: &[(String, Vec<u8>)],
/// ) -> Result<Verified, AuthFailure> {
///     let headers = headers.iter().map(|(name, value)| (name, value));
///     auth.authenticate(&RequestHead::new(method, "/orders", headers)).await
/// }
/// ```
///
/// # Security
/// Pass every header field, repeated ones too: a request with two credentials must be rejected.
#[derive(Clone)]
pub struct RequestHead<'r> {
    method: &'r str,
    target: &'r str,
    headers: SmallVec<[(&'r str, &'r [u8]); 16]>,
    client_certificate: Option<ClientCertificate>,
    peer: Option<IpAddr>,
    is_secure: bool,
    authority: Option<&'r str>,
}

/// The token of a request and the scheme that it was sent with.
#[derive(Clone, Copy)]
pub(crate) struct Credential<'r> {
    pub(crate) token: &'r str,
    pub(crate) scheme: Scheme,
}

impl<'r> RequestHead<'r> {
    /// Collects the method, the request target (path and query) and the header fields. Of a target in
    /// absolute form (`http://host/path`, RFC 9112 §3.2.2), scheme and authority are left out.
    ///
    /// The header map of the crate `http` can be passed by reference.
    ///
    /// # Security
    /// Pass the path that the client has sent, with the prefix that a nested router has removed: it
    /// selects the [`ProtectedResource`](crate::ProtectedResource) and with it the audience that the
    /// token must have.
    pub fn new<N, V>(
        method: &'r str,
        target: &'r str,
        headers: impl IntoIterator<Item = (&'r N, &'r V)>,
    ) -> Self
    where
        N: AsRef<str> + ?Sized + 'r,
        V: AsRef<[u8]> + ?Sized + 'r,
    {
        let headers = headers.into_iter();
        Self {
            method,
            target: origin_form(target),
            headers: headers
                .map(|(name, value)| (name.as_ref(), value.as_ref()))
                .collect(),
            client_certificate: None,
            peer: None,
            is_secure: false,
            authority: None,
        }
    }

    /// Sets the certificate with which the client authenticated in mutual TLS (RFC 8705).
    ///
    /// # Security
    /// See [`ClientCertificate`] for where it may come from.
    #[must_use]
    pub fn client_certificate(mut self, certificate: ClientCertificate) -> Self {
        self.client_certificate = Some(certificate);
        self
    }

    /// Sets the address of the peer, and whether the connection uses TLS. They are part of the URL
    /// that proofs are compared with, unless
    /// [`DpopConfig::base_url`](crate::DpopConfig::base_url) is set.
    #[must_use]
    pub fn with_peer(mut self, peer: IpAddr, is_secure: bool) -> Self {
        self.peer = Some(peer);
        self.is_secure = is_secure;
        self
    }

    /// Sets the authority of the request (`:authority` of HTTP/2), which replaces a missing `Host`
    /// header field.
    #[must_use]
    pub fn with_authority(mut self, authority: &'r str) -> Self {
        self.authority = Some(authority);
        self
    }

    pub(crate) fn peer(&self) -> Option<IpAddr> {
        self.peer
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.is_secure
    }

    pub(crate) fn authority(&self) -> Option<&'r str> {
        self.authority
    }

    /// Returns the method.
    pub fn method(&self) -> &'r str {
        self.method
    }

    /// Returns the request target: the path and the query.
    pub fn target(&self) -> &'r str {
        self.target
    }

    /// Returns the path of the target.
    pub(crate) fn path(&self) -> &'r str {
        match self.target.split('?').next() {
            None | Some("") => "/",
            Some(path) => path,
        }
    }

    /// Returns the values of all fields with this name, in order. Names are compared without case.
    pub fn values<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'r [u8]> + 's {
        self.headers
            .iter()
            .filter(move |(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
    }

    /// Returns whether the method is safe (RFC 9110 §9.2.1) and the request is not a `WebSocket`
    /// handshake. A handshake is a GET request, but CORS does not apply to the connection that it
    /// opens.
    fn is_safe(&self) -> bool {
        matches!(self.method, "GET" | "HEAD" | "OPTIONS" | "TRACE")
            && self.values("upgrade").next().is_none()
    }
}

/// Returns the path and the query of a target. A target in absolute form has no path if the client asks
/// for the root.
fn origin_form(target: &str) -> &str {
    match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains(['/', '?']) => {
            rest.find(['/', '?']).map_or("/", |start| &rest[start..])
        }
        _ => target,
    }
}

/// Prints the method. The other parts can contain the token.
impl std::fmt::Debug for RequestHead<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestHead")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

impl Bearward {
    /// Returns the token of a request: from the `Authorization` header (RFC 6750 §2.1) or from a
    /// configured [`TokenSource`](crate::TokenSource). The token is not verified. If there are
    /// [service keys](crate::ServiceKey), it may be one, also from the `apikey` header.
    ///
    /// An `Authorization` header with another scheme counts as no token. `DPoP` is accepted if an
    /// issuer accepts it; [`verify`](Self::verify) then rejects the token, because it checks no
    /// proof, and [`authenticate`](Self::authenticate) does.
    ///
    /// ```
    /// use bearward::{AuthError, Bearward, RequestHead};
    ///
    /// fn token<'r>(auth: &Bearward, authorization: &'r [u8]) -> Result<&'r str, AuthError> {
    ///     auth.credential(&RequestHead::new("GET", "/", [("authorization", authorization)]))
    /// }
    /// ```
    ///
    /// # Errors
    /// - [`AuthError::NoToken`] if there is none,
    /// - [`AuthError::SeveralCredentials`] if there is more than one,
    /// - [`AuthError::BadAuthorization`] if the scheme is right and no single token follows,
    /// - [`AuthError::OriginNotAllowed`] if a cookie carries the token of an unsafe request from
    ///   another origin.
    pub fn credential<'r>(&self, request: &RequestHead<'r>) -> Result<&'r str, AuthError> {
        self.http
            .credential(request)
            .map(|credential| credential.token)
    }

    /// Verifies the token of a request. This is [`credential`](Self::credential) followed by
    /// [`verify_with_certificate`](Self::verify_with_certificate), by the check of the audience of the
    /// request's [`ProtectedResource`](crate::ProtectedResource), and for the scheme `DPoP` by the
    /// check of the proof.
    ///
    /// If nonces are required, add [`dpop_nonce`](Self::dpop_nonce) to responses now and then: it
    /// spares clients a rejected request.
    ///
    /// The example of [`RequestHead`] calls it; [`error_parts`](Self::error_parts) makes the
    /// response of a failure.
    ///
    /// # Errors
    /// Same as the two methods. A request without a token fails with [`AuthError::NoToken`], one
    /// with a valid service key with [`AuthError::UserRequired`].
    ///
    /// # Security
    /// It does not check what the user may do.
    pub async fn authenticate(&self, request: &RequestHead<'_>) -> Result<Verified, AuthFailure> {
        let certificate = request.client_certificate;
        let path = request.path();
        match self.http.credential(request) {
            Ok(Credential {
                token,
                scheme: Scheme::Bearer,
            }) => {
                let user = self.verify_with_certificate(token, certificate).await?;
                self.http.check_resource(path, user)
            }
            Ok(Credential {
                token,
                scheme: Scheme::Dpop,
            }) => {
                let proof = ProofRequest::from_head(request, self.proofs().config());
                let verification = self.try_verify_bound(token, || certificate);
                let verified = self
                    .http
                    .check_resource(path, verification.finish().await?)?;
                self.check_proof(verified, &proof).map(|(user, _)| user)
            }
            Err(error) => Err(Self::record_rejection(error.into())),
        }
    }

    /// Verifies the service key of a request, for routes of services. This is
    /// [`credential`](Self::credential) followed by
    /// [`verify_service_key`](Self::verify_service_key).
    ///
    /// # Errors
    /// Same as the two methods.
    ///
    /// # Security
    /// It does not check what the service may do.
    pub fn authenticate_service(&self, request: &RequestHead<'_>) -> Result<Service, AuthFailure> {
        match self.credential(request) {
            Ok(key) => self.verify_service_key(key),
            Err(error) => Err(Self::record_rejection(error.into())),
        }
    }
}

impl HttpConfig {
    /// Returns the only token of a request.
    pub(crate) fn credential<'r>(
        &self,
        request: &RequestHead<'r>,
    ) -> Result<Credential<'r>, AuthError> {
        let mut found = authorization_token(request.values("authorization"), self)?;
        let mut origins = None;
        for source in &self.sources {
            if let Some(token) = source.read(request)? {
                let credential = Credential {
                    token,
                    scheme: Scheme::Bearer,
                };
                if found.replace(credential).is_some() {
                    return Err(AuthError::SeveralCredentials);
                }
                origins = source.origins();
            }
        }
        if self.accepts_service_keys {
            found = with_api_key(found, request.values(API_KEY_HEADER))?;
        }
        let credential = found.ok_or(AuthError::NoToken)?;
        match origins {
            Some(origins) if !request.is_safe() && !has_listed_origin(request, origins) => {
                Err(AuthError::OriginNotAllowed)
            }
            _ => Ok(credential),
        }
    }
}

/// The header that carries a service key besides `Authorization`, as with Supabase.
pub(crate) const API_KEY_HEADER: &str = "apikey";

/// Adds the service key of the `apikey` header fields to the token that was found elsewhere. Clients
/// of Supabase send a publishable key in this header next to the token of the user, so values that
/// are no service keys are ignored.
///
/// # Errors
/// [`AuthError::SeveralCredentials`] if two of them differ.
#[inline]
pub(crate) fn with_api_key<'r>(
    found: Option<Credential<'r>>,
    values: impl Iterator<Item = &'r [u8]>,
) -> Result<Option<Credential<'r>>, AuthError> {
    let mut keys = values
        .filter_map(|value| str::from_utf8(value.trim_ascii()).ok())
        .filter(|value| is_service_key(value));
    keys.try_fold(found, |found, key| match found {
        Some(other) if other.token != key => Err(AuthError::SeveralCredentials),
        Some(other) => Ok(Some(other)),
        None => Ok(Some(Credential {
            token: key,
            scheme: Scheme::Bearer,
        })),
    })
}

/// Returns whether the request has one `Origin` header with a listed origin. Browsers send it with
/// every unsafe request, so a request without it is not accepted.
fn has_listed_origin(request: &RequestHead<'_>, listed: &[String]) -> bool {
    let mut origins = request.values("origin");
    let (Some(origin), None) = (origins.next(), origins.next()) else {
        return false;
    };
    listed.iter().any(|listed| listed.as_bytes() == origin)
}

/// Returns the token of the `Authorization` header fields; `None` if there is no field or it has
/// another scheme.
#[inline]
pub(crate) fn authorization_token<'r>(
    mut values: impl Iterator<Item = &'r [u8]>,
    config: &HttpConfig,
) -> Result<Option<Credential<'r>>, AuthError> {
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(AuthError::SeveralCredentials);
    }
    let Some(value) = first else {
        return Ok(None);
    };
    let bearer = match &config.scheme {
        None => parse_authorization(value, b"bearer"),
        Some(scheme) => parse_authorization(value, scheme.as_bytes()),
    }?;
    match bearer {
        Some(token) => Ok(Some(Credential {
            token,
            scheme: Scheme::Bearer,
        })),
        None => bound_token(value, config),
    }
}

/// Returns the token of an `Authorization` header with the scheme `DPoP` (RFC 9449 §7.1), if an
/// issuer accepts it.
#[cold]
fn bound_token<'r>(
    value: &'r [u8],
    config: &HttpConfig,
) -> Result<Option<Credential<'r>>, AuthError> {
    if !config.dpop.accepts_dpop() {
        return Ok(None);
    }
    let token = parse_authorization(value, b"dpop")?;
    Ok(token.map(|token| Credential {
        token,
        scheme: Scheme::Dpop,
    }))
}

/// Parses an `Authorization` header. Returns `None` if the scheme is another one.
///
/// # Errors
/// [`AuthError::BadAuthorization`] if the scheme is `scheme` and no single token follows.
#[inline]
fn parse_authorization<'r>(value: &'r [u8], scheme: &[u8]) -> Result<Option<&'r str>, AuthError> {
    let Some((found, rest)) = value.split_at_checked(scheme.len()) else {
        return Ok(None);
    };
    // The scheme ends where its token (RFC 9110 §5.6.2) ends: "Bearer:" and "Bearer" with a tab are
    // malformed Bearer credentials and not another scheme.
    if !found.eq_ignore_ascii_case(scheme) || rest.first().is_some_and(|&byte| is_token_char(byte))
    {
        return Ok(None);
    }
    let spaces = rest.iter().take_while(|&&byte| byte == b' ').count();
    let token = str::from_utf8(&rest[spaces..]).map_err(|_| AuthError::BadAuthorization)?;
    if spaces > 0 && is_single_token(token.as_bytes()) {
        Ok(Some(token))
    } else {
        Err(AuthError::BadAuthorization)
    }
}

/// Returns whether the text is not empty and consists of visible characters other than the comma.
///
/// The loop has no branch per byte, so that it is vectorized: with a branch, it would take longer
/// than the rest of the verification of a cached token.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "a lazy operator would be a branch per byte"
)]
fn is_single_token(token: &[u8]) -> bool {
    let is_visible = token.iter().fold(true, |is_visible, &byte| {
        is_visible & byte.is_ascii_graphic() & (byte != b',')
    });
    is_visible && !token.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_in_absolute_form_has_the_path_of_its_origin_form() {
        for (target, path) in [
            ("http://api.example.com/mcp?a=b", "/mcp"),
            (
                "https://api.example.com:8443/mcp/x?next=https://b.example/c",
                "/mcp/x",
            ),
            ("http://api.example.com", "/"),
            ("http://api.example.com?next=/mcp", "/"),
            ("/mcp?next=https://b.example/c", "/mcp"),
            ("/a://b", "/a://b"),
            ("?a=b", "/"),
            ("", "/"),
            ("*", "*"),
        ] {
            let head = RequestHead::new("GET", target, [("a", "b")]);
            assert_eq!(head.path(), path, "{target}");
        }
    }

    #[test]
    fn debug_prints_neither_target_nor_headers() {
        let headers = [("authorization", b"Bearer secret".as_slice())];
        let head = RequestHead::new("GET", "/?access_token=secret", headers);
        assert_eq!(format!("{head:?}"), "RequestHead { method: \"GET\", .. }");
    }
}
