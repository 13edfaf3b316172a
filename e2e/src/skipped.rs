//! How a test says that this machine lacks what it needs. The test then returns and counts as passed for the test
//! runner; `./test` reads the notes and counts it as skipped.

use std::fs::OpenOptions;
use std::io::Write;

/// Notes that a test did not run, by its name, and why.
pub fn skipped(name: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED {name}: {why}");
    if let Some(file) = std::env::var_os("WRIT_SKIPPED_FILE") {
        let note = OpenOptions::new().create(true).append(true).open(file);
        let _ = note.and_then(|mut note| writeln!(note, "{name}: {why}"));
    }
}
