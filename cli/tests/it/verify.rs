//! `writ verify`: Gatekeeper's suites on this machine.

use crate::support::{home, writ};
use std::fs;
use std::path::Path;

const TEMPLATE: &str = r#"
apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: noprivilege}
spec:
  crd: {spec: {names: {kind: NoPrivilege}}}
  targets:
    - target: admission.k8s.gatekeeper.sh
      rego: |
        package noprivilege

        violation[{"msg": msg}] {
          container := input.review.object.spec.containers[_]
          container.securityContext.privileged
          msg := sprintf("%v is privileged", [container.name])
        }
---
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: NoPrivilege
metadata: {name: pods}
"#;
const POD: &str = "
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: app, securityContext: {privileged: true}}]}
";

fn suite(violations: &str) -> String {
    format!(
        "kind: Suite\napiVersion: test.gatekeeper.sh/v1alpha1\ntests:\n- name: privilege\n  template: ../rules.yaml\n  \
         constraint: ../rules.yaml\n  cases:\n  - name: privileged\n    object: pod.yaml\n    assertions:\n    - \
         violations: {violations}\n"
    )
}

fn write(dir: &Path, violations: &str) {
    fs::create_dir_all(dir.join("library/cases")).unwrap();
    fs::write(dir.join("library/rules.yaml"), TEMPLATE).unwrap();
    fs::write(dir.join("library/cases/pod.yaml"), POD).unwrap();
    fs::write(dir.join("library/cases/suite.yaml"), suite(violations)).unwrap();
}

#[test]
fn suite_that_holds_is_told_and_exits_with_0() {
    let home = home();
    write(home.path(), "yes");
    for path in ["library", "library/...", "./library/"] {
        let ended = writ(home.path(), &["verify", path]);
        assert_eq!(ended.code, 0, "{path}: {}{}", ended.stdout, ended.stderr);
        assert!(ended.stdout.contains("suite library/cases/suite.yaml ... ok (1 case)"), "{}", ended.stdout);
        assert!(ended.stdout.contains("result: ok. 1 case: 1 passed; 0 failed; 0 skipped; 1 assertion held"));
    }
    let inner = writ(home.path(), &["verify", "--root", "library", "library/cases/suite.yaml"]);
    assert_eq!(inner.code, 0, "{}{}", inner.stdout, inner.stderr);
}

#[test]
fn suite_that_does_not_hold_says_what_was_said_instead() {
    let home = home();
    write(home.path(), "no");
    let ended = writ(home.path(), &["verify", "library"]);
    assert_eq!(ended.code, 1);
    let wanted = "  privilege/privileged at library/cases/suite.yaml:8\n    wanted no violation, found 1\n    said: app is privileged\n";
    assert!(ended.stdout.contains(wanted), "{}", ended.stdout);
    let junit = writ(home.path(), &["verify", "--format", "junit", "library"]);
    assert_eq!(junit.code, 1);
    assert!(junit.stdout.contains("privilege/privileged"), "{}", junit.stdout);
}

#[test]
fn nothing_that_could_not_be_run_passes() {
    let home = home();
    write(home.path(), "yes");
    let alone = writ(home.path(), &["verify", "library/cases"]);
    assert_eq!(alone.code, 1);
    assert!(alone.stdout.contains("`../rules.yaml` is outside of the folder that is verified"), "{}", alone.stdout);
    let unselected = writ(home.path(), &["verify", "--run", "other", "library"]);
    assert_eq!(unselected.code, 1);
    assert!(unselected.stderr.contains("no test was selected"), "{}", unselected.stderr);
    fs::write(home.path().join("library/cases/suite.yaml"), suite("maybe")).unwrap();
    let unreadable = writ(home.path(), &["verify", "library"]);
    assert_eq!(unreadable.code, 1);
    assert!(unreadable.stdout.contains("suite.yaml:11:19: error: `violations` is maybe"), "{}", unreadable.stdout);
    fs::remove_file(home.path().join("library/cases/suite.yaml")).unwrap();
    let none = writ(home.path(), &["verify", "library"]);
    assert_eq!(none.code, 1);
    assert!(none.stderr.contains("no suite was found"), "{}", none.stderr);
}

#[cfg(unix)]
#[test]
fn link_out_of_the_folder_is_not_followed() {
    let home = home();
    write(home.path(), "yes");
    fs::write(home.path().join("secret.yaml"), POD).unwrap();
    fs::remove_file(home.path().join("library/cases/pod.yaml")).unwrap();
    std::os::unix::fs::symlink("../../secret.yaml", home.path().join("library/cases/pod.yaml")).unwrap();
    let ended = writ(home.path(), &["verify", "library"]);
    assert_eq!(ended.code, 1);
    assert!(ended.stdout.contains("leads outside of the folder"), "{}", ended.stdout);
}
