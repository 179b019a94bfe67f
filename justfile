# What developers run. `just verify` is what has to be green before anything lands.

# Lists the recipes.
default:
    @just --list

# Formatting, lints, documentation, dependencies, tests.
verify: fmt clippy doc shell deny test

fmt:
    cargo fmt --all --check

clippy:
    cargo clippy --workspace --all-targets -- -D warnings

doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items

# Scripts. Needs shellcheck.
shell:
    git grep -lE '^#!.*(bash|sh)$' | xargs shellcheck

# Licences, sources, one version of a crate. (Advisories need the internet: `cargo deny check advisories`.)
deny:
    cargo deny --all-features check bans licenses sources

test:
    cargo test --workspace

# The tests with every foreign client and against Apache Kafka too, as CI runs them.
ci:
    .ci/run

# Breaks everything there is to break, for minutes, and counts (docs/CHAOS.md): `just soak --minutes 10 --seed 3`.
soak *options:
    cargo build -p orderflow-cli
    PATH="$PWD/target/debug:$PATH" examples/soak.sh {{options}}

# The embedded broker and Apache Kafka side by side.
bench:
    docker/kafka-local/kafka.sh fetch
    cargo bench -p orderflow-broker --bench compare

# What a frame of the console costs, with 10,000 orders.
bench-console:
    cargo bench -p orderflow-tui --bench render

# Screens and recording of docs/CONSOLE.md, from the real program. Needs tmux.
screens:
    cargo build
    docs/console/record.py

# Looks for requests and batches that the broker cannot bear. Needs `cargo install cargo-fuzz`.
fuzz target="frame" seconds="60":
    cd orderflow-broker && cargo fuzz run -s none {{target}} -- -max_total_time={{seconds}} -rss_limit_mb=2048

# Reads docker/compose.yaml with the parser of the Compose project. Needs Go.
compose-check:
    cd docker/compose-check && go run . ../compose.yaml
