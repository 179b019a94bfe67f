//! The health of every process: asked every two seconds, and only while it is looked at.

mod draw;

use orderflow_client::Service;
use orderflow_cluster::control;
use orderflow_contracts::{api::Readiness, timestamp::Timestamp};
use ratatui::{
    Frame,
    layout::{Position, Rect},
};

use super::{
    Do,
    effects::Seen,
    keymap::HEALTH,
    parts::{Every, wall},
    procfs::Reading,
};
use crate::{
    area::Area,
    cx::{Cx, Show},
    keys::{self, Action, Scope},
    msg::Effect,
    widgets::ListState,
};

/// Between two questions, in milliseconds.
const EVERY_MS: i64 = 2_000;

/// How the parts of the cluster are.
#[derive(Default)]
pub struct Health {
    seen: What,
    /// When that was, by this machine's clock.
    seen_at: Option<Timestamp>,
    readings: (Option<Reading>, Option<Reading>),
    every: Every,
    list: ListState,
}

#[derive(Default)]
enum What {
    #[default]
    Nothing,
    Processes(Box<control::Status>),
    Services(Vec<(Service, Result<Readiness, String>)>, String),
}

impl Health {
    /// Asks, if it is time to.
    pub fn ask(&mut self, cx: &mut Cx<'_>) {
        if self.every.is_due(wall(cx.now, cx.books), EVERY_MS) {
            cx.run(Effect::Admin(Do::Status));
        }
    }

    /// An answer has come.
    pub fn seen(&mut self, seen: Seen, cx: &Cx<'_>) {
        self.every.answered();
        self.seen_at = Some(wall(cx.now, cx.books));
        self.seen = match seen {
            Seen::Processes(status, reading) => {
                self.readings = (self.readings.1.take(), reading);
                What::Processes(status)
            }
            Seen::Services(services, why) => What::Services(services, why),
        };
    }

    /// The processes and the files that they log to; none if nobody on this machine knows them.
    pub fn processes(&self) -> Option<&control::Status> {
        match &self.seen {
            What::Processes(status) => Some(status),
            What::Nothing | What::Services(..) => None,
        }
    }

    /// The name of the chosen process.
    pub fn chosen(&self) -> Option<&str> {
        let processes = &self.processes()?.processes;
        self.list.chosen(processes.len()).map(|row| processes[row].name.as_str())
    }

    fn rows(&self) -> usize {
        match &self.seen {
            What::Nothing => 0,
            What::Processes(status) => status.processes.len(),
            What::Services(services, _) => services.len(),
        }
    }
}

impl Area for Health {
    fn scopes(&self) -> Vec<Scope> {
        vec![HEALTH]
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> bool {
        match action {
            keys::COPY => match self.chosen().map(str::to_owned) {
                Some(name) => cx.copy(name),
                None => return false,
            },
            action => return self.list.act(action, self.rows()),
        }
        true
    }

    fn ticks(&self, _: &Show<'_>) -> bool {
        true
    }

    fn tick(&mut self, cx: &mut Cx<'_>) {
        self.ask(cx);
    }

    fn click(&mut self, at: Position, cx: &mut Cx<'_>) {
        self.list.click(at, self.rows(), cx.now);
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        self.draw_in(frame, area, show);
    }
}
