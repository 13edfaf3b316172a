//! The author's key: what a hub that somebody stole cannot do, and life without a hub.

use crate::bundles::{file, label_policy, pod_review};
use crate::fake_hub::FakeHub;
use crate::test_agent::{TestAgent, refused};
use flate2::{Compression, write::GzEncoder};
use std::io::Write;
use std::path::Path;
use writ_policy::author::{AuthorStatement, BundleFile, ClassContent};
use writ_policy::bundle::{Assignment, BundleStatement, Index};
use writ_policy::fleet::Class;
use writ_policy::sign::SigningKey;
use writ_policy::wire::Desired;
use writ_policy::{BreakGlass, DenyLevel, Digest, Revision, SourceFile};

/// An author with a key, whose fleet denies at HIGH.
struct Author(SigningKey);

impl Author {
    fn new() -> Self {
        Self(SigningKey::generate().0)
    }

    fn write_key(&self, folder: &Path) -> String {
        let path = folder.join("author.pub");
        std::fs::write(&path, self.0.public().to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Their word for what the hub serves; a suspension may last a minute.
    fn endorse(&self, bundle: &mut BundleStatement, signed_at: i64) {
        self.endorse_classes(bundle, signed_at, &[]);
    }

    /// The same, with what each class is served.
    fn endorse_classes(&self, bundle: &mut BundleStatement, signed_at: i64, classes: &[(&str, ClassContent)]) {
        let BundleStatement { revision, index, policies, .. } = bundle.clone();
        let classes = classes.iter().map(|(name, content)| ((*name).to_owned(), content.clone())).collect();
        let statement = AuthorStatement { revision, index, policies, signed_at, suspend_seconds: 60, classes };
        bundle.author = Some(self.0.sign(&statement));
    }

    /// A bundle as a file.
    fn pack(&self, files: &[SourceFile], signed_at: i64) -> Vec<u8> {
        let policies = writ_policy::check(files).policies.len() as u32;
        let revision = Revision::new(format!("{signed_at:040x}")).unwrap();
        let mut bundle = BundleFile::new(revision.clone(), policies, files);
        let index = Digest::of(Index::build(files).1);
        let content = |class: &Class| (class.name.clone(), content(&class.files(files)));
        let classes = writ_policy::check(files).fleet.classes.iter().map(content).collect();
        let statement = AuthorStatement { revision, index, policies, signed_at, suspend_seconds: 0, classes };
        bundle.statement = Some(self.0.sign(&statement));
        let mut packed = GzEncoder::new(vec![], Compression::fast());
        packed.write_all(&serde_json::to_vec(&bundle).unwrap()).unwrap();
        packed.finish().unwrap()
    }
}

fn content(files: &[SourceFile]) -> ClassContent {
    let policies = writ_policy::check(files).policies.len() as u32;
    ClassContent { index: Digest::of(Index::build(files).1), policies }
}

/// A fleet whose clusters at the edge are served one policy.
fn classed() -> Vec<SourceFile> {
    let text = "apiVersion: writ.dev/v1\nkind: Fleet\ndenyLevel: HIGH\n\
                classes: [{name: edge, match: {tier: edge}, paths: [wt1.rego]}]\n";
    vec![file("fleet.yaml", text), label_policy("WT1", "bad"), label_policy("WT2", "worse")]
}

fn fleet(level: &str) -> SourceFile {
    file("fleet.yaml", &format!("apiVersion: writ.dev/v1\nkind: Fleet\ndenyLevel: {level}\n"))
}

fn files(level: &str, policies: &[SourceFile]) -> Vec<SourceFile> {
    [&[fleet(level)], policies].concat()
}

/// An agent that pins the author's key and enforces epoch 5 of what they signed at 1,000,000,000.
async fn pinned() -> (FakeHub, Author, TestAgent) {
    let (hub, author, data) = (FakeHub::start().await, Author::new(), tempfile::tempdir().unwrap());
    let key = author.write_key(data.path());
    let good = signed(&hub, &author, 5, 1_000_000_000, |_| {});
    hub.assign(good.clone());
    let agent = TestAgent::start_in(data, &hub, &["--author-key", &key]).await;
    hub.until_active(&good).await;
    (hub, author, agent)
}

fn signed(hub: &FakeHub, author: &Author, epoch: u64, signed_at: i64, change: impl FnOnce(&mut Assignment)) -> Desired {
    hub.sign_with(epoch, &files("HIGH", &[label_policy("WT1", "bad")]), |assignment, bundle| {
        author.endorse(bundle, signed_at);
        change(assignment);
    })
}

#[tokio::test]
async fn stolen_hub_cannot_weaken_what_the_author_signed() {
    let (hub, author, agent) = pinned().await;
    let unsigned = hub.sign(6, &files("HIGH", &[label_policy("WT2", "other")]));
    refused(&hub, &agent, unsigned, "not signed by its author").await;
    let by_stranger = signed(&hub, &Author::new(), 6, 1_000_000_001, |_| {});
    refused(&hub, &agent, by_stranger, "only").await;
    let without_policies = hub.sign_with(6, &files("HIGH", &[]), |_, bundle| {
        let mut other = bundle.clone();
        other.index = Digest::of("other");
        author.endorse(&mut other, 1_000_000_001);
        bundle.author = other.author;
    });
    refused(&hub, &agent, without_policies, "for another bundle").await;
    let lower = signed(&hub, &author, 6, 1_000_000_001, |assignment| assignment.settings.deny_level = DenyLevel::Off);
    refused(&hub, &agent, lower, "deny_level").await;
    let excluded = signed(&hub, &author, 6, 1_000_000_001, |assignment| {
        assignment.settings.namespaces.exclude.insert("*".into());
    });
    refused(&hub, &agent, excluded, "namespaces").await;
    let suspended = |length: i64| {
        move |assignment: &mut Assignment| {
            let at = writ_agent::clock::now();
            let glass = BreakGlass { at, until: at + length, ..BreakGlass::default() };
            assignment.settings.suspensions.push(glass);
        }
    };
    refused(&hub, &agent, signed(&hub, &author, 6, 1_000_000_001, suspended(3_600_000)), "the author allows 60 s")
        .await;
    let ancient = signed(&hub, &author, 6, 1_000_000_000 - 8 * 24 * 3_600_000, |_| {});
    refused(&hub, &agent, ancient, "long before").await;

    let good = signed(&hub, &author, 7, 1_000_000_000 - 60_000, suspended(30_000));
    hub.assign(good.clone());
    hub.until_active(&good).await;
    assert!(
        agent.allows(&pod_review("bad")).await,
        "it may suspend as long as the author allows, and go back a little"
    );
    let data = agent.stop().await;
    let key = data.path().join("author.pub");
    let agent = TestAgent::start_in(data, &hub, &["--author-key", key.to_str().unwrap()]).await;
    agent.until_metric("writ_agent_active_epoch 7").await;
}

#[tokio::test]
async fn bundle_of_another_class_is_refused() {
    let (hub, author, agent) = pinned().await;
    let files = classed();
    let edge = writ_policy::check(&files).fleet.classes[0].files(&files);
    let whole = content(&files);
    let of_another = hub.sign_with(6, &edge, |_, bundle| {
        let own = ClassContent { index: bundle.index, policies: bundle.policies };
        (bundle.index, bundle.policies) = (whole.index, whole.policies);
        author.endorse_classes(bundle, 1_000_000_001, &[("edge", own.clone())]);
        (bundle.index, bundle.policies, bundle.class) = (own.index, own.policies, "edge".into());
    });
    refused(&hub, &agent, of_another, "the bundle is for clusters of class `edge`").await;
    let unlisted = hub.sign_with(6, &edge, |_, bundle| {
        author.endorse(bundle, 1_000_000_001);
        bundle.class = "edge".into();
    });
    refused(&hub, &agent, unlisted, "for another bundle").await;
}

#[tokio::test]
async fn agent_without_a_hub_enforces_what_its_class_is_served() {
    let (author, data) = (Author::new(), tempfile::tempdir().unwrap());
    let key = author.write_key(data.path());
    let bundle = data.path().join("policies.bundle");
    std::fs::write(&bundle, author.pack(&classed(), 1_000_000_000)).unwrap();
    let arguments = ["--bundle", bundle.to_str().unwrap(), "--author-key", &key, "--cluster-name", "prod"];
    let edge = [&arguments[..], &["--cluster-label", "tier=edge"]].concat();
    let agent = TestAgent::start_alone(data, &edge).await;
    agent.until_metric("writ_agent_active_epoch 1000000000").await;
    assert!(!agent.allows(&pod_review("bad")).await);
    assert!(agent.allows(&pod_review("worse")).await, "the class is not served what would object");
    let data = agent.stop().await;
    std::fs::remove_file(&bundle).unwrap();
    let agent = TestAgent::start_alone(data, &edge).await;
    agent.until_metric("writ_agent_active_epoch 1000000000").await;
    assert!(!agent.allows(&pod_review("bad")).await, "from disk");
    let data = agent.stop().await;
    std::fs::write(&bundle, author.pack(&classed(), 1_000_000_001)).unwrap();
    let agent = TestAgent::start_alone(data, &arguments).await;
    agent.until_metric("writ_agent_active_epoch 1000000001").await;
    assert!(!agent.allows(&pod_review("worse")).await, "a cluster of no class is served everything");
}

#[tokio::test]
async fn weaker_enforcement_is_told() {
    let hub = FakeHub::start().await;
    let good = hub.sign(5, &[label_policy("WT1", "bad"), label_policy("WT2", "worse")]);
    hub.assign(good.clone());
    let agent = TestAgent::start(&hub).await;
    hub.until_active(&good).await;
    hub.assign(hub.sign_with(6, &[label_policy("WT1", "bad")], |assignment, _| {
        assignment.settings.deny_level = DenyLevel::Low;
    }));
    let told = |state: &writ_policy::wire::AgentState| state.load_errors.iter().any(|one| one.path == "enforcement");
    let state = hub.until_state(told).await;
    let said = &state.load_errors.iter().find(|one| one.path == "enforcement").unwrap().message;
    assert_eq!(
        said,
        "enforcement is weaker than before: 1 of 2 policies judge no more: WT2; the deny level fell from HIGH to LOW"
    );
    agent.until_metric("writ_agent_weakened_total 1").await;
}

#[tokio::test]
async fn without_a_hub_the_newest_file_that_the_author_signed_is_enforced() {
    let (author, data) = (Author::new(), tempfile::tempdir().unwrap());
    let (key, bundle) = (author.write_key(data.path()), data.path().join("bundle.writ"));
    let put = |packed: Vec<u8>| {
        std::fs::write(bundle.with_extension("new"), packed).unwrap();
        std::fs::rename(bundle.with_extension("new"), &bundle).unwrap();
    };
    put(author.pack(&files("HIGH", &[label_policy("WT1", "bad")]), 1_000));
    let arguments = [
        "--bundle",
        bundle.to_str().unwrap(),
        "--author-key",
        &key,
        "--cluster-name",
        "airgap",
        "--cluster-label",
        "env=prod",
        "--bundle-every",
        "100ms",
    ];
    let agent = TestAgent::start_alone(data, &arguments).await;
    agent.until_metric("writ_agent_active_epoch 1000").await;
    assert!(!agent.allows(&pod_review("bad")).await);

    put(author.pack(&files("HIGH", &[label_policy("WT2", "worse")]), 2_000));
    agent.until_metric("writ_agent_active_epoch 2000").await;
    assert!(!agent.allows(&pod_review("worse")).await && agent.allows(&pod_review("bad")).await);

    let refusals = async |agent: &TestAgent, wanted: u32| {
        agent.until_metric(&format!("writ_agent_assignments_refused_total {wanted}")).await;
        assert!(!agent.allows(&pod_review("worse")).await, "the last good one stays");
    };
    put(author.pack(&files("HIGH", &[]), 1_500));
    refusals(&agent, 1).await;
    put(Author::new().pack(&files("HIGH", &[]), 3_000));
    refusals(&agent, 2).await;
    let mut bomb = GzEncoder::new(vec![], Compression::fast());
    for _ in 0..130 {
        bomb.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    put(bomb.finish().unwrap());
    refusals(&agent, 3).await;

    let kept = arguments.map(str::to_owned);
    let data = agent.stop().await;
    std::fs::remove_file(data.path().join("bundle.writ")).unwrap();
    let agent = TestAgent::start_alone(data, &kept.each_ref().map(String::as_str)).await;
    assert!(!agent.allows(&pod_review("worse")).await, "from disk, without the file");
    agent.stop().await;
}
