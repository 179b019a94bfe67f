//! What comes from the terminal.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use crate::keys::Chord;

/// One thing that the person did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A key.
    Key(KeyEvent),
    /// Text that was pasted, as it was; it never acts as keys do.
    Paste(String),
    /// A click.
    Click(Position),
    /// The wheel: up or down.
    Wheel(Position, Wheel),
    /// The terminal has another size.
    Resize,
}

/// Which way the wheel was turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wheel {
    /// Up.
    Up,
    /// Down.
    Down,
}

impl Input {
    /// What an event of the terminal means; nothing for what we do not look at.
    pub fn of(event: Event) -> Option<Self> {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => Some(Self::Key(key)),
            Event::Paste(text) => Some(Self::Paste(text)),
            Event::Mouse(mouse) => of_mouse(mouse),
            Event::Resize(..) => Some(Self::Resize),
            _ => None,
        }
    }
}

fn of_mouse(mouse: MouseEvent) -> Option<Input> {
    let at = Position::new(mouse.column, mouse.row);
    match mouse.kind {
        MouseEventKind::Down(MouseButton::Left) => Some(Input::Click(at)),
        MouseEventKind::ScrollUp => Some(Input::Wheel(at, Wheel::Up)),
        MouseEventKind::ScrollDown => Some(Input::Wheel(at, Wheel::Down)),
        _ => None,
    }
}

/// What is done to a field that takes text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// A letter.
    Insert(char),
    /// Pasted text.
    Paste(String),
    /// Takes away what is left of the cursor.
    Backspace,
    /// Takes away what is right of it.
    Delete,
    /// Takes away the word left of it.
    DeleteWord,
    /// Takes everything away.
    Clear,
    /// One to the left.
    Left,
    /// One to the right.
    Right,
    /// To the begin.
    Home,
    /// To the end.
    End,
}

impl Edit {
    /// What a key does in a field; nothing if it does nothing there.
    pub fn of(key: KeyEvent) -> Option<Self> {
        let chord = Chord::from(key);
        if let KeyCode::Char(c) = key.code
            && chord.is_text()
        {
            return Some(Self::Insert(c));
        }
        match chord.to_string().as_str() {
            "backspace" | "ctrl-h" => Some(Self::Backspace),
            "delete" | "ctrl-d" => Some(Self::Delete),
            "ctrl-w" => Some(Self::DeleteWord),
            "ctrl-u" => Some(Self::Clear),
            "left" => Some(Self::Left),
            "right" => Some(Self::Right),
            "home" | "ctrl-a" => Some(Self::Home),
            "end" | "ctrl-e" => Some(Self::End),
            _ => None,
        }
    }
}
