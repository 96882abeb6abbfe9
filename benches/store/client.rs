//! Clients that send one request after the other, each on a connection of its own, and what it
//! took.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use crate::serving::Serving;

/// One measurement.
#[derive(Clone, Copy)]
pub struct Figures {
    /// Half of the requests took no longer, in microseconds.
    pub median: f64,
    pub per_second: f64,
    /// CPU time of the server for a request, in microseconds; the database's is not in it.
    pub cpu: f64,
}

/// What is sent to which server, and how many clients send it.
pub struct Case<'a> {
    pub name: String,
    pub server: &'a Serving,
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
        let until = since + Duration::from_secs_f64(seconds);
        let mut took: Vec<Duration> = thread::scope(|scope| {
            let clients: Vec<_> = (0..self.clients)
                .map(|_| scope.spawn(move || self.client(until)))
                .collect();
            clients
                .into_iter()
                .flat_map(|client| client.join().unwrap())
                .collect()
        });
        let (elapsed, used) = (since.elapsed(), cpu(self.server) - before);
        took.sort_unstable();
        let count = f64::from(u32::try_from(took.len()).unwrap());
        Figures {
            median: took[took.len() / 2].as_secs_f64() * 1e6,
            per_second: count / elapsed.as_secs_f64(),
            cpu: used.as_secs_f64() * 1e6 / count,
        }
    }

    fn client(&self, until: Instant) -> Vec<Duration> {
        let mut stream = TcpStream::connect(self.server.api.trim_start_matches("http://")).unwrap();
        stream.set_nodelay(true).unwrap();
        let (mut took, mut answer) = (Vec::new(), Vec::new());
        while Instant::now() < until {
            let since = Instant::now();
            stream.write_all(self.request.as_bytes()).unwrap();
            read(&mut stream, &mut answer);
            took.push(since.elapsed());
            assert!(
                answer.starts_with(b"HTTP/1.1 20"),
                "{}: {}",
                self.name,
                String::from_utf8_lossy(&answer)
            );
        }
        took
    }
}

/// One answer, whose length is told in its head.
fn read(stream: &mut TcpStream, answer: &mut Vec<u8>) {
    answer.clear();
    let mut part = [0; 16 * 1024];
    loop {
        let count = stream.read(&mut part).unwrap();
        assert!(count > 0, "the server hung up");
        answer.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .expect("a length");
        if body.len() >= length.parse::<usize>().unwrap() {
            return;
        }
    }
}

/// User and system time of all its threads, which the kernel tells in hundredths of a second.
fn cpu(server: &Serving) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{}/stat", server.process.pid())).expect("it runs");
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

/// Runs every case once a round, and prints medians of the rounds; ratios are to the first case,
/// round by round.
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
        "| | median µs | ratio | CPU µs of ours | ratio | requests/s |\n|---|---|---|---|---|---|"
    );
    for (row, case) in measured.iter().zip(cases) {
        let of = |figure: fn(&Figures) -> f64| median(row.iter().map(figure));
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
            of(|row| row.median),
            ratio(|row| row.median),
            of(|row| row.cpu),
            ratio(|row| row.cpu),
            of(|row| row.per_second)
        );
    }
}

pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
