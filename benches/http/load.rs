//! Loads one route with wrk and measures the server's CPU time per request.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::process::Process;

/// A request to a server and the expected outcome.
pub struct Case<'a> {
    pub name: &'a str,
    pub server: &'a Process,
    pub path: &'a str,
    pub tokens: PathBuf,
    /// Whether the requests must be rejected.
    pub rejected: bool,
}

/// One measurement.
#[derive(Clone, Copy)]
pub struct Figures {
    /// Server CPU time per request in microseconds.
    pub cpu: f64,
    pub per_second: f64,
}

pub fn is_installed() -> bool {
    // wrk has no option that exits with status 0.
    Command::new("wrk").arg("-v").output().is_ok()
}

impl Case<'_> {
    pub fn run(&self, seconds: u32) -> Figures {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/http/rotate.lua");
        let url = format!("http://{}{}", self.server.address, self.path);
        let before = self.server.cpu();
        let output = Command::new("wrk")
            .args(["-t1", "-c64", "-d", &format!("{seconds}s"), "-s"])
            .args([
                script.as_os_str(),
                url.as_ref(),
                "--".as_ref(),
                self.tokens.as_os_str(),
            ])
            .output()
            .expect("start wrk");
        let cpu_time = self.server.cpu() - before;
        let report = String::from_utf8_lossy(&output.stdout);
        let line = report
            .lines()
            .find_map(|line| line.strip_prefix("figures "))
            .unwrap_or_else(|| panic!("wrk: {report}"));
        let figures: Vec<f64> = line
            .split_whitespace()
            .map(|figure| figure.parse().unwrap())
            .collect();
        let [requests, microseconds, rejected, failed, _] = figures[..] else {
            panic!("wrk: {line}")
        };
        assert!(
            failed == 0.0 && requests > 0.0,
            "{}: {failed} of {requests} requests had no response",
            self.name
        );
        let expected = if self.rejected { requests } else { 0.0 };
        // At the end of a run, wrk's counts of requests and of errors differ by a few.
        assert!(
            (rejected - expected).abs() <= 64.0,
            "{}: {rejected} of {requests} requests were rejected",
            self.name
        );
        Figures {
            cpu: cpu_time.as_secs_f64() * 1e6 / requests,
            per_second: requests / microseconds * 1e6,
        }
    }
}
