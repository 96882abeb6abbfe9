//! wrk against one route, and the server's CPU time for each request that it answered.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::process::Process;

/// What is sent where, and what must come back.
pub struct Case<'a> {
    pub name: &'a str,
    pub server: &'a Process,
    pub path: &'a str,
    pub tokens: PathBuf,
    pub refused: bool,
}

/// One measurement.
#[derive(Clone, Copy)]
pub struct Figures {
    /// CPU time of the server for a request, in microseconds.
    pub cpu: f64,
    pub per_second: f64,
}

pub fn is_there() -> bool {
    // It knows no option that ends with success.
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
            .expect("wrk runs");
        let used = self.server.cpu() - before;
        let report = String::from_utf8_lossy(&output.stdout);
        let line = report
            .lines()
            .find_map(|line| line.strip_prefix("figures "))
            .unwrap_or_else(|| panic!("wrk: {report}"));
        let figures: Vec<f64> = line
            .split_whitespace()
            .map(|figure| figure.parse().unwrap())
            .collect();
        let [requests, microseconds, refused, broken, _] = figures[..] else {
            panic!("wrk: {line}")
        };
        assert!(
            broken == 0.0 && requests > 0.0,
            "{}: {broken} of {requests} requests had no answer",
            self.name
        );
        let expected = if self.refused { requests } else { 0.0 };
        // When the time is over, wrk has counted a few answers that it no longer counts as
        // requests, or the other way round.
        assert!(
            (refused - expected).abs() <= 64.0,
            "{}: {refused} of {requests} requests were refused",
            self.name
        );
        Figures {
            cpu: used.as_secs_f64() * 1e6 / requests,
            per_second: requests / microseconds * 1e6,
        }
    }
}
