//! Captures the log of the current thread at every level, filtered by target.

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
    /// `None` while nothing is captured.
    static CAPTURE: RefCell<Option<Capture>> = const { RefCell::new(None) };
}

struct Capture {
    /// Prefix of the targets to capture.
    target_prefix: &'static str,
    lines: Vec<String>,
}

/// Captures the log of this thread until it is dropped.
pub struct Log(&'static LocalKey<RefCell<Option<Capture>>>);

/// Global subscriber that writes to the current thread's capture. With one subscriber per thread,
/// `tracing` caches per call site the interest of the first thread that reaches it, for all threads.
struct ThreadSubscriber;

impl Log {
    /// Starts to capture events and spans whose target has this prefix; "" captures all.
    pub fn listen_to(target_prefix: &'static str) -> Self {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| tracing::subscriber::set_global_default(ThreadSubscriber).unwrap());
        CAPTURE.set(Some(Capture {
            target_prefix,
            lines: Vec::new(),
        }));
        Self(&CAPTURE)
    }

    /// Returns the captured lines: level, target, then `name=value` for each field.
    pub fn lines(&self) -> Vec<String> {
        self.0.with_borrow(|capture| {
            capture
                .as_ref()
                .map(|capture| capture.lines.clone())
                .unwrap_or_default()
        })
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

fn capture(metadata: &Metadata<'_>, record: impl FnOnce(&mut Line)) {
    let mut line = Line(format!("{} {}", metadata.level(), metadata.target()));
    record(&mut line);
    CAPTURE.with_borrow_mut(|capture| capture.as_mut().map(|capture| capture.lines.push(line.0)));
}

impl Subscriber for ThreadSubscriber {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        CAPTURE.with_borrow(|capture| {
            capture
                .as_ref()
                .is_some_and(|capture| metadata.target().starts_with(capture.target_prefix))
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
