//! The target's process: started by a shell in a group of its own, listened to, and ended with all
//! its children.

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

/// A running command line. It is ended when this is dropped.
pub(super) struct Process {
    child: Child,
    said: Arc<Mutex<VecDeque<String>>>,
    readers: Vec<JoinHandle<()>>,
}

/// How long what it wrote last is waited for, once it has ended: a child of its own may hold the
/// pipe open.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How much of what it wrote is kept.
const LINES: usize = 20;

/// How long it may take to end before it is killed.
const GRACE: Duration = Duration::from_secs(5);

impl Process {
    /// Starts it with these variables added to the environment.
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
        let said = Arc::default();
        let mut readers = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            readers.push(follow(stdout, Arc::clone(&said)));
        }
        if let Some(stderr) = child.stderr.take() {
            readers.push(follow(stderr, Arc::clone(&said)));
        }
        Ok(Self {
            child,
            said,
            readers,
        })
    }

    /// How it ended, if it has; then its last words are known.
    pub(super) fn ended(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok().flatten()?;
        let until = Instant::now() + LAST_WORDS;
        while !self.readers.iter().all(JoinHandle::is_finished) && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
        Some(format!("the command ended ({status})"))
    }

    /// The last lines that it wrote, without what could move a terminal.
    pub(super) fn last_words(&self) -> String {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let lines: Vec<&String> = said.iter().collect();
        let runs = lines.chunk_by(|one, next| one == next);
        let told = runs.map(|run| match run.len() {
            1 => format!("  | {}\n", run[0]),
            times => format!("  | {} ({times} times)\n", run[0]),
        });
        told.collect()
    }

    fn signal(&self, signal: Signal) {
        // The group's number is the child's own: it was made its leader.
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::TERM);
        let until = Instant::now() + GRACE;
        while self.child.try_wait().is_ok_and(|ended| ended.is_none()) && Instant::now() < until {
            thread::sleep(Duration::from_millis(10));
        }
        // Also when the shell has ended: its children may not have.
        self.signal(Signal::KILL);
        drop(self.child.wait());
    }
}

fn follow(
    stream: impl Read + Send + 'static,
    said: Arc<Mutex<VecDeque<String>>>,
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
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            if said.len() == LINES {
                said.pop_front();
            }
            said.push_back(clean);
            line.clear();
        }
    })
}
