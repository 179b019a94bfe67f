//! The console's whole loop against real services, on a screen in memory: what one person sees who plays all parts.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use futures_util::stream;
use orderflow_client::Endpoints;
use orderflow_contracts::api::console::{Login, Role};
use orderflow_testing::eventually;
use orderflow_tui::{
    app::{App, Setup},
    config::Remembered,
    keys::KeyMap,
    links::{Links, Place},
    runtime::{self, Tty},
};
use ratatui::{
    Terminal,
    backend::{Backend, ClearType, TestBackend, WindowSize},
    buffer::Cell,
    layout::{Position, Size},
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

use crate::{cluster::Cluster, command::PROGRAM};

/// How long something may take to stand on the screen.
const SEEN_MAX: std::time::Duration = std::time::Duration::from_secs(60);

/// A screen in memory that can be looked at while the loop draws on it.
#[derive(Clone)]
struct Screen(Arc<Mutex<TestBackend>>);

impl Screen {
    fn with<T>(&self, act: impl FnOnce(&mut TestBackend) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn text(&self) -> String {
        self.with(|backend| {
            let buffer = backend.buffer();
            let row = |y| (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
            (0..buffer.area.height).map(row).collect::<Vec<_>>().join("\n")
        })
    }
}

impl Backend for Screen {
    type Error = io::Error;

    fn draw<'a, I: Iterator<Item = (u16, u16, &'a Cell)>>(&mut self, content: I) -> io::Result<()> {
        self.with(|backend| backend.draw(content)).map_err(|never| match never {})
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.with(TestBackend::hide_cursor).map_err(|never| match never {})
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.with(TestBackend::show_cursor).map_err(|never| match never {})
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.with(TestBackend::get_cursor_position).map_err(|never| match never {})
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.with(|backend| backend.set_cursor_position(position)).map_err(|never| match never {})
    }

    fn clear(&mut self) -> io::Result<()> {
        self.with(TestBackend::clear).map_err(|never| match never {})
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.with(|backend| backend.clear_region(clear_type)).map_err(|never| match never {})
    }

    fn size(&self) -> io::Result<Size> {
        self.with(|backend| backend.size()).map_err(|never| match never {})
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.with(TestBackend::window_size).map_err(|never| match never {})
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// There is no terminal: what is done to it is passed over.
struct NoTty;

impl Tty for NoTty {
    fn panicked(&self) -> watch::Receiver<bool> {
        watch::channel(false).1
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
        Ok(())
    }

    fn end_frame(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn save(&mut self, _: &Remembered) -> io::Result<()> {
        Ok(())
    }
}

/// The console, running.
struct Running {
    screen: Screen,
    keys: mpsc::UnboundedSender<io::Result<Event>>,
    ended: JoinHandle<Result<(), String>>,
}

impl Cluster {
    /// The console's loop, with these roles at work.
    async fn whole_loop(&self, go_as: &[Role], size: (u16, u16)) -> Running {
        let status = self.status().await;
        let url = |service: &str| status["endpoints"][service].as_str().unwrap().to_owned();
        let endpoints = Endpoints {
            console: url("console"),
            orders: url("orders"),
            inventory: url("inventory"),
            payments: url("payments"),
            provider: url("provider"),
        };
        let account = |email: &str, password: &str| Login { email: email.into(), password: password.into() };
        let place = Place {
            cluster: "default".into(),
            data_dir: self.data(),
            exe: PROGRAM.into(),
            scenarios: "examples/chaos".into(),
            test_accounts: vec![
                (Role::Customer, account("user@orderflow.io", "User1234!")),
                (Role::Seller, account("seller@orderflow.io", "Seller123!")),
                (Role::Admin, account("admin@orderflow.io", "Admin123!")),
            ],
        };
        let setup = Setup {
            cluster: "default".into(),
            is_running: true,
            is_local: true,
            go_as: go_as.to_vec(),
            keys: KeyMap::default(),
            remembered: Remembered::default(),
            theme: None,
            mouse: false,
        };
        let screen = Screen(Arc::new(Mutex::new(TestBackend::new(size.0, size.1))));
        let (keys, typed) = mpsc::unbounded_channel();
        let events = Box::pin(stream::unfold(typed, async |mut typed| Some((typed.recv().await?, typed))));
        let backend = screen.clone();
        let ended = tokio::spawn(async move {
            let (sender, receiver) = mpsc::channel(1024);
            let mut links = Links::new(place, Some(endpoints), sender);
            let (mut app, first) = App::new(setup);
            let mut terminal = Terminal::new(backend).map_err(|error| error.to_string())?;
            let mut tty = NoTty;
            let run = runtime::run(&mut terminal, &mut tty, events, receiver, &mut app, &mut links, first);
            run.await.map_err(|error| error.to_string())
        });
        Running { screen, keys, ended }
    }
}

impl Running {
    async fn sees(&self, text: &str) {
        self.sees_line(&[text]).await;
    }

    /// All of this in one line, in this order. Other tests have orders in the same lists.
    async fn sees_line(&self, parts: &[&str]) {
        let is_it = |line: &str| parts.iter().try_fold(line, |rest, part| Some(rest.split_once(part)?.1)).is_some();
        let seen = async || self.screen.text().lines().any(is_it).then_some(());
        let until = tokio::time::timeout(SEEN_MAX, eventually("it is seen", seen)).await;
        assert!(until.is_ok(), "{parts:?} is not seen:\n{}", self.screen.text());
    }

    fn press(&self, code: KeyCode) {
        self.keys.send(Ok(Event::Key(KeyEvent::new(code, KeyModifiers::NONE)))).unwrap();
    }

    fn types(&self, text: &str) {
        text.chars().for_each(|letter| self.press(KeyCode::Char(letter)));
    }

    /// Searches in the list that has the focus, and waits until it has found.
    async fn find(&self, name: &str) {
        self.types("/");
        self.types(name);
        self.press(KeyCode::Enter);
        self.sees(&format!("/ {name}")).await;
    }

    async fn quits(self) {
        self.press(KeyCode::Char('q'));
        self.ended.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_crosses_the_desks_of_customer_seller_and_admin() {
    let cluster = Cluster::shared();
    let (name, _) = cluster.lamp().await;
    let console = cluster.whole_loop(&[Role::Customer, Role::Seller, Role::Admin], (240, 60)).await;
    for text in ["[customer]● ", "seller ● ", "admin ● "] {
        console.sees(text).await;
    }
    console.find(&name).await;
    console.sees_line(&[&name, "✓ 50"]).await;
    console.press(KeyCode::Enter);
    console.sees("×1").await;
    console.types("2");
    console.sees("total 29.99 USD").await;
    console.press(KeyCode::Enter);
    console.sees("waits for the seller to confirm").await;

    console.press(KeyCode::F(3));
    console.find(&name).await;
    // The seller hears of it by the stream, which may be later than the customer's answer.
    console.sees_line(&["● pending", &name]).await;
    console.types("c");
    console.sees("waits for you to pay").await;

    console.press(KeyCode::F(2));
    console.types("p");
    console.sees("number").await;
    for field in ["4242424242424242", "1230"] {
        console.types(field);
        console.press(KeyCode::Tab);
    }
    console.types("123");
    console.sees("enter pays").await;
    console.press(KeyCode::Enter);
    console.sees("✓ Paid").await;
    console.press(KeyCode::Esc);

    console.press(KeyCode::F(3));
    console.sees_line(&["● paid", &name]).await;
    console.types("f");
    console.sees_line(&["✓ shipped", &name]).await;

    console.press(KeyCode::F(4));
    console.types("3");
    console.find(&name).await;
    console.sees_line(&[&name, "committed", "succeeded"]).await;
    console.press(KeyCode::Enter);
    for text in ["› timeline", "✓ reserved", "✓ charged", "✓ allocated", "✓ fulfilled", "✓ shipped"] {
        console.sees(text).await;
    }
    console.press(KeyCode::F(1));
    console.sees("keys that work here").await;
    console.press(KeyCode::Esc);
    console.quits().await;
}
