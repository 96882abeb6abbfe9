//! The text format of log lines.

use std::{cell::RefCell, fmt, time::SystemTime};

use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    field::{RecordFields, VisitOutput},
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Compact, DefaultFields, DefaultVisitor, Format, Writer},
        time::{self, FormatTime},
    },
    registry::LookupSpan,
};

/// Formats events as `tracing-subscriber` does in its compact format.
///
/// Events outside of a span, such as the lines of the access log, are formatted here: with
/// `tracing-subscriber` each value passes through several layers of [`fmt`].
pub(super) struct TextFormat(Format<Compact, UtcTime>);

/// Formats fields as [`DefaultFields`] does.
#[derive(Debug)]
pub(super) struct TextFields;

/// The current time as in RFC 3339, in UTC and with microseconds.
struct UtcTime;

/// Writes the fields of an event without escape sequences for colors.
struct FieldWriter<'w> {
    writer: Writer<'w>,
    is_first: bool,
    result: fmt::Result,
}

impl TextFormat {
    pub(super) fn new() -> Self {
        Self(Format::default().compact().with_timer(UtcTime))
    }
}

impl<S, N> FormatEvent<S, N> for TextFormat
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let has_span = !event.is_root() || context.lookup_current().is_some();
        if has_span || writer.has_ansi_escapes() {
            return self.0.format_event(context, writer, event);
        }
        let metadata = event.metadata();
        UtcTime.format_time(&mut writer)?;
        writer.write_str(match *metadata.level() {
            Level::TRACE => " TRACE ",
            Level::DEBUG => " DEBUG ",
            Level::INFO => "  INFO ",
            Level::WARN => "  WARN ",
            Level::ERROR => " ERROR ",
        })?;
        writer.write_str(metadata.target())?;
        writer.write_str(": ")?;
        write_fields(writer.by_ref(), event)?;
        writer.write_char('\n')
    }
}

thread_local! {
    /// The fields of a span, before they are copied to an allocation of their length.
    static SPAN_FIELDS: RefCell<String> = const { RefCell::new(String::new()) };
}

impl<'w> FormatFields<'w> for TextFields {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'w>, fields: R) -> fmt::Result {
        if writer.has_ansi_escapes() {
            return DefaultFields::new().format_fields(writer, fields);
        }
        SPAN_FIELDS.with(|buffer| {
            // A value may log while it is formatted.
            let Ok(mut buffer) = buffer.try_borrow_mut() else {
                return write_fields(writer, fields);
            };
            buffer.clear();
            write_fields(Writer::new(&mut *buffer), fields)?;
            writer.write_str(&buffer)
        })
    }
}

fn write_fields(writer: Writer<'_>, fields: impl RecordFields) -> fmt::Result {
    let mut fields_writer = FieldWriter {
        writer,
        is_first: true,
        result: Ok(()),
    };
    fields.record(&mut fields_writer);
    fields_writer.result
}

impl FormatTime for UtcTime {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let now = SystemTime::now();
        match now.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(_) => write!(writer, "{}", humantime::format_rfc3339_micros(now)),
            Err(_) => time::SystemTime.format_time(writer),
        }
    }
}

impl FieldWriter<'_> {
    fn write(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        if self.result.is_ok() {
            self.result = self.try_write(field, value);
        }
    }

    fn try_write(
        &mut self,
        field: &Field,
        value: impl FnOnce(&mut Writer<'_>) -> fmt::Result,
    ) -> fmt::Result {
        let name = field.name();
        // Fields that the bridge of the crate `log` adds.
        if name.starts_with("log.") {
            return Ok(());
        }
        if !self.is_first {
            self.writer.write_char(' ')?;
        }
        self.is_first = false;
        self.writer
            .write_str(name.strip_prefix("r#").unwrap_or(name))?;
        self.writer.write_char('=')?;
        value(&mut self.writer)
    }

    /// Writes a field as `tracing-subscriber` does.
    fn write_by_default(&mut self, write: impl FnOnce(&mut DefaultVisitor<'_>)) {
        if self.result.is_ok() {
            let mut visitor = DefaultVisitor::new(self.writer.by_ref(), self.is_first);
            write(&mut visitor);
            self.result = visitor.finish();
            self.is_first = false;
        }
    }
}

impl Visit for FieldWriter<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            return self.write_by_default(|visitor| visitor.record_str(field, value));
        }
        self.write(field, |writer| {
            if value.bytes().all(is_plain) {
                writer.write_char('"')?;
                writer.write_str(value)?;
                writer.write_char('"')
            } else {
                write!(writer, "{value:?}")
            }
        });
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.write_by_default(|visitor| visitor.record_error(field, value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // The message is shown without quotes, and control characters in it are escaped.
        if field.name() == "message" {
            self.write_by_default(|visitor| visitor.record_debug(field, value));
        } else {
            self.write(field, |writer| write!(writer, "{value:?}"));
        }
    }
}

/// Whether the `Debug` representation of a string has this byte as it is.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        net::Ipv4Addr,
        sync::{Arc, Mutex},
    };

    use tracing_subscriber::{fmt as subscriber, layer::SubscriberExt};

    use super::*;

    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0
                .lock()
                .expect("not poisoned")
                .extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Captured {
        /// Returns the lines without their timestamps, which have the same form.
        fn lines(&self) -> Vec<String> {
            let text = self.0.lock().expect("not poisoned").clone();
            let text = String::from_utf8(text).expect("UTF-8");
            let without_time = |line: &str| {
                let (time, rest) = line.split_once(' ').expect("a timestamp");
                let form = time.replace(|c: char| c.is_ascii_digit(), "0");
                format!("{form} {rest}")
            };
            text.lines().map(without_time).collect()
        }
    }

    fn log_events() {
        let error = io::Error::other("with a \u{1b}[31m cause");
        let error: &(dyn std::error::Error + 'static) = &error;
        for text in [
            "plain",
            "",
            "two words",
            "\"quoted\"",
            "a\\b",
            "é\n\u{1b}[31m",
            "tab\t",
        ] {
            tracing::info!(parent: None, text, "request");
            tracing::warn!(parent: None, text, r#type = text, "{text}");
            tracing::error!(target: "bearward::audit", parent: None, event = "first", text);
            tracing::info!(text, "not a root");
        }
        let absent: Option<&str> = None;
        tracing::info!(
            parent: None,
            status = 200_u16, negative = -1_i64, duration_ms = 0.25, whole = 3.0, flag = true,
            client = %Ipv4Addr::LOCALHOST, list = ?["a"], absent, present = Some("x"), error,
            "request"
        );
        tracing::info!(parent: None, error, "first an error");
        tracing::debug!(parent: None, client = %Ipv4Addr::LOCALHOST);
        tracing::trace!(parent: None, "only a message");
        let span = tracing::info_span!(
            "request",
            id = 1,
            name = "a \"name\"",
            later = tracing::field::Empty
        );
        span.record("later", "value");
        let _entered = span.enter();
        tracing::info!(status = 1, "in a span");
        tracing::info!(parent: None, status = 1, "not in the span");
    }

    #[test]
    fn lines_are_those_of_the_compact_format() {
        for ansi in [false, true] {
            let (captured, expected) = (Captured::default(), Captured::default());
            let writer = captured.clone();
            let layer = subscriber::layer()
                .event_format(TextFormat::new())
                .fmt_fields(TextFields)
                .with_ansi(ansi)
                .with_writer(move || writer.clone());
            let subscriber = tracing_subscriber::registry().with(layer);
            tracing::subscriber::with_default(subscriber, log_events);
            let writer = expected.clone();
            let layer = subscriber::layer()
                .compact()
                .with_ansi(ansi)
                .with_writer(move || writer.clone());
            let subscriber = tracing_subscriber::registry().with(layer);
            tracing::subscriber::with_default(subscriber, log_events);
            assert!(expected.lines().len() >= 34, "{:?}", expected.lines());
            assert_eq!(captured.lines(), expected.lines());
        }
    }
}
