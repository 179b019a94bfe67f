//! Any bytes as a request: `cargo fuzz run -s none frame`.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use orderflow_broker::fuzzing::Target;

static TARGET: LazyLock<(Target, tempfile::TempDir)> = LazyLock::new(|| {
    let dir = tempfile::tempdir().expect("a directory");
    (Target::new(dir.path()), dir)
});

fuzz_target!(|bytes: &[u8]| {
    TARGET.0.frame(bytes);
});
