//! What the code under test writes into the log of this thread.

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
};

thread_local! {
    /// Level, then `name=value` of each field; `None` while nobody listens.
    static LINES: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Listens on this thread until it is dropped.
pub struct Log(&'static LocalKey<RefCell<Option<Vec<String>>>>);

/// One for the process: with one a thread, `tracing` lets whichever thread comes to a line first decide for all whether it is wanted.
struct ToThread;

impl Log {
    pub fn listen() -> Self {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| tracing::subscriber::set_global_default(ToThread).unwrap());
        LINES.set(Some(Vec::new()));
        Self(&LINES)
    }

    pub fn lines(&self) -> Vec<String> {
        self.0.with_borrow(|lines| lines.clone().unwrap_or_default())
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

impl Subscriber for ToThread {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("bearward")
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        LINES.with_borrow_mut(|lines| {
            if let Some(lines) = lines {
                lines.push(line.0);
            }
        });
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
