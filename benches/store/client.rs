//! Clients that send requests sequentially, each on its own connection, and the measured latencies.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use crate::test_server::TestServer;

/// One measurement.
#[derive(Clone, Copy)]
pub struct Figures {
    /// Median latency in microseconds.
    pub median: f64,
    pub per_second: f64,
    /// Server CPU time per request in microseconds, without the database.
    pub cpu: f64,
}

/// A request, its server and the number of concurrent clients.
pub struct Case<'a> {
    pub name: String,
    pub server: &'a TestServer,
    pub request: String,
    pub clients: usize,
}

pub fn get(path: &str, token: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n")
}

pub fn post(path: &str, token: &str, body: &str) -> String {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json"
    );
    format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

impl Case<'_> {
    fn run(&self, seconds: f64) -> Figures {
        let (before, since) = (cpu(self.server), Instant::now());
        let deadline = since + Duration::from_secs_f64(seconds);
        let mut latencies: Vec<Duration> = thread::scope(|scope| {
            let clients: Vec<_> = (0..self.clients)
                .map(|_| scope.spawn(move || self.client(deadline)))
                .collect();
            clients
                .into_iter()
                .flat_map(|client| client.join().unwrap())
                .collect()
        });
        let (elapsed, cpu_time) = (since.elapsed(), cpu(self.server) - before);
        latencies.sort_unstable();
        let count = f64::from(u32::try_from(latencies.len()).unwrap());
        Figures {
            median: latencies[latencies.len() / 2].as_secs_f64() * 1e6,
            per_second: count / elapsed.as_secs_f64(),
            cpu: cpu_time.as_secs_f64() * 1e6 / count,
        }
    }

    fn client(&self, deadline: Instant) -> Vec<Duration> {
        let mut stream = TcpStream::connect(self.server.api.trim_start_matches("http://")).unwrap();
        stream.set_nodelay(true).unwrap();
        let (mut latencies, mut response) = (Vec::new(), Vec::new());
        while Instant::now() < deadline {
            let since = Instant::now();
            stream.write_all(self.request.as_bytes()).unwrap();
            read(&mut stream, &mut response);
            latencies.push(since.elapsed());
            assert!(
                response.starts_with(b"HTTP/1.1 20"),
                "{}: {}",
                self.name,
                String::from_utf8_lossy(&response)
            );
        }
        latencies
    }
}

/// Reads one response, whose length is in its `Content-Length`.
fn read(stream: &mut TcpStream, response: &mut Vec<u8>) {
    response.clear();
    let mut part = [0; 16 * 1024];
    loop {
        let count = stream.read(&mut part).unwrap();
        assert!(count > 0, "the server closed the connection");
        response.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(response);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .expect("a content-length");
        if body.len() >= length.parse::<usize>().unwrap() {
            return;
        }
    }
}

/// Returns the user and system time of all threads. /proc has a resolution of 10 ms.
fn cpu(server: &TestServer) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{}/stat", server.process.pid()))
        .expect("a running process");
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks: u64 = [fields[11], fields[12]]
        .map(|ticks| ticks.parse::<u64>().unwrap())
        .iter()
        .sum();
    Duration::from_millis(ticks * 10)
}

/// Runs every case once per round and prints the medians. Ratios are relative to the first case of
/// the same round.
pub fn compare(title: &str, cases: &[Case<'_>], rounds: usize, seconds: f64) {
    let mut measured: Vec<Vec<Figures>> = vec![Vec::new(); cases.len()];
    for case in cases {
        case.run(seconds / 4.0);
    }
    for _ in 0..rounds {
        for (row, case) in measured.iter_mut().zip(cases) {
            row.push(case.run(seconds));
        }
    }
    println!("\n## {title} ({rounds} rounds of {seconds} s, interleaved)\n");
    println!(
        "| | median µs | ratio | server CPU µs | ratio | requests/s |\n|---|---|---|---|---|---|"
    );
    for (row, case) in measured.iter().zip(cases) {
        let median_of = |figure: fn(&Figures) -> f64| median(row.iter().map(figure));
        let ratio = |figure: fn(&Figures) -> f64| {
            median(
                row.iter()
                    .zip(&measured[0])
                    .map(|(row, first)| figure(row) / figure(first)),
            )
        };
        println!(
            "| {} | {:.0} | {:.2} | {:.0} | {:.2} | {:.0} |",
            case.name,
            median_of(|row| row.median),
            ratio(|row| row.median),
            median_of(|row| row.cpu),
            ratio(|row| row.cpu),
            median_of(|row| row.per_second)
        );
    }
}

pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
