//! Lessons: guided tours beside the live desks, for somebody who knows nothing of sagas.
//!
//! ```text
//!   list ──▶ tour: step after step ◀── events of the desks, what is looked for, what the lesson has done
//!              └──▶ at the end the order is looked at, and verify counts: only then it is learnt
//! ```
//!
//! Whatever a tour has broken is mended when it ends, however it ends.

mod aside;
mod course;
mod draw;
mod effects;
mod heard;
#[cfg(test)]
mod tests;
mod tour;
mod words;

use orderflow_contracts::{
    api::{
        console::{EventRecord, Role},
        inventory::Product,
    },
    ids::OrderId,
};

use self::{
    course::LESSONS,
    effects::Outcome,
    tour::{Moved, Tour},
};
pub use self::{
    course::Place,
    effects::{Do, Done, carry_out},
};
use crate::{
    books,
    keys::{self, Action, Binding, Scope},
    msg::Effect,
    widgets::ListState,
};

/// The list of lessons.
pub const LIST: Scope = Scope("lessons");
/// A lesson under way.
pub const TOUR: Scope = Scope("a lesson");

/// Begins the chosen lesson.
pub const BEGIN: Action = Action("lessons.begin");
/// Goes to the next step.
pub const NEXT: Action = Action("lessons.next");
/// Goes to the step before, and from the first one to the list.
pub const BACK: Action = Action("lessons.back");
/// Does the step in the person's place, or tries again.
pub const HELP: Action = Action("lessons.help");
/// Leaves the lesson.
pub const LEAVE: Action = Action("lessons.leave");
/// Scrolls the text up.
pub const UP: Action = Action("lessons.up");
/// Scrolls the text down.
pub const DOWN: Action = Action("lessons.down");

/// The keys of the lessons.
pub const BINDINGS: &[Binding] = &[
    Binding::new(LIST, BEGIN, &["enter", "space"], "begin", "begin the lesson"),
    Binding::new(LIST, LEAVE, &["esc"], "close", "close the lessons"),
    Binding::new(LIST, keys::UP, &["up", "k"], "", "the lesson above"),
    Binding::new(LIST, keys::DOWN, &["down", "j"], "", "the lesson below"),
    Binding::new(LIST, keys::TOP, &["home", "g"], "", "the first lesson"),
    Binding::new(LIST, keys::BOTTOM, &["end", "G"], "", "the last lesson"),
    Binding::new(
        TOUR,
        NEXT,
        &["f8", "ctrl-n"],
        "next step",
        "the lesson's next step; twice, to skip one that is not done",
    ),
    Binding::new(TOUR, BACK, &["f7"], "", "the step before; from the first one, back to the list"),
    Binding::new(TOUR, HELP, &["ctrl-g"], "do it for me", "have the step done for you, or try again"),
    Binding::new(TOUR, UP, &["alt-up", "alt-k"], "", "scroll the lesson's text up"),
    Binding::new(TOUR, DOWN, &["alt-down", "alt-j"], "", "scroll it down"),
    Binding::new(TOUR, LEAVE, &[], "", "leave the lesson; what it has broken is mended"),
];

/// The desks that every lesson plays at, from left to right.
pub const DESKS: [Role; 2] = [Role::Customer, Role::Seller];

/// Where a lesson leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lead {
    /// The desk and its screen, if it is one of them and not just the desks of lessons.
    pub place: Option<Place>,
    /// What is ordered, once it is there.
    pub product: Option<Product>,
    /// The person's order.
    pub order: Option<OrderId>,
}

/// The panel of the lessons.
pub struct Lessons {
    learnt: Vec<String>,
    /// Without test accounts on a cluster that runs here, nothing can be prepared.
    can_play: bool,
    list: ListState,
    tour: Option<Box<Tour>>,
    /// How many tours there were.
    tours: u32,
    scroll: usize,
    scroll_max: usize,
    /// Lines by which a page is scrolled.
    page: usize,
    /// Lines of the text that there is no room for.
    skipped: usize,
    is_closed: bool,
    /// Where the person is to be led next.
    lead_to: Option<Lead>,
    /// The lesson that was learnt, until that is told.
    told: Option<&'static str>,
}

impl Lessons {
    /// With those that are done. They need a cluster that runs on this machine.
    pub fn new(learnt: Vec<String>, can_play: bool) -> Self {
        let mut list = ListState::default();
        let next = LESSONS.iter().position(|lesson| learnt.iter().all(|done| done != lesson.name));
        list.choose(next.unwrap_or(0));
        Self {
            learnt,
            can_play,
            list,
            tour: None,
            tours: 0,
            scroll: 0,
            scroll_max: 0,
            page: 1,
            skipped: 0,
            is_closed: false,
            lead_to: None,
            told: None,
        }
    }

    /// Where keys are looked up: before those of the desk while there is a list to choose from, after them otherwise.
    pub fn scopes(&self) -> Vec<Scope> {
        if self.tour.is_some() { vec![TOUR] } else { vec![LIST] }
    }

    /// Whether an action is worth naming: whether it would do something now.
    pub fn offers(&self, action: Action) -> bool {
        match (action, &self.tour) {
            (BEGIN, _) => self.can_play,
            (HELP, Some(tour)) => tour.can_help(),
            (NEXT, Some(tour)) => tour.can_go_on(),
            _ => true,
        }
    }

    /// Whether the panel has the keys, and not a desk.
    pub const fn has_keys(&self) -> bool {
        self.tour.is_none()
    }

    /// Whether a lesson is under way.
    pub const fn is_under_way(&self) -> bool {
        self.tour.is_some()
    }

    /// Where to lead the person, once: to the desks of lessons, and to one of them if it is named.
    pub const fn take_lead(&mut self) -> Option<Lead> {
        self.lead_to.take()
    }

    /// Whether something goes on by itself.
    pub fn ticks(&self) -> bool {
        self.tour.as_ref().is_some_and(|tour| tour.looks())
    }

    /// A second has passed.
    pub fn tick(&mut self) -> Vec<Effect> {
        let wanted = self.tour.as_mut().map(|tour| tour.tick()).unwrap_or_default();
        effects(wanted)
    }

    /// A key was pressed; nothing if it means nothing here.
    pub fn act(&mut self, action: Action) -> Option<Vec<Effect>> {
        if self.tour.is_none() {
            return self.act_in_list(action);
        }
        match action {
            NEXT if self.has_more() => {
                // What was found is read to its end first, page by page.
                self.scroll = (self.scroll + self.page).min(self.scroll_max);
                Some(Vec::new())
            }
            NEXT => Some(self.moved(Tour::next)),
            BACK => Some(self.moved(Tour::back)),
            HELP => Some(self.moved(|tour| Moved::On(tour.help()))),
            LEAVE => Some(self.moved(|tour| Moved::Left(tour.mend()))),
            UP => {
                self.scroll = self.scroll.min(self.scroll_max).saturating_sub(1);
                Some(Vec::new())
            }
            DOWN => {
                self.scroll = (self.scroll + 1).min(self.scroll_max);
                Some(Vec::new())
            }
            _ => None,
        }
    }

    /// Whether there is more to read of what was found than there is room for.
    fn has_more(&self) -> bool {
        self.scroll < self.scroll_max && self.tour.as_ref().is_some_and(|tour| tour.has_found())
    }

    fn act_in_list(&mut self, action: Action) -> Option<Vec<Effect>> {
        match action {
            BEGIN => {
                let chosen = self.list.chosen(LESSONS.len()).filter(|_| self.can_play);
                return Some(chosen.map(|chosen| self.begin(chosen)).unwrap_or_default());
            }
            LEAVE => self.is_closed = true,
            action => return self.list.act(action, LESSONS.len()).then(Vec::new),
        }
        Some(Vec::new())
    }

    fn begin(&mut self, chosen: usize) -> Vec<Effect> {
        self.tours += 1;
        let (tour, wanted) = Tour::of(LESSONS[chosen], self.tours);
        self.lead_to = Some(tour.lead());
        self.tour = Some(Box::new(tour));
        self.scroll = 0;
        effects(wanted)
    }

    /// Does something with the tour, and with what comes of that.
    fn moved(&mut self, act: impl FnOnce(&mut Tour) -> Moved) -> Vec<Effect> {
        let Some(tour) = &mut self.tour else { return Vec::new() };
        let before = tour.at;
        match act(tour) {
            Moved::On(wanted) => {
                if tour.at != before {
                    self.scroll = 0;
                    // Nobody is moved about when they look back at what they have read.
                    if tour.at > before {
                        self.lead_to = Some(tour.lead());
                    }
                }
                if tour.is_learnt() && self.learnt.iter().all(|done| done != tour.lesson.name) {
                    self.learnt.push(tour.lesson.name.to_owned());
                    self.told = Some(tour.lesson.name);
                }
                effects(wanted)
            }
            Moved::Left(wanted) => {
                if tour.is_learnt() {
                    let next = LESSONS.iter().position(|lesson| lesson.name == tour.lesson.name).unwrap_or(0) + 1;
                    self.list.choose(next.min(LESSONS.len() - 1));
                }
                self.tour = None;
                effects(wanted)
            }
        }
    }

    /// Whether it was closed.
    pub const fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// What is to be done before it goes.
    pub fn close(&mut self) -> Vec<Effect> {
        self.moved(|tour| Moved::Left(tour.mend()))
    }

    /// A desk has heard an event.
    pub fn hear(&mut self, role: Role, record: &EventRecord) -> Vec<Effect> {
        self.moved(|tour| {
            tour.hear(role, record);
            Moved::On(Vec::new())
        })
    }

    /// Something was done. The name of a lesson that is learnt by it comes back too.
    pub fn done(&mut self, done: Done) -> (Vec<Effect>, Option<&'static str>) {
        let wanted = match done {
            Done::Said(of, said) => self.moved(|tour| {
                tour.said(of, said);
                Moved::On(Vec::new())
            }),
            Done::Of(of, done) => {
                let is_clock = matches!(done, Ok(Outcome::ClockMoved));
                let ready = match &done {
                    Ok(Outcome::Ready(scene)) => Some(scene.product.id),
                    _ => None,
                };
                let mut wanted = self.moved(|tour| Moved::On(tour.done(of, done)));
                if is_clock {
                    // What counts down at the desks counts by the services' clock.
                    wanted.extend(DESKS.map(|role| Effect::Books(role, books::Do::Clock)));
                }
                // Customers do not hear of products.
                wanted.extend(ready.map(|id| Effect::Books(Role::Customer, books::Do::Product(id))));
                wanted
            }
            // What cannot be mended is told by the console, whether or not the lessons are open.
            Done::Mended(_) => Vec::new(),
        };
        (wanted, self.told.take())
    }
}

/// What a lesson is called.
pub fn title_of(name: &str) -> &str {
    LESSONS.iter().find(|lesson| lesson.name == name).map_or(name, |lesson| lesson.title)
}

fn effects(wanted: Vec<Do>) -> Vec<Effect> {
    wanted.into_iter().map(Effect::Lessons).collect()
}
