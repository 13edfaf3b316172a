//! Signed commits: who may sign, by which kind of key, and what an unsigned one gets. The programs that sign are those
//! that authors use; where one is missing its tests say so and pass.

use crate::support::{TestHub, policy};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;
use writ_policy::Revision;

/// What a program wrote, given this.
fn output(program: &str, arguments: &[&str], input: &[u8]) -> String {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn is_missing(program: &str) -> bool {
    let missing = Command::new(program).arg("--version").stdin(Stdio::null()).output().is_err();
    if missing {
        writ_e2e::skipped("signatures", &format!("no {program} on this machine"));
    }
    missing
}

/// An SSH key that signs.
struct SshKey(TempDir);

impl SshKey {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        output("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", folder.path().join("id").to_str().unwrap()], b"");
        Self(folder)
    }

    /// `ada@example.com OPTIONS ssh-ed25519 AAAA...`.
    fn allowed(&self, options: &str) -> String {
        format!("ada@example.com {options} {}", std::fs::read_to_string(self.0.path().join("id.pub")).unwrap())
    }

    fn sign(&self, text: &[u8]) -> String {
        output("ssh-keygen", &["-q", "-Y", "sign", "-n", "git", "-f", self.0.path().join("id").to_str().unwrap()], text)
    }
}

/// A GPG key that signs; `made_at` and `lives` as gpg takes them.
struct GpgKey(TempDir);

impl GpgKey {
    fn new(lives: &str, more: &[&str]) -> Self {
        let key = Self(tempfile::tempdir().unwrap());
        let make = ["--passphrase", "", "--quick-gen-key", "Ada <ada@example.com>", "ed25519", "sign", lives];
        key.gpg(&[more, &make].concat(), b"");
        key
    }

    fn gpg(&self, arguments: &[&str], input: &[u8]) -> String {
        let fixed = ["--batch", "--quiet", "--homedir", self.0.path().to_str().unwrap()];
        output("gpg", &[&fixed, arguments].concat(), input)
    }

    fn sign(&self, text: &[u8], more: &[&str]) -> String {
        self.gpg(&[more, &["--armor", "--detach-sign"]].concat(), text)
    }
}

impl Drop for GpgKey {
    fn drop(&mut self) {
        let home = self.0.path().to_str().unwrap();
        let _ = Command::new("gpgconf").args(["--homedir", home, "--kill", "all"]).output();
    }
}

fn write(folder: &TempDir, text: &str) -> String {
    let file = folder.path().join("keys");
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

/// A hub that asks for signatures, whose first commit is signed so.
async fn hub(require: &str, flag: &str, file: &str, sign: impl FnOnce(&[u8]) -> String) -> TestHub {
    let mut hub = TestHub::empty(&["--require-signatures", require, flag, file]).await;
    hub.repository.write("test1.rego", policy("TEST1", "no")).commit_signed("First", sign);
    hub.sync().await;
    hub
}

async fn state(hub: &TestHub, revision: &Revision) -> (Value, String) {
    let told = hub.revision(revision).await;
    let found = told["diagnostics"].as_array().unwrap().iter().map(|one| one["message"].as_str().unwrap().to_owned());
    (told["state"].clone(), found.collect::<Vec<_>>().join("\n"))
}

#[tokio::test]
async fn commit_signed_by_an_allowed_ssh_key_is_served_and_names_its_signer() {
    if is_missing("ssh-keygen") {
        return;
    }
    let (key, folder) = (SshKey::new(), tempfile::tempdir().unwrap());
    let file = write(&folder, &key.allowed("namespaces=\"git\""));
    let hub = hub("head", "--allowed-signers", &file, |text| key.sign(text)).await;
    let served: Revision = serde_json::from_value(hub.served().await).unwrap();
    assert_eq!(hub.revision(&served).await["signed_by"], "ada@example.com");
    assert!(hub.get(&format!("/revisions/{served}")).await.text().contains("ada@example.com"));
}

#[tokio::test]
async fn unsigned_commit_is_shown_and_not_served() {
    if is_missing("ssh-keygen") {
        return;
    }
    let (key, folder) = (SshKey::new(), tempfile::tempdir().unwrap());
    let file = write(&folder, &key.allowed(""));
    let mut hub = hub("head", "--allowed-signers", &file, |text| key.sign(text)).await;
    let good = hub.served().await;
    hub.repository.write("test2.rego", policy("TEST2", "no"));
    let unsigned = hub.commit("Second").await;
    let (state, why) = state(&hub, &unsigned).await;
    assert_eq!(state, "refused");
    assert!(why.contains("by Ada is not signed"), "{why}");
    assert_eq!(hub.served().await, good);
    assert!(hub.get(&format!("/revisions/{unsigned}")).await.text().contains("is not signed"));
}

#[tokio::test]
async fn unknown_signer_expired_key_and_changed_commit_are_refused() {
    if is_missing("ssh-keygen") {
        return;
    }
    let (key, stranger, folder) = (SshKey::new(), SshKey::new(), tempfile::tempdir().unwrap());
    let file = write(&folder, &key.allowed(""));
    let mut hub = hub("head", "--allowed-signers", &file, |text| key.sign(text)).await;
    let good = hub.served().await;
    type Sign<'a> = Box<dyn FnOnce(&[u8]) -> String + 'a>;
    let tries: [(&str, Sign<'_>); 3] = [
        ("", Box::new(|text| stranger.sign(text))),
        ("", Box::new(|_| key.sign(b"another commit"))),
        ("valid-before=\"20200101\"", Box::new(|text| key.sign(text))),
    ];
    for (number, (options, sign)) in tries.into_iter().enumerate() {
        write(&folder, &key.allowed(options));
        hub.repository.write("test1.rego", policy("TEST1", &number.to_string()));
        let bad = hub.repository.commit_signed(&format!("Try {number}"), sign);
        hub.sync().await;
        let (state, why) = state(&hub, &bad).await;
        assert_eq!(state, "refused", "{number}");
        assert!(why.contains("is not signed by an allowed signer"), "{number}: {why}");
        assert_eq!(hub.served().await, good);
    }
}

#[tokio::test]
async fn all_since_the_last_head_are_asked_for_until_an_operator_vouches() {
    if is_missing("ssh-keygen") {
        return;
    }
    let (key, folder) = (SshKey::new(), tempfile::tempdir().unwrap());
    let file = write(&folder, &key.allowed(""));
    let mut hub = hub("all", "--allowed-signers", &file, |text| key.sign(text)).await;
    hub.repository.write("test1.rego", policy("TEST1", "hidden")).commit("Hidden");
    let head = hub.repository.write("test1.rego", policy("TEST1", "head")).commit_signed("Head", |text| key.sign(text));
    hub.sync().await;
    let (refused, why) = state(&hub, &head).await;
    assert_eq!(refused, "refused");
    assert!(why.contains("is not signed") && !why.contains(head.short()), "{why}");
    assert_eq!(hub.post("/api/v1/source/allow", &json!({"revision": head})).await.status, 202);
    hub.sync().await;
    assert_eq!(hub.served().await, head.as_str());
}

#[tokio::test]
async fn unsigned_head_is_refused_although_an_operator_vouches_for_its_history() {
    if is_missing("ssh-keygen") {
        return;
    }
    let (key, folder) = (SshKey::new(), tempfile::tempdir().unwrap());
    let file = write(&folder, &key.allowed(""));
    let mut hub = hub("all", "--allowed-signers", &file, |text| key.sign(text)).await;
    hub.repository.write("test2.rego", policy("TEST2", "no"));
    let unsigned = hub.commit("Second").await;
    assert_eq!(hub.post("/api/v1/source/allow", &json!({"revision": unsigned})).await.status, 202);
    hub.sync().await;
    assert_eq!(state(&hub, &unsigned).await.0, "refused");
}

#[tokio::test]
async fn commits_signed_by_gpg_are_known_by_their_keys() {
    if is_missing("gpg") {
        return;
    }
    let (key, stranger, folder) = (GpgKey::new("1y", &[]), GpgKey::new("1y", &[]), tempfile::tempdir().unwrap());
    let file = write(&folder, &key.gpg(&["--armor", "--export"], b""));
    let mut hub = hub("head", "--gpg-keys", &file, |text| key.sign(text, &[])).await;
    let good: Revision = serde_json::from_value(hub.served().await).unwrap();
    assert_eq!(hub.revision(&good).await["signed_by"], "Ada <ada@example.com>");

    let past = ["--faked-system-time", "20200101T000000!"];
    let expired = GpgKey::new("1d", &past);
    write(&folder, &[key.gpg(&["--armor", "--export"], b""), expired.gpg(&["--armor", "--export"], b"")].concat());
    for (expected, sign) in
        [("that the hub does not know", stranger.sign(b"x", &[])), ("does not match", key.sign(b"another commit", &[]))]
    {
        hub.repository.write("test1.rego", policy("TEST1", expected));
        let bad = hub.repository.commit_signed(expected, |_| sign);
        hub.sync().await;
        let (state, why) = state(&hub, &bad).await;
        assert!(state == "refused" && why.contains(expected), "{why}");
    }
    hub.repository.write("test1.rego", policy("TEST1", "expired"));
    let bad = hub.repository.commit_signed("Expired", |text| expired.sign(text, &past));
    hub.sync().await;
    let (state, why) = state(&hub, &bad).await;
    assert!(state == "refused" && why.contains("has expired"), "{why}");
    assert_eq!(hub.served().await, good.as_str());
}

#[tokio::test]
async fn file_of_signers_that_cannot_be_read_is_no_fault_of_the_commit() {
    if is_missing("ssh-keygen") {
        return;
    }
    let key = SshKey::new();
    let mut hub = TestHub::empty(&["--require-signatures", "head", "--allowed-signers", "/absent"]).await;
    hub.repository.write("test1.rego", policy("TEST1", "no"));
    let head = hub.repository.commit_signed("First", |text| key.sign(text));
    let error = format!("{:#}", hub.hub.follower.look().await.unwrap_err());
    assert!(error.contains("/absent"), "{error}");
    assert_eq!(hub.get(&format!("/api/v1/revisions/{head}")).await.status, 404);
    assert!(Path::new("/absent").metadata().is_err());
}
