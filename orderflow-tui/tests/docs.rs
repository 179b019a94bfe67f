//! docs/CONSOLE.md says what the registry of keys says.
//!
//! `ORDERFLOW_WRITE_DOCS=1 cargo test -p orderflow-tui --test docs` writes the table anew.

#![allow(clippy::unwrap_used, reason = "a test that finds something wrong ends there")]

use std::{fmt::Write as _, fs, path::PathBuf};

use orderflow_tui::{config::Config, keys};

const BEGIN: &str = "<!-- keys: generated, see orderflow-tui/tests/docs.rs -->\n";
const END: &str = "<!-- /keys -->\n";

/// A table for each scope, in the registry's order.
fn tables() -> String {
    let mut scopes = Vec::new();
    for binding in keys::all() {
        if !scopes.contains(&binding.scope) {
            scopes.push(binding.scope);
        }
    }
    let mut text = String::new();
    for scope in scopes {
        let title = scope.0[..1].to_uppercase() + &scope.0[1..];
        writeln!(text, "\n### {title}\n\n| Keys | What they do | Name in `[keys]` |\n|---|---|---|").unwrap();
        for binding in keys::all().filter(|binding| binding.scope == scope) {
            let names: Vec<String> = binding.keys.iter().map(|key| format!("`{}`", key.replace('|', "\\|"))).collect();
            let names = if names.is_empty() { "by the palette".to_owned() } else { names.join(" ") };
            writeln!(text, "| {names} | {} | `{}` |", binding.help, binding.action.0).unwrap();
        }
    }
    text.push('\n');
    text
}

fn page() -> (PathBuf, String) {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/CONSOLE.md"));
    let page = fs::read_to_string(&path).unwrap();
    (path, page)
}

#[test]
fn the_configuration_that_is_shown_can_be_read() {
    let (_, page) = page();
    let (_, rest) = page.split_once("```toml\n").unwrap();
    let (shown, _) = rest.split_once("```").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("console.toml");
    fs::write(&file, shown).unwrap();
    let (config, _) = Config::load(&file).unwrap();
    assert!(config.mouse && config.theme.is_some() && config.keys.len() == 2);
}

#[test]
fn every_screen_that_is_shown_is_there() {
    let (path, page) = page();
    let shown: Vec<&str> = page.split("](console/").skip(1).map(|rest| rest.split_once(')').unwrap().0).collect();
    assert!(shown.len() > 10);
    for file in shown {
        assert!(path.with_file_name("console").join(file).exists(), "{file}");
    }
}

#[test]
fn the_table_of_keys_is_the_registrys() {
    let (path, page) = page();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (table, after) = rest.split_once(END).unwrap();
    if std::env::var_os("ORDERFLOW_WRITE_DOCS").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{}{END}{after}", tables())).unwrap();
        return;
    }
    assert_eq!(table, tables(), "ORDERFLOW_WRITE_DOCS=1 cargo test -p orderflow-tui --test docs writes it anew");
}
