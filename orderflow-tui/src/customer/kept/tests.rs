use std::{os::unix::fs::PermissionsExt as _, sync::Mutex};

use orderflow_contracts::api::console::Role;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use super::*;
use crate::{
    customer::tests::{catalogue, order},
    links::{Links, Place},
    login,
    msg::{Effect, Msg},
    testing::{Desktop, NOW_MS, account},
};

const NOW: Timestamp = Timestamp(NOW_MS);

fn store(dir: &Path) -> Store {
    Store::at(dir.join("console.open"), "default", Path::new("/data"), None)
}

fn me() -> AccountId {
    account(Role::Customer).id
}

fn two_mugs() -> What {
    let mug = &catalogue()[1];
    let (id, seller_id, name, price) = (mug.id, mug.seller_id, mug.name.clone(), mug.price);
    What::Order { lines: vec![Line { id, seller_id, name, price, quantity: 2 }], total: None }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let Ok(found) = fs::read_dir(dir.join("console.open")) else { return Vec::new() };
    found.map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test]
async fn what_is_kept_is_found_by_its_account_in_its_cluster_and_by_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let (store, key) = (store(dir.path()), Uuid::new_v4());
    assert_eq!(store.recall(me(), NOW).await, Recalled::default());
    store.keep(me(), key, NOW, two_mugs()).await.unwrap();
    let found = store.recall(me(), NOW).await;
    assert!(matches!(&found.open[..], [kept] if kept.key == key && kept.what == two_mugs() && kept.at == NOW));
    let path = files(dir.path()).remove(0);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(store.recall(account(Role::Seller).id, NOW).await, Recalled::default());
    let elsewhere = Store::at(dir.path().join("console.open"), "default", Path::new("/other"), None);
    assert_eq!(elsewhere.recall(me(), NOW).await, Recalled::default());
    store.forget(key).await.unwrap();
    store.forget(key).await.unwrap();
    assert!(files(dir.path()).is_empty());
}

#[tokio::test]
async fn what_the_services_may_not_know_any_more_is_told_once_and_not_asked() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    store.keep(me(), Uuid::new_v4(), Timestamp(NOW_MS - ASKED_MS_MAX - 1), two_mugs()).await.unwrap();
    let found = store.recall(me(), NOW).await;
    assert_eq!((found.open.len(), found.late.len()), (0, 1));
    assert_eq!(store.recall(me(), NOW).await, Recalled::default());
}

#[tokio::test]
async fn what_is_damaged_is_told_and_set_aside_and_harms_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let (good, bad) = (Uuid::new_v4(), Uuid::new_v4());
    store.keep(me(), good, NOW, two_mugs()).await.unwrap();
    fs::write(file_of(&dir.path().join("console.open"), bad), b"{\"key\":").unwrap();
    let found = store.recall(me(), NOW).await;
    assert_eq!(found.open.len(), 1);
    assert!(found.troubles[0].contains("cannot be read") && found.troubles[0].contains(".damaged"), "{found:?}");
    assert!(store.recall(me(), NOW).await.troubles.is_empty(), "it is told once");
    assert!(files(dir.path()).iter().any(|path| path.ends_with(format!("{bad}.damaged"))));
    // Set aside is not for ever.
    let at = fs::metadata(dir.path()).unwrap().modified().unwrap();
    let later = at.duration_since(std::time::UNIX_EPOCH).unwrap() + Duration::from_secs(8 * 24 * 3600);
    store.recall(me(), Timestamp(i64::try_from(later.as_millis()).unwrap())).await;
    assert!(files(dir.path()).is_empty());
}

#[tokio::test]
async fn a_place_that_cannot_be_written_to_or_is_full_is_told() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("console.open"), "a file is no directory").unwrap();
    assert!(store(dir.path()).keep(me(), Uuid::new_v4(), NOW, two_mugs()).await.is_err());
    assert!(!store(dir.path()).recall(me(), NOW).await.troubles.is_empty());
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..FILES_MAX {
        store(dir.path()).keep(me(), Uuid::new_v4(), NOW, two_mugs()).await.unwrap();
    }
    let error = store(dir.path()).keep(me(), Uuid::new_v4(), NOW, two_mugs()).await.unwrap_err();
    assert!(error.to_string().contains("64 files"), "{error}");
    assert_eq!(store(dir.path()).recall(me(), NOW).await.open.len(), FILES_MAX);
}

/// Services that know one customer, and lose every answer to a command until they are told not to.
#[derive(Default)]
struct Services {
    are_well: std::sync::atomic::AtomicBool,
    /// Commands: their path, their key, their body.
    asked: Mutex<Vec<(String, String, Value)>>,
}

impl Services {
    /// Where they are.
    async fn begin(self: &Arc<Self>) -> Endpoints {
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
        let is_command = method == "post" && !path.starts_with("/v1/sessions");
        if is_command {
            let key = head.lines().find_map(|line| line.strip_prefix("idempotency-key: ")).unwrap_or_default();
            self.asked.lock().unwrap().push((path.clone(), key.to_owned(), body));
            if !self.are_well.load(std::sync::atomic::Ordering::SeqCst) {
                return;
            }
        }
        let pending = order(1, "PENDING", "NONE", "NONE");
        let session =
            json!({ "token": "t", "expires_at": NOW, "refresh_token": "r", "account": account(Role::Customer) });
        let answer = match path.as_str() {
            "/v1/sessions" => session,
            "/v1/orders" if is_command => json!(pending),
            path if path.starts_with("/v1/products?") => json!({ "items": catalogue(), "next_cursor": null }),
            _ => json!({ "items": [], "next_cursor": null, "offset_ms": 0, "now": NOW }),
        };
        let text = answer.to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            text.len()
        );
        let _ = connection.write_all((head + &text).as_bytes()).await;
    }

    fn take_asked(&self) -> Vec<(String, String, Value)> {
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
struct Console {
    desktop: Desktop,
    links: Links,
    messages: mpsc::Receiver<Msg>,
}

impl Console {
    /// With somebody logged in.
    async fn of(endpoints: &Endpoints, dir: &Path) -> Self {
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
    async fn until(&mut self, is_seen: impl Fn(&mut Desktop) -> bool) {
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

    async fn sees(&mut self, words: &str) {
        self.until(|desktop| desktop.screen((120, 30)).contains(words)).await;
    }

    fn press(&mut self, keys: &[&str]) {
        for key in keys {
            let wanted = self.desktop.press(&[key]);
            self.carry_out(wanted);
        }
    }

    fn carry_out(&mut self, wanted: Vec<Effect>) {
        wanted.into_iter().for_each(|effect| self.links.carry_out(effect));
    }
}

#[tokio::test]
async fn a_lost_answer_outlives_the_console_and_is_asked_for_with_the_same_key_and_content() {
    let (dir, services) = (tempfile::tempdir().unwrap(), Arc::new(Services::default()));
    let endpoints = services.begin().await;
    let mut console = Console::of(&endpoints, dir.path()).await;
    console.press(&["down", "down", "down", "a", "a", "c", "enter"]);
    console.sees("? placed").await;
    let first = services.take_asked().remove(0);
    assert_eq!(first.2["lines"][0]["quantity"], 2);
    assert_eq!(files(dir.path()).len(), 1, "it was kept before it was sent");
    console.press(&["q"]);
    drop(console);

    let mut console = Console::of(&endpoints, dir.path()).await;
    console.press(&["3"]);
    console.sees("? placed").await;
    console.sees("2× Enamel Mug").await;
    console.sees("something from last time is not known").await;
    services.are_well.store(true, std::sync::atomic::Ordering::SeqCst);
    console.press(&["r"]);
    console.sees("○ pending").await;
    assert_eq!(services.take_asked(), [first]);
    console.until(|_| files(dir.path()).is_empty()).await;
}

#[tokio::test]
async fn a_certain_outcome_leaves_nothing_and_a_disk_that_fails_keeps_nobody_from_ordering() {
    let (dir, services) = (tempfile::tempdir().unwrap(), Arc::new(Services::default()));
    services.are_well.store(true, std::sync::atomic::Ordering::SeqCst);
    let endpoints = services.begin().await;
    let mut console = Console::of(&endpoints, dir.path()).await;
    console.press(&["down", "down", "down", "a", "c", "enter"]);
    console.sees("○ pending").await;
    console.until(|_| files(dir.path()).is_empty()).await;
    drop(console);
    fs::remove_dir(dir.path().join("console.open")).unwrap();
    fs::write(dir.path().join("console.open"), "a file is no directory").unwrap();
    let mut console = Console::of(&endpoints, dir.path()).await;
    console.press(&["down", "down", "down", "a", "c", "enter"]);
    console.sees("its key is lost").await;
    console.sees("○ pending").await;
}
