//! Child processes: their output, signals and exit.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant},
};

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

use crate::TEST_TIMEOUT;

/// How often the state of a process is read while a test waits for a change.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// A child process with its captured output. It is killed when this is dropped, also if a test
/// panics.
pub struct TestProcess {
    child: Child,
    lines: Mutex<Receiver<String>>,
    output: Arc<Mutex<String>>,
}

impl TestProcess {
    /// Starts a command without standard input.
    pub fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = mpsc::channel();
        let output = Arc::new(Mutex::new(String::new()));
        follow(
            child.stdout.take().unwrap(),
            sender.clone(),
            Arc::clone(&output),
        );
        follow(child.stderr.take().unwrap(), sender, Arc::clone(&output));
        Self {
            child,
            lines: Mutex::new(lines),
            output,
        }
    }

    /// Returns the id of the process.
    pub fn pid(&self) -> String {
        self.child.id().to_string()
    }

    /// Returns what the process has written so far to stdout and stderr.
    pub fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    /// Reads lines until one contains this text, and returns it. A line is read only once.
    ///
    /// # Panics
    ///
    /// If the process exits without such a line, or after [`TEST_TIMEOUT`].
    #[track_caller]
    pub fn line(&self, text: &str) -> String {
        let deadline = Instant::now() + TEST_TIMEOUT;
        let lines = self.lines.lock().unwrap();
        loop {
            match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) if line.contains(text) => return line,
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => {
                    panic!("no line with {text:?} in time:\n{}", self.output())
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("exited without a line with {text:?}:\n{}", self.output())
                }
            }
        }
    }

    /// Waits until the complete output contains this text, and returns the output.
    ///
    /// # Panics
    ///
    /// If the process exits before, or after [`TEST_TIMEOUT`].
    pub async fn wait_for_output(&mut self, text: &str) -> String {
        let since = Instant::now();
        loop {
            let exited = self.child.try_wait().unwrap();
            let output = self.output();
            if output.contains(text) {
                return output;
            }
            assert!(
                exited.is_none() && since.elapsed() < TEST_TIMEOUT,
                "no {text:?} (exited: {exited:?}):\n{output}"
            );
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Returns whether the process has not exited yet.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Sends a signal, and returns the exit status, the time until the exit, and the output.
    pub fn stop(mut self, signal: Signal) -> (ExitStatus, Duration, String) {
        let start = Instant::now();
        self.signal(signal);
        let (status, output) = self.wait_blocking();
        (status, start.elapsed(), output)
    }

    /// Blocks until the exit, and returns the exit status and the output.
    ///
    /// # Panics
    ///
    /// After [`TEST_TIMEOUT`].
    pub fn wait_blocking(&mut self) -> (ExitStatus, String) {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                self.drain();
                return (status, self.output());
            }
            self.assert_exits_in_time(start);
            thread::sleep(POLL_INTERVAL);
        }
    }

    /// Waits for the exit.
    ///
    /// # Panics
    ///
    /// After [`TEST_TIMEOUT`].
    pub async fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            self.assert_exits_in_time(start);
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Waits for the exit and returns the complete output.
    ///
    /// # Panics
    ///
    /// After [`TEST_TIMEOUT`].
    pub async fn final_output(&mut self) -> String {
        self.wait().await;
        self.drain();
        self.output()
    }

    fn assert_exits_in_time(&self, start: Instant) {
        assert!(
            start.elapsed() < TEST_TIMEOUT,
            "the process does not exit:\n{}",
            self.output()
        );
    }

    /// Reads until both streams are closed.
    fn drain(&self) {
        let lines = self.lines.lock().unwrap();
        while lines.recv_timeout(TEST_TIMEOUT).is_ok() {}
    }
}

impl Drop for TestProcess {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Copies the lines of a stream to `lines` and `output`.
fn follow(stream: impl Read + Send + 'static, lines: Sender<String>, output: Arc<Mutex<String>>) {
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut output = output.lock().unwrap();
            output.push_str(&line);
            output.push('\n');
            drop(output);
            drop(lines.send(line));
        }
    });
}
