//! `writ bundle`: from a commit to what an agent takes, by way of a file and of a real registry.

use crate::support::{Ended, home, writ_with};
use std::fs;
use std::path::Path;
use std::process::Command;
use writ_e2e::registry::Registry;
use writ_hub::repository::author::{self, Identity};

const POLICY: &str = "# METADATA\n# title: Test\n# description: Objects.\n# custom:\n#   code: WT1\n#   severity: LOW\n\
    #   kinds: [Pod]\npackage writ.wt1\n\ndeny contains \"no\" if {\n\tinput.review.object.metadata.labels.bad\n}\n";

/// A home with a policies repository and an author's key.
struct Author(tempfile::TempDir);

impl Author {
    fn new() -> Self {
        let home = home();
        let repo = home.path().join("policies");
        author::init(&repo).unwrap();
        let author = Self(home);
        author.commit("wt1.rego", POLICY);
        author.well(&["bundle", "key", "author.key"]);
        author
    }

    fn commit(&self, path: &str, text: &str) -> String {
        let repo = self.path("policies");
        fs::write(Path::new(&repo).join(path), text).unwrap();
        let ada = Identity { name: "Ada".into(), email: "ada@example.com".into() };
        author::commit_all(Path::new(&repo), "Change it", &ada, Some(1_760_000_000)).unwrap().to_string()
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        writ_with(self.0.path(), arguments, &[])
    }

    fn well(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, 0, "{arguments:?}: {}", ended.stderr);
        ended.stdout
    }

    /// A signed bundle of the head.
    fn bundle(&self) {
        self.well(&["bundle", "build", "--repo", "policies"]);
        self.well(&["bundle", "sign", "--key", "author.key"]);
    }
}

#[test]
fn bundle_is_built_signed_and_verified() {
    let author = Author::new();
    let head = author.commit("wt1.rego", &POLICY.replace("\"no\"", "\"never\""));
    author.well(&["bundle", "build", "--repo", "policies"]);
    let unsigned = author.run(&["bundle", "verify", "--key", "author.key.pub"]);
    assert!(unsigned.code == 1 && unsigned.stderr.contains("the bundle is not signed"), "{}", unsigned.stderr);
    author.well(&["bundle", "sign", "--key", "author.key", "--allow-break-glass", "1h"]);
    let told = author.well(&["bundle", "verify", "--key", "author.key.pub"]);
    assert!(told.contains(&head) && told.contains("1 policies in 1 files") && told.contains("for 3600 s"), "{told}");

    author.well(&["bundle", "key", "other.key"]);
    let other = author.run(&["bundle", "verify", "--key", "other.key.pub"]);
    assert!(other.code == 1 && other.stderr.contains("is trusted"), "{}", other.stderr);
    let again = author.run(&["bundle", "key", "author.key"]);
    assert!(again.code == 1 && again.stderr.contains("is there already"), "{}", again.stderr);
}

#[test]
fn commit_that_does_not_check_is_not_put_into_a_bundle() {
    let author = Author::new();
    author.commit("wt1.rego", "package writ.wt1\n\ndeny contains \"no\" if {\n");
    let ended = author.run(&["bundle", "build", "--repo", "policies"]);
    assert!(ended.code == 1 && ended.stderr.contains("wt1.rego"), "{}", ended.stderr);
    assert!(!Path::new(&author.path("bundle.writ")).exists());
}

/// A registry of this machine, where there is one.
fn registry(author: &Author) -> Option<Registry> {
    let registry = Registry::start(author.0.path());
    if registry.is_none() {
        writ_e2e::skipped("bundle", "no docker-registry on this machine (package docker-registry)");
    }
    registry
}

#[test]
fn bundle_goes_through_a_registry_and_is_what_was_signed() {
    let author = Author::new();
    let Some(registry) = registry(&author) else { return };
    author.bundle();
    let place = format!("oci://{}/team/policies:prod", registry.address);
    let pushed = author.well(&["bundle", "push", "bundle.writ", &place]);
    let digest = pushed.trim().rsplit_once("sha256:").unwrap().1.to_owned();
    author.well(&["bundle", "pull", &place, "--key", "author.key.pub", "--output", "pulled.writ"]);
    assert_eq!(fs::read(author.path("pulled.writ")).unwrap(), fs::read(author.path("bundle.writ")).unwrap());
    let by_digest = place.replace(":prod", &format!("@sha256:{digest}"));
    author.well(&["bundle", "pull", &by_digest, "--key", "author.key.pub", "--output", "by-digest.writ"]);

    author.well(&["bundle", "key", "other.key"]);
    let refused = author.run(&["bundle", "pull", &place, "--key", "other.key.pub", "--output", "other.writ"]);
    assert_eq!(refused.code, 1);
    assert!(!Path::new(&author.path("other.writ")).exists(), "what is not signed is not written");
    let absent = author.run(&["bundle", "pull", &place.replace(":prod", ":absent"), "--key", "author.key.pub"]);
    assert!(absent.stderr.contains("does not have the manifest"), "{}", absent.stderr);
}

#[test]
fn pushed_bundle_is_signed_as_cosign_does() {
    let author = Author::new();
    let Some(registry) = registry(&author) else { return };
    author.bundle();
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl").args(arguments).current_dir(author.0.path()).output().ok()?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Some(())
    };
    if openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "cosign.pem"]).is_none()
    {
        return writ_e2e::skipped("bundle", "no openssl on this machine");
    }
    openssl(&["pkey", "-in", "cosign.pem", "-pubout", "-out", "cosign.pub"]).unwrap();
    let place = format!("oci://{}/team/policies:prod", registry.address);
    let pushed = author.well(&["bundle", "push", "bundle.writ", &place, "--cosign-key", "cosign.pem"]);
    let digest = pushed.lines().next().unwrap().rsplit_once("sha256:").unwrap().1.to_owned();

    // Where cosign looks for it, and what it looks at, with nothing of ours in between.
    let get = |path: &str| {
        let url = format!("http://{}/v2/team/policies/{path}", registry.address);
        let accept = "accept: application/vnd.oci.image.manifest.v1+json";
        Command::new("curl").args(["-fsS", "-H", accept, &url]).output().ok().filter(|output| output.status.success())
    };
    let Some(manifest) = get(&format!("manifests/sha256-{digest}.sig")) else {
        return writ_e2e::skipped("bundle", "no curl on this machine");
    };
    let manifest: serde_json::Value = serde_json::from_slice(&manifest.stdout).unwrap();
    let layer = &manifest["layers"][0];
    assert_eq!(layer["mediaType"], "application/vnd.dev.cosign.simplesigning.v1+json");
    let payload = get(&format!("blobs/{}", layer["digest"].as_str().unwrap())).unwrap().stdout;
    let said: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(said["critical"]["image"]["docker-manifest-digest"], format!("sha256:{digest}"));
    let signature = layer["annotations"]["dev.cosignproject.cosign/signature"].as_str().unwrap();
    fs::write(author.path("payload"), payload).unwrap();
    fs::write(author.path("signature.b64"), signature).unwrap();
    openssl(&["base64", "-d", "-A", "-in", "signature.b64", "-out", "signature"]).unwrap();
    openssl(&["dgst", "-sha256", "-verify", "cosign.pub", "-signature", "signature", "payload"]).unwrap();
}
