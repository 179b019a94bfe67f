//! Scenario files: what is broken when, and the load under which it is.
//!
//! ```toml
//! about = "Half of all payments are declined"
//! seed = 50
//!
//! [load]
//! rate = 10
//! mix = "happy=80,cancel=20"
//! for = "20s"
//!
//! [[step]]
//! at = "2s"
//! set = "payment-failure 50% --for 15s"
//! ```

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;

use super::steps::Act;
use crate::{
    commands::load::{Mix, Plan},
    parse,
};

/// Orders a second where a load says nothing.
const RATE: f64 = 10.0;
/// Longest scenario: a day.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// Most steps.
const STEPS_MAX: usize = 1_000;

/// What is played.
#[derive(Debug)]
pub struct Scenario {
    /// What it shows, in a line.
    pub about: String,
    /// Of everything that is random.
    pub seed: u64,
    /// The orders meanwhile.
    pub load: Option<Plan>,
    /// In the order of time.
    pub steps: Vec<Step>,
}

/// Something that is done at a time.
#[derive(Debug)]
pub struct Step {
    /// After the beginning.
    pub at: Duration,
    /// As it stands in the file.
    pub text: String,
    /// What.
    pub act: Act,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    about: String,
    #[serde(default)]
    seed: u64,
    load: Option<LoadTable>,
    #[serde(default)]
    step: Vec<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LoadTable {
    rate: Option<f64>,
    mix: Option<String>,
    seed: Option<u64>,
    #[serde(rename = "for")]
    lasts: Option<String>,
    concurrency: Option<usize>,
}

impl Scenario {
    /// Reads a file; the error says where it is wrong. `seed` goes before that of the file.
    pub fn read(text: &str, seed: Option<u64>) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let seed = seed.unwrap_or(file.seed);
        if file.step.len() > STEPS_MAX {
            return Err(format!("a scenario has at most {STEPS_MAX} steps"));
        }
        let steps = file
            .step
            .into_iter()
            .enumerate()
            .map(|(index, step)| read_step(step, seed).map_err(|error| format!("step {}: {error}", index + 1)));
        let mut steps: Vec<Step> = steps.collect::<Result<_, String>>()?;
        steps.sort_by_key(|step| step.at);
        let load = file.load.map(|load| read_load(load, seed)).transpose()?;
        let scenario = Self { about: file.about, seed, load, steps };
        if scenario.length() > LONGEST {
            return Err("a scenario lasts a day at most".to_owned());
        }
        Ok(scenario)
    }

    /// How long it lasts: until the last of its steps is over, and its load.
    pub fn length(&self) -> Duration {
        let steps = self.steps.iter().map(|step| step.at.saturating_add(step.act.lasts())).max().unwrap_or_default();
        steps.max(self.load.as_ref().and_then(|load| load.lasts).unwrap_or_default())
    }
}

fn read_step(mut step: BTreeMap<String, String>, seed: u64) -> Result<Step, String> {
    let at = step.remove("at").ok_or("it has no `at`")?;
    let at = parse::duration(&at)?;
    let ((verb, rest), None) = (step.pop_first().ok_or("it does nothing")?, step.pop_first()) else {
        return Err("it does more than one thing".to_owned());
    };
    let act = Act::read(&verb, &rest, seed)?;
    Ok(Step { at, text: format!("{verb} {rest}").trim_end().to_owned(), act })
}

fn read_load(load: LoadTable, seed: u64) -> Result<Plan, String> {
    let lasts = load.lasts.ok_or("a load in a scenario has a `for`")?;
    let plan = Plan {
        rate: load.rate.unwrap_or(RATE),
        mix: load.mix.map_or_else(|| Ok(Mix::default()), |mix| Mix::read(&mix))?,
        lasts: Some(parse::duration(&lasts)?),
        seed: load.seed.unwrap_or(seed),
        concurrency: load.concurrency.unwrap_or(Plan::CONCURRENCY),
    };
    plan.check()?;
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_that_is_shipped_can_be_read() {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/chaos");
        let files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(files.len() >= 8, "{files:?}");
        for path in files {
            let scenario = Scenario::read(&std::fs::read_to_string(&path).unwrap(), None);
            let scenario = scenario.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert!(!scenario.steps.is_empty() && scenario.load.is_some(), "{}", path.display());
        }
    }

    #[test]
    fn steps_are_in_the_order_of_time_and_random_ones_have_the_seed() {
        let text = r#"
            about = "x"
            seed = 7
            [load]
            for = "20s"
            [[step]]
            at = "5s"
            clear = ""
            [[step]]
            at = "1s"
            set = "payment-failure 50%"
            [[step]]
            at = "2s"
            pause = "broker --for 30s"
        "#;
        let scenario = Scenario::read(text, None).unwrap();
        let at: Vec<_> = scenario.steps.iter().map(|step| step.at.as_secs()).collect();
        assert_eq!((at, scenario.length().as_secs()), (vec![1, 2, 5], 32));
        assert!(matches!(&scenario.steps[0].act, Act::Set(words) if words.seed == Some(7)));
        assert_eq!(scenario.load.unwrap().seed, 7);
        assert_eq!(Scenario::read(text, Some(9)).unwrap().load.unwrap().seed, 9);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_step() {
        let step = |step: &str| format!("about = \"x\"\n[[step]]\n{step}\n");
        for (text, word) in [
            ("seed = 1".to_owned(), "about"),
            (step("set = \"db-slow 5ms\""), "step 1: it has no `at`"),
            (step("at = \"1s\""), "does nothing"),
            (step("at = \"1s\"\nset = \"db-slow 5ms\"\nkill = \"orders\""), "more than one"),
            (step("at = \"1s\"\nset = \"db-slow 5\""), "unit"),
            (step("at = \"1s\"\nkill = \"everything\""), "everything"),
            (step("at = \"1s\"\neat = \"orders\""), "eat"),
            (step("at = \"1s\"\ncut = \"orders --from provider\""), "payments"),
            ("about = \"x\"\n[load]\nrate = 5".to_owned(), "for"),
            ("about = \"x\"\n[load]\nfor = \"5s\"\nmix = \"lucky=5\"".to_owned(), "lucky"),
            ("about = \"x\"\n[load]\nfor = \"5s\"\nrate = 0".to_owned(), "rate"),
        ] {
            let error = Scenario::read(&text, None).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
