//! Logging in at a desk: the test account one key away, an account of one's own, a new one, or first a cluster.

mod draw;
mod effects;
mod start;
#[cfg(test)]
mod tests;

use orderflow_contracts::api::console::Role;

pub use self::{
    effects::{Cluster, Do, Done, Secret, carry_out},
    start::{Before, Start},
};
use crate::{
    input::Edit,
    keys::{self, Action, Binding, Scope},
    widgets::Field,
};

/// Where no cluster runs.
pub const NO_CLUSTER: Scope = Scope("no cluster");
/// Where the cluster has stopped, and the offer to start it again was closed.
pub const STOPPED: Scope = Scope("cluster stopped");
/// Where it is offered.
pub const OFFERED: [Scope; 2] = [NO_CLUSTER, OFFER];
/// What closes it.
const OFFER: Scope = Scope("offer to start it again");
/// Where one logs in.
pub const LOGIN: Scope = Scope("log in");

/// Starts a cluster.
pub const START: Action = Action("cluster.start");
/// Starts a cluster whose patterns can be taken out.
pub const START_LAB: Action = Action("cluster.start_lab");
/// Shows the offer to start the cluster again.
pub const SHOW_START: Action = Action("cluster.offer");
/// Takes the test account.
pub const TEST_ACCOUNT: Action = Action("login.test_account");
/// Opens a new account instead, or the other way round.
pub const SIGN_UP: Action = Action("login.sign_up");

/// The keys of the login.
pub const BINDINGS: &[Binding] = &[
    Binding::new(NO_CLUSTER, START, &["enter", "s"], "start a cluster", "start a cluster on this machine"),
    Binding::new(NO_CLUSTER, START_LAB, &["l"], "start a laboratory", "start one whose patterns can be taken out"),
    Binding::new(OFFER, keys::BACK, &["esc"], "not now", "close the offer; what is shown stays"),
    Binding::new(STOPPED, SHOW_START, &["ctrl-o"], "start it again", "offer to start the cluster again"),
    Binding::new(LOGIN, TEST_ACCOUNT, &["ctrl-t"], "test account", "log in with the test account"),
    Binding::new(LOGIN, SIGN_UP, &["ctrl-n"], "new account", "open a new account, or log in with an old one"),
];

/// How far it is.
enum State {
    /// No cluster runs, or one is being started.
    NoCluster,
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
    start: Start,
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
            start: Start::default(),
            seconds: 0,
        }
    }

    /// Where keys are looked up.
    pub fn scopes(&self) -> Vec<Scope> {
        match self.state {
            State::NoCluster if !self.start.is_on() => vec![NO_CLUSTER],
            State::NoCluster | State::Asking => Vec::new(),
            State::Form => vec![LOGIN, keys::FORM],
        }
    }

    /// Whether letters go into a field.
    pub const fn takes_text(&self) -> bool {
        matches!(self.state, State::Form)
    }

    /// Whether something goes on by itself.
    pub const fn ticks(&self) -> bool {
        self.start.is_on() || matches!(self.state, State::Asking)
    }

    /// A second has passed.
    pub const fn tick(&mut self) {
        self.seconds += 1;
        self.start.tick();
    }

    /// A cluster is up.
    pub fn is_up(&mut self) {
        self.state = State::Form;
        self.start = Start::default();
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
            (State::NoCluster, action) => self.start.act(action).map(|wanted| vec![wanted]),
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
            Done::Said(_) | Done::Up(Err(_)) => self.start.done(done),
            // What these mean is the console's to say.
            Done::Up(Ok(())) | Done::In(_) | Done::Looked(_) => {}
        }
    }
}
