//! Carries out what the core wants: everything that waits happens here, in tasks whose outcome comes back as messages.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use orderflow_client::{Client, ClientError, Endpoints};
use orderflow_cluster::{ClusterFile, attach};
use orderflow_contracts::api::console::{Account, Login, Role, Session};
use tokio::{
    sync::{Semaphore, mpsc::Sender, oneshot},
    task::{AbortHandle, JoinError, JoinSet},
    time::timeout,
};

use crate::{
    admin, books, chaos, customer, lessons, live, login,
    msg::{Done, Effect, Msg},
    seller,
    session::Tokens,
    timeline,
};

/// Effects that are carried out at one time; a further one waits.
const AT_ONCE_MAX: usize = 32;

/// How long what a lesson breaks may take to be broken, before it is mended all the same.
const LANDS_MAX: Duration = Duration::from_secs(10);
/// How long the console waits, when it is left, for what must not be left undone: that, and the mending.
const FINISH_MAX: Duration = Duration::from_secs(15);

/// Which cluster it is, and what is needed to do something with it.
#[derive(Clone)]
pub struct Place {
    /// The cluster's name.
    pub cluster: String,
    /// Where it keeps everything.
    pub data_dir: PathBuf,
    /// The program `orderflow`.
    pub exe: PathBuf,
    /// Where scenarios are looked for.
    pub scenarios: PathBuf,
    /// The test accounts of a local cluster.
    pub test_accounts: Vec<(Role, Login)>,
}

/// Somebody's session.
struct Link {
    client: Client,
    tokens: Arc<Tokens>,
    me: Account,
    stream: Option<AbortHandle>,
}

impl Link {
    /// Nothing more comes of it.
    fn leave(&self) {
        self.tokens.leave();
        if let Some(stream) = &self.stream {
            stream.abort();
        }
    }
}

/// What an effect is carried out with.
#[derive(Clone)]
pub struct Kit {
    /// Asks as whoever is logged in.
    pub client: Client,
    /// Whoever that is.
    pub me: Account,
    /// The cluster.
    pub place: Place,
    /// For what is to be told on the way.
    pub messages: Sender<Msg>,
    /// The program's own processes: scenarios and load.
    pub children: chaos::Children,
    /// Keeps what has no certain outcome.
    pub kept: customer::Store,
    tokens: Arc<Tokens>,
}

impl Kit {
    /// Whether whoever wanted something is gone.
    pub fn is_left(&self) -> bool {
        self.tokens.is_left()
    }
}

/// Sessions and tasks.
pub struct Links {
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
    /// What is waited for when the console is left; what comes of it if it was not done, for people.
    last: JoinSet<Option<String>>,
    /// Those of them that lessons break and mend with.
    lessons: Vec<AbortHandle>,
    /// What lessons are breaking.
    breaking: Vec<Breaking>,
}

/// Something is being broken: it is mended when that is over, or the break would land on what is mended.
struct Breaking {
    /// Comes, as an error, when it is over.
    over: oneshot::Receiver<()>,
    task: AbortHandle,
}

impl Breaking {
    /// Waits until it is over, but not for long: then it does nothing more at least.
    async fn landed(self, most: Duration) {
        if timeout(most, self.over).await.is_err() {
            self.task.abort();
        }
    }
}

/// What tasks share.
pub struct Shared {
    /// The cluster.
    pub place: Place,
    endpoints: Mutex<Option<Endpoints>>,
    /// The cluster of this machine that was seen running last.
    ours: Mutex<Option<ClusterFile>>,
    sessions: Mutex<HashMap<Role, Link>>,
    /// Of test accounts that nobody works with at a desk.
    beside: Mutex<HashMap<Role, (Client, Arc<Tokens>)>>,
    messages: Sender<Msg>,
    room: Semaphore,
    children: chaos::Children,
    kept: OnceLock<customer::Store>,
}

impl Links {
    /// Of a cluster; without endpoints nothing runs yet.
    pub fn new(place: Place, endpoints: Option<Endpoints>, messages: Sender<Msg>) -> Self {
        let is_there = |cluster: &ClusterFile| {
            endpoints.as_ref().is_some_and(|endpoints| endpoints.console == cluster.endpoints.console)
        };
        let shared = Shared {
            ours: Mutex::new(attach::running(&place.data_dir).filter(is_there)),
            place,
            endpoints: Mutex::new(endpoints),
            sessions: Mutex::default(),
            beside: Mutex::default(),
            messages,
            room: Semaphore::new(AT_ONCE_MAX),
            children: chaos::Children::default(),
            kept: OnceLock::new(),
        };
        Self {
            shared: Arc::new(shared),
            tasks: JoinSet::new(),
            last: JoinSet::new(),
            lessons: Vec::new(),
            breaking: Vec::new(),
        }
    }

    /// The same, keeping what has no certain outcome in this directory; otherwise it is forgotten with the console.
    #[must_use]
    pub fn keeping(self, dir: PathBuf) -> Self {
        let place = &self.shared.place;
        let endpoints = self.shared.endpoints.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let store = customer::Store::at(dir, &place.cluster, &place.data_dir, endpoints.as_ref());
        // It is the first to say where.
        let _ = self.shared.kept.set(store);
        self
    }

    /// The processes that were started from the chaos board: whoever ends the console ends them first.
    pub fn children(&self) -> chaos::Children {
        self.shared.children.clone()
    }

    /// Begins to carry out an effect.
    pub fn carry_out(&mut self, effect: Effect) {
        let shared = Arc::clone(&self.shared);
        if let Effect::Logout(role) = effect {
            if role == Role::Admin {
                shared.children.stop_all();
            }
            if let Some(link) = shared.forget(role) {
                self.last.spawn(async move {
                    link.tokens.end().await;
                    None
                });
            }
            return;
        }
        let effect = match effect {
            Effect::Lessons(wanted) if wanted.is_break() || wanted.is_mending() => return self.must_be_done(wanted),
            effect => effect,
        };
        self.tasks.spawn(async move {
            let _place = shared.room.acquire().await.ok();
            let done = match effect {
                Effect::Login(role, wanted) => Some(Done::Login(role, login::carry_out(wanted, role, &shared).await)),
                effect => shared.carry_out(effect).await,
            };
            if let Some(done) = done {
                let _ = shared.messages.send(Msg::Done(done)).await;
            }
        });
        self.follow();
    }

    /// What lessons break and mend is done even if the console is left meanwhile, one after the other. It waits behind
    /// nobody else: the others may be waiting for the very service that is broken.
    fn must_be_done(&mut self, wanted: lessons::Do) {
        let shared = Arc::clone(&self.shared);
        let (is_break, is_mending) = (wanted.is_break(), wanted.is_mending());
        let before = if is_mending { std::mem::take(&mut self.breaking) } else { Vec::new() };
        let (ends, over) = oneshot::channel();
        let task = self.last.spawn(async move {
            // Dropped when this is over, however it ends.
            let _ends: oneshot::Sender<()> = ends;
            for breaking in before {
                breaking.landed(LANDS_MAX).await;
            }
            let done = lessons::carry_out(wanted, &shared).await;
            let undone = done.not_mended();
            let _ = shared.messages.send(Msg::Done(Done::Lessons(done))).await;
            undone
        });
        self.lessons.retain(|task| !task.is_finished());
        self.lessons.push(task.clone());
        if is_break {
            self.breaking.push(Breaking { over, task });
        }
    }

    /// Follows the streams of those who have just logged in.
    pub fn follow(&mut self) {
        let mut sessions = self.shared.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        for (role, link) in sessions.iter_mut().filter(|(_, link)| link.stream.is_none()) {
            let stream = live::follow(*role, link.client.clone(), self.shared.messages.clone());
            link.stream = Some(self.tasks.spawn(stream));
        }
    }

    /// Whether something is being broken or mended, which must not be left undone.
    pub fn is_mending(&self) -> bool {
        self.lessons.iter().any(|task| !task.is_finished())
    }

    /// Waits for what must not be left undone, but not for long, and ends all sessions. What was not done, for people.
    pub async fn finish(&mut self) -> Vec<String> {
        let mut undone = Vec::new();
        let all = async {
            while let Some(ended) = self.last.join_next().await {
                undone.extend(ended.ok().flatten());
            }
        };
        if timeout(FINISH_MAX, all).await.is_err() {
            undone.push(format!("what a lesson has broken is not mended within {FINISH_MAX:?}"));
        }
        // Mending needs them, so they are the last.
        self.shared.end_sessions().await;
        undone
    }

    /// The next task that has ended by a panic. Never, if there is none.
    pub async fn died(&mut self) -> JoinError {
        loop {
            let ended = tokio::select! {
                Some(ended) = self.tasks.join_next() => ended,
                Some(ended) = self.last.join_next() => ended.map(drop),
                else => std::future::pending().await,
            };
            match ended {
                Err(error) if error.is_panic() => return error,
                _ => {}
            }
        }
    }
}

impl Shared {
    /// Carries out what needs a session. Without one it comes to nothing: whoever wanted it is gone.
    /// What comes after they have left is dropped, so that another account at the same desk never sees it.
    async fn carry_out(&self, effect: Effect) -> Option<Done> {
        let role = match &effect {
            Effect::Books(role, _) | Effect::Timeline(role, _) => *role,
            Effect::Customer(_) => Role::Customer,
            Effect::Seller(_) => Role::Seller,
            Effect::Admin(_) | Effect::Chaos(_) => Role::Admin,
            Effect::Lessons(wanted) => return Some(Done::Lessons(lessons::carry_out(wanted.clone(), self).await)),
            _ => return None,
        };
        let kit = self.kit(role)?;
        let done = match effect {
            Effect::Books(role, wanted) => {
                Done::Books(role, books::effects::carry_out(wanted, &kit.client, &kit.me).await)
            }
            Effect::Customer(wanted) => Done::Customer(customer::carry_out(wanted, &kit).await),
            Effect::Seller(wanted) => Done::Seller(seller::carry_out(wanted, &kit).await),
            Effect::Admin(wanted) => Done::Admin(admin::carry_out(wanted, &kit).await),
            Effect::Chaos(wanted) => Done::Chaos(chaos::carry_out(wanted, &kit).await?),
            Effect::Timeline(role, wanted) => Done::Timeline(role, timeline::carry_out(wanted, &kit).await),
            _ => return None,
        };
        (!kit.is_left()).then_some(done)
    }

    /// What whoever is logged in works with.
    pub fn kit(&self, role: Role) -> Option<Kit> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let link = sessions.get(&role)?;
        Some(Kit {
            client: link.client.clone(),
            me: link.me.clone(),
            place: self.place.clone(),
            messages: self.messages.clone(),
            children: self.children.clone(),
            kept: self.kept.get().cloned().unwrap_or_default(),
            tokens: Arc::clone(&link.tokens),
        })
    }

    /// For what is to be told on the way.
    pub const fn messages(&self) -> &Sender<Msg> {
        &self.messages
    }

    /// A client without a token.
    pub fn anonymous(&self) -> Result<Client, ClientError> {
        let endpoints = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Client::anonymous(endpoints.ok_or_else(|| ClientError::BadRequest("no cluster runs".to_owned()))?)
    }

    /// A client that asks as a test account of the local cluster, for what is done beside the desks.
    pub async fn as_test_account(&self, role: Role) -> Result<Client, ClientError> {
        // With a session that is over nothing can be done any more, whoever has it.
        if let Some(kit) = self.kit(role).filter(|kit| !kit.tokens.is_over()) {
            return Ok(kit.client);
        }
        let beside = || self.beside.lock().unwrap_or_else(PoisonError::into_inner);
        let known = beside().get(&role).filter(|(_, tokens)| !tokens.is_over()).map(|(client, _)| client.clone());
        if let Some(client) = known {
            return Ok(client);
        }
        let anonymous = self.anonymous()?;
        let session = anonymous.login(&self.test_account(role)?).await?;
        let tokens = Arc::new(Tokens::new(anonymous.clone(), session));
        let client = anonymous.with_tokens(Arc::clone(&tokens) as _);
        beside().insert(role, (client.clone(), tokens));
        Ok(client)
    }

    /// Logs in anew where a test account is needed the next time.
    pub fn forget_test_accounts(&self) {
        self.beside.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The test account of a role.
    pub fn test_account(&self, role: Role) -> Result<Login, ClientError> {
        let known = self.place.test_accounts.iter().find(|(known, _)| *known == role);
        let missing = || ClientError::BadRequest("test accounts are for a cluster on this machine".to_owned());
        known.map(|(_, login)| login.clone()).ok_or_else(missing)
    }

    /// Somebody has logged in.
    pub fn logged_in(&self, client: Client, session: Session) -> Account {
        let me = session.account.clone();
        let tokens = Arc::new(Tokens::new(client.clone(), session));
        let client = client.with_tokens(Arc::clone(&tokens) as _);
        let link = Link { client, tokens, me: me.clone(), stream: None };
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = sessions.insert(me.role, link) {
            before.leave();
        }
        me
    }

    /// Of a cluster that does not answer: whether there still is one. If it was started anew, everybody goes there.
    pub fn look(&self) -> login::Cluster {
        let known = self.ours.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(known) = known else { return login::Cluster::NotOurs };
        match attach::running(&self.place.data_dir) {
            // Whatever there was to start again is described in this file.
            None if !self.place.data_dir.join("cluster.json").exists() => login::Cluster::Destroyed,
            None => login::Cluster::Gone { was_lab: known.lab },
            Some(now) if now != known && !self.found() => login::Cluster::Gone { was_lab: known.lab },
            Some(_) => login::Cluster::Lives,
        }
    }

    /// The cluster was started: where it is stands in its file.
    pub fn found(&self) -> bool {
        let Some(cluster) = attach::running(&self.place.data_dir) else { return false };
        let at = cluster.endpoints.clone();
        let endpoints = Endpoints {
            console: at.console,
            orders: at.orders,
            inventory: at.inventory,
            payments: at.payments,
            provider: at.provider,
        };
        *self.endpoints.lock().unwrap_or_else(PoisonError::into_inner) = Some(endpoints);
        *self.ours.lock().unwrap_or_else(PoisonError::into_inner) = Some(cluster);
        self.forget_test_accounts();
        self.move_sessions();
        true
    }

    /// Sessions go on where the cluster is now: they are kept in its database. Their streams are opened there anew.
    fn move_sessions(&self) {
        let Ok(client) = self.anonymous() else { return };
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        for link in sessions.values_mut() {
            link.tokens.move_to(client.clone());
            link.client = client.clone().with_tokens(Arc::clone(&link.tokens) as _);
            if let Some(stream) = link.stream.take() {
                stream.abort();
            }
        }
    }

    /// Ends all sessions at the server, all at once: what is left of them there is of use to nobody but a thief.
    async fn end_sessions(&self) {
        let links = std::mem::take(&mut *self.sessions.lock().unwrap_or_else(PoisonError::into_inner));
        let beside = std::mem::take(&mut *self.beside.lock().unwrap_or_else(PoisonError::into_inner));
        links.values().for_each(Link::leave);
        let tokens = links.into_values().map(|link| link.tokens).chain(beside.into_values().map(|(_, tokens)| tokens));
        join_all(tokens.map(|tokens| async move { tokens.end().await })).await;
    }

    fn forget(&self, role: Role) -> Option<Link> {
        let link = self.sessions.lock().unwrap_or_else(PoisonError::into_inner).remove(&role)?;
        link.leave();
        Some(link)
    }
}

#[cfg(test)]
mod tests {
    use orderflow_contracts::{
        problem::{Code, Problem},
        timestamp::Timestamp,
    };
    use serde_json::json;
    use tokio::{
        io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
        net::TcpListener,
        sync::mpsc,
    };

    use super::*;
    use crate::testing::services::{Console, Services};

    fn place() -> Place {
        Place {
            cluster: "test".into(),
            data_dir: PathBuf::new(),
            exe: PathBuf::new(),
            scenarios: PathBuf::new(),
            test_accounts: vec![(Role::Customer, Login { email: "a@b.c".into(), password: "p".into() })],
        }
    }

    fn session(email: &str) -> Session {
        let account = Account { id: uuid::Uuid::new_v4().into(), email: email.into(), role: Role::Customer };
        Session { token: "t".into(), expires_at: Timestamp(0), refresh_token: "r".into(), account }
    }

    #[tokio::test]
    async fn sessions_are_ended_when_the_console_is_left_and_nobody_waits_for_long() {
        let dir = tempfile::tempdir().unwrap();
        let services = Arc::new(Services::default());
        let mut console = Console::of(&services.begin().await, dir.path()).await;
        // The answer to that is lost, which keeps nobody from leaving.
        let left = timeout(Duration::from_secs(5), console.links.finish()).await;
        assert_eq!(left.unwrap(), [""; 0]);
        let asked = services.take_asked();
        let logout = ("/v1/sessions/logout".to_owned(), String::new(), json!({ "refresh_token": "r" }));
        assert!(asked.contains(&logout), "{asked:?}");
        assert!(console.links.shared.kit(Role::Customer).is_none());
    }

    #[tokio::test]
    async fn what_is_broken_is_mended_after_it_is_broken_but_not_for_ever_later() {
        let mut tasks = JoinSet::new();
        let breaking = |takes: Duration, tasks: &mut JoinSet<()>| {
            let (ends, over) = oneshot::channel::<()>();
            let task = tasks.spawn(async move {
                tokio::time::sleep(takes).await;
                drop(ends);
            });
            Breaking { over, task }
        };
        let slow = breaking(Duration::from_millis(50), &mut tasks);
        slow.landed(LANDS_MAX).await;
        assert!(tasks.join_next().await.unwrap().is_ok(), "it has landed");
        let stuck = breaking(LANDS_MAX, &mut tasks);
        stuck.landed(Duration::from_millis(20)).await;
        assert!(tasks.join_next().await.unwrap().unwrap_err().is_cancelled(), "it breaks nothing more");
    }

    #[tokio::test]
    async fn what_one_account_has_asked_for_never_comes_to_the_next() {
        let (messages, mut told) = mpsc::channel(8);
        let links = Links::new(place(), Some(Endpoints::default()), messages);
        let shared = Arc::clone(&links.shared);
        let client = shared.anonymous().unwrap();
        shared.logged_in(client.clone(), session("a@b.c"));
        let first = shared.kit(Role::Customer).unwrap();
        // Waits for 300 ms, and in these another one logs in.
        let asked = tokio::spawn(async move { shared.carry_out(Effect::Customer(customer::Do::Rest)).await.is_some() });
        tokio::task::yield_now().await;
        links.shared.logged_in(client, session("d@e.f"));
        assert!(!asked.await.unwrap(), "whoever wanted it is gone");
        assert!(first.is_left());
        let second = links.shared.kit(Role::Customer).unwrap();
        assert_eq!((second.me.email.as_str(), second.is_left()), ("d@e.f", false));
        links.shared.forget(Role::Customer);
        assert!(second.is_left() && links.shared.kit(Role::Customer).is_none() && told.try_recv().is_err());
    }

    /// A console that lets in whoever logs in, and takes no token.
    async fn forgetful_console() -> Endpoints {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let console = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let mut connection = BufReader::new(connection);
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") {
                    assert!(connection.read_line(&mut head).await.unwrap() > 0);
                }
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
                connection.read_exact(&mut vec![0; length.unwrap_or(0)]).await.unwrap();
                let (status, body) = if head.starts_with("POST /v1/sessions ") {
                    (200, serde_json::to_string(&session("a@b.c")).unwrap())
                } else {
                    (401, serde_json::to_string(&Problem::new(Code::Unauthenticated, "no")).unwrap())
                };
                let head =
                    format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
                connection.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
            }
        });
        Endpoints { console, ..Endpoints::default() }
    }

    #[tokio::test]
    async fn a_session_that_is_over_is_used_by_nobody() {
        let (messages, _told) = mpsc::channel(8);
        let links = Links::new(place(), Some(forgetful_console().await), messages);
        let shared = &links.shared;
        let of_test_account = async || shared.as_test_account(Role::Customer).await.unwrap();
        let is_over = async |client: &Client| matches!(client.me().await, Err(ClientError::NoToken(_)));
        shared.logged_in(shared.anonymous().unwrap(), session("d@e.f"));
        let at_desk = shared.kit(Role::Customer).unwrap();
        of_test_account().await;
        assert!(shared.beside.lock().unwrap().is_empty(), "as long as it is not over it is used");
        assert!(is_over(&at_desk.client).await && at_desk.tokens.is_over());
        for _ in 0..2 {
            let beside = of_test_account().await;
            let of_beside = Arc::clone(&shared.beside.lock().unwrap()[&Role::Customer].1);
            assert!(!of_beside.is_over(), "somebody has logged in for it");
            assert!(is_over(&beside).await && of_beside.is_over(), "and again, if that one is over too");
        }
    }

    /// As a supervisor writes down what runs, with its lock.
    fn begin(dir: &std::path::Path, pid: u32, console: &str) -> std::fs::File {
        let nowhere = "http://127.0.0.1:1";
        let endpoints = json!({
            "console": console, "orders": nowhere, "inventory": nowhere, "payments": nowhere, "provider": nowhere,
            "broker": "127.0.0.1:1",
        });
        let ports = json!({
            "console": 1, "orders": 1, "inventory": 1, "payments": 1, "provider": 1, "broker": 1, "postgres": 1,
        });
        let cluster = json!({
            "name": "test", "version": "1", "supervisor_pid": pid, "endpoints": endpoints, "ports": ports,
            "lab": true, "socket": "/nowhere",
        });
        std::fs::write(dir.join("cluster.json"), cluster.to_string()).unwrap();
        let lock = std::fs::File::create(dir.join("supervisor.lock")).unwrap();
        lock.lock().unwrap();
        lock
    }

    #[tokio::test]
    async fn a_cluster_that_is_gone_is_told_from_one_that_lives_and_sessions_go_on_where_it_is_started_again() {
        let dir = tempfile::tempdir().unwrap();
        let lock = begin(dir.path(), 1, "http://127.0.0.1:1");
        let (messages, _told) = mpsc::channel(8);
        let at = Endpoints { console: "http://127.0.0.1:1".into(), ..Endpoints::default() };
        let place = Place { data_dir: dir.path().to_owned(), ..place() };
        let others = Links::new(place.clone(), Some(Endpoints::default()), messages.clone());
        let mut links = Links::new(place, Some(at), messages);
        let shared = Arc::clone(&links.shared);
        shared.logged_in(shared.anonymous().unwrap(), session("a@b.c"));
        links.follow();
        assert_eq!(shared.look(), login::Cluster::Lives);
        // Not closed alone: a process that another test is just starting has a copy of it for a moment.
        lock.unlock().unwrap();
        assert_eq!(shared.look(), login::Cluster::Gone { was_lab: true });
        assert_eq!(others.shared.look(), login::Cluster::NotOurs, "it was never this one");
        std::fs::remove_file(dir.path().join("cluster.json")).unwrap();
        assert_eq!(shared.look(), login::Cluster::Destroyed);
        let _lock = begin(dir.path(), 2, &forgetful_console().await.console);
        assert!(shared.sessions.lock().unwrap()[&Role::Customer].stream.is_some());
        assert_eq!(shared.look(), login::Cluster::Lives);
        assert!(shared.sessions.lock().unwrap()[&Role::Customer].stream.is_none(), "it is opened anew, elsewhere");
        let asked = shared.kit(Role::Customer).unwrap().client.me().await;
        assert!(matches!(asked, Err(ClientError::NoToken(_))), "it has answered: {asked:?}");
    }
}
