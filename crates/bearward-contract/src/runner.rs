//! Runs the suite: starts the IdP, waits for the target, and runs each case in order.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use bearward::Algorithm;
use reqwest::header::HeaderName;

use super::{
    case::{Action, Case, Precondition},
    client_certificate::{ClientCertificates, authority_file},
    command::Command,
    error::{ContractError, StepError},
    evaluate::evaluate,
    finding::{Failure, FailureKind},
    harness::{Fixture, Harness},
    options::{Options, Progress},
    plan::plan,
    platform,
    profile::Profile,
    ready::{NotReady, Ready, await_target},
    replay::{command_line, curl},
    report::{CaseResult, Outcome, Replay, Report, describe_request},
    target::{Request, RequestError, Response, Target},
    validate::validate_selection,
};

/// A run whose mock IdP is listening, before the target is known.
pub struct Contract {
    fixture: Fixture,
    options: Options,
}

impl Contract {
    /// Validates the options and starts the mock IdP.
    ///
    /// # Errors
    /// Returns [`ContractError::Options`] for invalid options or an address that other machines can
    /// reach, and [`ContractError::Bind`] if the address is not available.
    pub fn open(options: Options) -> Result<Self, ContractError> {
        let address = options.issuer_bind;
        if !address.ip().is_loopback() && !options.dangerous_allow_remote {
            return Err(ContractError::Options(format!(
                "{address} is reachable from other machines; bind the mock IdP to 127.0.0.1, or pass --dangerous-allow-remote"
            )));
        }
        validate_selection(&options).map_err(ContractError::Options)?;
        let base = options
            .issuer_base
            .as_deref()
            .map(|base| base.trim_end_matches('/'));
        if let Some(base) = base
            && !url::Url::parse(base)
                .is_ok_and(|url| url.has_host() && url.path() == "/" && url.query().is_none())
        {
            return Err(ContractError::Options(format!(
                "{base:?} is not a base URL of the mock IdP; expected http://HOST:PORT"
            )));
        }
        let options = Options {
            issuer_base: base.map(str::to_owned),
            ..options
        };
        if let Some(header) = &options.client_certificate_header
            && HeaderName::from_bytes(header.as_bytes()).is_err()
        {
            return Err(ContractError::Options(format!(
                "{header:?} is not the name of a header; expected for example Client-Cert"
            )));
        }
        let certificates = client_certificates(&options).map_err(ContractError::Options)?;
        let fixture = Fixture::open(&options, certificates)
            .map_err(|source| ContractError::Bind { address, source })?;
        Ok(Self { fixture, options })
    }

    /// Returns the `iss` of valid tokens: `{base}/auth/v1`.
    pub fn issuer(&self) -> String {
        self.fixture.idp.issuer()
    }

    /// Returns the URL of the key set.
    pub fn jwks_url(&self) -> String {
        self.fixture.idp.jwks_url()
    }

    /// Returns the base URL of the IdP, `http://host:port`, which is the `SUPABASE_URL` of a server
    /// that trusts it.
    pub fn base(&self) -> String {
        self.fixture.idp.base()
    }

    /// Returns the `aud` of valid tokens.
    pub fn audience(&self) -> &str {
        &self.options.audience
    }

    /// Returns the file with the authority that issued the client certificates, if
    /// [`Options::client_certificates`] is set.
    pub fn client_ca_file(&self) -> Option<PathBuf> {
        let folder = self.options.client_certificates.as_deref();
        folder.map(authority_file)
    }

    /// Returns the environment variables that the target's command receives.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("BEARWARD_CONTRACT_ISSUER", self.issuer()),
            ("BEARWARD_CONTRACT_JWKS_URL", self.jwks_url()),
            ("BEARWARD_CONTRACT_AUDIENCE", self.options.audience.clone()),
            ("BEARWARD_CONTRACT_BASE", self.base()),
        ];
        if let Some(file) = self.client_ca_file() {
            variables.push(("BEARWARD_CONTRACT_CLIENT_CA", file.display().to_string()));
        }
        variables
    }

    /// Starts the target if a command is given, waits until it is ready, and runs the cases.
    ///
    /// # Errors
    /// Returns a [`ContractError`] if the target cannot be reached, accepts no valid token, or stops
    /// responding during the run. A failed case is not an error.
    pub async fn run(self, target: &str) -> Result<Report, ContractError> {
        let started_at = Instant::now();
        let client = Target::new(target, &self.options).map_err(ContractError::Options)?;
        let variables = self.variables();
        // The initial keys are published before the target can fetch them.
        let harness = Arc::new(Harness::new(self.fixture, client, self.options));
        let mut command = Command::start(harness.options.start.as_deref(), variables)?;
        let ready = await_target(&harness, &mut command).await?;
        let ready = ready.map_err(|observed| {
            ContractError::NotReady(readiness_help(&harness, &observed, &command))
        })?;
        Run {
            harness,
            ready,
            started_at,
            results: Vec::new(),
            command,
        }
        .finish()
        .await
    }
}

struct Run {
    harness: Arc<Harness>,
    ready: Ready,
    started_at: Instant,
    results: Vec<CaseResult>,
    command: Command,
}

impl Run {
    async fn finish(mut self) -> Result<Report, ContractError> {
        let plan = plan(&self.harness.options);
        self.harness
            .options
            .report_progress(Progress::Ready { cases: plan.len() });
        for (done, case) in plan.into_iter().enumerate() {
            self.harness
                .options
                .report_progress(Progress::Case { id: case.id, done });
            self.run_case(case).await?;
        }
        let (forge, options) = (&self.harness.forge, &self.harness.options);
        Ok(Report {
            target: self.harness.target.url().to_string(),
            issuer: forge.issuer.clone(),
            algorithms: forge.accepted_algorithms().to_vec(),
            strict: options.strict,
            quick: options.quick,
            rate_limited: self.harness.target.rate_limited(),
            duration: self.started_at.elapsed(),
            platform: platform::detect(self.harness.target.software())
                .or_else(|| platform::detect(options.start.as_deref().unwrap_or_default())),
            command: command_line(self.harness.target.url().as_str(), options),
            results: self.results,
        })
    }

    async fn run_case(&mut self, case: Case) -> Result<(), ContractError> {
        let started_at = Instant::now();
        self.harness.start_case(case.id);
        let (request, outcome) = match self.skip_reason(&case) {
            Some(outcome) => (String::new(), Ok((outcome, FailureKind::AsDescribed))),
            None => self.execute(&case).await,
        };
        let (outcome, kind) = match outcome {
            Ok(outcome) => outcome,
            Err(reason) => (
                self.handle_crash(&case, reason).await?,
                FailureKind::Crashed,
            ),
        };
        let mut result = CaseResult::new(
            &case,
            self.harness.options.strict,
            request,
            outcome,
            kind,
            started_at.elapsed(),
        );
        if result.is_failed() {
            result.replay = self.replay(&case);
        }
        self.results.push(result);
        Ok(())
    }

    /// Returns the description of the request and the outcome, or an error if the target does not
    /// accept connections.
    async fn execute(&self, case: &Case) -> (String, Result<(Outcome, FailureKind), String>) {
        let harness = &self.harness;
        let request = match &case.action {
            Action::Token(token) => Request::bearer(&token(&harness.forge)),
            Action::Request(request) => request(&harness.forge),
            Action::Steps(steps) => {
                let outcome = match steps(Arc::clone(harness)).await {
                    Ok(()) => Ok((Outcome::Passed, FailureKind::AsDescribed)),
                    Err(StepError::Failed(failure)) => Ok(failed(failure)),
                    Err(StepError::NotApplicable(reason)) => {
                        Ok((Outcome::Skipped { reason }, FailureKind::AsDescribed))
                    }
                    Err(StepError::Connect(error)) => Err(error),
                };
                return (String::new(), outcome);
            }
        };
        let request = harness.target.prepare(&request);
        let response = harness.send_request(&request).await;
        if let Some(reason) = self.connect_error(&response).await {
            return (describe_request(&request), Err(reason));
        }
        let outcome = match evaluate(case.expectation, harness.options.strict, &response) {
            Ok(()) => (Outcome::Passed, FailureKind::AsDescribed),
            Err(failure) => failed(failure),
        };
        (describe_request(&request), Ok(outcome))
    }

    /// Creates the request of the case again.
    fn replay(&self, case: &Case) -> Option<Replay> {
        let harness = &self.harness;
        let (token, request) = match &case.action {
            Action::Token(token) => {
                let token = token(&harness.forge);
                (Some(token.clone()), Request::bearer(&token))
            }
            Action::Request(request) => (None, request(&harness.forge)),
            Action::Steps(_) => return None,
        };
        let request = harness.target.prepare(&request);
        let curl = curl(harness.target.url(), &harness.options, &request);
        Some(Replay { token, curl })
    }

    /// Returns the error if the target no longer accepts connections. After a connection that ended
    /// early, another request is sent to find out.
    async fn connect_error(&self, response: &Result<Response, RequestError>) -> Option<String> {
        match response {
            Err(RequestError::Connect(error)) => Some(error.clone()),
            Err(RequestError::Disconnected(_) | RequestError::CertificateRefused(_)) => {
                let token = self.harness.forge.token().sign();
                match self.harness.send_token(&token).await {
                    Err(RequestError::Connect(error)) => Some(error),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Returns why the case does not apply to this target.
    fn skip_reason(&self, case: &Case) -> Option<Outcome> {
        let (forge, options) = (&self.harness.forge, &self.harness.options);
        let listed = &options.algorithms;
        let accepts_rsa = || {
            forge
                .accepted_algorithms()
                .iter()
                .any(|algorithm| algorithm.name().starts_with(['R', 'P']))
        };
        let accepts_unusual_keys = self.ready.accepts_unusual_keys;
        let (applies, reason) = match case.precondition {
            Precondition::Nothing => (true, String::new()),
            Precondition::Rsa => (
                accepts_rsa(),
                "the target accepts no RSA algorithm".to_owned(),
            ),
            Precondition::Es256 => (
                forge.accepts(Algorithm::ES256),
                "the target does not accept ES256".to_owned(),
            ),
            Precondition::EdDsa => (
                forge.accepts(Algorithm::EdDSA),
                "the target does not accept EdDSA".to_owned(),
            ),
            Precondition::Exactly(algorithm) => (
                forge.accepts(algorithm),
                format!("the target does not accept {algorithm}"),
            ),
            Precondition::Unlisted(algorithm) if listed.is_empty() => (
                false,
                format!("--algorithms is not set, so {algorithm} may be accepted"),
            ),
            Precondition::Unlisted(algorithm) => (
                accepts_unusual_keys && !listed.contains(&algorithm),
                format!("{algorithm} is listed in --algorithms"),
            ),
            Precondition::UnusualKeys
                if !accepts_unusual_keys && case.expectation.is_accepted() =>
            {
                return Some(Outcome::Failed {
                    expected: "2xx".to_owned(),
                    got: "valid tokens were accepted only after the unusual keys were removed from the set"
                        .to_owned(),
                });
            }
            Precondition::UnusualKeys => (
                accepts_unusual_keys,
                "the target does not accept a key set with unusual keys".to_owned(),
            ),
            Precondition::UnusualRsaKeys => (
                accepts_unusual_keys && forge.accepts(Algorithm::RS256),
                "the target does not accept RS256, or a key set with unusual keys".to_owned(),
            ),
            Precondition::AnyTokenType => (
                options.token_type.eq_ignore_ascii_case("JWT"),
                "--token-type is set".to_owned(),
            ),
            Precondition::Ed25519Name => (
                options.ed25519 && forge.accepts(Algorithm::EdDSA),
                "Ed25519 is not listed in --algorithms".to_owned(),
            ),
            Precondition::ClientId => (
                options.client_id.is_some(),
                "--client-id is not set".to_owned(),
            ),
            Precondition::RequiredClaim => (
                options.required_claim.is_some(),
                "--require-claim is not set".to_owned(),
            ),
            Precondition::Dpop => (options.dpop, "--dpop is not set".to_owned()),
            Precondition::ClientCertificate => (
                options.client_certificate_header.is_some()
                    || options.client_certificates.is_some(),
                "neither --client-certificates nor --client-certificate-header is set".to_owned(),
            ),
            Precondition::ClientCertificateHeader => (
                options.client_certificate_header.is_some(),
                "--client-certificate-header is not set".to_owned(),
            ),
            Precondition::ClientCertificateHandshake => (
                options.client_certificates.is_some(),
                "--client-certificates is not set".to_owned(),
            ),
            Precondition::TenantClaim => (
                options.tenant_claim.is_some(),
                "--tenant-claim is not set".to_owned(),
            ),
            Precondition::AccessTokenType => (
                options.has_access_token_type(),
                "--token-type is not at+jwt".to_owned(),
            ),
        };
        if let Some(reason) = excluded_by_profile(case, options.profile) {
            return Some(Outcome::Skipped { reason });
        }
        (!applies).then_some(Outcome::Skipped { reason })
    }

    /// Waits until a target that no longer accepts connections comes back, after starting its
    /// command again if there is one. If it comes back, only this case fails.
    async fn handle_crash(
        &mut self,
        case: &Case,
        reason: String,
    ) -> Result<Outcome, ContractError> {
        let mut deadline = Instant::now() + self.harness.options.restart_timeout;
        let mut got = "the target stopped accepting connections, and came back".to_owned();
        let mut restarted = false;
        loop {
            let exit_status = self.command.exit_status();
            if let (Some(exit_status), false) = (&exit_status, restarted) {
                format!("{exit_status}; {}", self.command.recent_output())
                    .trim_end()
                    .clone_into(&mut got);
                restarted = self.command.restart()?;
                deadline = Instant::now() + self.harness.options.ready_timeout;
            } else if exit_status.is_some() || Instant::now() >= deadline {
                let reason = exit_status.unwrap_or_else(|| format!("no connection: {reason}"));
                return Err(ContractError::Down {
                    case: case.id,
                    reason,
                    recent_output: self.command.recent_output(),
                });
            }
            if exit_status.is_some() && !restarted {
                return Err(ContractError::Down {
                    case: case.id,
                    reason: got,
                    recent_output: String::new(),
                });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            let token = self.harness.forge.token().sign();
            let response = self.harness.send_token(&token).await;
            if response.is_ok_and(|response| response.is_accepted()) {
                return Ok(Outcome::Failed {
                    expected: case.expected(self.harness.options.strict).to_owned(),
                    got: got.trim_end().to_owned(),
                });
            }
        }
    }
}

/// Returns the certificates of the folder that the options name, or new ones.
fn client_certificates(options: &Options) -> Result<ClientCertificates, String> {
    match &options.client_certificates {
        Some(_) if options.client_certificate_header.is_some() => Err(
            "--client-certificates and --client-certificate-header exclude each other: the suite is either the client of the target's \
             TLS listener, or the proxy in front of it"
                .to_owned(),
        ),
        Some(folder) => ClientCertificates::load_or_create(folder)
            .map_err(|error| format!("--client-certificates {error}")),
        None => ClientCertificates::generate()
            .map_err(|error| format!("no client certificates: {error}")),
    }
}

/// Returns why the case does not apply to tokens and keys of this profile.
fn excluded_by_profile(case: &Case, profile: Profile) -> Option<String> {
    let is_about = |prefix: &str| case.id.starts_with(prefix);
    if !profile.has_audience()
        && (is_about("claims.aud.") || is_about("claims.twice.aud") || is_about("control.aud-"))
    {
        return Some(format!(
            "tokens of {profile} have no aud; --client-id names the client that the target requires"
        ));
    }
    // Such a key may verify each algorithm of its family.
    if !profile.has_key_algorithm() && is_about("alg.swap.") {
        return Some(format!("keys of {profile} have no alg"));
    }
    None
}

fn failed(failure: Failure) -> (Outcome, FailureKind) {
    (
        Outcome::Failed {
            expected: failure.expected,
            got: failure.got,
        },
        failure.kind,
    )
}

/// Describes why the target is not ready, and what to check.
fn readiness_help(harness: &Harness, observed: &NotReady, command: &Command) -> String {
    let forge = &harness.forge;
    let next = match observed {
        NotReady { exited: true, .. } => {
            "run the command on its own; it receives the variables BEARWARD_CONTRACT_ISSUER, _JWKS_URL, _AUDIENCE and _BASE"
                .to_owned()
        }
        NotReady { responded: false, .. } if harness.target.url().scheme() == "https" => {
            "check the address, that the target is listening, that --target-ca names the authority of its certificate, and that it trusts \
             the authority of --client-certificates"
                .to_owned()
        }
        NotReady { responded: false, .. } => {
            "check the address, and that the target is listening".to_owned()
        }
        NotReady { status: Some(404 | 405), .. } => {
            "check the path: the target has no resource there, or none for GET".to_owned()
        }
        NotReady { status: Some(500..), .. } => {
            "a valid token causes a server error: check the target's log".to_owned()
        }
        NotReady { fetches: 0, discoveries: 0, .. } => format!(
            "the target never fetched the keys: configure the issuer {} and the keys {}, or SUPABASE_URL={}",
            forge.issuer,
            harness.idp.jwks_url(),
            forge.base
        ),
        NotReady { fetches: 0, .. } => {
            "the target fetched the discovery document but not the keys: it may have cached an old jwks_uri"
                .to_owned()
        }
        _ => format!(
            "the target fetched the keys ({}) but rejects the token: compare its issuer with {}, its audience with {:?} (--audience), its \
             algorithms (--algorithms), and the claims it requires (--claim)",
            if observed.fetches == 1 { "once".to_owned() } else { format!("{} times", observed.fetches) },
            forge.issuer,
            forge.audience
        ),
    };
    let (target, last, output) = (
        harness.target.url(),
        &observed.last,
        command.recent_output(),
    );
    let within = if observed.exited {
        String::new()
    } else {
        format!(" within {} s", harness.options.ready_timeout.as_secs())
    };
    format!("{target} accepted no valid token{within}: {last}\nnext: {next}\n{output}")
        .trim_end()
        .to_owned()
}
