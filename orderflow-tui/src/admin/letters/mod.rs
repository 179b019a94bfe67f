//! The dead letters of all services: to look at, to mend, to apply after all, to give up.

mod draw;
pub mod effects;
mod mend;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use orderflow_client::{ClientError, Service};
use orderflow_contracts::api::ops::{DeadLetter, LetterStatus};
use ratatui::{
    Frame,
    layout::{Position, Rect},
};
use uuid::Uuid;

use self::{
    effects::{Act, Acted, Found},
    mend::{Mending, Outcome},
};
use super::{
    Do,
    flow::numbers::All,
    keymap::{DETAIL, DISCARD, EDIT, LETTER, LETTERS, MARK_ALL, NEXT, PREVIOUS, REPLAY, TIMELINE},
    parts::Sheet,
};
use crate::{
    area::Area,
    cx::{Cx, Show},
    input::Edit,
    keys::{self, Action, LIST, Scope},
    msg::Effect,
    overlay::Confirm,
    text,
    widgets::{
        Pick,
        search::{SEARCHING, Search},
    },
};

/// A letter's service and id: one that no service can read, each of them has.
pub type Key = (Service, Uuid);

/// Which letters are shown.
const SHOWN: [Option<LetterStatus>; 4] =
    [Some(LetterStatus::Open), Some(LetterStatus::Replayed), Some(LetterStatus::Discarded), None];

/// Something is being done to several letters.
#[derive(Debug, Clone, Copy)]
struct Job {
    act: Act,
    number: usize,
    of: usize,
    /// Of which so many are what they were to become.
    good: usize,
}

/// The dead letters.
#[derive(Default)]
pub struct Letters {
    all: BTreeMap<Key, DeadLetter>,
    /// Why a service's could not be read.
    failed: BTreeMap<Service, String>,
    more: bool,
    was_read: bool,
    is_reading: bool,
    /// How many each service has had in all, by its own count.
    dead: BTreeMap<Service, u64>,
    search: Search,
    shown: usize,
    rows: Vec<Key>,
    is_settled: bool,
    marks: BTreeSet<Key>,
    pick: Pick<Key>,
    sheet: Option<(Key, Sheet)>,
    mending: Option<Mending>,
    job: Option<Job>,
    /// What came of the last thing that was done to a letter, if that is not plain to see.
    said: BTreeMap<Key, String>,
}

impl Letters {
    /// Reads them.
    pub fn ask(&mut self, cx: &mut Cx<'_>) {
        if !self.is_reading {
            self.is_reading = true;
            cx.run(Effect::Admin(Do::Letters));
        }
    }

    /// They were read.
    pub fn read(&mut self, letters: Vec<(Service, Result<Found, String>)>) {
        (self.is_reading, self.was_read, self.more, self.is_settled) = (false, true, false, false);
        for (service, found) in letters {
            match found {
                Ok(Found { letters, more }) => {
                    self.failed.remove(&service);
                    self.more |= more;
                    self.all.retain(|(of, _), _| *of != service);
                    self.all.extend(letters.into_iter().map(|letter| ((service, letter.id), letter)));
                }
                Err(why) => drop(self.failed.insert(service, why)),
            }
        }
        let all = &self.all;
        self.marks.retain(|key| all.contains_key(key));
        self.said.retain(|key, _| all.contains_key(key));
        self.show_again();
    }

    /// The services have told their numbers: more have died than we knew of. Whether they are to be read again.
    pub fn told(&mut self, numbers: &All) -> bool {
        let mut is_new = false;
        for (service, found) in numbers {
            let Ok(numbers) = found else { continue };
            let before = self.dead.insert(*service, numbers.dead);
            is_new |= before.is_some_and(|before| before != numbers.dead);
        }
        is_new && self.was_read
    }

    /// Something was done to one of several.
    pub fn acted(&mut self, acted: Acted) {
        let Acted { act, number, of, service, id, letter } = acted;
        let mut job = self.job.filter(|job| number > 1 && job.act == act).unwrap_or(Job { act, number, of, good: 0 });
        job.number = number;
        let key = (service, id);
        match letter {
            Ok(letter) => {
                if letter.status == LetterStatus::Open {
                    self.said.insert(key, format!("still: {}", letter.reason));
                } else {
                    job.good += 1;
                    self.marks.remove(&key);
                    self.said.remove(&key);
                }
                self.all.insert(key, letter);
            }
            Err(error) => drop(self.said.insert(key, said(&error))),
        }
        self.job = Some(job);
        self.is_settled = false;
        self.show_again();
    }

    /// It was done to all of them.
    pub fn acted_all(&mut self, act: Act, cx: &mut Cx<'_>) {
        let Some(job) = self.job.take() else { return };
        let text = format!("{} of {} {}", job.good, job.of, done_word(act));
        if job.good == job.of { cx.good(text) } else { cx.bad(format!("{text}; the list says why not")) }
    }

    /// A letter was mended, or not.
    pub fn mended(&mut self, key: Key, result: Result<DeadLetter, ClientError>, cx: &mut Cx<'_>) {
        match result {
            Ok(letter) => {
                self.all.insert(key, letter);
                self.said.remove(&key);
                self.is_settled = false;
                if self.mending.as_ref().is_some_and(|mending| mending.key == key) {
                    self.mending = None;
                }
                cx.good("saved; r applies it now");
                self.show_again();
            }
            Err(error) => match &mut self.mending {
                Some(mending) if mending.key == key => mending.not_saved(&said(&error)),
                _ => cx.bad(said(&error)),
            },
        }
    }

    /// The detail, of what the letter is now.
    fn show_again(&mut self) {
        if let Some((key, before)) = self.sheet.take()
            && let Some(letter) = self.all.get(&key)
        {
            let sheet = draw::sheet(key.0, letter, self.said.get(&key)).at_the_place_of(&before);
            self.sheet = Some((key, sheet));
        }
    }

    fn settle(&mut self) {
        if std::mem::replace(&mut self.is_settled, true) {
            return;
        }
        let needle = self.search.needle();
        let wanted = SHOWN[self.shown];
        let fits = |(_, letter): &(&Key, &DeadLetter)| wanted.is_none_or(|status| status == letter.status);
        let found = self.all.iter().filter(fits).filter(|(key, letter)| is_wanted(key.0, letter, needle));
        let mut rows: Vec<(i64, Key)> = found.map(|(key, letter)| (letter.created_at.0, *key)).collect();
        rows.sort_by(|one, other| other.cmp(one));
        self.rows = rows.into_iter().map(|(_, key)| key).collect();
        self.pick.settle(&self.rows);
    }

    /// Something else is wanted than before.
    const fn anew(&mut self) {
        self.is_settled = false;
        self.pick.anew();
    }

    fn chosen(&mut self) -> Option<Key> {
        self.settle();
        match &self.sheet {
            Some((key, _)) => Some(*key),
            None => self.pick.chosen(&self.rows),
        }
    }

    fn open_sheet(&mut self) {
        self.settle();
        let Some(key) = self.pick.chosen(&self.rows) else { return };
        if let Some(letter) = self.all.get(&key) {
            self.sheet = Some((key, draw::sheet(key.0, letter, self.said.get(&key))));
        }
    }

    fn move_by(&mut self, action: Action) {
        self.settle();
        self.pick.act(action, &self.rows);
        self.open_sheet();
    }

    /// What something is to be done to: what is open in detail, else the marked ones, else the chosen one; of these,
    /// those about which nobody has decided yet.
    fn targets(&mut self) -> Vec<Key> {
        self.settle();
        let wanted: Vec<Key> = if self.sheet.is_none() && !self.marks.is_empty() {
            self.rows.iter().filter(|key| self.marks.contains(key)).copied().collect()
        } else {
            self.chosen().into_iter().collect()
        };
        let is_open = |key: &Key| self.all.get(key).is_some_and(|letter| letter.status == LetterStatus::Open);
        wanted.into_iter().filter(is_open).collect()
    }

    fn act_on(&mut self, act: Act, cx: &mut Cx<'_>) {
        if let Some(job) = self.job {
            return cx.note(format!("{} of {} are done; one thing after the other", job.number, job.of));
        }
        let targets = self.targets();
        let count = targets.len();
        if count == 0 {
            return cx.note("nothing to do: it is only done to open letters");
        }
        let effect = Effect::Admin(Do::Act(act, targets));
        let them = if count == 1 { "this dead letter".to_owned() } else { format!("{count} dead letters") };
        match act {
            Act::Replay if count == 1 => cx.run(effect),
            Act::Replay => cx.confirm(Confirm::new(
                format!("Replay {them}?"),
                "Each is applied once, one after the other. What still cannot be applied stays open, with its reason.",
                effect,
            )),
            Act::Discard => cx.confirm(Confirm::new(
                format!("Discard {them}?"),
                "What they tell is never applied. They stay to be read, and the audit log has who did it.",
                effect,
            )),
        }
    }

    fn mark(&mut self) {
        if let Some(key) = self.chosen() {
            if !self.marks.remove(&key) {
                self.marks.insert(key);
            }
            self.pick.act(keys::DOWN, &self.rows);
        }
    }

    /// All that are shown, or none if all are.
    fn mark_all(&mut self) {
        self.settle();
        if self.rows.iter().all(|key| self.marks.contains(key)) {
            self.marks.clear();
        } else {
            self.marks.extend(self.rows.iter().copied());
        }
    }

    fn mend(&mut self, cx: &mut Cx<'_>) {
        let Some(key) = self.chosen() else { return };
        match self.all.get(&key) {
            Some(letter) if letter.status == LetterStatus::Open => self.mending = Some(Mending::of(key, letter)),
            _ => cx.note("only an open letter can be mended"),
        }
    }

    fn timeline(&mut self, cx: &mut Cx<'_>) {
        let letter = self.chosen().and_then(|key| self.all.get(&key));
        match letter.and_then(|letter| letter.key.as_deref()?.parse().ok()) {
            Some(id) => cx.timeline(id),
            None => cx.note("its key is no order"),
        }
    }

    /// What a key does to the list.
    fn act_in_list(&mut self, action: Action) -> bool {
        if let Some(changed) = self.search.act_over(action, &mut self.pick, &self.rows) {
            if changed {
                self.anew();
            }
            return true;
        }
        match action {
            keys::OPEN => self.open_sheet(),
            keys::FILTER => {
                self.shown = (self.shown + 1) % SHOWN.len();
                self.anew();
            }
            keys::BACK if !self.marks.is_empty() => self.marks.clear(),
            action => {
                self.settle();
                return self.pick.act(action, &self.rows);
            }
        }
        true
    }

    /// What a key does while a letter is mended.
    fn act_in_mending(&mut self, action: Action, cx: &mut Cx<'_>) -> bool {
        let Some(mending) = &mut self.mending else { return false };
        match mending.act(action) {
            Outcome::Stays => {}
            Outcome::NotMine => return false,
            Outcome::Leave => self.mending = None,
            Outcome::Save(edit) => {
                let (service, id) = mending.key;
                cx.run(Effect::Admin(Do::Mend(service, id, edit)));
            }
        }
        true
    }
}

impl Area for Letters {
    fn scopes(&self) -> Vec<Scope> {
        match (&self.mending, &self.sheet) {
            (Some(mending), _) => vec![mending.scope()],
            (None, Some(_)) => vec![LETTER, DETAIL],
            (None, None) if self.search.is_open() => vec![SEARCHING, LIST],
            (None, None) => vec![LETTERS, LIST],
        }
    }

    fn takes_text(&self) -> bool {
        match &self.mending {
            Some(mending) => mending.takes_text(),
            None => self.search.is_open() && self.sheet.is_none(),
        }
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> bool {
        if self.mending.is_some() {
            return self.act_in_mending(action, cx);
        }
        match (action, &mut self.sheet) {
            (REPLAY, _) => self.act_on(Act::Replay, cx),
            (DISCARD, _) => self.act_on(Act::Discard, cx),
            (EDIT, _) => self.mend(cx),
            (TIMELINE, _) => self.timeline(cx),
            (MARK_ALL, None) => self.mark_all(),
            (keys::MARK, None) => self.mark(),
            (keys::COPY, _) => {
                if let Some((_, id)) = self.chosen() {
                    cx.copy(id.to_string());
                }
            }
            (keys::BACK, Some(_)) => self.sheet = None,
            (PREVIOUS, Some(_)) => self.move_by(keys::UP),
            (NEXT, Some(_)) => self.move_by(keys::DOWN),
            (action, Some((_, sheet))) => return sheet.act(action),
            (action, None) => return self.act_in_list(action),
        }
        true
    }

    fn edit(&mut self, edit: Edit, _: &mut Cx<'_>) {
        match &mut self.mending {
            Some(mending) => mending.edit(&edit),
            None => {
                if self.search.edit(&edit) {
                    self.anew();
                }
            }
        }
    }

    /// Ages go on, and whether there are new ones is asked now and then.
    fn ticks(&self, _: &Show<'_>) -> bool {
        true
    }

    fn click(&mut self, at: Position, cx: &mut Cx<'_>) {
        self.settle();
        if self.mending.is_none() && (self.pick.click(at, &self.rows, cx.now) || self.sheet.is_some()) {
            self.open_sheet();
        }
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, show: &Show<'_>) {
        self.settle();
        self.draw_in(frame, area, show);
    }
}

fn is_wanted(service: Service, letter: &DeadLetter, needle: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(needle);
    needle.is_empty()
        || service.name().contains(needle)
        || has(&letter.reason)
        || has(&letter.topic)
        || letter.key.as_deref().is_some_and(has)
        || letter.headers.iter().any(|(_, value)| has(value))
}

const fn done_word(act: Act) -> &'static str {
    match act {
        Act::Replay => "replayed",
        Act::Discard => "discarded",
    }
}

/// An error, in words that do not say more than is known.
fn said(error: &ClientError) -> String {
    let why = text::plain(&error.to_string());
    if error.is_outcome_unknown() { format!("outcome unknown, doing it again is safe: {why}") } else { why }
}
