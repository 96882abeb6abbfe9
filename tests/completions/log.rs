//! What this thread writes into the log, at every level, by the crates that a test listens to.

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
    /// `None` while nobody listens.
    static HEARD: RefCell<Option<Heard>> = const { RefCell::new(None) };
}

struct Heard {
    /// How targets begin that count.
    targets: &'static str,
    lines: Vec<String>,
}

/// Listens on this thread until it is dropped.
pub struct Log(&'static LocalKey<RefCell<Option<Heard>>>);

/// One for the process, which asks each time whether this thread listens: with one a thread,
/// `tracing` lets whichever thread comes to a line first decide for all whether it is wanted.
struct ToThread;

impl Log {
    /// To targets that begin so; "" is every crate.
    pub fn listen_to(targets: &'static str) -> Self {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| tracing::subscriber::set_global_default(ToThread).unwrap());
        HEARD.set(Some(Heard {
            targets,
            lines: Vec::new(),
        }));
        Self(&HEARD)
    }

    /// Level, target, then `name=value` of each field.
    pub fn lines(&self) -> Vec<String> {
        self.0.with_borrow(|heard| {
            heard
                .as_ref()
                .map(|heard| heard.lines.clone())
                .unwrap_or_default()
        })
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

fn keep(metadata: &Metadata<'_>, record: impl FnOnce(&mut Line)) {
    let mut line = Line(format!("{} {}", metadata.level(), metadata.target()));
    record(&mut line);
    HEARD.with_borrow_mut(|heard| heard.as_mut().map(|heard| heard.lines.push(line.0)));
}

impl Subscriber for ToThread {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        HEARD.with_borrow(|heard| {
            heard
                .as_ref()
                .is_some_and(|heard| metadata.target().starts_with(heard.targets))
        })
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        keep(span.metadata(), |line| span.record(line));
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        keep(event.metadata(), |line| event.record(line));
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
