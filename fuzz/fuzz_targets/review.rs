//! Any bytes as an AdmissionReview: they are judged, or refused with a reason.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::cell::RefCell;
use writ_policy::{Budget, NoInventory, PolicySet, Settings, SourceFile};

const POLICY: &str = "# METADATA
# title: Every container names an approved image
# custom:
#   code: FZ1
#   severity: HIGH
#   kinds: [\"*\"]
package writ.fuzzed

deny contains sprintf(\"%v\", [value]) if {
	walk(input.review.object, [path, value])
	path[count(path) - 1] == \"image\"
	not startswith(value, \"registry.example/\")
}
";

thread_local! {
    static POLICIES: RefCell<PolicySet> = RefCell::new({
        let file = SourceFile { path: "fuzzed.rego".into(), text: POLICY.into() };
        PolicySet::load(&[file], &Settings::default()).0
    });
}

fuzz_target!(|bytes: &[u8]| {
    POLICIES.with_borrow_mut(|policies| drop(policies.decide(bytes, &NoInventory, &Budget::default(), 0)));
});
