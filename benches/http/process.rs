//! A server as a child process, with its CPU time and memory from /proc.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A server process. It is killed on drop.
pub struct Process {
    child: Child,
    pub address: SocketAddr,
}

impl Process {
    /// Starts a server that prints `marker` followed by its address.
    pub fn start(command: &mut Command, marker: &str) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("start the server");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines
            .by_ref()
            .map_while(Result::ok)
            .find(|line| line.contains(marker))
            .expect("the server prints its address");
        let address = line.rsplit(marker).next().unwrap().trim();
        let address = address
            .split('/')
            .next()
            .unwrap()
            .parse()
            .expect("an address");
        // Drain the pipe so that the server does not block on output.
        thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    /// Starts a server that listens on this address.
    pub fn start_at(command: &mut Command, address: SocketAddr) -> Self {
        Self::start_with_log(command, address, Stdio::null())
    }

    /// Starts a server that listens on this address and logs to `log`.
    pub fn start_with_log(command: &mut Command, address: SocketAddr, log: Stdio) -> Self {
        let child = command
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("start the server");
        Self { child, address }
    }

    /// Returns the user and system time of all threads.
    pub fn cpu(&self) -> Duration {
        let threads = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let nanos = threads.map(|thread| {
            let path = thread.unwrap().path().join("schedstat");
            let stat = fs::read_to_string(path).expect("a kernel with schedstat");
            stat.split(' ').next().unwrap().parse::<u64>().unwrap()
        });
        Duration::from_nanos(nanos.sum())
    }

    /// Returns the resident memory in MiB.
    pub fn rss(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .expect("a running process");
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

    /// Waits until `path` returns 200, and returns the time elapsed since `since`.
    pub fn wait_for_ok(&self, path: &str, token: &str, since: Instant) -> Duration {
        while since.elapsed() < Duration::from_secs(20) {
            if get(self.address, path, token)
                .is_some_and(|response| response.starts_with("HTTP/1.1 200"))
            {
                return since.elapsed();
            }
            thread::sleep(Duration::from_micros(500));
        }
        panic!("{path} did not return 200 within 20 s");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns `bearward serve` of this build with one issuer named `bench` and an otherwise empty
/// environment.
pub fn serve(address: SocketAddr, issuer: &str) -> Command {
    let program = env::var_os("HTTP_BEARWARD");
    let mut command = Command::new(program.unwrap_or(env!("CARGO_BIN_EXE_bearward").into()));
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

/// Returns a port that is currently free.
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

/// Sends one request on a new connection and returns the complete response.
pub fn exchange(address: SocketAddr, request: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut response = String::new();
    stream.read_to_string(&mut response).ok()?;
    Some(response)
}
