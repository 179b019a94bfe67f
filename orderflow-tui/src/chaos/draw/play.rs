//! Load and scenarios as lines.

use orderflow_contracts::timestamp::Timestamp;
use ratatui::text::Span;

use super::{
    cells::{Cell, slider},
    lines::{SLIDER, before},
};
use crate::{
    chaos::{
        Board,
        children::{Ending, Part},
        jobs::RATES,
        machine,
    },
    cx::Show,
    text,
};

impl Board {
    pub(super) fn load_cells(&self, now: Timestamp, show: &Show<'_>) -> Vec<Cell> {
        let theme = show.theme;
        let plays = self.plays(Part::Load);
        let words =
            self.job_line(Part::Load, now).unwrap_or_else(|| "orders, as customers and sellers make them".to_owned());
        let style = if plays { theme.good } else { theme.muted };
        let at = self.rate * 100 / (RATES.len() - 1);
        vec![
            Cell::new(if plays { "▶" } else { "○" }, 1, 9, style),
            Cell::new("load", 4, 9, if plays { theme.good } else { theme.text }),
            Cell::new(format!("{}/s", self.rate()), 5, 9, theme.text).right(),
            Cell::new(slider(at, SLIDER), SLIDER, 4, theme.muted),
            Cell::new(words, 10, 6, style).grows().whole(),
        ]
    }

    pub(super) fn scenario_cells(&self, index: usize, now: Timestamp, show: &Show<'_>) -> Vec<Cell> {
        let theme = show.theme;
        let Some(Ok(scenarios)) = &self.scenarios else { return Vec::new() };
        let Some(scenario) = scenarios.get(index) else { return Vec::new() };
        let played = self.playing.as_ref().filter(|(_, at)| *at == Some(index)).map(|(job, _)| job);
        let (sign, style) = match played.map(|job| &job.ended) {
            Some(None) => ("▶", theme.good),
            Some(Some((Ending::Exit(0), _))) => ("✓", theme.good),
            Some(Some((Ending::Stopped, _))) => ("■", theme.muted),
            Some(Some(_)) => ("✗", theme.bad),
            None => ("○", theme.muted),
        };
        let (words, words_style) = match (played, &scenario.about) {
            (Some(_), _) => (self.job_line(Part::Scenario, now).unwrap_or_default(), style),
            (None, Ok(about)) => (about.clone(), theme.muted),
            (None, Err(why)) => (format!("✗ {why}"), theme.bad),
        };
        vec![
            Cell::new(sign, 1, 9, style),
            Cell::new(&scenario.name, 22, 9, if played.is_some() { style } else { theme.text }),
            Cell::new(words, 10, 6, words_style).grows().whole(),
        ]
    }

    /// How long it plays and what it says; or how it has ended.
    fn job_line(&self, part: Part, now: Timestamp) -> Option<String> {
        let job = self.job(part)?;
        Some(match &job.ended {
            None if job.stops => format!("{} …", stops_words(part)),
            None => format!("{} {}", text::ago(job.since, now), job.last()),
            Some((ending, at)) => {
                // A scenario that was stopped says last that it was.
                let last = if part == Part::Scenario && *ending == Ending::Stopped { "" } else { job.last() };
                let says = if last.is_empty() { String::new() } else { format!(": {last}") };
                format!("{} {}{says}", ending_words(ending), before(*at, now))
            }
        })
    }

    /// The title of what is played.
    pub(super) fn job_words(&self, part: Part, show: &Show<'_>) -> Vec<Span<'static>> {
        let (theme, now) = (show.theme, machine(show.now, show.books.clock_ahead_ms));
        let Some(job) = self.job(part) else { return Vec::new() };
        let (sign, style, words) = match &job.ended {
            None if job.stops => ("■", theme.warn, stops_words(part).to_owned()),
            None => ("▶", theme.good, format!("for {}", text::ago(job.since, now))),
            Some((ending @ Ending::Exit(0), _)) => ("✓", theme.good, ending_words(ending)),
            Some((ending @ Ending::Stopped, _)) => ("■", theme.muted, ending_words(ending)),
            Some((ending, _)) => ("✗", theme.bad, ending_words(ending)),
        };
        vec![Span::styled(format!("{sign} {} ", text::plain(&job.what)), theme.accent), Span::styled(words, style)]
    }
}

/// What something does that was told to end.
const fn stops_words(part: Part) -> &'static str {
    match part {
        Part::Scenario => "ending; takes back what it set",
        Part::Load => "ending what is under way",
    }
}

/// How something that was played has ended.
fn ending_words(ending: &Ending) -> String {
    match ending {
        Ending::Exit(0) => "over, and everything holds".to_owned(),
        Ending::Exit(7) => "over: something is wrong, or could not be counted".to_owned(),
        Ending::Exit(code) => format!("ended with {code}"),
        Ending::Stopped => "stopped".to_owned(),
        Ending::Killed => "killed".to_owned(),
        Ending::NotStarted(why) => format!("not started: {why}"),
    }
}
