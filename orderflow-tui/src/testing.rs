//! What tests of the console have in common: a desk without services, keys, and screens as text.

pub mod services;

use std::time::Instant;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use orderflow_contracts::{
    api::console::{Account, Role},
    timestamp::Timestamp,
};
use ratatui::{Terminal, backend::TestBackend, buffer::Buffer};

use crate::{
    app::{App, Moment, Setup},
    config::Remembered,
    input::Input,
    keys::KeyMap,
    login,
    msg::{Done, Effect, Msg},
    theme::ThemeName,
};

/// The sizes at which screens are looked at.
pub const SIZES: [(u16, u16); 3] = [(40, 12), (80, 24), (160, 48)];

/// 2026-01-01T10:00:00Z, when everything in tests happens.
pub const NOW_MS: i64 = 1_767_261_600_000;

/// A console without services; effects are looked at, not carried out.
pub struct Desktop {
    /// The console.
    pub app: App,
    /// What time it is.
    pub now: Moment,
}

impl Desktop {
    /// With a role logged in.
    pub fn of(role: Role) -> Self {
        Self::with(role, ThemeName::Terminal)
    }

    /// The same in other colours.
    #[expect(clippy::disallowed_methods, reason = "a moment to begin with")]
    pub fn with(role: Role, theme: ThemeName) -> Self {
        let setup = Setup {
            cluster: "default".into(),
            is_running: true,
            is_local: true,
            go_as: vec![role],
            keys: KeyMap::default(),
            remembered: Remembered { theme, ..Remembered::default() },
            theme: None,
            mouse: false,
        };
        let (app, _) = App::new(setup);
        let now = Moment { instant: Instant::now(), wall: Timestamp(NOW_MS) };
        let mut desktop = Self { app, now };
        desktop.tell(Msg::Done(Done::Login(role, login::Done::In(account(role)))));
        desktop
    }

    /// Something comes; what is wanted of it.
    pub fn tell(&mut self, message: Msg) -> Vec<Effect> {
        self.app.update(message, self.now)
    }

    /// Keys are pressed, as `tab` or `ctrl-p`; what the last one wants.
    pub fn press(&mut self, keys: &[&str]) -> Vec<Effect> {
        keys.iter().fold(Vec::new(), |_, key| self.tell(Msg::Input(Input::Key(key_of(key)))))
    }

    /// Letters are typed.
    pub fn type_in(&mut self, text: &str) {
        for c in text.chars() {
            self.tell(Msg::Input(Input::Key(KeyEvent::from(KeyCode::Char(c)))));
        }
    }

    /// The screen.
    pub fn buffer(&mut self, (width, height): (u16, u16)) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let now = self.now;
        terminal.draw(|frame| self.app.draw(frame, now)).unwrap();
        terminal.backend().buffer().clone()
    }

    /// The screen's letters.
    pub fn screen(&mut self, size: (u16, u16)) -> String {
        letters(&self.buffer(size))
    }
}

/// The account of a role.
pub fn account(role: Role) -> Account {
    let id = format!("00000000-0000-0000-0000-00000000000{}", 1 + role as u8);
    Account { id: id.parse().unwrap(), email: format!("{}@orderflow.io", role.as_str()), role }
}

/// The letters of a screen, line by line.
pub fn letters(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in 0..buffer.area.height {
        let line: String = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The letters of a screen and, below, each run of letters that has a style of its own: for snapshots of colours.
pub fn letters_and_colours(buffer: &Buffer) -> String {
    let mut text = letters(buffer);
    text.push_str("---\n");
    for y in 0..buffer.area.height {
        let mut x = 0;
        while x < buffer.area.width {
            let style = buffer[(x, y)].style();
            let from = x;
            let mut run = String::new();
            while x < buffer.area.width && buffer[(x, y)].style() == style {
                run.push_str(buffer[(x, y)].symbol());
                x += 1;
            }
            if !run.trim().is_empty() {
                let modifiers =
                    if style.add_modifier.is_empty() { String::new() } else { format!(" {:?}", style.add_modifier) };
                let colours =
                    format!("{:?} on {:?}{modifiers}", style.fg.unwrap_or_default(), style.bg.unwrap_or_default());
                text.push_str(&format!("{y:>2},{from:<3} {colours}: {}\n", run.trim_end()));
            }
        }
    }
    text
}

fn key_of(name: &str) -> KeyEvent {
    let (name, modifiers) = match name.strip_prefix("ctrl-") {
        Some(rest) if !rest.is_empty() => (rest, KeyModifiers::CONTROL),
        _ => (name, KeyModifiers::NONE),
    };
    let code = match name {
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "tab" => KeyCode::Tab,
        "shift-tab" => KeyCode::BackTab,
        "space" => KeyCode::Char(' '),
        "backspace" => KeyCode::Backspace,
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "home" => KeyCode::Home,
        "end" => KeyCode::End,
        "pageup" => KeyCode::PageUp,
        "pagedown" => KeyCode::PageDown,
        name => match name.strip_prefix('f').and_then(|number| number.parse().ok()) {
            Some(number) => KeyCode::F(number),
            None => KeyCode::Char(name.chars().next().unwrap()),
        },
    };
    KeyEvent::new(code, modifiers)
}
