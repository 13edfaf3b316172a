//! The check of a commit in a child process, when the child is the trouble and not the commit.

use crate::support::{TestHub, policy};
use clap::Parser;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use writ_hub::access::Access;
use writ_hub::app::{App, Parts};
use writ_hub::config::Config;
use writ_hub::ingest::intake::Intake;
use writ_hub::publish::Verdict;
use writ_hub::repository::{Mirror, Reference, Remote};
use writ_hub::source::{Follower, Line, Signers};
use writ_policy::sign::SigningKey;
use writ_runtime::SelfTest;

/// Far beyond what any of this takes, so that a defect fails instead of hanging.
const LIMIT: Duration = Duration::from_secs(60);

/// Follows the hub's source as it does, but checks commits with this program.
fn follower_with(hub: &TestHub, program: PathBuf) -> Follower {
    follower_within(hub, program, Duration::from_secs(600))
}

/// The same with this much time for a check.
fn follower_within(hub: &TestHub, program: PathBuf, limit: Duration) -> Follower {
    follower_of(hub, SelfTest::new(Some(program), limit, 2 << 30), hub.hub.app.class_test.clone())
}

/// The same with these checks, of commits and of what classes are served.
fn follower_of(hub: &TestHub, self_test: SelfTest, class_test: SelfTest) -> Follower {
    let app = App::new(Parts {
        store: hub.hub.app.store.clone(),
        clock: hub.clock.clone(),
        access: Access::open_on_loopback(),
        keys: SigningKey::generate().0.into(),
        author_key: None,
        source: hub.hub.app.source.clone(),
        further: vec![],
        class_test,
        source_state: arc_swap::ArcSwap::default(),
        self_test,
        lead: writ_hub::app::Lead::default(),
        board: writ_hub::board::Board::default(),
        assign_wanted: tokio::sync::Notify::new(),
        look_wanted: tokio::sync::Notify::new(),
        push: writ_hub::push::Gatekeeper::new(None).unwrap(),
        heartbeats: writ_hub::heartbeat::Heartbeats::default(),
        intake: Intake::new(&Config::parse_from(["writ-hub", "--source", "/"])).0,
        metrics: writ_hub::metrics::Metrics::default(),
        hold: LIMIT,
        credential_ttl: LIMIT,
        accept_agents: false,
        shelf: writ_hub::shelf::Shelf::default(),
        shutdown: CancellationToken::new(),
    });
    let remote = Remote::parse(hub.repository.path().to_str().unwrap()).unwrap();
    let mirror = Mirror::open(&hub.data.path().join("mirror.git"), remote.clone(), Reference::branch("main")).unwrap();
    let line = Line::new(app.source.clone(), mirror, remote, Signers::nobody());
    Follower::new(app, vec![line])
}

#[tokio::test]
async fn commit_whose_check_could_not_start_is_not_refused_but_tried_again() {
    let mut hub = TestHub::new().await;
    let program = hub.data.path().join("checker");
    let mut follower = follower_with(&hub, program.clone());
    hub.repository.write("test2.rego", policy("TEST2", "no"));
    let revision = hub.repository.commit("Second");
    let error = format!("{:#}", follower.look().await.unwrap_err());
    assert!(error.contains("the self-test could not start"), "{error}");
    assert_eq!(hub.get(&format!("/api/v1/revisions/{revision}")).await.status, 404, "it is not recorded as bad");
    symlink(env!("CARGO_BIN_EXE_writ-hub"), program).unwrap();
    assert_eq!(follower.look().await.unwrap(), Some(Verdict::Served { policies: 2 }));
}

/// A checker that hangs when it is first asked, or each time.
fn hanging_checker(hub: &TestHub, hangs_always: bool) -> PathBuf {
    let (program, begun) = (hub.data.path().join("checker"), hub.data.path().join("begun"));
    let (begun, hub) = (begun.display(), env!("CARGO_BIN_EXE_writ-hub"));
    let good = if hangs_always { String::new() } else { format!("[ -e {begun} ] && exec {hub} \"$@\"\n") };
    std::fs::write(&program, format!("#!/bin/sh\n{good}: > {begun}\nexec /bin/sleep 600\n")).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    program
}

#[tokio::test]
async fn commit_whose_check_ran_out_of_time_is_tried_again_and_served() {
    let mut hub = TestHub::new().await;
    let checker = hanging_checker(&hub, false);
    let mut follower = follower_within(&hub, checker, Duration::from_secs(5)).trying_again_after(&[Duration::ZERO]);
    hub.repository.write("test2.rego", policy("TEST2", "no"));
    let revision = hub.repository.commit("Second");
    assert!(matches!(follower.look().await.unwrap(), Some(Verdict::Unfinished(_))));
    let told = hub.revision(&revision).await;
    assert_eq!(told["state"], "refused", "{told}");
    let page = hub.get(&format!("/revisions/{revision}")).await.text();
    assert!(page.contains("took longer than 5 s") && page.contains("it is tried again in 0 s"), "{page}");
    assert_eq!(follower.look().await.unwrap(), Some(Verdict::Served { policies: 2 }));
    assert_eq!(hub.revision(&revision).await["state"], "served");
}

#[tokio::test]
async fn commit_is_tried_again_when_the_check_of_a_class_ran_out_of_time() {
    let mut hub = TestHub::new().await;
    let class_test = SelfTest::new(Some(hanging_checker(&hub, false)), Duration::from_secs(5), 2 << 30);
    let mut follower =
        follower_of(&hub, hub.hub.app.self_test.clone(), class_test).trying_again_after(&[Duration::ZERO]);
    let classes = "apiVersion: writ.dev/v1\nkind: Fleet\nclasses: [{name: edge, match: {tier: edge}, paths: ['*']}]\n";
    hub.repository.write("fleet.yaml", classes);
    let revision = hub.repository.commit("Classes");
    assert!(matches!(follower.look().await.unwrap(), Some(Verdict::Unfinished(_))));
    assert_eq!(hub.revision(&revision).await["state"], "refused");
    assert_eq!(follower.look().await.unwrap(), Some(Verdict::Served { policies: 1 }));
}

#[tokio::test]
async fn commit_whose_check_runs_out_each_time_is_given_up() {
    let mut hub = TestHub::new().await;
    let checker = hanging_checker(&hub, true);
    let limit = Duration::from_millis(200);
    let mut follower = follower_within(&hub, checker, limit).trying_again_after(&[Duration::ZERO]);
    hub.repository.write("test2.rego", policy("TEST2", "no"));
    let revision = hub.repository.commit("Second");
    for _ in 0..2 {
        assert!(matches!(follower.look().await.unwrap(), Some(Verdict::Unfinished(_))));
    }
    assert_eq!(follower.look().await.unwrap(), None);
    assert!(hub.revision(&revision).await.to_string().contains("is not tried again"));
}

#[tokio::test]
async fn hub_that_is_told_to_stop_does_not_wait_for_a_check() {
    let mut hub = TestHub::new().await;
    let (program, begun) = (hub.data.path().join("checker"), hub.data.path().join("begun"));
    std::fs::write(&program, format!("#!/bin/sh\n: > {}\nexec /bin/sleep 600\n", begun.display())).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    hub.repository.write("test2.rego", policy("TEST2", "no")).commit("Second");
    let shutdown = CancellationToken::new();
    let mut follower = follower_with(&hub, program);
    let follows = follower.run(LIMIT, shutdown.clone());
    let stop = async {
        while !begun.exists() {
            tokio::task::yield_now().await;
        }
        shutdown.cancel();
    };
    let (ended, ()) = tokio::time::timeout(LIMIT, async { tokio::join!(follows, stop) }).await.unwrap();
    ended.unwrap();
}

#[tokio::test]
async fn each_mistake_refuses_its_commit_and_the_last_good_one_stays() {
    let template = "apiVersion: templates.gatekeeper.sh/v1\nkind: ConstraintTemplate\nmetadata: {name: wanted}\nspec:\n  crd: {spec: {names: {kind: Wanted}, validation: {openAPIV3Schema: {type: object, properties: {n: {type: integer}}}}}}\n  targets:\n    - target: admission.k8s.gatekeeper.sh\n      rego: |\n        package wanted\n        violation[{\"msg\": \"no\"}] { input.parameters.n > 1 }\n";
    let constraint = "---\napiVersion: constraints.gatekeeper.sh/v1beta1\nkind: Wanted\nmetadata: {name: one}\nspec: {parameters: {n: text}}\n";
    let without_rego = "apiVersion: templates.gatekeeper.sh/v1\nkind: ConstraintTemplate\nmetadata: {name: wanted}\nspec: {crd: {spec: {names: {kind: Wanted}}}, targets: [{target: admission.k8s.gatekeeper.sh}]}\n";
    let large = format!("package writ.large\n{}", "# x\n".repeat(500_000));
    let nested = format!("package lib.deep\n\nx := {}{}\n", "[".repeat(200), "]".repeat(200));
    let cel = template.replace("rego: |", "code:\n        - engine: K8sNativeValidation\n          source: {validations: [{expression: 'object.x.frobnicate()'}]}\n      was: |");
    let twice = policy("TEST2", "no") + "\n";
    let same_name = twice.replace("#   code: TEST2", "#   code: TEST2\n#   name: test1");
    let object = format!("kind: Pod\nspec: {}{}\n", "{a: ".repeat(200), "}".repeat(200));
    let mistakes: [(&str, &str, Vec<u8>); 15] = [
        ("malformed YAML", "a.yaml", b"apiVersion: writ.dev/v1\nkind: [Fleet\n".to_vec()),
        ("a template without Rego", "a.yaml", without_rego.into()),
        ("CEL that is not evaluated", "a.yaml", cel.into()),
        ("a constraint of an unknown kind", "a.yaml", constraint.as_bytes()[4..].to_vec()),
        ("parameters against the schema", "a.yaml", format!("{template}{constraint}").into()),
        ("one code twice", "a.rego", policy("TEST1", "no").replace("writ.test1", "writ.again").into()),
        ("modules that import each other", "a.rego", b"package lib.a\nimport data.lib.egg\nz := egg.y\n".to_vec()),
        ("one name twice", "a.rego", same_name.into()),
        ("an object of 200 levels", "a.yaml", object.into()),
        ("rules that reach themselves", "a.rego", b"package lib.a\nimport data.lib.a\nx := a.y\ny := a.x\n".to_vec()),
        (
            "an import of nothing",
            "a.rego",
            policy("TEST2", "no").replace("deny contains", "import data.teams.absent\n\ndeny contains").into(),
        ),
        ("an unknown builtin", "a.rego", b"package lib.a\nx := lower_case(1)\n".to_vec()),
        ("a large file", "a.rego", large.into()),
        ("deep nesting", "a.rego", nested.into()),
        ("bytes that are no UTF-8", "a.rego", b"package lib.a\nx := \"\xff\"\n".to_vec()),
    ];
    let mut hub = TestHub::new().await;
    hub.repository.write("egg.rego", "package lib.egg\nimport data.lib.a\ny := a.z\n");
    hub.commit("Egg").await;
    let good = hub.served().await;
    for (what, path, content) in mistakes {
        hub.repository.write(path, content);
        let refused = hub.commit(what).await;
        let told = hub.revision(&refused).await;
        assert_eq!(told["state"], "refused", "{what}: {told}");
        let errors = told["diagnostics"].as_array().unwrap().iter().filter(|found| found["level"] == "error");
        let whole = errors.filter(|found| found["line"].as_u64() > Some(0) && found["help"].is_string());
        assert!(whole.count() > 0, "{what}: {told}");
        assert_eq!(hub.served().await, good, "{what}");
        hub.repository.remove(path);
    }
}
