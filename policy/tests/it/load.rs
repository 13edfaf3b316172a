//! Whatever a repository holds, loading it ends, in an answer whose places are within the author's text.

use proptest::prelude::*;
use writ_policy::engine::load::{LoadedSource, check_together, load};
use writ_policy::{Diagnostic, SourceFile};

/// Sources with every form that the rewrites look for.
const SEEDS: [&str; 7] = [
    "package p\nimport future.keywords\nr contains x if {\n\tsome x in input.xs # é\n\tnot startswith(x.name, input.prefix)\n}\n",
    "package p\nf(x) = y { x == 1; y := 1 } { x == 2; y := 2 }\nr[x] { x := f(1) }\n{ x := 2\n (x > 1) }\n",
    "package p\nimport future.keywords\nr if not count({y | y := input.a[_]; not f(g(y.b))}) > \"é\" with input as {\"a\": 1}\ng(x) := x\nf(x) := x",
    "package p\nimport data.lib.q as q\nimport future.keywords\ndefault r = {\"k\": [1, {2}, `raw\n`]}\nr = q.x { a := -input.b + 1.5e3; a in [1] } else = 2 { true }",
    "package p\nimport future.keywords\nr { every k, v in input.list { not v[input.k] == [k, \"a\\\"b\"] } }\nre { re_match(`^\\d+$`, input.s) }",
    "package p\nr[{\"msg\": msg}] { msg := sprintf(\"%v\", [x | x := input.xs[_]]); not q(msg, input.a.b[input.c]) }\nq(a, b) { a == b }",
    "package p\nr { input.object.default == 1; input.spec. not == input.other.with }",
];

const FRAGMENTS: [&str; 24] = [
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "\n(",
    "not ",
    "\"",
    "`",
    "#",
    ";",
    " if ",
    " else ",
    ":=",
    "|",
    ",",
    ".",
    "é",
    "\0",
    "\r",
    "not f(a.b, ",
    "{ x } { y }",
    "every x in ",
];

#[derive(Debug, Clone)]
enum Change {
    Insert(prop::sample::Index, usize),
    Remove(prop::sample::Index, usize),
    Repeat(prop::sample::Index, usize),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<prop::sample::Index>(), 0..FRAGMENTS.len()).prop_map(|(at, which)| Change::Insert(at, which)),
        (any::<prop::sample::Index>(), 1..12_usize).prop_map(|(at, length)| Change::Remove(at, length)),
        (any::<prop::sample::Index>(), 1..40_usize).prop_map(|(at, length)| Change::Repeat(at, length)),
    ]
}

fn changed(seed: &str, changes: &[Change]) -> String {
    let mut text: Vec<char> = seed.chars().collect();
    for change in changes {
        let place = |index: &prop::sample::Index| index.index(text.len() + 1);
        match change {
            Change::Insert(at, which) => drop(text.splice(place(at)..place(at), FRAGMENTS[*which].chars())),
            Change::Remove(at, length) => {
                let at = place(at);
                text.drain(at..(at + length).min(text.len()));
            }
            Change::Repeat(at, length) => {
                let at = place(at);
                let part = text[at..(at + length).min(text.len())].to_vec();
                text.splice(at..at, part);
            }
        }
    }
    text.into_iter().collect()
}

fn is_within(finding: &Diagnostic, author: &str) -> bool {
    let Some(line) = finding.line.checked_sub(1) else { return finding.column == 0 };
    author.split('\n').nth(line as usize).is_some_and(|line| finding.column as usize <= line.chars().count() + 1)
}

/// Every letter that the engine reads and that no rewrite made up stands in the author's text where the map says.
fn assert_letters_keep_their_place(loaded: &LoadedSource, author: &str) {
    let lines: Vec<Vec<char>> = author.split('\n').map(|line| line.chars().collect()).collect();
    let made_up: Vec<_> = loaded.text.match_indices("__writ").map(|(at, _)| at).collect();
    for (at, letter) in loaded.text.char_indices().filter(|(_, letter)| letter.is_alphanumeric()) {
        let is_name_byte = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let begins = at - loaded.text.as_bytes()[..at].iter().rev().take_while(|byte| is_name_byte(byte)).count();
        if made_up.contains(&begins) {
            continue;
        }
        let (line, column) = loaded.map.place(at);
        assert_eq!(lines[line as usize - 1][column as usize - 1], letter, "{:?} at {at} in {:?}", author, loaded.text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn loading_ends_and_its_places_are_the_authors(
        seed in 0..SEEDS.len(),
        changes in prop::collection::vec(change(), 0..8),
        v0 in any::<bool>(),
    ) {
        let author = changed(SEEDS[seed], &changes);
        let file = SourceFile { path: "a.rego".into(), text: author.as_str().into() };
        let findings = match load(&file, v0) {
            Ok(loaded) => {
                assert_letters_keep_their_place(&loaded, &author);
                check_together(&[loaded])
            }
            Err(findings) => findings,
        };
        for finding in findings {
            prop_assert!(is_within(&finding, &author), "{finding} in {author:?}");
            prop_assert!(!finding.message.contains('\n'));
        }
    }
}

#[test]
fn seeds_load() {
    for seed in SEEDS {
        let file = SourceFile { path: "a.rego".into(), text: seed.into() };
        let loaded = load(&file, true).unwrap();
        assert_letters_keep_their_place(&loaded, seed);
    }
}

/// On a test's stack of 2 MiB and without optimisation; evaluation threads have eight times as much.
#[test]
fn nesting_never_overflows_the_stack() {
    let shapes = [
        ("f(", ")"),
        ("[1, ", "]"),
        ("(", ")"),
        ("[x | x := ", "]"),
        ("{\"a\": 1, \"b\": ", "}"),
        ("1 + ", ""),
        ("-", ""),
        ("- ", ""),
        ("a[", "]"),
        ("not ", ""),
        ("a.", ""),
        ("[", "]"),
        ("{", "}"),
        ("x in ", ""),
        ("1 == ", ""),
        ("(1 + ", ")"),
        ("[x | not f(", ".a)]"),
        ("f([", "])"),
        ("{x | x in ", "}"),
    ];
    for (open, close) in shapes {
        for depth in [8, 15, 16, 30, 60, 195, 50_000] {
            let author = format!(
                "package p\nimport future.keywords\nr {{ x := {}a{} }}",
                open.repeat(depth),
                close.repeat(depth)
            );
            let file = SourceFile { path: "a.rego".into(), text: author.into() };
            if let Ok(loaded) = load(&file, true) {
                check_together(&[loaded]);
            }
        }
    }
}

/// `r0 := r1`, `r1 := r2` and so on, as long as asked for.
fn chained(links: usize) -> String {
    let links: String = (0..links).map(|link| format!("r{link} := r{}\n", link + 1)).collect();
    format!(
        "# METADATA\n# title: A chain\n# custom: {{code: WR1, severity: HIGH, kinds: [Pod]}}\npackage writ.chain\n\n\
        deny contains \"no\" if r0\n\n{links}"
    )
}

#[test]
fn chain_of_rules_that_the_stack_cannot_hold_is_refused() {
    let check = |links: usize, last: &str| {
        let text = format!("{}r{links} := {last}\n", chained(links));
        writ_policy::check(&[SourceFile { path: "a.rego".into(), text: text.into() }])
    };
    let evaluate = move || {
        assert!(check(97, "true").is_ok());
        let found = check(200, "true").diagnostics;
        assert!(found[0].message.contains("a chain of more than 100 rules"), "{found:?}");
    };
    let thread = std::thread::Builder::new().stack_size(writ_policy::EVALUATION_STACK_BYTES);
    thread.spawn(evaluate).unwrap().join().unwrap();
}
