//! Backup while the hub runs, restore while it does not, and what agents do after it.

use crate::support::{NOW, TestHub, failure};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use writ_hub::backup::{Backup, Restore, backup, restore};

fn backup_of(hub: &TestHub, file: &Path) -> Backup {
    let key_file = Some(file.with_extension("key"));
    Backup { file: file.to_owned(), data: hub.data.path().to_owned(), key_file }
}

fn restore_to(data: &Path, file: &Path) -> Restore {
    let key_file = Some(file.with_extension("key"));
    Restore { file: file.to_owned(), data: data.to_owned(), key_file, discard_newer: false }
}

/// Whether there is a file to back up; PostgreSQL has tools of its own.
fn has_file() -> bool {
    writ_e2e::postgres::wanted().is_none()
}

#[tokio::test]
async fn restored_hub_goes_on_above_what_agents_enforce_and_stores_reports_once() {
    if !has_file() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hub.backup");
    let mut hub = TestHub::new().await;
    let agent = hub.enroll("prod").await;
    agent.send(&hub, &agent.report(1, vec![failure("a")])).await;
    backup(&backup_of(&hub, &file)).await.unwrap();
    hub.clock.set(NOW + 30_000);
    // What happens after the backup is lost by the restore, except what agents know of it.
    hub.repository.write("test1.rego", crate::support::policy("TEST1", "never"));
    hub.commit("Second").await;
    let (desired, assignment) = agent.desired(&hub).await;
    let hub = hub.restarted_after(async |data| {
        let mut restore_to = restore_to(data, &file);
        let error = restore(&restore_to).await.unwrap_err().to_string();
        assert!(error.contains("knows of later things"), "{error}");
        restore_to.discard_newer = true;
        assert_eq!(restore(&restore_to).await.unwrap().clusters, 1);
        assert!(data.join("hub.db.before-restore-1").exists(), "what was there is set aside");
    });
    let mut hub = hub.await;
    hub.clock.set(NOW + 60_000);
    hub.sync().await;
    let have = Some(desired.assignment.digest());
    let shown = agent.show(&hub, have, agent.enforcing(&desired, NOW), desired.assignment.clone()).await;
    assert_eq!(shown.status, 200, "{}", shown.text());
    hub.sync().await;
    let (_, resumed) = agent.desired(&hub).await;
    assert!(resumed.epoch > assignment.epoch, "{} is not above {}", resumed.epoch, assignment.epoch);
    for _ in 0..2 {
        agent.send(&hub, &agent.report(1, vec![failure("a")])).await;
        agent.send(&hub, &agent.report(2, vec![failure("b")])).await;
    }
    assert_eq!(hub.get("/api/v1/counts").await.json()["failures"], 2);
}

#[tokio::test]
async fn backup_is_for_its_owner_alone_and_never_overwrites() {
    if !has_file() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hub.backup");
    let hub = TestHub::new().await;
    backup(&backup_of(&hub, &file)).await.unwrap();
    for name in ["hub.backup", "hub.key"] {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let error = backup(&backup_of(&hub, &file)).await.unwrap_err().to_string();
    assert!(error.contains("is there already"), "{error}");
}

#[tokio::test]
async fn restore_is_refused_while_a_hub_runs() {
    if !has_file() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hub.backup");
    let hub = TestHub::new().await;
    backup(&backup_of(&hub, &file)).await.unwrap();
    let error = format!("{:#}", restore(&restore_to(hub.data.path(), &file)).await.unwrap_err());
    assert!(error.contains("stop the hub"), "{error}");
}

#[tokio::test]
async fn damaged_backup_changes_nothing() {
    if !has_file() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hub.backup");
    let hub = TestHub::new().await;
    backup(&backup_of(&hub, &file)).await.unwrap();
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, [&whole[..whole.len() / 3], &vec![7; whole.len() / 2]].concat()).unwrap();
    let hub = hub.restarted_after(async |data| {
        let before = std::fs::read(data.join("hub.db")).unwrap();
        restore(&restore_to(data, &file)).await.unwrap_err();
        assert_eq!(std::fs::read(data.join("hub.db")).unwrap(), before);
    });
    assert_eq!(hub.await.get("/readyz").await.status, 200);
}
