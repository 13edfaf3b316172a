//! What a measure needs: policies signed and laid into a cache, a hub that takes reports.

use axum::{Json, Router, routing::post};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::task::JoinSet;
use writ_agent::cache::{Cache, Saved};
use writ_agent::identity;
use writ_agent::sync::verify::Verified;
use writ_policy::bundle::{Assignment, BundleStatement, Index};
use writ_policy::sign::SigningKey;
use writ_policy::wire::{Desired, Enrolled, Receipt, Report};
use writ_policy::{AgentId, ClusterName, Digest, Labels, Revision, Settings, SourceFile};

/// The input of the bench of `decide`: a Deployment with three containers.
const REVIEW: &str = include_str!("../../../policy/benches/deployment.json");

pub struct Prepared {
    pub review: &'static str,
    pub policies: usize,
    pub hub: String,
    files: Vec<SourceFile>,
    settings: Settings,
    _hub: JoinSet<()>,
}

/// Who looks at the reports that the hub takes.
pub type Reader = Arc<dyn Fn(&Report) + Send + Sync>;

impl Prepared {
    /// The template's policies, and a hub that reads no reports.
    pub async fn new() -> Self {
        Self::of(template(), Settings::default(), Arc::new(|_| {})).await
    }

    /// These policies and settings.
    pub async fn of(files: Vec<SourceFile>, settings: Settings, reader: Reader) -> Self {
        writ_agent::tls::install_provider();
        let report = writ_policy::check(&files);
        assert!(report.is_ok(), "{:?}", report.diagnostics);
        let policies = report.policies.iter().filter(|policy| settings.enables(policy)).count();
        let (hub, server) = hub(reader).await;
        Self { review: REVIEW, policies, hub, files, settings, _hub: server }
    }

    /// A data folder as an enrolled agent leaves it.
    pub fn data_folder(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let (key, _) = SigningKey::generate();
        let identity = Enrolled {
            agent: AgentId::new(uuid::Uuid::now_v7().to_string()).unwrap(),
            cluster: ClusterName::new("load").unwrap(),
            labels: Labels::new(),
            credential: "none".into(),
            hub_key: key.public(),
            successions: vec![],
            former_keys: vec![],
            renew_at: None,
        };
        identity::save(folder.path(), &identity).unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let (_, index) = Index::build(&self.files);
        cache.blobs.save(index.as_bytes()).unwrap();
        self.files.iter().for_each(|file| cache.blobs.save(file.text.as_bytes()).unwrap());
        let desired = desired(&key, &index, self.policies, self.settings.clone());
        let floor = Verified::of(&desired, &identity).unwrap().floor();
        let tested_by = env!("CARGO_PKG_VERSION").into();
        cache.stage(&Saved { desired, fetched_at: 0, tested_by }).unwrap();
        cache.promote(&floor).unwrap();
        folder
    }
}

/// The template's files.
pub fn template() -> Vec<SourceFile> {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies-repo-template");
    let mut files = vec![];
    read(&template, &template, &mut files);
    files
}

fn desired(key: &SigningKey, index: &str, policies: usize, settings: Settings) -> Desired {
    let revision = Revision::new("a".repeat(40)).unwrap();
    let bundle = key.sign(&BundleStatement {
        revision,
        index: Digest::of(index),
        policies: policies as u32,
        author: None,
        class: String::new(),
    });
    let assignment = key.sign(&Assignment {
        cluster: ClusterName::new("load").unwrap(),
        epoch: 1,
        bundle: bundle.digest(),
        settings,
        issued_at: 0,
        stale_after: i64::MAX,
    });
    Desired { assignment, bundle }
}

/// Takes every report; has nothing else to say.
async fn hub(reader: Reader) -> (String, JoinSet<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let report = move |Json(report): Json<Report>| async move {
        reader(&report);
        Json(Receipt { stored: report.sequence })
    };
    let held = || async {
        tokio::time::sleep(std::time::Duration::from_secs(30)).await;
        http::StatusCode::NO_CONTENT
    };
    let router = Router::new().route("/v1/reports", post(report)).route("/v1/desired", post(held));
    let mut server = JoinSet::new();
    server.spawn(async move { axum::serve(listener, router).await.unwrap() });
    (address, server)
}

fn read(root: &Path, folder: &Path, files: &mut Vec<SourceFile>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && !name.starts_with('.') {
            read(root, &path, files);
        } else if path.is_file() && writ_policy::source::is_relevant(&name) {
            files.push(SourceFile::new(&name, &std::fs::read(&path).unwrap()).unwrap());
        }
    }
}
