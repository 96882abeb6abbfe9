//! A server as a child process: what it has used of the processor and of memory, as /proc tells it.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Ends with its handle.
pub struct Process {
    child: Child,
    pub address: SocketAddr,
}

impl Process {
    /// Starts a server whose first line of output that holds `mark` goes on with its address.
    pub fn announced(command: &mut Command, mark: &str) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines
            .by_ref()
            .map_while(Result::ok)
            .find(|line| line.contains(mark))
            .expect("it says where it listens");
        let address = line.rsplit(mark).next().unwrap().trim();
        let address = address
            .split('/')
            .next()
            .unwrap()
            .parse()
            .expect("an address");
        // Whatever it says later must not fill the pipe.
        thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    /// Starts a server that is told where to listen.
    pub fn told(command: &mut Command, address: SocketAddr) -> Self {
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        Self { child, address }
    }

    /// User and system time of all its threads. The kernel counts it exactly and tells it in
    /// hundredths of a second.
    pub fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("it runs");
        // The second field is the name in parentheses, which may hold anything.
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

    /// Resident memory, in MiB.
    pub fn rss(&self) -> f64 {
        let status =
            fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .unwrap();
        line.split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<f64>()
            .unwrap()
            / 1024.0
    }

    /// Waits until `path` is answered with 200, and tells how long that took since `since`.
    pub fn first_ok(&self, path: &str, token: &str, since: Instant) -> Duration {
        while since.elapsed() < Duration::from_secs(20) {
            if get(self.address, path, token)
                .is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
            {
                return since.elapsed();
            }
            thread::sleep(Duration::from_micros(500));
        }
        panic!("{path} was not answered with 200 within 20 s");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `bearward serve` of this build, which trusts one issuer named `bench`, and knows nothing of the
/// caller's environment.
pub fn serve(address: SocketAddr, issuer: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bearward"));
    command
        .env_clear()
        .current_dir("/")
        .args(["serve", "--bind"])
        .arg(address.to_string());
    command
        .env("BEARWARD_ISSUERS__BENCH__ISSUER", issuer)
        .env("BEARWARD_ISSUERS__BENCH__AUDIENCES", "authenticated");
    command
}

/// A port that was free a moment ago.
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .unwrap()
}

fn get(address: SocketAddr, path: &str, token: &str) -> Option<String> {
    let head = format!(
        "GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
    );
    exchange(address, &head)
}

/// One request on a connection of its own, and the whole answer.
pub fn exchange(address: SocketAddr, request: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}
