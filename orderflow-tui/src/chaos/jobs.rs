//! What is played from the board: its lines, and how it has ended.

use std::collections::VecDeque;

use orderflow_contracts::timestamp::Timestamp;

use super::{
    Board,
    children::{Ending, Part},
    effects::Do,
    run,
};
use crate::cx::Cx;

/// Lines that are kept.
const LINES_MAX: usize = 200;
/// Orders a second.
pub const RATES: [u32; 8] = [1, 2, 5, 10, 20, 50, 100, 200];
/// The first one that is offered, by its place.
pub const RATE_FIRST: usize = 2;

/// Something that is played, or was.
pub struct Job {
    /// What: the scenario's name, or how many orders a second.
    pub what: String,
    /// Since when.
    pub since: Timestamp,
    /// It was told to end.
    pub stops: bool,
    /// What it has said last.
    pub lines: VecDeque<String>,
    /// How it has ended, and when.
    pub ended: Option<(Ending, Timestamp)>,
}

impl Job {
    fn new(what: String, since: Timestamp) -> Self {
        Self { what, since, stops: false, lines: VecDeque::new(), ended: None }
    }

    /// Whether it goes on.
    pub const fn runs(&self) -> bool {
        self.ended.is_none()
    }

    /// The last line that says something; what to do on a command line is none.
    pub fn last(&self) -> &str {
        let says = |line: &&String| !line.trim().is_empty() && !line.starts_with("hint:");
        self.lines.iter().rev().find(says).map_or("", |line| line.trim())
    }

    fn push(&mut self, line: String) {
        if self.lines.len() == LINES_MAX {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }
}

impl Board {
    /// The rate of the load.
    pub(super) fn rate(&self) -> u32 {
        RATES.get(self.rate).copied().unwrap_or(RATES[RATE_FIRST])
    }

    /// What is played in a part, or was.
    pub(super) fn job(&self, part: Part) -> Option<&Job> {
        match part {
            Part::Scenario => self.playing.as_ref().map(|(job, _)| job),
            Part::Load => self.load.as_ref(),
        }
    }

    fn job_mut(&mut self, part: Part) -> Option<&mut Job> {
        match part {
            Part::Scenario => self.playing.as_mut().map(|(job, _)| job),
            Part::Load => self.load.as_mut(),
        }
    }

    fn put_job(&mut self, part: Part, job: Job, at: Option<usize>) {
        match part {
            Part::Scenario => self.playing = Some((job, at)),
            Part::Load => self.load = Some(job),
        }
    }

    /// Whether something is played in a part.
    pub(super) fn plays(&self, part: Part) -> bool {
        self.job(part).is_some_and(Job::runs)
    }

    /// Plays a scenario, if none is played.
    pub(super) fn play(&mut self, index: usize, cx: &mut Cx<'_>) {
        let Some(Ok(scenarios)) = &self.scenarios else { return };
        let Some(scenario) = scenarios.get(index) else { return };
        let (name, path) = (scenario.name.clone(), scenario.path.clone());
        if let Err(why) = &scenario.about {
            cx.bad(format!("{name} cannot be played: {why}"));
            return;
        }
        if self.plays(Part::Scenario) {
            cx.note("a scenario is played; x stops it");
            return;
        }
        self.put_job(Part::Scenario, Job::new(name, super::now(cx)), Some(index));
        run(cx, [Do::Play(path)]);
    }

    /// Starts the load, or stops it.
    pub(super) fn toggle_load(&mut self, cx: &mut Cx<'_>) {
        if self.plays(Part::Load) {
            self.stop(Part::Load, cx);
            return;
        }
        let rate = self.rate();
        self.put_job(Part::Load, Job::new(format!("{rate} orders a second"), super::now(cx)), None);
        run(cx, [Do::Load(rate)]);
    }

    /// Stops what is played in a part. Whether there was anything.
    pub(super) fn stop(&mut self, part: Part, cx: &mut Cx<'_>) -> bool {
        let Some(job) = self.job_mut(part).filter(|job| job.runs()) else { return false };
        job.stops = true;
        run(cx, [Do::Stop(part)]);
        true
    }

    /// It says something. If nobody here has begun it, somebody has before the desk was left.
    pub(super) fn said(&mut self, part: Part, line: String, now: Timestamp) {
        if self.job(part).is_none() {
            self.put_job(part, Job::new("begun before".to_owned(), now), None);
        }
        if let Some(job) = self.job_mut(part) {
            job.push(line);
        }
    }

    /// It has ended.
    pub(super) fn ended(&mut self, part: Part, ending: Ending, cx: &mut Cx<'_>) {
        let now = super::now(cx);
        let what = self.job(part).map_or_else(|| part.name().to_owned(), |job| job.what.clone());
        match &ending {
            Ending::Exit(0) => cx.good(format!("{what}: it is over, and everything holds")),
            Ending::Exit(7) => cx.bad(format!("{what}: something is wrong, or could not be counted; v looks")),
            Ending::Exit(code) => {
                let last = self.job(part).map(|job| job.last().to_owned()).unwrap_or_default();
                cx.bad(format!("{what} has ended with {code}: {last}"));
            }
            Ending::Stopped if part == Part::Scenario => {
                cx.note(format!("{what} is stopped, its own faults are taken back"));
            }
            Ending::Stopped => cx.note(format!("{what}: stopped")),
            // What it has set would stay.
            Ending::Killed if part == Part::Scenario => {
                cx.bad(format!("{what} had to be killed; what it has left is taken back"));
                self.clear(cx);
            }
            Ending::Killed => cx.bad(format!("{what}: it had to be killed")),
            Ending::NotStarted(why) => cx.bad(why.clone()),
        }
        if let Some(job) = self.job_mut(part) {
            job.ended = Some((ending, now));
        }
        self.look_again(cx);
    }
}
