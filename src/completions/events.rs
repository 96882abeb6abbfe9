//! Incremental parser of server-sent events (WHATWG HTML §9.2.6).
//!
//! Hand-written because the crates for server-sent events do not limit the size of an event.

use super::CompletionsError;

/// Maximum size of an event in bytes. A chunk of a completion has a few hundred.
pub(super) const MAX_BYTES: usize = 1 << 20;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A parsed event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The `data` lines, joined by line feeds.
    Data(Vec<u8>),
    /// An event of type `error`, with any data.
    Error,
    /// A comment line, which keeps connections open, or an event with empty data.
    Comment,
}

/// Buffers partial lines and events between reads. Works on bytes, so a chunk may end within a
/// multi-byte character.
#[derive(Debug, Default)]
pub(super) struct EventReader {
    line: Vec<u8>,
    data: Option<Vec<u8>>,
    is_error: bool,
    /// Whether the last byte was a carriage return; a line feed after it belongs to the same line
    /// end.
    after_return: bool,
    past_first_line: bool,
}

impl EventReader {
    /// Returns the events that these bytes complete.
    ///
    /// # Errors
    /// [`CompletionsError::TooLarge`] if an event exceeds [`MAX_BYTES`].
    pub(super) fn read(&mut self, mut bytes: &[u8]) -> Result<Vec<Event>, CompletionsError> {
        let mut events = Vec::new();
        while let Some(at) = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let is_second_half = self.after_return && at == 0 && bytes[0] == b'\n';
            self.after_return = bytes[at] == b'\r';
            if !is_second_half {
                self.append(&bytes[..at])?;
                events.extend(self.end_line());
            }
            bytes = &bytes[at + 1..];
        }
        if !bytes.is_empty() {
            self.after_return = false;
            self.append(bytes)?;
        }
        Ok(events)
    }

    /// Returns the data of an unterminated event at the end of the stream. The standard discards
    /// it, but some services omit the empty line after the last event.
    pub(super) fn finish(mut self) -> Option<Vec<u8>> {
        if !self.line.is_empty() {
            self.end_line();
        }
        self.data
    }

    fn append(&mut self, part: &[u8]) -> Result<(), CompletionsError> {
        let buffered = self.line.len() + self.data.as_ref().map_or(0, Vec::len);
        if buffered + part.len() > MAX_BYTES {
            return Err(CompletionsError::TooLarge { limit: MAX_BYTES });
        }
        self.line.extend_from_slice(part);
        Ok(())
    }

    fn end_line(&mut self) -> Option<Event> {
        let mut line = &self.line[..];
        if !self.past_first_line {
            line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
            self.past_first_line = true;
        }
        let (field, value) = match line.iter().position(|byte| *byte == b':') {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &[][..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        let event = match field {
            [] if line.is_empty() => {
                let data = self.data.take();
                if std::mem::take(&mut self.is_error) {
                    Some(Event::Error)
                } else {
                    data.map(|data| {
                        if data.trim_ascii().is_empty() {
                            Event::Comment
                        } else {
                            Event::Data(data)
                        }
                    })
                }
            }
            [] => Some(Event::Comment),
            b"data" => {
                match &mut self.data {
                    Some(data) => {
                        data.push(b'\n');
                        data.extend_from_slice(value);
                    }
                    None => self.data = Some(value.to_vec()),
                }
                None
            }
            b"event" => {
                self.is_error = value == b"error";
                None
            }
            _ => None,
        };
        self.line.clear();
        event
    }
}

#[cfg(test)]
mod tests {
    use super::{Event::*, *};

    fn data(text: &str) -> Event {
        Data(text.as_bytes().to_vec())
    }

    fn read_chunks(chunks: &[&[u8]]) -> Vec<Event> {
        let mut reader = EventReader::default();
        chunks
            .iter()
            .flat_map(|chunk| reader.read(chunk).unwrap())
            .collect()
    }

    #[test]
    fn events_are_parsed_per_the_standard() {
        let cases: [(&str, Vec<Event>); 16] = [
            ("data: a\n\n", vec![data("a")]),
            ("data:a\n\n", vec![data("a")]),
            ("data:  a \n\n", vec![data(" a ")]),
            ("data: a\r\n\r\ndata: b\r\n\r\n", vec![data("a"), data("b")]),
            ("data: a\r\rdata: b\r\r", vec![data("a"), data("b")]),
            ("data: a\ndata: b\n\n", vec![data("a\nb")]),
            ("data: a: b\n\n", vec![data("a: b")]),
            ("\u{feff}data: a\n\n", vec![data("a")]),
            ("id: 7\nretry: 10\ndata: a\nunknown\n\n", vec![data("a")]),
            (": alive\n\ndata: a\n\n", vec![Comment, data("a")]),
            ("data: a\n: alive\ndata: b\n\n", vec![Comment, data("a\nb")]),
            ("data:\n\n", vec![Comment]),
            ("event: message\ndata: a\n\n", vec![data("a")]),
            (
                "event: error\ndata: a\n\ndata: b\n\n",
                vec![Error, data("b")],
            ),
            ("\n\n\n", vec![]),
            ("data: a\n", vec![]),
        ];
        for (text, expected) in cases {
            assert_eq!(read_chunks(&[text.as_bytes()]), expected, "{text:?}");
        }
    }

    #[test]
    fn chunk_boundaries_do_not_matter() {
        for text in [
            "data: {\"a\": \"grüße 👋\"}\n\n: alive\n\ndata: b\n\n",
            "\u{feff}data: {\"a\": \"grüße 👋\"}\r\n\r\n: alive\r\n\r\nevent: error\r\ndata: b\r\n\r\n",
            "data: grüße\rdata: 👋\r\r: alive\r\rdata: b\r\r",
        ] {
            let whole = read_chunks(&[text.as_bytes()]);
            for at in 0..=text.len() {
                let (head, tail) = text.as_bytes().split_at(at);
                assert_eq!(read_chunks(&[head, tail]), whole, "{text:?} at {at}");
                assert_eq!(read_chunks(&[head, b"", tail]), whole, "{text:?} at {at}");
            }
            let bytes: Vec<_> = text.as_bytes().chunks(1).collect();
            assert_eq!(read_chunks(&bytes), whole, "{text:?} byte by byte");
        }
    }

    #[test]
    fn event_is_complete_at_the_first_byte_of_its_empty_line() {
        let mut reader = EventReader::default();
        assert_eq!(reader.read(b"data: a\r\n\r").unwrap(), [data("a")]);
        assert_eq!(reader.read(b"\ndata: b\n\n").unwrap(), [data("b")]);
    }

    #[test]
    fn event_has_at_most_1_mib() {
        let line = |length: usize| [b"data: ".to_vec(), vec![b'x'; length - 6]].concat();
        let mut reader = EventReader::default();
        assert!(reader.read(&line(MAX_BYTES)).is_ok());
        assert_eq!(
            reader.read(b"x"),
            Err(CompletionsError::TooLarge { limit: MAX_BYTES })
        );
        let mut reader = EventReader::default();
        reader.read(&line(MAX_BYTES / 2)).unwrap();
        reader.read(b"\n").unwrap();
        assert_eq!(
            reader.read(&line(MAX_BYTES / 2 + 7)),
            Err(CompletionsError::TooLarge { limit: MAX_BYTES })
        );
    }

    #[test]
    fn unterminated_event_is_returned_at_the_end() {
        let finish = |text: &[u8]| {
            let mut reader = EventReader::default();
            reader.read(text).unwrap();
            reader.finish()
        };
        assert_eq!(finish(b"data: [DONE]").as_deref(), Some(&b"[DONE]"[..]));
        assert_eq!(finish(b"data: [DONE]\n").as_deref(), Some(&b"[DONE]"[..]));
        assert_eq!(finish(b"data: [DONE]\n\n"), None);
        assert_eq!(finish(b""), None);
    }
}
