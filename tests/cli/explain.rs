//! `bearward explain`: what was found, what was expected, and what to do, step by step.

mod input;
mod proofs;
mod rejections;
mod report;
mod rules;
mod unconfigured;

use bearward_testing::MockIdp;

use crate::{CommandOutput, run};

struct Fixture {
    idp: MockIdp,
    base: String,
}

impl Fixture {
    async fn start() -> Self {
        let idp = MockIdp::start().await;
        Self {
            base: idp.base(),
            idp,
        }
    }

    fn explain(&self, token: &str) -> CommandOutput {
        let output = run(&["explain", token], &[("SUPABASE_URL", &self.base)]);
        if token.split('.').count() == 3 && token.len() > 200 && !token.ends_with('.') {
            output.assert_hides_signature(token);
        }
        output
    }

    /// Asserts that the token is rejected with this code, that the output contains these texts, and
    /// that the failed step shows an expected value that differs from the one found.
    #[track_caller]
    fn assert_rejected(&self, token: &str, code: &str, texts: &[&str]) {
        let output = self.explain(token);
        let mut lines = output
            .stdout
            .lines()
            .skip_while(|line| !line.starts_with("NO  "));
        let found = lines.next().and_then(|line| line.get(15..)).map(str::trim);
        let expected = lines
            .next()
            .and_then(|line| line.trim().strip_prefix("expected: "));
        assert!(
            expected.is_some() && found != expected,
            "{found:?} and {expected:?} in {output:#?}"
        );
        output.expect(1, &[&format!("rejected {code}: ")]);
        output.expect(1, texts);
    }
}
