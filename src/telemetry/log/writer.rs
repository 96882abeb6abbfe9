//! Writes log lines in batches, from a thread of its own.

use std::{
    io::{self, Write},
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// How long a line waits for further lines before it is written.
const LINGER: Duration = Duration::from_millis(10);

/// The size of a batch that does not wait for further lines, in bytes.
const BATCH_BYTES: usize = 64 * 1024;

/// Maximum size of the lines that wait, in bytes. Beyond it, the thread that logs writes them.
const MAX_BYTES: usize = 1024 * 1024;

/// A log whose lines are written in batches. Clones share the batch.
///
/// Lines up to the level INFO wait for at most 10 ms for others. A line of the level WARN or ERROR
/// is written at once, after those that wait. If the lines are written more slowly than they come,
/// threads that log wait: no line is dropped.
///
/// The lines that wait are lost if the process is killed or aborts, or exits without
/// [`flush`](Self::flush).
#[derive(Clone)]
pub(super) struct BatchedLog(Arc<Shared>);

struct Shared {
    batch: Mutex<Batch>,
    /// Notifies the thread of the first line, and of a full batch.
    changed: Condvar,
    /// Locked before `batch` and until the batch is written, so that lines keep their order.
    output: Mutex<Box<dyn Write + Send>>,
}

#[derive(Default)]
struct Batch {
    lines: Vec<u8>,
    /// The allocation of the previous batch.
    spare: Vec<u8>,
    /// Whether a thread writes the batches. If not, every line is written at once.
    has_thread: bool,
    /// Whether the thread waits for the first line.
    is_awaited: bool,
}

/// Writes one line to a [`BatchedLog`].
pub(super) struct LineWriter<'l> {
    log: &'l BatchedLog,
    is_urgent: bool,
}

impl BatchedLog {
    /// Creates a log that writes every line at once.
    pub(super) fn new(output: impl Write + Send + 'static) -> Self {
        Self(Arc::new(Shared {
            batch: Mutex::default(),
            changed: Condvar::new(),
            output: Mutex::new(Box::new(output)),
        }))
    }

    /// Starts the thread that writes batches, which runs until the process ends. If it cannot be
    /// started, lines are still written at once.
    pub(super) fn start_thread(&self) {
        let log = self.clone();
        let write_batches = move || {
            loop {
                log.wait_for_batch();
                log.flush();
            }
        };
        let thread = thread::Builder::new().name("log-writer".to_owned());
        self.lock_batch().has_thread = thread.spawn(write_batches).is_ok();
    }

    /// Writes the lines that wait. Errors of the output are ignored: they cannot be logged.
    pub(super) fn flush(&self) {
        self.write_with(&[]);
    }

    fn append(&self, line: &[u8], is_urgent: bool) {
        let mut batch = self.lock_batch();
        let length = batch.lines.len() + line.len();
        if is_urgent || !batch.has_thread || length > MAX_BYTES {
            drop(batch);
            return self.write_with(line);
        }
        let was_full = batch.lines.len() >= BATCH_BYTES;
        batch.lines.extend_from_slice(line);
        let is_awaited = mem::take(&mut batch.is_awaited);
        drop(batch);
        if is_awaited || (length >= BATCH_BYTES && !was_full) {
            self.0.changed.notify_one();
        }
    }

    /// Writes the lines that wait, and then this one.
    fn write_with(&self, line: &[u8]) {
        let mut output = lock(&self.0.output);
        let mut lines = {
            let mut batch = self.lock_batch();
            let spare = mem::take(&mut batch.spare);
            mem::replace(&mut batch.lines, spare)
        };
        lines.extend_from_slice(line);
        if !lines.is_empty() {
            let _ = output.write_all(&lines).and_then(|()| output.flush());
            lines.clear();
            self.lock_batch().spare = lines;
        }
    }

    /// Waits until there is a batch to write.
    fn wait_for_batch(&self) {
        let changed = &self.0.changed;
        let mut batch = self.lock_batch();
        while batch.lines.is_empty() {
            batch.is_awaited = true;
            batch = changed.wait(batch).unwrap_or_else(PoisonError::into_inner);
        }
        batch.is_awaited = false;
        let is_partial = |batch: &mut Batch| (1..BATCH_BYTES).contains(&batch.lines.len());
        let waited = changed.wait_timeout_while(batch, LINGER, is_partial);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn lock_batch(&self) -> MutexGuard<'_, Batch> {
        lock(&self.0.batch)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'l> MakeWriter<'l> for BatchedLog {
    type Writer = LineWriter<'l>;

    fn make_writer(&'l self) -> Self::Writer {
        LineWriter {
            log: self,
            is_urgent: true,
        }
    }

    fn make_writer_for(&'l self, metadata: &Metadata<'_>) -> Self::Writer {
        LineWriter {
            log: self,
            is_urgent: *metadata.level() <= Level::WARN,
        }
    }
}

/// Each call takes a whole line, as the layers of `tracing-subscriber` write it.
impl Write for LineWriter<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.log.append(line, self.is_urgent);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Sends everything that is written to it.
    struct Sent(mpsc::Sender<Vec<u8>>);

    impl Write for Sent {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(written: &mpsc::Receiver<Vec<u8>>) -> Vec<String> {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        written.try_iter().map(text).collect()
    }

    /// Returns a log that writes batches, but without the thread, and what it has written.
    fn batched() -> (BatchedLog, mpsc::Receiver<Vec<u8>>) {
        let (output, written) = mpsc::channel();
        let log = BatchedLog::new(Sent(output));
        log.lock_batch().has_thread = true;
        (log, written)
    }

    #[test]
    fn every_line_is_written_at_once_without_a_thread() {
        let (log, written_lines) = batched();
        log.lock_batch().has_thread = false;
        log.append(b"one\n", false);
        assert_eq!(written(&written_lines), ["one\n"]);
    }

    #[test]
    fn lines_wait_until_the_log_is_flushed() {
        let (log, written_lines) = batched();
        log.append(b"one\n", false);
        log.append(b"two\n", false);
        assert_eq!(written(&written_lines), [""; 0]);
        log.flush();
        assert_eq!(written(&written_lines), ["one\ntwo\n"]);
        log.flush();
        assert_eq!(written(&written_lines), [""; 0]);
    }

    #[test]
    fn an_urgent_line_is_written_at_once_after_those_that_wait() {
        let (log, written_lines) = batched();
        log.append(b"one\n", false);
        log.append(b"urgent\n", true);
        assert_eq!(written(&written_lines), ["one\nurgent\n"]);
    }

    #[test]
    fn a_line_that_does_not_fit_in_the_batch_is_written_by_its_thread() {
        let (log, written_lines) = batched();
        let line = vec![b'x'; MAX_BYTES / 2];
        log.append(&line, false);
        log.append(&line, false);
        assert_eq!(written(&written_lines).len(), 0);
        log.append(b"\n", false);
        assert_eq!(written(&written_lines)[0].len(), MAX_BYTES + 1);
    }

    #[test]
    fn the_thread_writes_every_line_once_and_in_order() {
        const LINES: usize = 20_000;
        let (output, written_lines) = mpsc::channel();
        let log = BatchedLog::new(Sent(output));
        log.start_thread();
        thread::scope(|scope| {
            for name in ["a", "b", "c"] {
                let log = &log;
                scope.spawn(move || {
                    for number in 0..LINES {
                        let line = format!("{name} {number}\n");
                        log.append(line.as_bytes(), number % 1_000 == 0);
                    }
                });
            }
        });
        let mut text = String::new();
        while text.lines().count() < 3 * LINES {
            let batch = written_lines.recv().expect("the thread runs");
            text += &String::from_utf8(batch).expect("UTF-8");
        }
        for name in ["a", "b", "c"] {
            let of_thread = text.lines().filter_map(|line| line.strip_prefix(name));
            let numbers: Vec<_> = of_thread.map(|line| line.trim().to_owned()).collect();
            let expected: Vec<_> = (0..LINES).map(|number| number.to_string()).collect();
            assert_eq!(numbers, expected, "{name}");
        }
        log.flush();
        assert_eq!(written(&written_lines), [""; 0]);
    }
}
