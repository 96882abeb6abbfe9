//! A run of the battery against a double.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bearward::Algorithm;
use bearward_contract::{Contract, Options, Progress, Report};

use crate::double::{Double, Hole, Trust, Violations};

/// The times of a double, which waits for nobody: short, and none of them decides a test.
pub(crate) fn options() -> Options {
    Options {
        strict: true,
        quick: true,
        cooldown: Duration::from_millis(300),
        backoff: Duration::from_millis(300),
        patience: Duration::from_secs(6),
        ..Options::default()
    }
}

pub(crate) fn trust(contract: &Contract, algorithms: &[Algorithm]) -> Trust {
    let algorithms = if algorithms.is_empty() {
        &Algorithm::ALL[..]
    } else {
        algorithms
    };
    Trust {
        issuer: contract.issuer(),
        jwks_url: contract.jwks_url(),
        audience: contract.audience().to_owned(),
        algorithms: algorithms
            .iter()
            .map(|algorithm| algorithm.name().to_owned())
            .collect(),
    }
}

/// Against a double with this hole.
pub(crate) async fn run(hole: Hole, options: Options) -> Report {
    let algorithms = options.algorithms.clone();
    let contract = Contract::open(options).unwrap();
    let double = Double::start(trust(&contract, &algorithms), hole);
    contract.run(&double.url()).await.unwrap()
}

/// The ids that failed, in their order.
pub(crate) fn failed(report: &Report) -> Vec<&'static str> {
    report.failures().map(|tested| tested.id).collect()
}

/// What a sound double finds wrong with the requests of each case.
pub(crate) async fn findings(options: Options) -> Vec<(&'static str, Vec<Vec<Violations>>)> {
    let marks: Arc<Mutex<Vec<(&'static str, usize)>>> = Arc::default();
    let seen: Arc<Mutex<Vec<Vec<Violations>>>> = Arc::default();
    let (noted, counted) = (Arc::clone(&marks), Arc::clone(&seen));
    let progress = move |progress| {
        if let Progress::Case { id, .. } = progress {
            noted
                .lock()
                .unwrap()
                .push((id, counted.lock().unwrap().len()));
        }
    };
    let contract = Contract::open(Options {
        progress: Some(Arc::new(progress)),
        ..options
    })
    .unwrap();
    let double = Double::start_seen(trust(&contract, &[]), Hole::None, Arc::clone(&seen));
    let report = contract.run(&double.url()).await.unwrap();
    assert!(report.passed(), "{report}");
    let (marks, seen) = (marks.lock().unwrap(), seen.lock().unwrap());
    let ends = marks
        .iter()
        .skip(1)
        .map(|(_, end)| *end)
        .chain([seen.len()]);
    marks
        .iter()
        .zip(ends)
        .map(|((id, start), end)| (*id, seen[*start..end].to_vec()))
        .collect()
}

/// A run during which the double refuses everything for as long as one case lasts.
pub(crate) async fn refusing_during(case: &'static str, options: Options) -> Report {
    refusing_while(move |id| id == case, options).await
}

/// The same, from that case on.
pub(crate) async fn refusing_from(case: &'static str, options: Options) -> Report {
    let begun = Mutex::new(false);
    let has_begun = move |id: &str| {
        let mut begun = begun.lock().unwrap();
        *begun |= id == case;
        *begun
    };
    refusing_while(has_begun, options).await
}

async fn refusing_while(
    refuses: impl Fn(&str) -> bool + Send + Sync + 'static,
    options: Options,
) -> Report {
    let hole: Arc<Mutex<Option<Arc<Mutex<Hole>>>>> = Arc::default();
    let switch = Arc::clone(&hole);
    let progress = move |progress| {
        if let (Progress::Case { id, .. }, Some(hole)) = (progress, &*switch.lock().unwrap()) {
            *hole.lock().unwrap() = if refuses(id) {
                Hole::RefusesAll
            } else {
                Hole::None
            };
        }
    };
    let contract = Contract::open(Options {
        progress: Some(Arc::new(progress)),
        ..options
    })
    .unwrap();
    let double = Double::start(trust(&contract, &[]), Hole::None);
    *hole.lock().unwrap() = Some(Arc::clone(&double.hole));
    contract.run(&double.url()).await.unwrap()
}
