//! Captures the log of one thread, at every level.

use std::{
    cell::RefCell,
    fmt::{self, Write},
    sync::Once,
    thread::LocalKey,
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::Interest,
};

thread_local! {
    /// `None` if this thread does not capture its log.
    static CAPTURED: RefCell<Option<Captured>> = const { RefCell::new(None) };
}

struct Captured {
    /// Prefix of the targets to capture.
    target_prefix: &'static str,
    lines: Vec<String>,
}

/// Captures events and spans of the current thread until it is dropped.
pub struct LogCapture(&'static LocalKey<RefCell<Option<Captured>>>);

/// The global subscriber. It decides for each event whether the current thread captures it.
///
/// A subscriber per thread does not work: `tracing` caches the interest in a call site for the whole
/// process, as decided by the first thread that reaches it.
struct ThreadSubscriber;

impl LogCapture {
    /// Starts capturing targets that begin with `target_prefix`; `""` matches every target.
    #[must_use]
    pub fn start(target_prefix: &'static str) -> Self {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| tracing::subscriber::set_global_default(ThreadSubscriber).unwrap());
        CAPTURED.set(Some(Captured {
            target_prefix,
            lines: Vec::new(),
        }));
        Self(&CAPTURED)
    }

    /// Returns the captured lines: level, target, and `name=value` for each field.
    pub fn lines(&self) -> Vec<String> {
        self.0.with_borrow(|captured| {
            captured
                .as_ref()
                .map(|captured| captured.lines.clone())
                .unwrap_or_default()
        })
    }
}

impl Drop for LogCapture {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

fn capture(metadata: &Metadata<'_>, record: impl FnOnce(&mut Line)) {
    let mut line = Line(format!("{} {}", metadata.level(), metadata.target()));
    record(&mut line);
    CAPTURED.with_borrow_mut(|captured| {
        if let Some(captured) = captured {
            captured.lines.push(line.0);
        }
    });
}

impl Subscriber for ThreadSubscriber {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        CAPTURED.with_borrow(|captured| {
            captured
                .as_ref()
                .is_some_and(|captured| metadata.target().starts_with(captured.target_prefix))
        })
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        capture(span.metadata(), |line| span.record(line));
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        capture(event.metadata(), |line| event.record(line));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}
