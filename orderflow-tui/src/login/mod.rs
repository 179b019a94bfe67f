//! Logging in at a desk: the test account one key away, an account of one's own, a new one, or first a cluster.

mod draw;
mod effects;
#[cfg(test)]
mod tests;

use orderflow_contracts::api::console::Role;

pub use self::effects::{Do, Done, Secret, carry_out};
use crate::{
    input::Edit,
    keys::{self, Action, Binding, Scope},
    widgets::Field,
};

/// Where no cluster runs.
pub const NO_CLUSTER: Scope = Scope("no cluster");
/// Where one logs in.
pub const LOGIN: Scope = Scope("log in");

/// Starts a cluster.
pub const START: Action = Action("cluster.start");
/// Starts a cluster whose patterns can be taken out.
pub const START_LAB: Action = Action("cluster.start_lab");
/// Takes the test account.
pub const TEST_ACCOUNT: Action = Action("login.test_account");
/// Opens a new account instead, or the other way round.
pub const SIGN_UP: Action = Action("login.sign_up");

/// The keys of the login.
pub const BINDINGS: &[Binding] = &[
    Binding::new(NO_CLUSTER, START, &["enter", "s"], "start a cluster", "start a cluster on this machine"),
    Binding::new(NO_CLUSTER, START_LAB, &["l"], "start a laboratory", "start one whose patterns can be taken out"),
    Binding::new(LOGIN, TEST_ACCOUNT, &["ctrl-t"], "test account", "log in with the test account"),
    Binding::new(LOGIN, SIGN_UP, &["ctrl-n"], "new account", "open a new account, or log in with an old one"),
];

/// Lines of the cluster's start that are shown.
const SAID_MAX: usize = 8;

/// How far it is.
enum State {
    /// No cluster runs.
    NoCluster,
    /// One is being started.
    Starting,
    /// Somebody writes.
    Form,
    /// The console is being asked.
    Asking,
}

/// The login of a desk.
pub struct Login {
    role: Role,
    is_local: bool,
    state: State,
    is_new: bool,
    email: Field,
    password: Field,
    at: usize,
    problem: Option<String>,
    /// Nobody knows whether the account was opened, and why not.
    unknown: Option<String>,
    said: Vec<String>,
    seconds: u32,
}

impl Login {
    /// At the desk of a role.
    pub fn new(role: Role, is_running: bool, is_local: bool) -> Self {
        Self {
            role,
            is_local,
            state: if is_running || !is_local { State::Form } else { State::NoCluster },
            is_new: false,
            email: Field::default(),
            password: Field::masked().at_most(128),
            at: 0,
            problem: None,
            unknown: None,
            said: Vec::new(),
            seconds: 0,
        }
    }

    /// Where keys are looked up.
    pub fn scopes(&self) -> Vec<Scope> {
        match self.state {
            State::NoCluster => vec![NO_CLUSTER],
            State::Starting | State::Asking => Vec::new(),
            State::Form => vec![LOGIN, keys::FORM],
        }
    }

    /// Whether letters go into a field.
    pub const fn takes_text(&self) -> bool {
        matches!(self.state, State::Form)
    }

    /// Whether something goes on by itself.
    pub const fn ticks(&self) -> bool {
        matches!(self.state, State::Starting | State::Asking)
    }

    /// A second has passed.
    pub const fn tick(&mut self) {
        self.seconds += 1;
    }

    /// A cluster is up.
    pub fn is_up(&mut self) {
        self.state = State::Form;
        self.problem = None;
    }

    /// Somebody writes.
    pub fn edit(&mut self, edit: &Edit) {
        (self.problem, self.unknown) = (None, None);
        if self.at == 0 {
            self.email.edit(edit)
        } else {
            self.password.edit(edit)
        };
    }

    /// A key was pressed; nothing if it means nothing here.
    pub fn act(&mut self, action: Action) -> Option<Vec<Do>> {
        match (&self.state, action) {
            (State::NoCluster, START) => Some(self.start(false)),
            (State::NoCluster, START_LAB) => Some(self.start(true)),
            (State::Form, TEST_ACCOUNT) if self.is_local => {
                (self.state, self.seconds) = (State::Asking, 0);
                Some(vec![Do::TestAccount])
            }
            (State::Form, SIGN_UP) if self.role != Role::Admin => {
                self.is_new = !self.is_new;
                (self.problem, self.unknown) = (None, None);
                Some(Vec::new())
            }
            (State::Form, keys::NEXT_FIELD | keys::PREVIOUS_FIELD) => {
                self.at = 1 - self.at;
                Some(Vec::new())
            }
            (State::Form, keys::SUBMIT) => Some(self.submit()),
            _ => None,
        }
    }

    fn start(&mut self, lab: bool) -> Vec<Do> {
        self.state = State::Starting;
        (self.problem, self.seconds) = (None, 0);
        self.said.clear();
        vec![Do::Start { lab }]
    }

    fn submit(&mut self) -> Vec<Do> {
        let (email, password) = (self.email.text().trim().to_owned(), self.password.text());
        if email.is_empty() || password.is_empty() {
            // Enter in the first field leads to the second, as people expect.
            self.at = usize::from(!email.is_empty());
            return Vec::new();
        }
        (self.state, self.seconds) = (State::Asking, 0);
        (self.problem, self.unknown) = (None, None);
        let password = Secret(password);
        let wanted = if self.is_new { Do::SignUp { email, password } } else { Do::With { email, password } };
        vec![wanted]
    }

    /// Something came of it.
    pub fn done(&mut self, done: Done) {
        match done {
            Done::Refused(why) => {
                self.state = State::Form;
                self.password.set("");
                self.problem = Some(why);
            }
            Done::Unknown(why) => {
                self.state = State::Form;
                // What was written stays: with it, one logs in if the account is there.
                self.is_new = false;
                self.unknown = Some(why);
            }
            Done::Said(line) => {
                self.said.push(line);
                if self.said.len() > SAID_MAX {
                    self.said.remove(0);
                }
            }
            Done::Up(Err(why)) => {
                self.state = State::NoCluster;
                self.problem = Some(why);
            }
            // What these mean is the console's to say.
            Done::Up(Ok(())) | Done::In(_) => {}
        }
    }
}
