//! A source of revocations that is read at an interval.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bearward::{Revocation, RevocationSource, RevocationUpdate};

use crate::fixture::{Fixture, ISSUER, advance_until_done};

type Answer = Result<RevocationUpdate, String>;

/// Returns the prepared answers, the last one again and again.
#[derive(Clone)]
struct Source(Arc<Mutex<(usize, Vec<Answer>)>>);

impl RevocationSource for Source {
    type Error = String;

    async fn poll(&mut self) -> Answer {
        let mut answers = self.0.lock().unwrap();
        answers.0 += 1;
        if answers.1.len() > 1 {
            answers.1.remove(0)
        } else {
            answers.1[0].clone()
        }
    }
}

fn sessions(ids: &[&str]) -> Vec<Revocation> {
    ids.iter()
        .map(|id| Revocation::session(ISSUER, id))
        .collect()
}

#[tokio::test]
async fn source_is_read_at_the_interval_and_failures_revoke_nothing_less() {
    let fixture = Fixture::new();
    let source = Source(Arc::new(Mutex::new((
        0,
        vec![
            Err("unreachable".to_owned()),
            Ok(RevocationUpdate::All(sessions(&["a", "b"]))),
            Err("unreachable".to_owned()),
            Ok(RevocationUpdate::Added(sessions(&["c"]))),
            Ok(RevocationUpdate::All(sessions(&["c"]))),
        ],
    ))));
    let list = fixture.auth.revocations();
    list.revoke_session(ISSUER, "own").unwrap();
    let followed = list.clone();
    let reads = source.0.clone();
    let task = tokio::spawn(async move { followed.follow(source, Duration::from_secs(2)).await });

    let revoked = |expected: [bool; 4]| {
        ["own", "a", "b", "c"].map(|id| {
            fixture
                .verify(&fixture.token().claim("session_id", id).sign())
                .is_err()
        }) == expected
    };
    let mut seen = Vec::new();
    for read in 1..=5 {
        let waiting = async {
            while reads.lock().unwrap().0 < read {
                tokio::task::yield_now().await;
            }
            tokio::task::yield_now().await;
        };
        advance_until_done(&fixture.clock, waiting).await;
        seen.push(list.age());
        assert!(
            revoked(match read {
                1 => [true, false, false, false],
                2 | 3 => [true, true, true, false],
                4 => [true; 4],
                _ => [true, false, false, true],
            }),
            "after read {read}"
        );
    }
    assert_eq!(seen[0], None, "it was never read");
    assert!(seen[1].is_some() && seen[2] >= seen[1]);
    task.abort();
}
