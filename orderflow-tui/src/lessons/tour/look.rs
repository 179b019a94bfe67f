//! Looking, every second, for what no event tells of; a trap among it, which strikes once: is it still there for the
//! order of the lesson?

use super::{Note, Tour};
use crate::lessons::{
    course::{Break, Help, Look, Until},
    effects::{Do, Task, Trouble},
};

/// What orders commits together with the confirmation that the trap is set for.
const SPRUNG_BY: &str = "order.confirmation_requested";

impl Tour {
    /// Whether something is looked for.
    pub fn looks(&self) -> bool {
        let is_looked_for = matches!(self.step().until, Until::Seen(_)) && self.seen[self.at].is_none();
        (is_looked_for || self.trap_set_at().is_some()) && self.heard.mine().is_some()
    }

    /// A second has passed.
    pub fn tick(&mut self) -> Vec<Do> {
        let look = match self.step().until {
            Until::Seen(look) => look,
            _ => Look::Wasted,
        };
        match self.heard.mine() {
            Some(order) if self.looks() && !self.looking => {
                self.looking = true;
                vec![self.wanted(Task::Look(look, order, self.restarts))]
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn looked(&mut self, step: usize, looked: Result<Option<String>, Trouble>) {
        self.looking = false;
        if !matches!(self.lesson.steps[step].until, Until::Seen(_)) {
            // Orders cannot be asked while it is being started again: it is looked at again, a second later.
            if step == self.at && matches!(looked, Ok(Some(_))) {
                self.set_again();
            }
            return;
        }
        match looked {
            Ok(seen) => self.seen[step] = self.seen[step].take().or(seen),
            // A service that is just being started again is looked at again, a second later.
            Err(trouble) => {
                self.trouble = Some(trouble).filter(|trouble| !trouble.is_unknown).or(self.trouble.take());
            }
        }
    }

    /// The step that has set the trap, while it waits for the lesson's order. Whatever else orders commits springs it
    /// just as well, and then the lesson would prove nothing.
    fn trap_set_at(&self) -> Option<usize> {
        let is_waiting = self.step().help == Some(Help::Confirm) && !self.heard.has(SPRUNG_BY);
        let sets =
            |help: Option<Help>| matches!(help, Some(Help::Break(what)) if what.contains(&Break::CrashAfterCommit));
        let at = self.lesson.steps.iter().position(|step| sets(step.help))?;
        (is_waiting && self.busy.is_none() && self.helped[at]).then_some(at)
    }

    /// Back to the step that sets it: it has struck, and the order is as it was.
    fn set_again(&mut self) {
        let Some(at) = self.trap_set_at() else { return };
        self.at = at;
        self.helped[at] = false;
        (self.trouble, self.note) = (None, Some(Note::OtherOrder));
    }
}
