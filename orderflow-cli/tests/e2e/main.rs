//! OrderFlow from outside: the real program, with real processes, as somebody uses it who knows nothing of its inside.
//!
//! - `cluster`: clusters that end with this program, however that ends; most tests share one. `command`: one command,
//!   within a limit. `shop`: what customers and sellers do. `books`: whether stock and money are right. `processes`:
//!   processes seen from outside. `terminal`: a program in a terminal.
//! - `chaos`, `unguarded`, `scenarios`: what is broken on purpose, and what the checker says of it. `why`, `outbox`,
//!   `audit`, `dead_letters` (and `poison`, which makes some): what is seen of it.
//! - `outages`: parts that stay away for a while.
//! - `console`: the terminal console, in a terminal; `whole_loop`: the same on a screen in memory.
//! - `endings`, `expiry`, `race`, `duplicates`, `crashes`: the saga. `lifecycle`, `manners`, `secrecy`: the program.
//!   `demo`, `scripts`, `tour`: what a new user does first.
//!
//! Each test has products of its own, so that all of them can use one cluster at the same time.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that finds something wrong ends there")]

mod audit;
mod books;
mod chaos;
mod cluster;
mod command;
mod console;
mod crashes;
mod dead_letters;
mod demo;
mod duplicates;
mod endings;
mod expiry;
mod lifecycle;
mod manners;
mod outages;
mod outbox;
mod poison;
mod processes;
mod race;
mod scenarios;
mod scripts;
mod secrecy;
mod shop;
mod terminal;
mod tour;
mod unguarded;
mod whole_loop;
mod why;
