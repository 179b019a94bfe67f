//! Lists that could not be read are read again by themselves: ever more seldom, and at once when that may help.

use std::time::{Duration, Instant};

use orderflow_contracts::api::console::Role;

use super::{App, Moment};
use crate::{
    books::Books,
    desk::{Desk, Stage},
    msg::Effect,
};

/// How long a list that could not be read is left alone: longer each time.
const RESTS: [Duration; 5] = [
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(16),
    Duration::from_secs(30),
];

/// When a desk's lists that could not be read are read again.
#[derive(Debug, Default)]
pub struct Failed {
    at: Option<Instant>,
    /// How often in a row that was in vain.
    in_vain: usize,
}

impl Failed {
    /// Something has happened: whether there is something to read again, and when.
    fn watch(&mut self, books: &Books, now: Instant) {
        if !books.has_failed() {
            *self = Self::default();
        } else if self.at.is_none() && books.can_read_failed() {
            self.at = Some(now + RESTS[self.in_vain.min(RESTS.len() - 1)]);
        }
    }
}

impl App {
    /// When a list is read again, if one is.
    pub(super) fn next_failed(&self) -> Option<Instant> {
        let at = |desk: &Desk| match &desk.stage {
            Stage::Work(work) => work.failed.at,
            Stage::Login(_) => None,
        };
        self.desks.iter().filter_map(at).min()
    }

    /// Looks whether lists are to be read again.
    pub(super) fn watch_failed(&mut self, now: Moment) {
        for work in self.desks.iter_mut().filter_map(Desk::work) {
            work.failed.watch(&work.books, now.instant);
        }
    }

    /// Reads again what is due.
    pub(super) fn read_failed_due(&mut self, now: Moment) -> Vec<Effect> {
        let mut effects = Vec::new();
        for desk in &mut self.desks {
            let role = desk.role;
            let Some(work) = desk.work() else { continue };
            if work.failed.at.take_if(|at| *at <= now.instant).is_some() {
                work.failed.in_vain += 1;
                effects.extend(work.books.read_failed().into_iter().map(|read| Effect::Books(role, read)));
            }
        }
        effects
    }

    /// Reads them again at once: somebody looks, or there is reason to think that it goes.
    pub(super) fn read_failed_now(&mut self, role: Role) -> Vec<Effect> {
        let Some(work) = self.desk(role).and_then(Desk::work) else { return Vec::new() };
        work.failed = Failed::default();
        work.books.read_failed().into_iter().map(|read| Effect::Books(role, read)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        books,
        customer::tests::desk,
        live::Heard,
        msg::{Done, Msg},
        testing::Desktop,
        theme::ThemeName,
    };

    fn products_read(desktop: &mut Desktop, end: Result<bool, String>) {
        let read = books::effects::Read { items: Vec::new(), end };
        desktop.tell(Msg::Done(Done::Books(Role::Customer, books::Done::Products(read))));
    }

    fn reads_of_products(effects: &[Effect]) -> usize {
        effects.iter().filter(|effect| matches!(effect, Effect::Books(Role::Customer, books::Do::Products))).count()
    }

    #[test]
    fn a_list_that_could_not_be_read_is_read_again_by_itself_and_ever_more_seldom() {
        let mut desktop = desk(Vec::new(), Vec::new(), ThemeName::Terminal);
        assert_eq!(desktop.app.next_tick(desktop.now), None, "all is well: nothing is polled");
        desktop.press(&["ctrl-r"]);
        for seconds in [2, 4, 8, 16, 30, 30] {
            products_read(&mut desktop, Err("paused".into()));
            let rest = Duration::from_secs(seconds);
            desktop.now.instant += rest - Duration::from_millis(1);
            assert_eq!(reads_of_products(&desktop.app.tick(desktop.now)), 0, "{seconds}");
            desktop.now.instant += Duration::from_millis(1);
            assert!(desktop.app.next_tick(desktop.now).is_some_and(|at| at <= desktop.now.instant), "{seconds}");
            assert_eq!(reads_of_products(&desktop.app.tick(desktop.now)), 1, "{seconds}");
            assert_eq!(reads_of_products(&desktop.app.tick(desktop.now)), 0, "it is being read");
        }
        products_read(&mut desktop, Ok(false));
        desktop.now.instant += Duration::from_secs(60);
        assert_eq!(reads_of_products(&desktop.app.tick(desktop.now)), 0);
    }

    #[test]
    fn a_list_that_could_not_be_read_is_read_again_when_its_screen_or_the_stream_is_opened() {
        let mut desktop = desk(Vec::new(), Vec::new(), ThemeName::Terminal);
        desktop.press(&["ctrl-r"]);
        products_read(&mut desktop, Err("paused".into()));
        assert_eq!(reads_of_products(&desktop.press(&["1"])), 1);
        assert_eq!(reads_of_products(&desktop.press(&["1"])), 0, "it is being read");
        products_read(&mut desktop, Err("paused".into()));
        assert_eq!(reads_of_products(&desktop.tell(Msg::Live(Role::Customer, Heard::Open { whole: true }))), 1);
    }
}
