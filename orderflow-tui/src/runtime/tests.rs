//! The loop, without a terminal and without services.

use std::path::PathBuf;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use futures_util::stream;
use orderflow_contracts::api::console::Role;
use ratatui::backend::TestBackend;
use tokio::sync::mpsc;

use super::*;
use crate::{app::Setup, config::Remembered, keys::KeyMap, links::Place, testing::letters};

/// What was done to a terminal that is none.
struct Tape {
    frames: usize,
    panicked: watch::Sender<bool>,
}

impl Tty for Tape {
    fn panicked(&self) -> watch::Receiver<bool> {
        self.panicked.subscribe()
    }

    fn copy(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn mouse(&mut self, _: bool) -> io::Result<()> {
        Ok(())
    }

    fn suspend(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn begin_frame(&mut self) -> io::Result<()> {
        self.frames += 1;
        Ok(())
    }

    fn end_frame(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn save(&mut self, _: &Remembered) -> io::Result<()> {
        Err(io::Error::other("the disk is full"))
    }
}

/// A console before anybody has logged in, whose person does this.
struct Console {
    terminal: Terminal<TestBackend>,
    tape: Tape,
}

impl Console {
    fn new() -> Self {
        let terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
        Self { terminal, tape: Tape { frames: 0, panicked: watch::Sender::new(false) } }
    }

    async fn run(&mut self, events: impl Stream<Item = io::Result<Event>>) -> Result<(), LoopError> {
        let setup = Setup {
            cluster: "default".into(),
            is_running: true,
            is_local: false,
            go_as: Vec::new(),
            keys: KeyMap::default(),
            remembered: Remembered { desks: vec![Role::Customer], ..Remembered::default() },
            theme: None,
            mouse: false,
        };
        let place = Place {
            cluster: "default".into(),
            data_dir: PathBuf::new(),
            exe: PathBuf::new(),
            scenarios: PathBuf::new(),
            test_accounts: Vec::new(),
        };
        let (sender, messages) = mpsc::channel(8);
        let mut links = Links::new(place, None, sender);
        let (mut app, first) = App::new(setup);
        run(&mut self.terminal, &mut self.tape, Box::pin(events), messages, &mut app, &mut links, first).await
    }
}

#[tokio::test]
async fn a_panic_anywhere_ends_the_loop() {
    let mut console = Console::new();
    console.tape.panicked.send_replace(true);
    let ended = console.run(stream::pending()).await;
    assert!(matches!(ended, Err(LoopError::Panicked)), "{ended:?}");
}

fn letter(letter: char) -> io::Result<Event> {
    Ok(Event::Key(KeyEvent::from(KeyCode::Char(letter))))
}

#[tokio::test]
async fn keys_that_wait_are_seen_in_one_frame_and_one_alone_in_its_own() {
    // The first ones are there together; each of the others only when the loop has nothing more to do.
    let together = stream::iter("carol".chars().map(letter));
    let alone = |event: fn() -> io::Result<Event>| {
        stream::once(async move {
            tokio::task::yield_now().await;
            event()
        })
    };
    let ctrl_c = || Ok(Event::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)));
    let events = together.chain(alone(|| letter('@'))).chain(alone(|| letter('x'))).chain(alone(ctrl_c));
    let mut console = Console::new();
    console.run(events).await.unwrap();
    assert!(letters(console.terminal.backend().buffer()).contains("carol@x"));
    assert_eq!(console.tape.frames, 4, "the first one, those together, and two alone");
}

#[tokio::test]
async fn what_could_not_be_remembered_is_told() {
    // F9 takes the next theme, and writes that down.
    let f9 = stream::iter([Ok(Event::Key(KeyEvent::from(KeyCode::F(9))))]);
    let closed = stream::once(async {
        tokio::task::yield_now().await;
        Err(io::Error::other("closed"))
    });
    let mut console = Console::new();
    console.run(f9.chain(closed)).await.unwrap();
    let screen = letters(console.terminal.backend().buffer());
    assert!(screen.contains("the layout is not remembered: the disk is full"), "{screen}");
}
