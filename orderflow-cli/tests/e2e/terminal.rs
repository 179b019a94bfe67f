//! A terminal of our own: the program in a PTY, and what stands on its screen.

use std::{
    io::{Read as _, Write},
    num::NonZeroU16,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

/// How long something may take to stand on the screen. The machine may have a lot else to do.
const SCREEN_MAX: Duration = Duration::from_secs(60);
/// Around what is one frame.
const FRAME_BEGINS: &[u8] = b"\x1b[?2026h";
const FRAME_ENDS: &[u8] = b"\x1b[?2026l";

/// A program in a terminal; it is killed when this is dropped.
pub struct Terminal {
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    screen: Arc<(Mutex<Screen>, Condvar)>,
}

struct Screen {
    parser: vt100::Parser,
    /// The beginning of a frame whose end has not come yet.
    unfinished: Vec<u8>,
    /// The program has closed its side.
    is_closed: bool,
}

impl Screen {
    /// Shows frames when they are whole, as terminals do that know of synchronized updates: else a test sees the upper
    /// half of a frame with the lower half of the one before.
    fn take(&mut self, bytes: &[u8]) {
        self.unfinished.extend_from_slice(bytes);
        self.is_closed = bytes.is_empty();
        let whole = if self.is_closed { self.unfinished.len() } else { whole(&self.unfinished) };
        let shown: Vec<u8> = self.unfinished.drain(..whole).collect();
        self.parser.process(&shown);
    }
}

/// How many of these bytes are not part of a frame that has begun and not ended.
fn whole(bytes: &[u8]) -> usize {
    let last = |mark: &[u8]| bytes.windows(mark.len()).rposition(|window| window == mark);
    match (last(FRAME_BEGINS), last(FRAME_ENDS)) {
        (Some(begins), ends) if ends.is_none_or(|ends| ends < begins) => begins,
        // What comes next may make a beginning of the last bytes.
        _ => bytes.len() - (1..FRAME_BEGINS.len()).rfind(|few| bytes.ends_with(&FRAME_BEGINS[..*few])).unwrap_or(0),
    }
}

impl Terminal {
    /// Starts a command in a terminal of this size.
    pub fn start(command: CommandBuilder, (columns, rows): (u16, u16)) -> Self {
        let pair = native_pty_system().openpty(size(columns, rows)).unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let (mut reader, writer) = (pair.master.try_clone_reader().unwrap(), pair.master.take_writer().unwrap());
        let parser = vt100::Parser::new(at_least_one(rows), at_least_one(columns), 0);
        let screen =
            Arc::new((Mutex::new(Screen { parser, unfinished: Vec::new(), is_closed: false }), Condvar::new()));
        let seen = Arc::clone(&screen);
        // It ends with the program: then there is nothing more to read.
        std::thread::spawn(move || {
            let mut bytes = [0; 8192];
            loop {
                let read = reader.read(&mut bytes).unwrap_or(0);
                let mut screen = seen.0.lock().unwrap_or_else(PoisonError::into_inner);
                screen.take(&bytes[..read]);
                seen.1.notify_all();
                if read == 0 {
                    return;
                }
            }
        });
        Self { master: pair.master, writer, child, screen }
    }

    /// Waits until the screen is so.
    #[track_caller]
    pub fn wait_until(&self, what: &str, mut is_so: impl FnMut(&vt100::Screen) -> bool) {
        let until = Instant::now() + SCREEN_MAX;
        let mut screen = self.screen.0.lock().unwrap();
        while !is_so(screen.parser.screen()) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || screen.is_closed {
                panic!("it does not come to this: {what}\n{}", screen.parser.screen().contents());
            }
            screen = self.screen.1.wait_timeout(screen, left).unwrap().0;
        }
    }

    /// Waits until this stands on the screen.
    #[track_caller]
    pub fn sees(&mut self, text: &str) -> &mut Self {
        self.wait_until(&format!("'{text}' is seen"), |screen| screen.contents().contains(text));
        self
    }

    /// Waits until this does not stand on the screen any more.
    #[track_caller]
    pub fn sees_no(&mut self, text: &str) -> &mut Self {
        self.wait_until(&format!("'{text}' is gone"), |screen| !screen.contents().contains(text));
        self
    }

    /// What stands on the screen.
    pub fn contents(&self) -> String {
        self.screen.0.lock().unwrap().parser.screen().contents()
    }

    /// Types: letters as they are, and `\r`, `\x1b`, `\x03` as keys send them.
    pub fn types(&mut self, keys: &str) -> &mut Self {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
        self
    }

    /// Pastes, as a terminal does where bracketed paste is on.
    pub fn pastes(&mut self, text: &str) -> &mut Self {
        self.types(&format!("\x1b[200~{text}\x1b[201~"))
    }

    /// Writes on the screen what the program knows nothing of, as another program in the same terminal does.
    pub fn smudges(&mut self, text: &str) -> &mut Self {
        self.screen.0.lock().unwrap().parser.process(format!("\x1b[3;3H{text}").as_bytes());
        self
    }

    /// Gives the terminal another size.
    pub fn resize(&mut self, (columns, rows): (u16, u16)) -> &mut Self {
        self.screen.0.lock().unwrap().parser.screen_mut().set_size(at_least_one(rows), at_least_one(columns));
        self.master.resize(size(columns, rows)).unwrap();
        self
    }

    /// The program's process id.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.process_id().unwrap()).unwrap()
    }

    /// Waits until the program has ended, and the terminal is as it was before: no alternate screen, the cursor is
    /// seen, keys are lines again.
    #[track_caller]
    pub fn ends(mut self) -> Ended {
        let until = Instant::now() + SCREEN_MAX;
        let mut screen = self.screen.0.lock().unwrap();
        while !screen.is_closed {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "it does not end:\n{}", screen.parser.screen().contents());
            screen = self.screen.1.wait_timeout(screen, left).unwrap().0;
        }
        let seen = screen.parser.screen();
        assert!(!seen.alternate_screen(), "the alternate screen is left on");
        assert!(!seen.hide_cursor(), "the cursor is left hidden");
        assert!(!seen.bracketed_paste(), "bracketed paste is left on");
        assert_eq!(seen.mouse_protocol_mode(), vt100::MouseProtocolMode::None, "the mouse is left on");
        let contents = seen.contents();
        drop(screen);
        Ended { status: self.child.wait().unwrap(), contents }
    }
}

/// What was left when the program had ended.
pub struct Ended {
    /// How.
    pub status: ExitStatus,
    /// What stands on the screen.
    pub contents: String,
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const fn at_least_one(cells: u16) -> NonZeroU16 {
    match NonZeroU16::new(cells) {
        Some(cells) => cells,
        None => NonZeroU16::MIN,
    }
}

const fn size(cols: u16, rows: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}
