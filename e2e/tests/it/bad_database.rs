//! A database that is of a newer version, damaged, or on a full disk: the hub says so, changes nothing, and loses nothing.

use crate::ledger::campaign::disk::Disk;
use crate::policies::{FILE, NO_SHOUTING, config_map};
use crate::process::run;
use crate::wait::eventually;
use crate::world::World;
use serde_json::json;
use std::path::Path;
use writ_e2e::postgres::Postgres;

/// A hub that does not start; what it says.
fn refused(folder: &Path, arguments: &[&str]) -> String {
    let all = [&["--data", "hub", "--source", "policies.git", "--listen", "127.0.0.1:0"], arguments].concat();
    let (started, said) = run("writ-hub", folder, &all);
    assert!(!started, "{said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

#[tokio::test]
async fn database_of_a_newer_version_is_left_as_it_is() {
    if !writ_e2e::postgres::is_here() {
        return writ_e2e::skipped("database_of_a_newer_version_is_left_as_it_is", "no PostgreSQL server");
    }
    let server = Postgres::start().unwrap();
    let url = server.database().unwrap();
    let mut world = World::start_with(&["--database", &url]).await;
    world.kill_hub();
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (99990101, 'of times to come', TRUE, '', 1)";
    server.sql("test0", newer).unwrap();
    let before = writ_e2e::postgres::dump(&url).unwrap();
    let said = refused(world.folder(), &["--database", &url]);
    assert!(said.contains("of a newer version of Writ") && said.contains("99990101"), "{said}");
    assert_eq!(rows(&writ_e2e::postgres::dump(&url).unwrap()), rows(&before));
}

/// Without the words that a dump has of its own.
fn rows(dump: &str) -> Vec<&str> {
    dump.lines().filter(|line| !line.contains("restrict ")).collect()
}

#[tokio::test]
async fn file_that_is_damaged_in_its_midst_is_named_and_left_as_it_is() {
    let mut world = World::start(&[("prod", json!({}))]).await;
    assert!(world.stop_hub(), "it ends well, and its database is one file");
    let file = world.folder().join("hub/hub.db");
    let mut content = std::fs::read(&file).unwrap();
    content.iter_mut().skip(4_096).for_each(|byte| *byte ^= 0x5a);
    std::fs::write(&file, &content).unwrap();
    let said = refused(world.folder(), &[]);
    assert!(said.contains("hub.db is damaged") && said.contains("restore a backup"), "{said}");
    assert!(std::fs::read(&file).unwrap() == content, "nothing was written over it");
}

#[tokio::test]
async fn hub_whose_disk_is_full_says_so_and_takes_everything_once_there_is_room() {
    let test = "hub_whose_disk_is_full_says_so_and_takes_everything_once_there_is_room";
    let Some(disk) = Disk::new(64 << 20).unwrap() else {
        return writ_e2e::skipped(test, "only root may mount a small disk");
    };
    let mut world = World::start(&[("prod", json!({}))]).await;
    let added = world.push(FILE, NO_SHOUTING, "Ask for quiet");
    world.until_enforced(&added).await;
    assert!(world.stop_hub());
    let (data, small) = (world.folder().join("hub"), disk.folder().join("hub"));
    assert!(std::process::Command::new("cp").arg("-a").args([&data, &small]).status().unwrap().success());
    std::fs::remove_dir_all(&data).unwrap();
    std::os::unix::fs::symlink(&small, &data).unwrap();
    world.restart_hub().await;

    disk.fill().unwrap();
    let mut expected = 0;
    eventually("the hub says that its disk is full", async || {
        world.agents[0].review(&config_map("loud", "HELLO")).await;
        expected += 1;
        world.hub.log().contains("reports cannot be stored").then_some(())
    })
    .await;
    assert_eq!(world.hub.ask("/api/v1/status").await.0, 200, "people still see what is stored");
    disk.free().unwrap();
    eventually("everything is stored", async || {
        let stored = world.hub.get("/api/v1/counts").await["failures"].as_u64().unwrap();
        assert!(stored <= expected, "stored more than happened");
        (stored == expected).then_some(())
    })
    .await;
}
