//! A poison commit on its way through waves: it halts at the canary, the other cluster never hears of it, and a revert
//! passes. Commits are signed, and one that is not is never served. `WRIT_RECORD=FILE` keeps what a person would see:
//! docs/RECORDED.md.

use crate::policies::config_map;
use crate::process::path_of;
use crate::world::World;
use serde_json::json;
use std::process::Command;
use writ_e2e::git::git;

const WAVES: &str = "apiVersion: writ.dev/v1
kind: Fleet
denyLevel: LOW
waves:
  - {name: canary, match: {ring: \"0\"}, soak: 1h, haltOn: {denyRateRise: 5%}}
  - {name: rest}
";
const POISON: &str = "# METADATA
# title: Nothing goes
# description: A mistake that denies every ConfigMap.
# custom:
#   code: AC9999
#   severity: HIGH
#   kinds: [ConfigMap]
package writ.nothing_goes

deny contains \"nothing goes\" if input.review
";

/// What was typed, what was said, and how it ended.
struct Record(String);

impl Record {
    fn note(&mut self, text: &str) {
        self.0.push_str(&format!("# {text}\n"));
    }

    /// Runs `writ`, as a person in CI would; its exit code.
    fn writ(&mut self, world: &World, arguments: &[&str]) -> i32 {
        let ran = Command::new(path_of("writ")).args(arguments).env("WRIT_HUB", &world.hub.url).output().unwrap();
        let said = [ran.stdout, ran.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        let code = ran.status.code().unwrap();
        self.0.push_str(&format!("$ writ {}\n{}\n[exit code {code}]\n\n", arguments.join(" "), said.trim_end()));
        code
    }

    fn keep(&self) {
        if let Some(file) = std::env::var_os("WRIT_RECORD") {
            std::fs::write(file, &self.0).unwrap();
        }
    }
}

/// A company whose hub serves signed commits alone, and whose author signs none yet.
async fn signing_world() -> World {
    let flags = ["--require-signatures", "head", "--allowed-signers", "signers"];
    let mut world = World::start_with(&flags).await;
    let folder = world.folder();
    let key = folder.join("id").display().to_string();
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", &key]).status();
    assert!(made.unwrap().success());
    let public = std::fs::read_to_string(folder.join("id.pub")).unwrap();
    std::fs::write(folder.join("signers"), format!("ada@example.com {public}")).unwrap();
    let hub = world.hub.url.clone();
    world.enroll_at(&hub, "canary", &json!({"ring": "0"})).await;
    world.enroll_at(&hub, "prod", &json!({"env": "prod"})).await;
    world
}

/// From now on the author signs what they commit.
fn sign_commits(world: &World) {
    let key = world.folder().join("id").display().to_string();
    for (name, value) in [("gpg.format", "ssh"), ("user.signingkey", key.as_str()), ("commit.gpgsign", "true")] {
        git(&world.work(), &["config", name, value]).unwrap();
    }
}

#[tokio::test]
async fn poison_commit_halts_at_the_canary_and_its_revert_passes() {
    if Command::new("ssh-keygen").arg("-?").output().is_err() {
        return writ_e2e::skipped("poison_commit_halts_at_the_canary_and_its_revert_passes", "no ssh-keygen");
    }
    let world = signing_world().await;
    let mut record = Record(String::new());
    record.note("The hub serves commits that a known key signed (--require-signatures head). This one is not.");
    let unsigned = world.push("NOTE.md", "hello", "Nobody signed this");
    world.until_judged(&unsigned).await;
    assert_eq!(record.writ(&world, &["wait", "--commit", &unsigned]), 1);

    record.note("From here on Ada signs. A commit adds waves; it is urgent, so that it waits for no soak.");
    sign_commits(&world);
    let waves = world.push("fleet.yaml", WAVES, "Roll out in waves\n\nWrit-Rollout: urgent");
    assert_eq!(record.writ(&world, &["wait", "--commit", &waves]), 0);

    record.note("A mistake: a policy that denies every ConfigMap. The canary gets it, prod does not.");
    let poison = world.push("policies/ac9999.rego", POISON, "Deny too much");
    assert_eq!(record.writ(&world, &["wait", "--commit", &poison, "--clusters", "ring=0"]), 0);
    assert_eq!(record.writ(&world, &["wait", "--commit", &poison, "--timeout", "1s"]), 2);

    record.note("People work in both clusters: ten ConfigMaps each.");
    for number in 0..10 {
        let object = config_map(&format!("settings-{number}"), "hello");
        assert_eq!(world.agents[0].review(&object).await["allowed"], false);
        assert_eq!(world.agents[1].review(&object).await["allowed"], true);
    }
    assert_eq!(record.writ(&world, &["wait", "--commit", &poison]), 1);
    record.writ(&world, &["rollout", "show"]);
    record.writ(&world, &["status"]);

    record.note("git revert, git push: what was rolled out before waits for no soak.");
    let revert = world.revert(&poison);
    assert_eq!(record.writ(&world, &["wait", "--commit", &revert]), 0);
    record.writ(&world, &["rollout", "show"]);
    assert_eq!(world.agents[0].review(&config_map("settings", "hello")).await["allowed"], true);
    record.keep();
}
