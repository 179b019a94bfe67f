//! A whole console against services that are made up: for what begins with a key and ends at a server.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use orderflow_client::Endpoints;
use orderflow_contracts::{api::console::Role, timestamp::Timestamp};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};

use super::{Desktop, NOW_MS, account};
use crate::{
    customer::tests::{catalogue, order},
    links::{Links, Place},
    login,
    msg::{Effect, Msg},
};

/// Services that know one customer, and lose every answer to a command until they are told not to.
#[derive(Default)]
pub struct Services {
    pub are_well: AtomicBool,
    /// Commands: their path, their key, their body.
    asked: Mutex<Vec<(String, String, Value)>>,
}

impl Services {
    /// Where they are.
    pub async fn begin(self: &Arc<Self>) -> Endpoints {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let services = Arc::clone(self);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let services = Arc::clone(&services);
                tokio::spawn(async move { services.answer(connection).await });
            }
        });
        let (console, orders, inventory) = (url.clone(), url.clone(), url.clone());
        Endpoints { console, orders, inventory, payments: url.clone(), provider: url }
    }

    async fn answer(&self, mut connection: TcpStream) {
        let (head, body) = request(&mut connection).await;
        let mut line = head.lines().next().unwrap_or_default().split(' ');
        let (method, path) = (line.next().unwrap_or_default(), line.next().unwrap_or_default().to_owned());
        let is_command = method == "post" && path != "/v1/sessions";
        if is_command {
            let key = head.lines().find_map(|line| line.strip_prefix("idempotency-key: ")).unwrap_or_default();
            self.asked.lock().unwrap().push((path.clone(), key.to_owned(), body));
            if !self.are_well.load(Ordering::SeqCst) {
                return;
            }
        }
        let now = Timestamp(NOW_MS);
        let pending = order(1, "PENDING", "NONE", "NONE");
        let session =
            json!({ "token": "t", "expires_at": now, "refresh_token": "r", "account": account(Role::Customer) });
        let answer = match path.as_str() {
            "/v1/sessions" => session,
            "/v1/orders" if is_command => json!(pending),
            path if path.starts_with("/v1/products?") => json!({ "items": catalogue(), "next_cursor": null }),
            _ => json!({ "items": [], "next_cursor": null, "offset_ms": 0, "now": now }),
        };
        let text = answer.to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            text.len()
        );
        let _ = connection.write_all((head + &text).as_bytes()).await;
    }

    /// What was asked for since.
    pub fn take_asked(&self) -> Vec<(String, String, Value)> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

async fn request(connection: &mut TcpStream) -> (String, Value) {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return (head, serde_json::from_str(body).unwrap_or_default());
            }
        }
        if connection.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return Default::default();
        }
    }
}

/// A console with its links: what it wants is carried out, and what comes of that comes back.
pub struct Console {
    /// The console.
    pub desktop: Desktop,
    /// Its links.
    pub links: Links,
    messages: mpsc::Receiver<Msg>,
}

impl Console {
    /// With somebody logged in.
    pub async fn of(endpoints: &Endpoints, dir: &Path) -> Self {
        let (sender, messages) = mpsc::channel(64);
        let place = Place {
            cluster: "default".into(),
            data_dir: "/data".into(),
            exe: PathBuf::new(),
            scenarios: PathBuf::new(),
            test_accounts: Vec::new(),
        };
        let links = Links::new(place, Some(endpoints.clone()), sender).keeping(dir.join("console.open"));
        let mut console = Self { desktop: Desktop::of(Role::Customer), links, messages };
        let who = login::Do::With { email: "a@b.c".into(), password: login::Secret("secret".into()) };
        console.links.carry_out(Effect::Login(Role::Customer, who));
        console.until(|desktop| desktop.screen((120, 30)).contains("Enamel Mug")).await;
        console
    }

    /// Goes on until this is to be seen.
    pub async fn until(&mut self, is_seen: impl Fn(&mut Desktop) -> bool) {
        for _ in 0..200 {
            if is_seen(&mut self.desktop) {
                return;
            }
            let message = timeout(Duration::from_secs(20), self.messages.recv()).await;
            let wanted = self.desktop.tell(message.expect("something comes").unwrap());
            self.carry_out(wanted);
        }
        panic!("it is not seen:\n{}", self.desktop.screen((120, 30)));
    }

    /// Goes on until these words are to be seen.
    pub async fn sees(&mut self, words: &str) {
        self.until(|desktop| desktop.screen((120, 30)).contains(words)).await;
    }

    /// Keys are pressed, and what they want is carried out.
    pub fn press(&mut self, keys: &[&str]) {
        for key in keys {
            let wanted = self.desktop.press(&[key]);
            self.carry_out(wanted);
        }
    }

    fn carry_out(&mut self, wanted: Vec<Effect>) {
        wanted.into_iter().for_each(|effect| self.links.carry_out(effect));
    }
}
