//! Desks: opened, and somebody logs in and out at them.

use orderflow_contracts::api::console::{Account, Role};
use ratatui::layout::Rect;

use super::{App, Moment};
use crate::{
    desk::{Desk, Stage, Work},
    login::{self, Login},
    msg::Effect,
};

impl App {
    /// Opens a desk, if it is not open; where the cluster is local, with its test account.
    pub(super) fn open(&mut self, role: Role) -> Vec<Effect> {
        self.focus = role;
        if self.desks.iter().any(|desk| desk.role == role) {
            return Vec::new();
        }
        let login = Login::new(role, self.setup.is_running, self.setup.is_local);
        self.desks.push(Desk::new(role, login));
        self.desks.sort_by_key(|desk| order_of(desk.role));
        let goes_straight = self.setup.go_as.contains(&role) && self.setup.is_running && self.setup.is_local;
        if goes_straight { vec![Effect::Login(role, login::Do::TestAccount)] } else { Vec::new() }
    }

    pub(super) fn desk(&mut self, role: Role) -> Option<&mut Desk> {
        self.desks.iter_mut().find(|desk| desk.role == role)
    }

    pub(super) fn login_done(&mut self, role: Role, done: login::Done, now: Moment) -> Vec<Effect> {
        match done {
            login::Done::In(account) => {
                self.setup.is_running = true;
                self.logged_in(role, account, now)
            }
            login::Done::Up(Ok(())) => self.cluster_is_up(now),
            login::Done::Looked(cluster) => {
                self.looked(cluster, now);
                Vec::new()
            }
            done => {
                self.login_said(role, done, now);
                Vec::new()
            }
        }
    }

    /// Somebody has logged in. Their role says whose desk it is, which may not be the one at which they did.
    fn logged_in(&mut self, asked_at: Role, account: Account, now: Moment) -> Vec<Effect> {
        let role = account.role;
        self.desks.retain(|desk| desk.role != asked_at && desk.role != role);
        let work = Stage::Work(Box::new(Work::new(account)));
        self.desks.push(Desk { role, stage: work, place: Rect::ZERO });
        self.desks.sort_by_key(|desk| order_of(desk.role));
        if self.focus == asked_at {
            self.focus = role;
        }
        // What it knows of the services is read when its stream is open, so that nothing falls in between.
        let mut effects = self.with(role, now, |area, cx| area.begin(cx));
        effects.extend(self.lead_on(role, now));
        effects
    }

    pub(super) fn logged_out(&mut self, role: Role) {
        let (is_running, is_local) = (self.setup.is_running, self.setup.is_local);
        if let Some(desk) = self.desk(role) {
            desk.stage = Stage::Login(Box::new(Login::new(role, is_running, is_local)));
        }
    }
}

const fn order_of(role: Role) -> u8 {
    match role {
        Role::Customer => 0,
        Role::Seller => 1,
        Role::Admin => 2,
    }
}
