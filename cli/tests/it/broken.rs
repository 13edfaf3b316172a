//! `writ check` on a repository with every mistake: each is told with its file, line and column and how to mend it.

use crate::support::writ;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// The repository of `tests/broken`, and what is too large or not text.
fn repository() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken"), dir.path());
    let policies = dir.path().join("policies");
    fs::write(policies.join("large.rego"), format!("package writ.large\n{}", "# x\n".repeat(500_000))).unwrap();
    let (open, close) = ("[".repeat(200), "]".repeat(200));
    fs::write(policies.join("deep.rego"), format!("package lib.deep\n\nx := {open}{close}\n")).unwrap();
    let (open, close) = ("{a: ".repeat(200), "}".repeat(200));
    fs::write(dir.path().join("deep.yaml"), format!("a: {open}1{close}\n")).unwrap();
    fs::write(policies.join("utf8.rego"), b"package lib.utf8\n\nx := \"\xff\"\n").unwrap();
    dir
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)
        } else {
            fs::copy(entry.path(), target).map(drop).unwrap()
        }
    }
}

#[test]
fn every_mistake_is_told_with_its_place_and_the_way_to_mend_it() {
    let dir = repository();
    let checked = writ(dir.path(), &["check", "-o", "json"]);
    assert_eq!(checked.code, 1, "{}", checked.stderr);
    let found: serde_json::Value = serde_json::from_str(&checked.stdout).unwrap();
    let mut text = String::new();
    for diagnostic in found["diagnostics"].as_array().unwrap() {
        let word = |key: &str| diagnostic[key].as_str().unwrap_or("-").to_owned();
        let place = format!("{}:{}:{}", word("path"), diagnostic["line"], diagnostic["column"]);
        let _ = writeln!(text, "{place}: {}: {}\n  {}", word("level"), word("message"), word("help"));
        assert!(diagnostic["line"].as_u64() > Some(0) && diagnostic["column"].as_u64() > Some(0), "{place}");
    }
    insta::assert_snapshot!(text, @r#"
    deep.yaml:1:256: error: the YAML nests too deeply
      Split the document, or keep it out of the policy path.
    fleet.yaml:3:12: error: unknown variant `SOME`, expected one of OFF, LOW, MED, HIGH
      Correct the YAML; field names are listed in docs/POLICIES.md.
    gatekeeper/labels.yaml:31:13: error: `parameters.labels` is a text, not an array
      The template's `openAPIV3Schema` says what its parameters are.
    gatekeeper/unknown_kind.yaml:2:1: error: no ConstraintTemplate declares the kind `K8sNobodyKnows`
      Commit the template with it, or correct the kind; nothing would be enforced.
    gatekeeper/without_rego.yaml:7:7: error: the target has no `rego`: nothing would ever be judged
      Write `rego: |` with a package and `violation[{"msg": msg}] { ... }`.
    malformed.yaml:3:11: error: mismatched bracket '[' closed by '}'
      Correct the YAML; field names are listed in docs/POLICIES.md.
    policies/chicken.rego:5:1: error: `lib.chicken.hatched` reaches itself: lib.chicken.hatched -> lib.egg.laid -> lib.chicken.hatched
      Rego has no recursion: write the steps out, or use `walk` or `graph.reachable`.
    policies/deep.rego:3:38: error: brackets and signs nest deeper than 32
      Give parts of it names or rules of their own.
    policies/egg.rego:5:1: error: `lib.egg.laid` reaches itself: lib.egg.laid -> lib.chicken.hatched -> lib.egg.laid
      Rego has no recursion: write the steps out, or use `walk` or `graph.reachable`.
    policies/large.rego:1:1: error: the file has more than 1048576 bytes
      Split the file, or keep it out of the repository.
    policies/missing_import.rego:9:8: error: nothing defines `data.teams.absent.owners`, so it is undefined
      Check the spelling of the package and the rule.
    policies/same_code.rego:4:11: error: the code `WR1001` is already used by policies/missing_import.rego
      Give the policy a code of its own.
    policies/unknown_builtin.rego:10:10: error: there is no function `lower_case`
      Define it in this package, import the package that has it, or use a builtin.
    policies/utf8.rego:3:7: error: the file is not UTF-8
      Save the file as UTF-8.
    "#);
}

#[test]
fn people_see_the_place_also_of_what_cannot_be_shown() {
    let dir = repository();
    let shown = writ(dir.path(), &["check"]);
    assert_eq!(shown.code, 1);
    assert!(shown.stdout.contains("--> policies/utf8.rego:3:7\n"), "{}", shown.stdout);
    assert!(shown.stdout.contains("--> policies/large.rego:1:1\n"), "{}", shown.stdout);
    assert!(
        shown.stdout.ends_with("errors; the hub would record such a commit and not serve it\n"),
        "{}",
        shown.stdout
    );
}

#[test]
fn every_format_tells_every_mistake() {
    let dir = repository();
    let check = |format: &str| writ(dir.path(), &["check", "-o", format]);
    let sarif: serde_json::Value = serde_json::from_str(&check("sarif").stdout).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap().len();
    let annotations = check("github").stdout.lines().filter(|line| line.starts_with("::error ")).count();
    let failures = check("junit").stdout.matches("<failure ").count();
    assert_eq!((results, failures), (annotations, annotations));
    assert!(annotations >= 13, "{annotations}");
    assert_eq!(check("tap").code, 1);
}
