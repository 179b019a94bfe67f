//! The board without services: what keys want, what comes of it, and how it looks.

mod act;
mod look;
mod play;
mod verify;

use orderflow_chaos::{Situation, There};
use orderflow_client::{Service, chaos::Faults};
use orderflow_cluster::{
    Endpoints, State,
    control::{CutStatus, LineStatus, ProcessStatus, Status, Struck},
};
use orderflow_contracts::{
    api::{
        chaos::{Fault, FaultName, SetFault},
        console::{EventRecord, Role},
    },
    timestamp::Timestamp,
};
use ratatui::{Terminal, backend::TestBackend, buffer::Buffer, layout::Position};
use serde_json::json;

use super::{Board, Done, Row, situation::PROCESSES};
use crate::{
    area::Area,
    books::Books,
    cx::{Cx, Out, Show},
    keys::{Action, KeyMap},
    live::Live,
    msg::Effect,
    overlay::{Confirm, Tone},
    testing::{NOW_MS, account, letters},
    theme::{Theme, ThemeName},
};

/// A board, and what it is told.
pub struct Bench {
    pub board: Board,
    books: Books,
    pub now: Timestamp,
    pub notices: Vec<(Tone, String)>,
    pub timeline: Option<orderflow_contracts::ids::OrderId>,
    pub asked: Option<Confirm>,
}

impl Bench {
    pub fn new() -> Self {
        let books = Books::new(account(Role::Admin));
        let board = Board::default();
        Self { board, books, now: Timestamp(NOW_MS), notices: Vec::new(), timeline: None, asked: None }
    }

    /// With everybody there, and nothing broken.
    pub fn calm() -> Self {
        let mut bench = Self::new();
        bench.done(Done::Scenarios(Ok(Vec::new())));
        bench.looked(situation());
        bench
    }

    fn with(&mut self, act: impl FnOnce(&mut Board, &mut Cx<'_>)) -> Vec<super::Do> {
        let mut out = Out::default();
        let mut cx = Cx { role: Role::Admin, books: &mut self.books, now: self.now, is_local: true, out: &mut out };
        act(&mut self.board, &mut cx);
        self.notices.extend(out.notices);
        self.timeline = out.timeline.or(self.timeline);
        self.asked = out.confirm;
        let of_chaos = out.effects.into_iter().filter_map(|effect| match effect {
            Effect::Chaos(wanted) => Some(wanted),
            _ => None,
        });
        of_chaos.collect()
    }

    pub fn act(&mut self, action: Action) -> Vec<super::Do> {
        self.with(|board, cx| {
            board.act(action, cx);
        })
    }

    /// Clicks at the row in which this stands, some time later.
    pub fn click(&mut self, words: &str, later_ms: i64) -> Vec<super::Do> {
        let screen = self.screen((100, 40));
        let y = screen.lines().position(|line| line.contains(words)).unwrap();
        self.now.0 += later_ms;
        self.with(|board, cx| board.click(Position::new(4, u16::try_from(y).unwrap()), cx))
    }

    pub fn done(&mut self, done: Done) -> Vec<super::Do> {
        self.with(|board, cx| board.done(done, cx))
    }

    pub fn looked(&mut self, situation: Situation) {
        let Situation { services, status } = situation;
        self.done(Done::Supervised(Box::new(status.unwrap())));
        self.done(Done::Looked(services));
    }

    pub fn tick(&mut self) -> Vec<super::Do> {
        self.now.0 += 1_000;
        self.with(Board::tick)
    }

    pub fn hear(&mut self) -> Vec<super::Do> {
        let at = "2026-01-01T10:00:00Z";
        let record: EventRecord = serde_json::from_value(json!({
            "position": 1, "id": "00000000-0000-0000-0000-000000000001", "source": "/orderflow/orders",
            "type": "order.paid", "subject": "00000000-0000-0000-0000-000000000001", "sequence": 1,
            "correlation_id": "c", "causation_id": null, "at": at, "published_at": at, "received_at": at, "data": {},
        }))
        .unwrap();
        self.with(|board, cx| board.hear(&record, cx))
    }

    pub fn choose(&mut self, row: Row) {
        let at = self.board.rows.iter().position(|known| *known == row);
        self.board.list.choose(at.unwrap_or_else(|| panic!("no {row:?}")));
    }

    pub fn told(&self, part: &str) -> bool {
        self.notices.iter().any(|(_, text)| text.contains(part))
    }

    pub fn corner(&self, room: usize) -> String {
        let line = self.board.corner(&Theme::of(ThemeName::Terminal), room, self.now);
        line.to_string().trim_end().to_owned()
    }

    pub fn buffer(&mut self, (width, height): (u16, u16), theme: ThemeName) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let (theme, keys) = (Theme::of(theme), KeyMap::default());
        let (books, live) = (&self.books, Live::Open);
        let show = Show {
            role: Role::Admin,
            books,
            live: &live,
            now: self.now,
            focused: true,
            is_local: true,
            theme: &theme,
            keys: &keys,
        };
        let board = &mut self.board;
        terminal.draw(|frame| board.draw(frame, frame.area(), &show)).unwrap();
        terminal.backend().buffer().clone()
    }

    pub fn screen(&mut self, size: (u16, u16)) -> String {
        letters(&self.buffer(size, ThemeName::Terminal))
    }
}

/// A fault of which somebody tells.
pub fn fault(name: FaultName, percent: f64, struck: u64) -> Fault {
    let set = SetFault { percent: Some(percent), seed: Some(7), ..SetFault::default() };
    Fault { name, set, struck, ends_at: None }
}

/// A laboratory in which nothing is broken.
pub fn situation() -> Situation {
    let there = |service| (service, Ok(There { offset_ms: Some(0), ..There::default() }));
    let process = |name: &&str| ProcessStatus {
        name: (*name).to_owned(),
        pid: Some(100),
        state: State::Ready,
        restarts: 0,
        reason: None,
        address: "127.0.0.1:3001".into(),
        uptime_ms: 125_000,
        resumes_at_ms: None,
        struck: Struck::default(),
        log: "orders.log".into(),
    };
    let at = || "http://127.0.0.1:3000".to_owned();
    let status = Status {
        name: "default".into(),
        supervisor_pid: 1,
        healthy: true,
        processes: PROCESSES.iter().map(process).collect(),
        endpoints: Endpoints {
            console: at(),
            orders: at(),
            inventory: at(),
            payments: at(),
            provider: at(),
            broker: at(),
        },
        cuts: Vec::new(),
        lines: Vec::new(),
        lab: true,
    };
    Situation { services: Service::WITH_CLOCK.map(there).into(), status: Some(Ok(status)) }
}

pub fn there(situation: &mut Situation, service: Service) -> &mut There {
    let found = situation.services.iter_mut().find(|(known, _)| *known == service);
    found.and_then(|(_, there)| there.as_mut().ok()).unwrap()
}

pub fn status(situation: &mut Situation) -> &mut Status {
    situation.status.as_mut().and_then(|status| status.as_mut().ok()).unwrap()
}

/// A good deal broken.
pub fn broken() -> Situation {
    let mut situation = situation();
    for service in [Service::Orders, Service::Inventory, Service::Payments] {
        there(&mut situation, service).faults.known.push(fault(FaultName::RelayTwice, 50.0, 12));
    }
    let mut declines = fault(FaultName::PaymentFailure, 35.0, 41);
    declines.ends_at = Some(Timestamp(NOW_MS + 23_000));
    let payments = there(&mut situation, Service::Payments);
    payments.faults = Faults { known: vec![declines], unknown: vec!["disk-full".into()] };
    payments.out = vec![orderflow_contracts::api::ops::Pattern::Outbox];
    there(&mut situation, Service::Inventory).offset_ms = Some(300_000);
    situation.services[3].1 = Err("no answer for 3 s".into());
    let status = status(&mut situation);
    status.processes[1].state = State::Paused;
    status.processes[1].resumes_at_ms = Some(u64::try_from(NOW_MS).unwrap() + 8_000);
    status.processes[2].state = State::Unhealthy;
    status.processes[2].reason = Some("not ready: the broker is not there".into());
    status.processes[2].restarts = 3;
    status.processes[0].struck = Struck { kills: 4, pauses: 1, restarts: 0 };
    status.lines = vec![LineStatus { service: "payments".into(), to: orderflow_cluster::Need::Broker, dropped: 178 }];
    status.cuts = vec![CutStatus {
        service: "payments".into(),
        from: orderflow_cluster::Need::Broker,
        ends_at_ms: None,
        dropped: 78,
    }];
    situation
}
