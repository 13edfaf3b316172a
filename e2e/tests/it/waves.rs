//! A poison commit on its way through waves: it halts at the canary, the other cluster never hears of it, and a revert
//! passes. `WRIT_RECORD=FILE` keeps what a person would see.

use crate::policies::config_map;
use crate::process::path_of;
use crate::world::World;
use serde_json::json;
use std::process::Command;

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

#[tokio::test]
async fn poison_commit_halts_at_the_canary_and_its_revert_passes() {
    let world = World::start(&[("canary", json!({"ring": "0"})), ("prod", json!({"env": "prod"}))]).await;
    let mut record = Record(String::new());
    record.note("A commit adds waves. It is urgent, so that it waits for no soak.");
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
