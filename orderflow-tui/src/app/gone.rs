//! A cluster of this machine that stops while the console is open: it is offered to start it again.
//!
//! Nothing is asked for that by itself: a stream that is broken is opened again and again, and each time that fails,
//! somebody looks whether there still is a supervisor.

use std::time::{Duration, Instant};

use orderflow_contracts::api::console::Role;

use super::{App, Moment};
use crate::{
    desk::{Desk, Stage},
    keys::{self, Action},
    login::{self, Before, Cluster, Start},
    msg::Effect,
    overlay::{Overlay, Tone},
};

/// A key that is pressed sooner after the offer has come was meant for what it covers.
const UNREAD_FOR: Duration = Duration::from_millis(600);

/// A cluster that has stopped, and the offer to start it again.
pub(super) struct Gone {
    start: Start,
    offered_at: Option<Instant>,
}

impl App {
    /// Where the cluster does not answer: whether it is looked for.
    pub(super) fn look_for_cluster(&self, role: Role) -> Vec<Effect> {
        if self.setup.is_local { vec![Effect::Login(role, login::Do::Look)] } else { Vec::new() }
    }

    /// Whether all of the cluster is gone.
    pub(super) const fn is_gone(&self) -> bool {
        self.gone.is_some()
    }

    /// Whether its start goes on.
    pub(super) fn is_starting_again(&self) -> bool {
        self.gone.as_ref().is_some_and(|gone| gone.start.is_on())
    }

    /// A second has passed.
    pub(super) fn tick_start(&mut self) {
        if let Some(gone) = &mut self.gone {
            gone.start.tick();
        }
    }

    /// Somebody has looked for the cluster.
    pub(super) fn looked(&mut self, cluster: Cluster, now: Moment) {
        match cluster {
            Cluster::Gone { was_lab } => self.is_gone_after(Before::Stopped { was_lab }, now),
            Cluster::Destroyed => self.is_gone_after(Before::Destroyed, now),
            // The one that is being started here says so itself.
            Cluster::Lives if self.is_gone() && !self.is_starting_again() => {
                self.cluster_is_there();
                self.notices.push(Tone::Good, "the cluster was started again", now.instant);
            }
            _ => {}
        }
    }

    /// Nothing of it runs. What has stopped first may be destroyed then: the offer is another one, and is made once.
    fn is_gone_after(&mut self, before: Before, now: Moment) {
        if self.is_starting_again() {
            return;
        }
        self.setup.is_running = false;
        match &mut self.gone {
            Some(gone) if gone.start.before() == before => {}
            Some(gone) => {
                gone.start = Start::after(before);
                // Whoever presses a key now has read the other one.
                gone.offered_at = gone.offered_at.map(|_| now.instant);
            }
            None => self.gone = Some(Gone { start: Start::after(before), offered_at: None }),
        }
    }

    /// There is a cluster again, whoever has started it.
    fn cluster_is_there(&mut self) {
        self.setup.is_running = true;
        self.gone = None;
        self.overlay.take_if(|overlay| matches!(overlay, Overlay::Start));
        for desk in &mut self.desks {
            if let Stage::Login(login) = &mut desk.stage {
                login.is_up();
            }
        }
    }

    /// One was started here. Whoever works goes on; those who were to go straight to their desks do.
    pub(super) fn cluster_is_up(&mut self, now: Moment) -> Vec<Effect> {
        self.cluster_is_there();
        self.notices.push(Tone::Good, "the cluster is up", now.instant);
        let is_out =
            |role: &Role| self.desks.iter().all(|desk| desk.role != *role || matches!(desk.stage, Stage::Login(_)));
        let straight = self.setup.go_as.iter().copied().filter(is_out);
        straight.map(|role| Effect::Login(role, login::Do::TestAccount)).collect()
    }

    /// Something came of logging in, or of the start, that is to be shown where it was asked for.
    pub(super) fn login_said(&mut self, role: Role, done: login::Done, now: Moment) {
        let is_of_start = matches!(done, login::Done::Said(_) | login::Done::Up(_));
        if let Some(gone) = self.gone.as_mut().filter(|gone| is_of_start && gone.start.is_on()) {
            if let login::Done::Up(Err(why)) = &done
                && !matches!(self.overlay, Some(Overlay::Start))
            {
                self.notices.push(Tone::Bad, &format!("the cluster was not started: {why}"), now.instant);
            }
            gone.start.done(done);
        } else if let Some(Desk { stage: Stage::Login(login), .. }) = self.desk(role) {
            login.done(done);
        }
    }

    /// Offers it once, as soon as nobody writes and nothing else is to be answered.
    pub(super) fn offer_start(&mut self, now: Moment) {
        let works = self.desks.iter().any(|desk| desk.role == self.focus && matches!(desk.stage, Stage::Work(_)));
        if !works || self.overlay.is_some() || self.takes_text() {
            return;
        }
        if let Some(gone) = self.gone.as_mut().filter(|gone| gone.offered_at.is_none()) {
            gone.offered_at = Some(now.instant);
            self.overlay = Some(Overlay::Start);
        }
    }

    /// Somebody wants to see the offer again.
    pub(super) fn show_start(&mut self) {
        if self.is_gone() {
            self.overlay = Some(Overlay::Start);
        }
    }

    /// A key was pressed over the offer. What it wants, and whether the offer stays.
    pub(super) fn answer_start(&mut self, action: Option<Action>, now: Moment) -> (Vec<Effect>, bool) {
        let (focus, Some(gone)) = (self.focus, &mut self.gone) else { return (Vec::new(), false) };
        if gone.offered_at.is_some_and(|at| now.instant.duration_since(at) < UNREAD_FOR) {
            return (Vec::new(), true);
        }
        if action == Some(keys::BACK) {
            return (Vec::new(), false);
        }
        let wanted = action.and_then(|action| gone.start.act(action));
        (wanted.map(|wanted| Effect::Login(focus, wanted)).into_iter().collect(), true)
    }

    /// The offer as it is drawn.
    pub(super) fn start_offered(&self) -> Option<&Start> {
        self.gone.as_ref().map(|gone| &gone.start)
    }
}
