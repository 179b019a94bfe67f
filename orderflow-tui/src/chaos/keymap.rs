//! The keys of the chaos board: which of them work depends on what is chosen.

use crate::keys::{self, Action, Binding, Scope};

/// The whole board.
pub const CHAOS: Scope = Scope("chaos");
/// Where a section's title is chosen.
pub const TITLES: Scope = Scope("chaos: sections");
/// Where a fault is chosen.
pub const FAULTS: Scope = Scope("chaos: faults");
/// Where a process is chosen.
pub const PROCESSES: Scope = Scope("chaos: processes");
/// Where a line is chosen.
pub const LINES: Scope = Scope("chaos: lines");
/// Where a clock is chosen.
pub const CLOCKS: Scope = Scope("chaos: clock");
/// Where a scenario or the load is chosen.
pub const PLAY: Scope = Scope("chaos: scenarios and load");
/// Where a pattern is chosen.
pub const LAB: Scope = Scope("chaos: laboratory");
/// Where something is chosen that verify has found.
pub const FINDINGS: Scope = Scope("chaos: verify");
/// Where a row is searched for.
pub const SEARCH: Scope = Scope("chaos: search");

/// Does what is to be done with the chosen row.
pub const ACT: Action = Action("chaos.act");
/// Takes the chosen thing back, or stops it.
pub const TAKE_BACK: Action = Action("chaos.take_back");
/// Moves the slider down.
pub const LESS: Action = Action("chaos.less");
/// Moves the slider up.
pub const MORE: Action = Action("chaos.more");
/// Makes a fault less likely.
pub const RARER: Action = Action("chaos.rarer");
/// Makes it more likely.
pub const OFTENER: Action = Action("chaos.oftener");
/// Takes the next services.
pub const PLACE: Action = Action("chaos.place");
/// Takes the next span of time.
pub const LASTS: Action = Action("chaos.lasts");
/// Takes the next seed.
pub const SEED: Action = Action("chaos.seed");
/// Kills.
pub const KILL: Action = Action("chaos.kill");
/// Pauses, or resumes.
pub const PAUSE: Action = Action("chaos.pause");
/// Restarts.
pub const RESTART: Action = Action("chaos.restart");
/// Takes everything back.
pub const CLEAR: Action = Action("chaos.clear");
/// Starts load, or stops it.
pub const LOAD: Action = Action("chaos.load");
/// Verifies.
pub const VERIFY: Action = Action("chaos.verify");
/// Keeps verifying, or no longer.
pub const KEEP: Action = Action("chaos.verify_keep");
/// Goes to what verify has found.
pub const FOUND: Action = Action("chaos.found");
/// Goes to the next row that fits.
pub const NEXT_FOUND: Action = Action("chaos.search_next");
/// Goes to the one before.
pub const PREVIOUS_FOUND: Action = Action("chaos.search_previous");
/// Goes to the next section.
pub const NEXT_SECTION: Action = Action("chaos.section_next");
/// Goes to the section before.
pub const PREVIOUS_SECTION: Action = Action("chaos.section_previous");

/// The keys of the chaos board.
pub const BINDINGS: &[Binding] = &[
    Binding::new(TITLES, ACT, &["space", "enter"], "fold", "fold the section, or open it"),
    Binding::new(FAULTS, ACT, &["space", "enter"], "set", "set the fault, or take it back"),
    Binding::new(FAULTS, MORE, &["right", "l"], "more", "more: likely, or long; the next point of a crash"),
    Binding::new(FAULTS, LESS, &["left", "h"], "less", "less of it; the point before of a crash"),
    Binding::new(FAULTS, PLACE, &["s"], "where", "set it in other services: all, or one"),
    Binding::new(FAULTS, LASTS, &["t"], "how long", "let it last: until cleared, 10s, 30s, 2m"),
    Binding::new(FAULTS, OFTENER, &["+", "="], "", "more likely, of what takes its time"),
    Binding::new(FAULTS, RARER, &["-"], "", "less likely, of what takes its time"),
    Binding::new(FAULTS, SEED, &["n"], "", "another seed: the same one makes the same decisions"),
    Binding::new(PROCESSES, KILL, &["K"], "kill", "kill the process as kill -9 does; it is started again"),
    Binding::new(PROCESSES, PAUSE, &["P"], "pause", "pause the process, or let it go on"),
    Binding::new(PROCESSES, RESTART, &["R"], "restart", "stop the process gently; it is started again"),
    Binding::new(PROCESSES, LASTS, &["t"], "how long", "let a pause last: until resumed, 10s, 30s, 2m"),
    Binding::new(PROCESSES, ACT, &["space", "enter"], "", "pause the process, or let it go on"),
    Binding::new(LINES, ACT, &["space", "enter"], "cut", "cut the line, or make it whole"),
    Binding::new(LINES, LASTS, &["t"], "how long", "let a cut last: until healed, 10s, 30s, 2m"),
    Binding::new(CLOCKS, ACT, &["space", "enter"], "jump", "jump ahead; one clock alone: set it off from the others"),
    Binding::new(CLOCKS, MORE, &["right", "l"], "further", "jump further"),
    Binding::new(CLOCKS, LESS, &["left", "h"], "", "jump less far"),
    Binding::new(PLAY, ACT, &["space", "enter"], "play", "play the scenario, or stop it; the same with load"),
    Binding::new(PLAY, MORE, &["right", "l"], "", "more orders a second"),
    Binding::new(PLAY, LESS, &["left", "h"], "", "fewer orders a second"),
    Binding::new(LAB, ACT, &["space", "enter"], "take out", "take the pattern out, or put it back"),
    Binding::new(FINDINGS, ACT, &["enter", "space"], "order", "open the timeline of the order that a violation names"),
    Binding::new(SEARCH, NEXT_FOUND, &["enter", "down"], "next", "go to the next row that fits"),
    Binding::new(SEARCH, PREVIOUS_FOUND, &["up"], "", "go to the row before that fits"),
    Binding::new(SEARCH, keys::BACK, &["esc"], "close", "stay where you are, and close the search"),
    Binding::new(CHAOS, VERIFY, &["v"], "verify", "count every piece, cent and event once all is at rest"),
    Binding::new(CHAOS, TAKE_BACK, &["x"], "take back", "take back what is chosen, or stop what plays"),
    Binding::new(CHAOS, CLEAR, &["c"], "clear all", "take everything back: faults, cuts, pauses, odd clocks"),
    Binding::new(CHAOS, KEEP, &["V"], "", "keep verifying: again whenever something has happened"),
    Binding::new(CHAOS, LOAD, &["L"], "load", "keep orders coming, or stop them"),
    Binding::new(CHAOS, FOUND, &["w"], "", "go to what verify has found"),
    Binding::new(CHAOS, NEXT_SECTION, &["}", "J"], "", "go to the next section"),
    Binding::new(CHAOS, PREVIOUS_SECTION, &["{"], "", "go to the section before"),
];
