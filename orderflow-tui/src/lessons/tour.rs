//! A lesson under way: at which step it is, what has happened, and what it has broken.

use orderflow_contracts::api::console::{EventRecord, Role};

use super::{
    Lead,
    course::{Break, Expect, Help, Lesson, Step, Until},
    effects::{self, Do, Exam, Finding, Key, Outcome, Scene, Task, Trouble},
    heard::Heard,
};

mod look;

/// A lesson under way.
pub struct Tour {
    pub(super) lesson: &'static Lesson,
    /// So that what comes for an earlier tour is known as late.
    number: u32,
    pub(super) at: usize,
    /// Steps whose help is done.
    helped: Vec<bool>,
    /// What was seen, where a step waits for that.
    pub(super) seen: Vec<Option<String>>,
    pub(super) heard: Heard,
    pub(super) scene: Option<Scene>,
    pub(super) busy: Option<Busy>,
    looking: bool,
    pub(super) trouble: Option<Trouble>,
    note: Option<Note>,
    broken: Vec<Break>,
    restarts: u32,
    pub(super) found: Vec<Finding>,
}

/// Something that is being done.
#[derive(Debug, PartialEq, Eq)]
pub struct Busy {
    step: usize,
    /// How far it is.
    pub(super) said: String,
}

/// Something that the person is to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// The step is not done: once more skips it.
    NotDone,
    /// Something is under way.
    OneMoment,
    /// There is no order yet.
    NoOrder,
    /// That was an order of something else.
    OtherProduct,
    /// The trap has struck, and not at this lesson's order.
    OtherOrder,
}

/// What a key has come to.
pub enum Moved {
    /// It stays open.
    On(Vec<Do>),
    /// Back to the list.
    Left(Vec<Do>),
}

impl Tour {
    /// At its begin, and what it wants first.
    pub fn of(lesson: &'static Lesson, number: u32) -> (Self, Vec<Do>) {
        let orders = if lesson.expects == Expect::OneOfTwo { 2 } else { 1 };
        let mut tour = Self {
            lesson,
            number,
            at: 0,
            helped: vec![false; lesson.steps.len()],
            seen: vec![None; lesson.steps.len()],
            heard: Heard::of(orders),
            scene: None,
            busy: None,
            looking: false,
            trouble: None,
            note: None,
            broken: Vec::new(),
            restarts: 0,
            found: Vec::new(),
        };
        let wanted = tour.help();
        (tour, wanted)
    }

    /// The step.
    pub fn step(&self) -> &'static Step {
        &self.lesson.steps[self.at.min(self.lesson.steps.len() - 1)]
    }

    /// Where it happens, and what is to be chosen there.
    pub fn lead(&self) -> Lead {
        let product = self.scene.as_ref().map(|scene| scene.product.clone());
        let mine = self.heard.mine();
        // Of two, the newer one stands above the other.
        let order = if self.step().until == Until::Decided { self.heard.theirs().or(mine) } else { mine };
        Lead { place: self.step().at, product, order }
    }

    /// Whether the step is done.
    pub fn is_done(&self) -> bool {
        self.is_done_at(self.at)
    }

    /// Whether this is a step that looks at what has become of all, and has found something.
    pub fn has_found(&self) -> bool {
        self.step().help == Some(Help::Check) && !self.found.is_empty()
    }

    /// What the person is to know, while it is so.
    pub fn note(&self) -> Option<Note> {
        self.note.filter(|note| match note {
            Note::NotDone => !self.is_done(),
            Note::OtherProduct => self.heard.mine().is_none(),
            Note::OneMoment | Note::NoOrder | Note::OtherOrder => true,
        })
    }

    /// Whether there is something that the lesson can do now, in the person's place or once more.
    pub fn can_help(&self) -> bool {
        self.step().help.is_some() && self.busy.is_none() && (self.is_failed() || !(self.is_done() || self.is_helped()))
    }

    /// Whether something has come to nothing, or is not as it must be.
    pub fn is_failed(&self) -> bool {
        self.trouble.is_some() || (!self.found.is_empty() && !self.is_done())
    }

    /// Whether the lesson has more steps to go to: without what it needs, it cannot begin.
    pub const fn can_go_on(&self) -> bool {
        self.scene.is_some() || self.busy.is_some()
    }

    /// Whether the lesson has done its part of the step.
    pub fn is_helped(&self) -> bool {
        self.helped[self.at]
    }

    fn is_done_at(&self, at: usize) -> bool {
        match self.lesson.steps[at].until {
            Until::Read => self.lesson.steps[at].help.is_none() || self.helped[at],
            Until::Helped => self.helped[at],
            Until::Heard(events) => events.iter().all(|event| self.heard.has(event)),
            Until::Decided => self.heard.are_decided(),
            Until::Seen(_) => self.seen[at].is_some(),
        }
    }

    /// Whether the lesson is at its end, and all was as it had to be.
    pub fn is_learnt(&self) -> bool {
        let steps = self.lesson.steps.iter().enumerate();
        let checks = steps.filter(|(_, step)| step.help == Some(Help::Check)).all(|(at, _)| self.helped[at]);
        checks && self.at + 1 == self.lesson.steps.len() && self.is_done()
    }

    /// The next step.
    pub fn next(&mut self) -> Moved {
        if self.is_learnt() {
            return Moved::Left(self.mend());
        }
        let is_last = self.at + 1 == self.lesson.steps.len();
        // One thing after the other: what the lesson does for a step is waited for.
        if self.busy.as_ref().is_some_and(|busy| busy.step == self.at) {
            self.note = Some(Note::OneMoment);
            return Moved::On(Vec::new());
        }
        if is_last || (!self.is_done() && !self.may_skip()) {
            return Moved::On(Vec::new());
        }
        Moved::On(self.enter(self.at + 1))
    }

    /// A step that is not done is skipped when that is said twice. Without what it needs, a lesson cannot begin.
    fn may_skip(&mut self) -> bool {
        if self.busy.is_some() || self.scene.is_none() {
            self.note = self.busy.is_some().then_some(Note::OneMoment);
            return false;
        }
        let again = self.note == Some(Note::NotDone);
        self.note = Some(Note::NotDone);
        again
    }

    /// The step before.
    pub fn back(&mut self) -> Moved {
        if self.at == 0 {
            return Moved::Left(self.mend());
        }
        self.at -= 1;
        (self.trouble, self.note) = (None, None);
        Moved::On(Vec::new())
    }

    /// Does the step in the person's place, or tries again what came to nothing.
    pub fn help(&mut self) -> Vec<Do> {
        let Some(help) = self.step().help else { return Vec::new() };
        if self.busy.is_some() {
            self.note = Some(Note::OneMoment);
            return Vec::new();
        }
        if self.helped[self.at] && help != Help::Check {
            return Vec::new();
        }
        let Some((said, task)) = self.task(help) else {
            self.note = Some(Note::NoOrder);
            return Vec::new();
        };
        (self.trouble, self.note) = (None, None);
        self.busy = Some(Busy { step: self.at, said: said.to_owned() });
        vec![self.wanted(task)]
    }

    fn wanted(&self, task: Task) -> Do {
        Do::For(effects::Step { tour: self.number, step: self.at }, task)
    }

    /// What is to be done, and what is said meanwhile. Nothing without what it takes.
    fn task(&mut self, help: Help) -> Option<(&'static str, Task)> {
        if help == Help::Prepare {
            return Some(("making everything ready", Task::Prepare(self.lesson)));
        }
        let scene = self.scene.as_ref()?;
        let product = || scene.product.clone();
        // The same command has the same key, whenever it is tried.
        let key = |what: &str| Key(format!("lesson-{}-{what}", scene.key));
        let order = self.heard.mine();
        Some(match help {
            Help::Prepare => return None,
            Help::Order => ("ordering", Task::Order(product(), key("order"))),
            Help::Rival => ("somebody else orders", Task::Rival(product(), key("rival"))),
            Help::Confirm => {
                let orders = [order?].into_iter().chain(self.heard.theirs()).collect();
                ("confirming", Task::Confirm(orders, key("confirm")))
            }
            Help::Pay(token) => ("paying", Task::Pay(order?, token, key("pay"))),
            Help::Fulfil => ("shipping", Task::Fulfil(order?, key("fulfil"))),
            Help::MoveClock(minutes) => ("moving the clock", Task::MoveClock(minutes)),
            Help::Break(what) => {
                // To be mended even if only half of it was broken.
                self.broken.extend(what.iter().filter(|one| !self.broken.contains(one)).copied().collect::<Vec<_>>());
                ("breaking it", Task::Break(what.to_vec()))
            }
            Help::Mend => ("mending", Task::Mend(self.broken.clone())),
            Help::Check => {
                let exam = Exam {
                    expects: self.lesson.expects,
                    order: order?,
                    rival: self.heard.theirs(),
                    product: product(),
                    restarts: self.restarts,
                    known: scene.known.clone(),
                };
                ("looking", Task::Check(Box::new(exam)))
            }
        })
    }

    /// An event has come to a desk.
    pub fn hear(&mut self, role: Role, record: &EventRecord) {
        let Some(product) = self.scene.as_ref().map(|scene| scene.product.id) else { return };
        let is_other = self.heard.hear(record, product);
        if is_other && role == Role::Customer && self.heard.mine().is_none() {
            self.note = Some(Note::OtherProduct);
        }
    }

    /// Only a person's key leads here: what happens can be faster than anybody reads.
    fn enter(&mut self, at: usize) -> Vec<Do> {
        self.at = at;
        (self.trouble, self.note) = (None, None);
        if self.step().auto && !self.is_done() { self.help() } else { Vec::new() }
    }

    /// How far something is.
    pub fn said(&mut self, of: effects::Step, said: String) {
        if let Some(busy) = self.busy.as_mut().filter(|busy| of.tour == self.number && of.step == busy.step) {
            busy.said = said;
        }
    }

    /// Something was done.
    pub fn done(&mut self, of: effects::Step, done: Result<Outcome, Trouble>) -> Vec<Do> {
        if of.tour != self.number {
            return Vec::new();
        }
        if let Ok(Outcome::Looked(looked)) = done {
            self.looked(of.step, looked);
            return Vec::new();
        }
        if self.busy.as_ref().is_none_or(|busy| busy.step != of.step) {
            return Vec::new();
        }
        self.busy = None;
        self.note = self.note.filter(|note| *note != Note::OneMoment);
        match done {
            Ok(outcome) => self.came(of.step, outcome),
            Err(trouble) => {
                self.trouble = Some(trouble);
                Vec::new()
            }
        }
    }

    fn came(&mut self, step: usize, outcome: Outcome) -> Vec<Do> {
        let mut wanted = Vec::new();
        let is_good = match outcome {
            Outcome::Ready(scene) => {
                self.scene = Some(*scene);
                true
            }
            Outcome::Ordered(order) => {
                self.heard.follow(order);
                true
            }
            Outcome::Broken(restarts) => {
                self.restarts = restarts;
                true
            }
            Outcome::Found(found) => {
                let is_good = found.iter().all(|finding| finding.ok);
                self.found = found;
                // What has served is not left lying about; where mending is a step of its own, it comes then.
                let mends_later = self.lesson.steps[step + 1..].iter().any(|step| step.help == Some(Help::Mend));
                if is_good && !mends_later {
                    wanted = self.mend();
                }
                is_good
            }
            Outcome::ClockMoved => true,
            Outcome::Done => {
                if self.lesson.steps[step].help == Some(Help::Mend) {
                    self.broken.clear();
                }
                true
            }
            Outcome::Looked(_) => false,
        };
        self.helped[step] = is_good;
        wanted
    }

    /// What mends all that is broken, whatever comes next.
    pub fn mend(&mut self) -> Vec<Do> {
        let broken = std::mem::take(&mut self.broken);
        if broken.is_empty() { Vec::new() } else { vec![Do::Mend(broken)] }
    }
}
