//! Server-sent events, as <https://html.spec.whatwg.org/multipage/server-sent-events.html> has them, byte by byte.
//!
//! Lines are cut as bytes and only whole lines are read as UTF-8, so a character that arrives in two parts stays whole.

/// Longest line that is read, in bytes.
const LINE_BYTES_MAX: usize = 1 << 20;
/// Largest event that is read, in bytes.
const EVENT_BYTES_MAX: usize = 4 << 20;

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SseEvent {
    /// The last id that the stream has named, of this event or one before.
    pub id: Option<String>,
    /// Its type.
    pub event: Option<String>,
    /// Its data; several lines are joined by line feeds.
    pub data: String,
}

/// A line or an event is longer than it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is too large")]
pub struct TooLarge;

/// Takes bytes, gives events.
#[derive(Debug, Default)]
pub struct Parser {
    line: Vec<u8>,
    /// The byte before was a carriage return: a line feed now belongs to it.
    after_return: bool,
    /// A byte order mark is looked for in the first line only.
    begun: bool,
    last_id: Option<String>,
    event: Option<String>,
    data: Option<String>,
}

impl Parser {
    /// The events that are complete with these bytes.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Vec<SseEvent>, TooLarge> {
        let mut events = Vec::new();
        for byte in bytes {
            let follows_return = std::mem::take(&mut self.after_return);
            match byte {
                b'\n' if follows_return => {}
                b'\n' | b'\r' => {
                    self.after_return = *byte == b'\r';
                    let line = std::mem::take(&mut self.line);
                    events.extend(self.line(&line)?);
                }
                _ if self.line.len() == LINE_BYTES_MAX => return Err(TooLarge),
                _ => self.line.push(*byte),
            }
        }
        Ok(events)
    }

    fn line(&mut self, line: &[u8]) -> Result<Option<SseEvent>, TooLarge> {
        let first = !std::mem::replace(&mut self.begun, true);
        let line = if first { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
        if line.is_empty() {
            return Ok(self.dispatch());
        }
        let line = String::from_utf8_lossy(line);
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" if !value.contains('\0') => self.last_id = Some(value.to_owned()),
            "event" => self.event = Some(value.to_owned()),
            "data" => self.append(value)?,
            // Comments, with which the server keeps the connection alive, and what we do not know.
            _ => {}
        }
        Ok(None)
    }

    fn append(&mut self, value: &str) -> Result<(), TooLarge> {
        match &mut self.data {
            None => self.data = Some(value.to_owned()),
            Some(data) if data.len() + value.len() >= EVENT_BYTES_MAX => return Err(TooLarge),
            Some(data) => {
                data.push('\n');
                data.push_str(value);
            }
        }
        Ok(())
    }

    /// An empty line ends an event; one without data is none.
    fn dispatch(&mut self) -> Option<SseEvent> {
        let event = self.event.take();
        let data = self.data.take()?;
        Some(SseEvent { id: self.last_id.clone(), event, data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "\u{feff}: hello\n\nid: 1\nevent: order.created\ndata: {\"name\":\"Käse \u{1f9c0}\"}\n\n\
                          :keep-alive\r\n\r\ndata:a\rdata: b\r\rid:7\r\nid\r\nevent: x\r\n\r\ndata\n\nunknown: y\n\ndata: cut";

    fn event(id: Option<&str>, event: Option<&str>, data: &str) -> SseEvent {
        SseEvent { id: id.map(str::to_owned), event: event.map(str::to_owned), data: data.to_owned() }
    }

    fn expected() -> Vec<SseEvent> {
        vec![
            event(Some("1"), Some("order.created"), "{\"name\":\"Käse \u{1f9c0}\"}"),
            event(Some("1"), None, "a\nb"),
            event(Some(""), None, ""),
        ]
    }

    #[test]
    fn a_stream_may_be_cut_anywhere() {
        let bytes = STREAM.as_bytes();
        for cut in 0..=bytes.len() {
            let mut parser = Parser::default();
            let mut events = parser.feed(&bytes[..cut]).unwrap();
            events.extend(parser.feed(&bytes[cut..]).unwrap());
            assert_eq!(events, expected(), "cut at {cut}");
        }
        let mut parser = Parser::default();
        let events: Vec<_> = bytes.iter().flat_map(|byte| parser.feed(&[*byte]).unwrap()).collect();
        assert_eq!(events, expected());
    }

    #[test]
    fn lines_and_events_have_a_limit() {
        let mut parser = Parser::default();
        assert_eq!(parser.feed(&vec![b'x'; LINE_BYTES_MAX]), Ok(Vec::new()));
        assert_eq!(parser.feed(b"x"), Err(TooLarge));
        let mut parser = Parser::default();
        let line = format!("data:{}\n", "x".repeat(LINE_BYTES_MAX - 10));
        let fed: Vec<_> = (0..5).map(|_| parser.feed(line.as_bytes())).collect();
        assert_eq!(fed.last(), Some(&Err(TooLarge)));
    }

    #[test]
    fn bytes_that_are_no_text_do_not_stop_it() {
        let events = Parser::default().feed(b"data: \xff\n\n").unwrap();
        assert_eq!(events, [event(None, None, "\u{fffd}")]);
    }
}
