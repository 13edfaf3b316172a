//! A self-test that remembers finds what one finds that does not: histories of a small repository in which modules
//! come, go, break and mend, in every order that chance brings.

use crate::file;
use proptest::prelude::*;
use std::time::Duration;
use writ_policy::SourceFile;
use writ_runtime::{SelfTest, SelfTestReport};

/// The texts that each path may have; the first is sound in company of the other first ones.
const VARIANTS: &[(&str, &[&str])] = &[
    (
        "lib/names.rego",
        &[
            "package lib.names\n\nis_short(name) if count(name) < 3\n",
            "package lib.names\n\nis_short(name) if count(name) < 9\n",
            "package lib.names\n\nis_brief(name) if count(name) < 3\n",
            "package lib.other\n\nis_short(name) if count(name) < 3\n",
            "package lib.names\n\nis_short(name) if {\n",
            "package lib.names\n\nimport data.lib.words\n\nis_short(name) if words.is_word(name)\n",
        ],
    ),
    (
        "lib/words.rego",
        &[
            "package lib.words\n\nis_word(text) if not contains(text, \" \")\n",
            "package lib.words\n\nimport data.lib.names\n\nis_word(text) if names.is_short(text)\n",
            "package lib.names.words\n\nis_word(text) if not contains(text, \" \")\n",
        ],
    ),
    (
        "lib/names_test.rego",
        &[
            "package lib.names_test\n\nimport data.lib.names\n\ntest_short if names.is_short(\"a\")\n",
            "package lib.names_test\n\nimport data.lib.names\n\ntest_short if names.is_short(\"abcd\")\n",
        ],
    ),
    (
        "policies/a.rego",
        &[A, A_MISSING, A_SAME_CODE, A_OTHER_PARAMETER, "package writ.a\n\ndeny contains \"x\" if true\n"],
    ),
    (
        "policies/a_test.rego",
        &[
            "package writ.a_test\n\nimport data.writ.a.deny\n\ntest_a if count(deny) == 0 with input as {} with data.extra as {\"b\": 1}\n",
            "package writ.a_test\n\nimport data.writ.a.deny\n\ntest_a if count(deny) == 0 with input as {}\n",
            "package writ.a_test\n\nimport data.writ.a.deny\n\ntest_a if count(deny) == 7 with input as {}\n",
        ],
    ),
    ("policies/b.rego", &[B, B_EXTRA]),
    (
        "policies/b_test.rego",
        &["package writ.b_test\n\nimport data.writ.b\n\ntest_b if count(b.deny) == 0 with input as {}\n"],
    ),
    ("policies/c.rego", &[C]),
    ("policies/data.json", &["{}", "{\"extra\": {\"b\": 1}}", "["]),
    (
        "fleet.yaml",
        &[
            "apiVersion: writ.dev/v1\nkind: Fleet\ndenyLevel: LOW\nclusters:\n  - parameters: {WR1: {limit: 4}}\n    actions: {WR3: warn}\n",
            "apiVersion: writ.dev/v1\nkind: Fleet\ndenyLevel: LOW\nclusters:\n  - actions: {WR9: warn}\n",
            "apiVersion: writ.dev/v1\nkind: Fleet\ndenyLevel: NO\n",
        ],
    ),
];

const A: &str = "# METADATA\n# title: A\n# custom:\n#   code: WR1\n#   severity: LOW\n#   kinds: [Pod]\n#   parameters: {limit: 3}\n\
    package writ.a\n\nimport data.lib.names\n\ndeny contains \"a\" if names.is_short(input.review.name)\n";
const A_MISSING: &str = "# METADATA\n# title: A\n# custom:\n#   code: WR1\n#   severity: LOW\n#   kinds: [Pod]\n\
    package writ.a\n\nimport data.lib.words\n\ndeny contains \"a\" if words.is_missing(input.review.name)\n";
const A_SAME_CODE: &str = "# METADATA\n# title: A\n# custom:\n#   code: WR3\n#   severity: LOW\n#   kinds: [Pod]\n\
    package writ.a\n\ndeny contains \"a\" if input.review.name == \"a\"\n";
const A_OTHER_PARAMETER: &str = "# METADATA\n# title: A\n# custom:\n#   code: WR1\n#   severity: LOW\n#   kinds: [Pod]\n#   parameters: {limit: no}\n\
    package writ.a\n\nimport data.lib.words\n\ndeny contains \"a\" if words.is_word(input.review.name)\n";
const B: &str = "# METADATA\n# title: B\n# custom:\n#   code: WR2\n#   severity: LOW\n#   kinds: [Pod]\n\
    package writ.b\n\ndeny contains \"b\" if input.review.name == \"b\"\n";
const B_EXTRA: &str = "# METADATA\n# title: B\n# custom:\n#   code: WR2\n#   severity: LOW\n#   kinds: [Pod]\n\
    package writ.b\n\ndeny contains \"b\" if data.extra.b == input.review.name\n";
const C: &str = "# METADATA\n# title: C\n# custom:\n#   code: WR3\n#   severity: LOW\n#   kinds: [Pod]\n\
    package writ.c\n\nimport data.lib.names\n\ndeny contains \"c\" if names.is_short(input.review.name)\n";

/// More policies that nothing changes, so that there is something to leave out.
fn bystanders() -> impl Iterator<Item = SourceFile> {
    (0..12).map(|number| {
        let text = B.replace("WR2", &format!("WR1{number:02}")).replace("writ.b", &format!("writ.by{number}"));
        file(&format!("policies/by{number}.rego"), &text)
    })
}

/// Which variant each path has; beyond the last there is no file.
fn repository(chosen: &[usize]) -> Vec<SourceFile> {
    let chosen = VARIANTS.iter().zip(chosen);
    let files = chosen.filter_map(|((path, texts), variant)| Some(file(path, texts.get(*variant)?)));
    files.chain(bystanders()).collect()
}

/// Everything but how long it took.
fn said(report: &SelfTestReport) -> String {
    let tests: Vec<_> = report.tests.iter().map(|test| (&test.path, test.line, &test.name, &test.failure)).collect();
    format!("{:#?}\n{tests:#?}", report.check)
}

fn self_test() -> SelfTest {
    SelfTest::new(None, Duration::from_secs(60), 2 << 30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn what_is_remembered_changes_no_finding(
        history in proptest::collection::vec((0..VARIANTS.len(), prop_oneof![2 => Just(0_usize), 3 => 0_usize..7]), 1..14)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let remembering = self_test();
        let mut chosen = vec![0; VARIANTS.len()];
        runtime.block_on(remembering.run(&repository(&chosen))).unwrap();
        for (path, variant) in history {
            chosen[path] = variant;
            let files = repository(&chosen);
            let report = runtime.block_on(remembering.run(&files)).unwrap();
            let expected = runtime.block_on(self_test().run(&files)).unwrap();
            prop_assert_eq!(said(&report), said(&expected), "with {:?}", chosen);
        }
    }
}

#[tokio::test]
async fn first_variants_are_sound() {
    let report = self_test().run(&repository(&vec![0; VARIANTS.len()])).await.unwrap();
    assert!(report.check.diagnostics.is_empty(), "{:?}", report.check.diagnostics);
    assert_eq!((report.check.policies.len(), report.tests.len()), (15, 3));
}
