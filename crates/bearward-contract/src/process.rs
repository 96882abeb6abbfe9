//! The process of the target: runs in its own process group, which is terminated as a whole.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};

/// A running shell command. Dropping it terminates the process group.
pub(super) struct Process {
    child: Child,
    output: Arc<Mutex<VecDeque<String>>>,
    readers: Vec<JoinHandle<()>>,
}

/// How long to wait for the end of the output after the process exited. A child process may keep
/// the pipe open.
const OUTPUT_TIMEOUT: Duration = Duration::from_secs(1);

/// The number of output lines that are kept.
const MAX_LINES: usize = 20;

/// The time between SIGTERM and SIGKILL.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

impl Process {
    /// Runs a command line with `sh -c` and additional environment variables.
    pub(super) fn start(
        command: &str,
        variables: &[(&'static str, String)],
    ) -> std::io::Result<Self> {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", command])
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .process_group(0);
        let mut child = shell
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let output = Arc::default();
        let mut readers = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            readers.push(read_lines(stdout, Arc::clone(&output)));
        }
        if let Some(stderr) = child.stderr.take() {
            readers.push(read_lines(stderr, Arc::clone(&output)));
        }
        Ok(Self {
            child,
            output,
            readers,
        })
    }

    /// Returns how the process exited, if it did, after its output has been read.
    pub(super) fn exit_status(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok().flatten()?;
        let deadline = Instant::now() + OUTPUT_TIMEOUT;
        while !self.readers.iter().all(JoinHandle::is_finished) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        Some(format!("the command exited ({status})"))
    }

    /// Returns the last output lines, without control characters. Repeated lines are merged.
    pub(super) fn recent_output(&self) -> String {
        let output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        let lines: Vec<&String> = output.iter().collect();
        let runs = lines.chunk_by(|line, next| line == next);
        runs.map(|run| match run.len() {
            1 => format!("  | {}\n", run[0]),
            count => format!("  | {} ({count} times)\n", run[0]),
        })
        .collect()
    }

    fn signal(&self, signal: Signal) {
        // The child is the leader of its group, so the group has its id.
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::TERM);
        let deadline = Instant::now() + STOP_TIMEOUT;
        while self.child.try_wait().is_ok_and(|status| status.is_none())
            && Instant::now() < deadline
        {
            thread::sleep(Duration::from_millis(10));
        }
        // Also if the shell has exited: its child processes may still be running.
        self.signal(Signal::KILL);
        drop(self.child.wait());
    }
}

fn read_lines(
    stream: impl Read + Send + 'static,
    output: Arc<Mutex<VecDeque<String>>>,
) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        while reader
            .by_ref()
            .take(4096)
            .read_until(b'\n', &mut line)
            .is_ok_and(|read| read > 0)
        {
            let text = String::from_utf8_lossy(&line);
            let clean = text
                .trim_end()
                .chars()
                .map(|c| if c.is_control() { '\u{fffd}' } else { c })
                .collect();
            let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
            if output.len() == MAX_LINES {
                output.pop_front();
            }
            output.push_back(clean);
            line.clear();
        }
    })
}
