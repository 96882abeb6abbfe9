//! The platform that the target runs on, and the option of each platform that fixes a failure.

use super::{case::Case, diagnosis::affects_valid_tokens, finding::FailureKind};

/// An option of a platform that fixes a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlatformOption {
    /// The platform, for example `Node` or `Envoy`.
    pub platform: &'static str,
    /// The option, setting or call, with code in backticks.
    pub option: &'static str,
}

const JAVA: &str = "Java/Spring";
const GO: &str = "Go";
const DOTNET: &str = ".NET";
const ENVOY: &str = "Envoy";
const NGINX: &str = "nginx";
const KONG: &str = "Kong";
const PHP: &str = "PHP";
const NODE: &str = "Node";
const PYTHON: &str = "Python";
const RUST: &str = "Rust";

/// Words of a `Server` header or a command line by which a platform is recognized. Proxies come
/// first: they may add their name to that of the server behind them.
const WORDS: [(&str, &[&str]); 10] = [
    (ENVOY, &["envoy"]),
    (KONG, &["kong"]),
    (NGINX, &["nginx", "openresty"]),
    (DOTNET, &["kestrel", "dotnet"]),
    (
        PYTHON,
        &[
            "uvicorn",
            "gunicorn",
            "hypercorn",
            "waitress",
            "werkzeug",
            "python",
            "python3",
        ],
    ),
    (
        JAVA,
        &[
            "java", "mvn", "mvnw", "gradle", "gradlew", "tomcat", "jetty",
        ],
    ),
    (PHP, &["php", "artisan", "frankenphp"]),
    (GO, &["go"]),
    (RUST, &["cargo", "actix", "axum"]),
    (
        NODE,
        &[
            "express", "node", "npm", "npx", "pnpm", "yarn", "bun", "deno", "tsx",
        ],
    ),
];

/// Returns the platform that a `Server` or `X-Powered-By` header or a command line names.
pub(super) fn detect(text: &str) -> Option<&'static str> {
    let text = text.to_ascii_lowercase();
    let words: Vec<&str> = text
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .collect();
    let names_it = |known: &[&str]| known.iter().any(|word| words.contains(word));
    WORDS
        .iter()
        .find(|(_, known)| names_it(known))
        .map(|(platform, _)| *platform)
}

/// Returns the options that fix a failure of this kind; empty if no option does.
pub(super) fn options(case: &Case, kind: FailureKind) -> &'static [PlatformOption] {
    let is_timed = case.group().timed || case.group().name == "flood";
    match kind {
        FailureKind::ChallengeDetails => CHALLENGE,
        FailureKind::Delayed => REFETCH,
        FailureKind::Crashed => ERRORS,
        FailureKind::ServerError | FailureKind::Disconnected | FailureKind::WrongStatus
            if !is_timed && !affects_valid_tokens(case) =>
        {
            ERRORS
        }
        _ => by_topic(case.id),
    }
}

fn by_topic(id: &str) -> &'static [PlatformOption] {
    const TOPICS: [(&str, &[PlatformOption]); 21] = [
        ("alg", ALGORITHMS),
        // No option of a verifier changes how it parses JSON.
        ("header.alg-twice", &[]),
        ("header.alg", ALGORITHMS),
        ("sig", ALGORITHMS),
        ("header.typ", TOKEN_TYPE),
        ("at-jwt", TOKEN_TYPE),
        ("header.crit", CRITICAL),
        ("claims.aud", AUDIENCE),
        ("claims.exp", TIMES),
        ("claims.nbf", TIMES),
        ("claims.iat", TIMES),
        ("iss", ISSUER),
        ("jwks.short", KEY_LENGTH),
        ("key.rotation.same", REFETCH),
        ("outage.recovery", REFETCH),
        ("outage.hammering", &[]),
        ("outage", OUTAGE),
        ("slow", TIMEOUT),
        ("herd", FETCH_LIMIT),
        ("flood", FETCH_LIMIT),
        ("http.challenge", CHALLENGE),
    ];
    TOPICS
        .iter()
        .find(|(prefix, _)| id.starts_with(prefix))
        .map_or(&[], |(_, options)| options)
}

const fn on(platform: &'static str, option: &'static str) -> PlatformOption {
    PlatformOption { platform, option }
}

const ALGORITHMS: &[PlatformOption] = &[
    on(
        JAVA,
        "`NimbusJwtDecoder.withJwkSetUri(uri).jwsAlgorithm(SignatureAlgorithm.RS256)`, or the property `spring.security.oauth2.resourceserver.jwt.jws-algorithms`",
    ),
    on(
        GO,
        "golang-jwt `jwt.WithValidMethods([]string{\"RS256\"})`, go-oidc `oidc.Config{SupportedSigningAlgs: []string{\"RS256\"}}`",
    ),
    on(
        DOTNET,
        "`TokenValidationParameters.ValidAlgorithms = [\"RS256\"]`",
    ),
    on(
        ENVOY,
        "publish `alg` in each key: `jwt_authn` compares it with that of the token",
    ),
    on(
        NGINX,
        "`auth_jwt_require` with a `map` of `$jwt_header_alg`",
    ),
    on(KONG, "plugin jwt: the member `algorithm` of the credential"),
    on(
        PHP,
        "firebase/php-jwt `new Key($key, 'RS256')`, or with `CachedKeySet` compare `$headers->alg` after `JWT::decode($jwt, $keys, $headers)`; lcobucci/jwt `new SignedWith(new Sha256(), $key)`",
    ),
    on(
        NODE,
        "jose `jwtVerify(token, keys, { algorithms: ['RS256'] })`, jsonwebtoken `{ algorithms: ['RS256'] }`, Hono `jwk({ alg: ['RS256'] })`",
    ),
    on(
        PYTHON,
        "PyJWT and joserfc `decode(token, key, algorithms=[\"RS256\"])`",
    ),
    on(RUST, "jsonwebtoken `Validation::new(Algorithm::RS256)`"),
];

const AUDIENCE: &[PlatformOption] = &[
    on(
        JAVA,
        "the property `spring.security.oauth2.resourceserver.jwt.audiences`, or a `JwtClaimValidator` for `aud`",
    ),
    on(
        GO,
        "golang-jwt `jwt.WithAudience(audience)`, go-oidc `oidc.Config{ClientID: audience}`",
    ),
    on(
        DOTNET,
        "`JwtBearerOptions.Audience`, with `TokenValidationParameters.ValidateAudience = true`",
    ),
    on(ENVOY, "`jwt_authn` provider: `audiences`"),
    on(NGINX, "`auth_jwt_require` with a `map` of `$jwt_claim_aud`"),
    on(KONG, "plugin openid-connect: `audience_required`"),
    on(
        PHP,
        "lcobucci/jwt `new PermittedFor($audience)`; firebase/php-jwt does not check `aud`: compare `$payload->aud`",
    ),
    on(
        NODE,
        "jose `{ audience, requiredClaims: ['aud'] }`, jsonwebtoken `{ audience }`, Hono `verification: { aud }`",
    ),
    on(
        PYTHON,
        "PyJWT `audience=`, python-jose also `options={\"require_aud\": True}`, joserfc `JWTClaimsRegistry(aud={\"essential\": True, \"value\": audience})`",
    ),
    on(
        RUST,
        "jsonwebtoken `validation.set_audience(&[audience])` and `validation.set_required_spec_claims(&[\"exp\", \"aud\", \"iss\"])`",
    ),
];

const ISSUER: &[PlatformOption] = &[
    on(
        JAVA,
        "the property `spring.security.oauth2.resourceserver.jwt.issuer-uri`, or `JwtValidators.createDefaultWithIssuer(issuer)`",
    ),
    on(
        GO,
        "golang-jwt `jwt.WithIssuer(issuer)`; go-oidc: the issuer of `NewProvider`",
    ),
    on(
        DOTNET,
        "`TokenValidationParameters.ValidIssuer`, with `ValidateIssuer = true`",
    ),
    on(ENVOY, "`jwt_authn` provider: `issuer`"),
    on(NGINX, "`auth_jwt_require` with a `map` of `$jwt_claim_iss`"),
    on(KONG, "plugin openid-connect: `issuers_allowed`"),
    on(
        PHP,
        "lcobucci/jwt `new IssuedBy($issuer)`; firebase/php-jwt does not check `iss`: compare `$payload->iss`",
    ),
    on(
        NODE,
        "jose and jsonwebtoken `{ issuer }`, Hono `verification: { iss }`",
    ),
    on(
        PYTHON,
        "PyJWT and python-jose `issuer=`, with `options={\"require\": [\"iss\"]}` in PyJWT",
    ),
    on(
        RUST,
        "jsonwebtoken `validation.set_issuer(&[issuer])` and `validation.set_required_spec_claims(&[\"exp\", \"aud\", \"iss\"])`",
    ),
];

const TIMES: &[PlatformOption] = &[
    on(
        JAVA,
        "`new JwtTimestampValidator(Duration.ofSeconds(60))`, and a `JwtClaimValidator` that requires `exp`",
    ),
    on(
        GO,
        "golang-jwt `jwt.WithExpirationRequired()`, `jwt.WithLeeway(time.Minute)`",
    ),
    on(
        DOTNET,
        "`TokenValidationParameters.RequireExpirationTime = true`, `ClockSkew = TimeSpan.FromMinutes(1)`",
    ),
    on(
        ENVOY,
        "`jwt_authn` provider: `require_expiration: true`, `clock_skew_seconds: 60`",
    ),
    on(
        NGINX,
        "`auth_jwt_leeway 60s`, and `auth_jwt_require` with `$jwt_claim_exp`",
    ),
    on(KONG, "plugin jwt: `claims_to_verify = [\"exp\", \"nbf\"]`"),
    on(
        PHP,
        "firebase/php-jwt `JWT::$leeway = 60`, lcobucci/jwt `new StrictValidAt($clock)`",
    ),
    on(
        NODE,
        "jose `{ requiredClaims: ['exp'], clockTolerance: 60 }`, jsonwebtoken `{ clockTolerance: 60 }`",
    ),
    on(
        PYTHON,
        "PyJWT `options={\"require\": [\"exp\"]}`, `leeway=60`",
    ),
    on(
        RUST,
        "jsonwebtoken `validation.validate_nbf = true`, `validation.leeway = 60`",
    ),
];

const TOKEN_TYPE: &[PlatformOption] = &[
    on(
        JAVA,
        "`JwtValidators.createAtJwtValidator()`, or `new JwtTypeValidator(\"at+jwt\")`",
    ),
    on(GO, "golang-jwt: compare `token.Header[\"typ\"]`"),
    on(
        DOTNET,
        "`TokenValidationParameters.ValidTypes = [\"at+jwt\"]`",
    ),
    on(
        NGINX,
        "`auth_jwt_require` with a `map` of `$jwt_header_typ`",
    ),
    on(NODE, "jose `{ typ: 'at+jwt' }`"),
    on(
        PYTHON,
        "PyJWT: compare `jwt.get_unverified_header(token)[\"typ\"]`",
    ),
    on(RUST, "jsonwebtoken: compare `decode_header(token)?.typ`"),
];

const CRITICAL: &[PlatformOption] = &[
    on(
        GO,
        "golang-jwt: reject tokens with `token.Header[\"crit\"]` in the key function",
    ),
    on(
        PHP,
        "firebase/php-jwt: decode the header first, and reject tokens with `crit`",
    ),
    on(
        NODE,
        "jsonwebtoken: reject tokens with `jwt.decode(token, { complete: true }).header.crit`; jose does",
    ),
    on(
        PYTHON,
        "python-jose: reject tokens with `jwt.get_unverified_header(token)[\"crit\"]`; current PyJWT does",
    ),
];

const KEY_LENGTH: &[PlatformOption] = &[on(
    PYTHON,
    "PyJWT `options={\"enforce_minimum_key_length\": True}`",
)];

const REFETCH: &[PlatformOption] = &[
    on(
        JAVA,
        "`NimbusJwtDecoder.withJwkSetUri(uri)` fetches the set for an unknown `kid`",
    ),
    on(
        GO,
        "go-oidc `oidc.NewRemoteKeySet` does; keyfunc: `jwkset.HTTPClientOptions{RefreshUnknownKID: rate.NewLimiter(rate.Every(30*time.Second), 1)}`",
    ),
    on(
        DOTNET,
        "`JwtBearerOptions.RefreshOnIssuerKeyNotFound = true`, `RefreshInterval = TimeSpan.FromSeconds(30)`",
    ),
    on(
        ENVOY,
        "`remote_jwks.cache_duration` (5 minutes by default): an unknown `kid` causes no fetch",
    ),
    on(NGINX, "`auth_jwt_key_request` with `auth_jwt_key_cache 1m`"),
    on(KONG, "plugin openid-connect: `rediscovery_lifetime`"),
    on(
        PHP,
        "firebase/php-jwt `new CachedKeySet($uri, $client, $factory, $cache, 300, true)`",
    ),
    on(
        NODE,
        "jose `createRemoteJWKSet(url, { cooldownDuration: 30_000 })`, jwks-rsa `jwksClient({ jwksUri, cache: true, rateLimit: true })`",
    ),
    on(
        PYTHON,
        "PyJWT `PyJWKClient(url)` does; Authlib and joserfc: import the set again for an unknown `kid`",
    ),
    on(
        RUST,
        "jwt-authorizer `Refresh { strategy: RefreshStrategy::KeyNotFound, refresh_interval: Duration::from_secs(30), .. }`",
    ),
];

const OUTAGE: &[PlatformOption] = &[
    on(
        JAVA,
        "Nimbus `JWKSourceBuilder.create(url).outageTolerant(6 * 3600 * 1000)`",
    ),
    on(
        DOTNET,
        "`ConfigurationManager.UseLastKnownGoodConfiguration = true`, `LastKnownGoodLifetime`",
    ),
    on(ENVOY, "`remote_jwks.async_fetch`, with `retry_policy`"),
    on(
        NGINX,
        "`proxy_cache_use_stale error timeout http_500 http_502 http_503 http_504` where `auth_jwt_key_request` leads",
    ),
    on(
        PHP,
        "firebase/php-jwt: a longer `$expiresAfter` of `CachedKeySet`",
    ),
    on(
        NODE,
        "jose: a longer `cacheMaxAge` of `createRemoteJWKSet`; Hono: pass `keys` from a cache of your own, `jwks_uri` is fetched at each request",
    ),
    on(PYTHON, "PyJWT `PyJWKClient(url, lifespan=3600)`"),
];

const TIMEOUT: &[PlatformOption] = &[
    on(
        JAVA,
        "`NimbusJwtDecoder.withJwkSetUri(uri).restOperations(rest)`, where `rest` has a connect and a read timeout",
    ),
    on(
        GO,
        "go-oidc `oidc.ClientContext(ctx, &http.Client{Timeout: 2 * time.Second})`",
    ),
    on(
        DOTNET,
        "`JwtBearerOptions.BackchannelTimeout = TimeSpan.FromSeconds(2)`",
    ),
    on(ENVOY, "`remote_jwks.http_uri.timeout: 2s`"),
    on(
        NGINX,
        "`proxy_connect_timeout 2s` and `proxy_read_timeout 2s` where `auth_jwt_key_request` leads",
    ),
    on(KONG, "plugin openid-connect: `timeout`, in milliseconds"),
    on(PHP, "Guzzle `new Client(['timeout' => 2])`"),
    on(
        NODE,
        "jose `createRemoteJWKSet(url, { timeoutDuration: 2000 })`, jwks-rsa `timeout: 2000`, Hono `(c, next) => jwk(options, { signal: AbortSignal.timeout(2000) })(c, next)`",
    ),
    on(
        PYTHON,
        "PyJWT `PyJWKClient(url, timeout=2)`; `urlopen(url, timeout=2)`",
    ),
    on(
        RUST,
        "`reqwest::Client::builder().timeout(Duration::from_secs(2))`",
    ),
];

const FETCH_LIMIT: &[PlatformOption] = &[
    on(
        JAVA,
        "Nimbus `JWKSourceBuilder.create(url).rateLimited(30_000)`",
    ),
    on(
        GO,
        "keyfunc: `jwkset.HTTPClientOptions.RefreshUnknownKID`, a `rate.Limiter`; go-oidc: wrap the `oidc.KeySet` in one with a limit",
    ),
    on(DOTNET, "`JwtBearerOptions.RefreshInterval`"),
    on(ENVOY, "`remote_jwks.async_fetch.failed_refetch_duration`"),
    on(NGINX, "`proxy_cache_lock on` and `auth_jwt_key_cache`"),
    on(KONG, "plugin openid-connect: `rediscovery_lifetime`"),
    on(
        PHP,
        "firebase/php-jwt: `$rateLimit = true` of `CachedKeySet`; processes share one fetch only with a lock, for example of `symfony/lock`",
    ),
    on(
        NODE,
        "jose `cooldownDuration`, jwks-rsa `{ cache: true, rateLimit: true, jwksRequestsPerMinute: 5 }`, Hono: pass `keys` from a cache of your own",
    ),
    on(
        PYTHON,
        "a current `PyJWKClient`; with `urlopen`: cache the set, and fetch it again at most every 30 s",
    ),
    on(RUST, "jwt-authorizer `Refresh::refresh_interval`"),
];

const CHALLENGE: &[PlatformOption] = &[
    on(
        JAVA,
        "`BearerTokenAuthenticationEntryPoint`, the default of `oauth2ResourceServer`",
    ),
    on(
        GO,
        "`w.Header().Set(\"WWW-Authenticate\", `Bearer error=\"invalid_token\"`)`",
    ),
    on(
        DOTNET,
        "`AddJwtBearer` sends it; keep `IncludeErrorDetails = true`",
    ),
    on(ENVOY, "`jwt_authn`: keep `strip_failure_response: false`"),
    on(
        NGINX,
        "`auth_jwt \"realm\"` sends a challenge; `add_header WWW-Authenticate … always` replaces it",
    ),
    on(KONG, "plugin jwt: `realm`"),
    on(
        PHP,
        "`header('WWW-Authenticate: Bearer error=\"invalid_token\"')`",
    ),
    on(
        NODE,
        "Express `res.status(401).set('WWW-Authenticate', 'Bearer error=\"invalid_token\"')`, Fastify `reply.header(…)`",
    ),
    on(
        PYTHON,
        "FastAPI `HTTPException(401, headers={\"WWW-Authenticate\": 'Bearer error=\"invalid_token\"'})`",
    ),
    on(
        RUST,
        "axum `(StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, r#\"Bearer error=\"invalid_token\"\"#)])`",
    ),
];

const ERRORS: &[PlatformOption] = &[
    on(
        JAVA,
        "throw `BadJwtException` from the `JwtDecoder`: Spring answers other exceptions with 500",
    ),
    on(
        GO,
        "recover from panics in a middleware, and use `value, ok :=` in type assertions of claims",
    ),
    on(
        DOTNET,
        "catch exceptions in `JwtBearerEvents.OnMessageReceived` and call `context.Fail(exception)`",
    ),
    on(
        PHP,
        "`catch (\\Throwable $error)`, not only the exceptions of the library",
    ),
    on(
        NODE,
        "Express 4: call `next(error)` in asynchronous code; add a middleware `(error, request, response, next)`",
    ),
    on(
        PYTHON,
        "catch `Exception`: `RecursionError`, `OverflowError` and `TypeError` are neither `PyJWTError` nor `JWTError`",
    ),
    on(
        RUST,
        "return an error instead of calling `unwrap`; actix: map the error in `ResponseError`",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::all_cases;

    #[test]
    fn platforms_are_detected_by_whole_words() {
        for (text, platform) in [
            ("uvicorn", Some(PYTHON)),
            ("/x/venv/bin/python -m uvicorn server:app", Some(PYTHON)),
            ("node server.js", Some(NODE)),
            ("Express", Some(NODE)),
            ("Kestrel", Some(DOTNET)),
            ("envoy", Some(ENVOY)),
            ("java -jar target/server.jar", Some(JAVA)),
            ("go run .", Some(GO)),
            ("/srv/django/node_modules/x", None),
            ("mongo", None),
            ("", None),
        ] {
            assert_eq!(detect(text), platform, "{text}");
        }
    }

    #[test]
    fn each_platform_has_one_option_per_topic() {
        for case in all_cases() {
            for kind in [
                FailureKind::AsDescribed,
                FailureKind::Delayed,
                FailureKind::ChallengeDetails,
                FailureKind::ServerError,
                FailureKind::Crashed,
            ] {
                let options = options(&case, kind);
                for (index, option) in options.iter().enumerate() {
                    let is_first = options[..index]
                        .iter()
                        .all(|other| other.platform != option.platform);
                    assert!(is_first, "{} {option:?}", case.id);
                    assert!(
                        WORDS
                            .iter()
                            .any(|(platform, _)| *platform == option.platform)
                    );
                }
            }
        }
    }
}
