//! Any text as a policy: loading it ends, and what it finds lies within the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use writ_policy::SourceFile;
use writ_policy::engine::load::{check_together, load};

fuzz_target!(|text: &str| {
    for v0 in [false, true] {
        let file = SourceFile { path: "a.rego".into(), text: text.into() };
        let findings = match load(&file, v0) {
            Ok(loaded) => check_together(&[loaded]),
            Err(findings) => findings,
        };
        for finding in findings {
            assert!(finding.line as usize <= text.split('\n').count(), "{finding}");
        }
    }
});
