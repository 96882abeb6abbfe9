//! The run: open, wait for the target, case by case, in the order of the groups.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use bearward::Algorithm;

use super::{
    case::{Action, Case, Finding, Precondition, StepError},
    command::Command,
    evaluate::judge,
    failure_kind::FailureKind,
    harness::{Fixture, Harness},
    options::{Options, Progress},
    plan::plan,
    ready::{NotReady, Ready, await_target},
    report::{CaseResult, Outcome, Report, shown},
    selection,
    target::{Answer, NoAnswer, Request, Target},
};

/// The mock IdP that listens, before the target is known.
pub struct Contract {
    stage: Fixture,
    options: Options,
}

/// The battery could not be run, or not to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContractError {
    /// The options do not fit together.
    #[error("{0}")]
    Options(String),
    /// The IdP cannot listen.
    #[error("the mock IdP cannot listen on {address}: {}", explain(.source))]
    Bind {
        /// The address asked for.
        address: std::net::SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The target's command cannot be started.
    #[error("the command that starts the target cannot be run: {0}")]
    Start(io::Error),
    /// The target accepts no good token.
    #[error("{0}")]
    NotReady(String),
    /// The target went away and did not come back.
    #[error("the target stopped answering at case {case}: {why}\n{last_words}")]
    Down {
        /// What was sent last.
        case: &'static str,
        /// What was seen.
        why: String,
        /// What the command wrote last.
        last_words: String,
    },
}

impl Contract {
    /// Opens the IdP.
    ///
    /// # Errors
    /// [`ContractError`]: options that cannot be, an address that other machines reach, a taken port.
    pub fn open(options: Options) -> Result<Self, ContractError> {
        let address = options.issuer_bind;
        if !address.ip().is_loopback() && !options.dangerous_allow_remote {
            return Err(ContractError::Options(format!(
                "{address} is reached by other machines; bind the mock IdP to 127.0.0.1, or say --dangerous-allow-remote"
            )));
        }
        selection::check(&options).map_err(ContractError::Options)?;
        let base = options
            .issuer_base
            .as_deref()
            .map(|base| base.trim_end_matches('/'));
        if let Some(base) = base
            && !url::Url::parse(base)
                .is_ok_and(|url| url.has_host() && url.path() == "/" && url.query().is_none())
        {
            return Err(ContractError::Options(format!(
                "{base:?} is no address of the mock IdP; write http://HOST:PORT"
            )));
        }
        let options = Options {
            issuer_base: base.map(str::to_owned),
            ..options
        };
        let stage =
            Fixture::open(&options).map_err(|source| ContractError::Bind { address, source })?;
        Ok(Self { stage, options })
    }

    /// `{base}/auth/v1`: the `iss` of good tokens.
    pub fn issuer(&self) -> String {
        self.stage.idp.issuer()
    }

    /// Where the key set is.
    pub fn jwks_url(&self) -> String {
        self.stage.idp.jwks_url()
    }

    /// `http://host:port`: what `SUPABASE_URL` is for a server that trusts it.
    pub fn base(&self) -> String {
        self.stage.idp.base()
    }

    /// The `aud` of good tokens.
    pub fn audience(&self) -> &str {
        &self.options.audience
    }

    /// What the target's command finds in its environment.
    pub fn variables(&self) -> [(&'static str, String); 4] {
        [
            ("BEARWARD_CONTRACT_ISSUER", self.issuer()),
            ("BEARWARD_CONTRACT_JWKS_URL", self.jwks_url()),
            ("BEARWARD_CONTRACT_AUDIENCE", self.options.audience.clone()),
            ("BEARWARD_CONTRACT_BASE", self.base()),
        ]
    }

    /// Starts the target where a command says how, waits for it, and runs the battery.
    ///
    /// # Errors
    /// [`ContractError`]: the target cannot be reached, accepts no good token, or goes away in the middle. A failed case is none.
    pub async fn run(self, target: &str) -> Result<Report, ContractError> {
        let client =
            Target::new(target, self.options.request_timeout).map_err(ContractError::Options)?;
        let mut command = Command::start(self.options.start.as_deref(), self.variables().into())?;
        let bench = Arc::new(Harness::new(self.stage, client, self.options));
        let ready = await_target(&bench, || command.ended().map_or(Ok(()), Err)).await;
        let ready =
            ready.map_err(|seen| ContractError::NotReady(not_ready(&bench, &seen, &command)))?;
        Run {
            bench,
            ready,
            began: Instant::now(),
            results: Vec::new(),
            command,
        }
        .finish()
        .await
    }
}

struct Run {
    bench: Arc<Harness>,
    ready: Ready,
    began: Instant,
    results: Vec<CaseResult>,
    command: Command,
}

impl Run {
    async fn finish(mut self) -> Result<Report, ContractError> {
        let plan = plan(&self.bench.options);
        self.bench
            .options
            .tell(Progress::Ready { cases: plan.len() });
        for (done, case) in plan.into_iter().enumerate() {
            self.bench
                .options
                .tell(Progress::Case { id: case.id, done });
            self.test(case).await?;
        }
        let forge = &self.bench.forge;
        Ok(Report {
            target: self.bench.target.url().to_string(),
            issuer: forge.issuer.clone(),
            algorithms: forge.accepted_algorithms().to_vec(),
            strict: self.bench.options.strict,
            quick: self.bench.options.quick,
            limited: self.bench.target.limited(),
            took: self.began.elapsed(),
            results: self.results,
        })
    }

    async fn test(&mut self, case: Case) -> Result<(), ContractError> {
        let began = Instant::now();
        let (request, outcome) = match self.skip_reason(&case) {
            Some(outcome) => (String::new(), Ok((outcome, FailureKind::AsDescribed))),
            None => self.act(&case).await,
        };
        let (outcome, symptom) = match outcome {
            Ok(outcome) => outcome,
            Err(why) => (self.gone(&case, why).await?, FailureKind::Ended),
        };
        self.results.push(CaseResult::new(
            &case,
            self.bench.options.strict,
            request,
            outcome,
            symptom,
            began.elapsed(),
        ));
        Ok(())
    }

    /// What is sent, and what came of it; the error is a target that is gone.
    async fn act(&self, case: &Case) -> (String, Result<(Outcome, FailureKind), String>) {
        let bench = &self.bench;
        let request = match &case.action {
            Action::Token(token) => Request::bearer(&token(&bench.forge)),
            Action::Request(request) => request(&bench.forge),
            Action::Steps(steps) => {
                let outcome = match steps(Arc::clone(bench)).await {
                    Ok(()) => Ok((Outcome::Passed, FailureKind::AsDescribed)),
                    Err(StepError::Found(finding)) => Ok(failed(finding)),
                    Err(StepError::Cannot(why)) => {
                        Ok((Outcome::Skipped { why }, FailureKind::AsDescribed))
                    }
                    Err(StepError::Down(why)) => Err(why),
                };
                return (String::new(), outcome);
            }
        };
        let answer = bench.ask(&request).await;
        if let Some(why) = self.is_gone(&answer).await {
            return (shown(&request), Err(why));
        }
        let outcome = match judge(case.expectation, bench.options.strict, &answer) {
            Ok(()) => (Outcome::Passed, FailureKind::AsDescribed),
            Err(finding) => failed(finding),
        };
        (shown(&request), Ok(outcome))
    }

    /// Whether nobody listens any more. A connection that breaks off may be a refusal, or the last
    /// that the target did.
    async fn is_gone(&self, answer: &Result<Answer, NoAnswer>) -> Option<String> {
        match answer {
            Err(NoAnswer::Down(why)) => Some(why.clone()),
            Err(NoAnswer::Broke(_)) => {
                match self.bench.send(&self.bench.forge.token().sign()).await {
                    Err(NoAnswer::Down(why)) => Some(why),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// A case that would say nothing about this target.
    fn skip_reason(&self, case: &Case) -> Option<Outcome> {
        let (forge, listed) = (&self.bench.forge, &self.bench.options.algorithms);
        let rsa = || {
            forge
                .accepted_algorithms()
                .iter()
                .any(|algorithm| algorithm.name().starts_with(['R', 'P']))
        };
        let (fits, why) = match case.needs {
            Precondition::Nothing => (true, String::new()),
            Precondition::Rsa => (rsa(), "the target accepts no RSA algorithm".to_owned()),
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
                format!("no list of algorithms was given to leave {algorithm} out"),
            ),
            Precondition::Unlisted(algorithm) => (
                self.ready.odd && !listed.contains(&algorithm),
                format!("{algorithm} is listed"),
            ),
            Precondition::UnusualKeys if !self.ready.odd && case.id == "jwks.neighbours" => {
                return Some(Outcome::Failed {
                    expected: "2xx".to_owned(),
                    got: "no good token was accepted until the unusual keys were gone from the set"
                        .to_owned(),
                });
            }
            Precondition::UnusualKeys => (
                self.ready.odd,
                "the target takes no set with unusual keys".to_owned(),
            ),
            Precondition::OddRsaKeys => (
                self.ready.odd && forge.accepts(Algorithm::RS256),
                "the target does not accept RS256, or takes no set with unusual keys".to_owned(),
            ),
            Precondition::FreeType => (
                self.bench.options.token_type.eq_ignore_ascii_case("JWT"),
                "the type of tokens is fixed".to_owned(),
            ),
        };
        (!fits).then_some(Outcome::Skipped { why })
    }

    /// The target does not listen any more: it is started again, or comes back by itself, which is
    /// a failure of the case alone.
    async fn gone(&mut self, case: &Case, why: String) -> Result<Outcome, ContractError> {
        let mut until = Instant::now() + self.bench.options.restart;
        let mut got = "the target stopped listening, and came back".to_owned();
        let mut started = false;
        loop {
            let ended = self.command.ended();
            if let (Some(ended), false) = (&ended, started) {
                format!("{ended}; {}", self.command.last_words())
                    .trim_end()
                    .clone_into(&mut got);
                started = self.command.restart()?;
                until = Instant::now() + self.bench.options.ready_timeout;
            } else if ended.is_some() || Instant::now() >= until {
                let why = ended.unwrap_or_else(|| format!("no connection: {why}"));
                return Err(ContractError::Down {
                    case: case.id,
                    why,
                    last_words: self.command.last_words(),
                });
            }
            if ended.is_some() && !started {
                return Err(ContractError::Down {
                    case: case.id,
                    why: got,
                    last_words: String::new(),
                });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            let good = self.bench.send(&self.bench.forge.token().sign()).await;
            if good.is_ok_and(|answer| answer.is_accepted()) {
                return Ok(Outcome::Failed {
                    expected: case.expected(self.bench.options.strict).to_owned(),
                    got: got.trim_end().to_owned(),
                });
            }
        }
    }
}

fn failed(finding: Finding) -> (Outcome, FailureKind) {
    (
        Outcome::Failed {
            expected: finding.expected,
            got: finding.got,
        },
        finding.symptom,
    )
}

/// What to look at, from what was seen.
fn not_ready(bench: &Harness, seen: &NotReady, command: &Command) -> String {
    let forge = &bench.forge;
    let next = match seen {
        NotReady { ended: true, .. } => {
            "run the command by itself; it found the variables BEARWARD_CONTRACT_ISSUER, _JWKS_URL, _AUDIENCE and _BASE"
                .to_owned()
        }
        NotReady { answered: false, .. } => "is the address right, and does the target listen?".to_owned(),
        NotReady { status: Some(404 | 405), .. } => {
            "is the path right? The target answers as if there were nothing, or nothing for GET".to_owned()
        }
        NotReady { status: Some(500..), .. } => "it breaks on a good token: its own log says why".to_owned(),
        NotReady { fetches: 0, discoveries: 0, .. } => format!(
            "it never asked for keys: configure issuer {}, keys {}, or SUPABASE_URL={}",
            forge.issuer,
            bench.idp.jwks_url(),
            forge.base
        ),
        NotReady { fetches: 0, .. } => {
            "it read the discovery document and asked for no keys: it reads jwks_uri only once?".to_owned()
        }
        _ => format!(
            "it asked for the keys ({}) and refuses all the same: compare its issuer with {}, its audience with {:?} (--audience), its \
             algorithms (--algorithms), and what else it wants (--claim)",
            if seen.fetches == 1 { "once".to_owned() } else { format!("{} times", seen.fetches) },
            forge.issuer,
            forge.audience
        ),
    };
    let (target, last, words) = (bench.target.url(), &seen.last, command.last_words());
    let when = if seen.ended {
        String::new()
    } else {
        format!(" within {} s", bench.options.ready_timeout.as_secs())
    };
    format!("{target} accepted no good token{when}: {last}\nnext: {next}\n{words}")
        .trim_end()
        .to_owned()
}

fn explain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "something listens there already; choose another by --issuer-bind 127.0.0.1:PORT"
                .to_owned()
        }
        _ => error.to_string(),
    }
}
