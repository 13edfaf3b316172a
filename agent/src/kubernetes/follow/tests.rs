//! The conversation with the API server about one kind.

use super::*;
use crate::audit::Auditor;
use crate::kubernetes::inventory::ClusterInventory;
use crate::kubernetes::scope::Scope;
use crate::kubernetes::script::{Script, absent};
use crate::metrics::Metrics;
use crate::status::Status;
use serde_json::{Value, json};
use writ_policy::Inventory;
use writ_runtime::{Evaluator, EvaluatorConfig};

const PATH: &str = "/apis/networking.k8s.io/v1/ingresses";

fn ingress(name: &str, host: &str, version: &str) -> Value {
    let fields = json!([{"manager": "kubectl"}]);
    let metadata = json!({"name": name, "namespace": "shop", "resourceVersion": version, "managedFields": fields});
    json!({"metadata": metadata, "spec": {"rules": [{"host": host}]}})
}

fn list(metadata: Value, items: &[Value]) -> (u16, Value) {
    (200, json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressList", "metadata": metadata, "items": items}))
}

fn failure(code: u16, message: &str) -> (u16, Value) {
    let kind = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "metadata": {}});
    let mut status = kind;
    (status["code"], status["reason"], status["message"]) = (json!(code), json!("Refused"), json!(message));
    (code, status)
}

fn lines(changes: &[Value]) -> String {
    changes.iter().map(|change| format!("{change}\n")).collect()
}

fn change(kind: &str, object: Value) -> Value {
    json!({"type": kind, "object": object})
}

/// A follower of Ingresses, what it feeds, and what it says.
struct Stand {
    follower: Follower,
    inventory: Arc<ClusterInventory>,
    status: Arc<Status>,
    wishes: mpsc::Sender<Relist>,
}

fn stand(script: &Script) -> Stand {
    let (group, version) = ("networking.k8s.io".into(), "v1".into());
    let (kind, plural) = ("Ingress".into(), "ingresses".into());
    let resource = Resource { group, version, kind, plural, namespaced: true };
    let (metrics, status) = (Arc::new(Metrics::new()), Arc::new(Status::new(uuid::Uuid::nil(), 0)));
    let inventory = Arc::new(ClusterInventory::new(metrics.clone()));
    let config = EvaluatorConfig { workers: 1, queue: 1, budget: writ_policy::Budget::default() };
    let evaluator = Evaluator::start(config, inventory.clone());
    let auditor = Auditor::new(evaluator, mpsc::channel(1).0, status.clone(), metrics.clone());
    let scope = Scope::new(script.cluster(&[]).settings);
    let consumers = Arc::new(Consumers::new(inventory.clone(), auditor.into(), scope, status.clone()));
    consumers.keep([resource.clone()].into());
    let (wishes, commands) = mpsc::channel(1);
    let follower = Follower::new(Reader::new(script.client(), metrics), resource, consumers, commands, true);
    Stand { follower, inventory, status, wishes }
}

impl Stand {
    /// What policies see, as `name host`.
    fn seen(&self) -> Vec<String> {
        let mut seen: Vec<String> = self.inventory.objects().iter().map(|object| text(&object.json)).collect();
        seen.sort();
        seen
    }
}

fn text(json: &str) -> String {
    assert!(!json.contains("managedFields") && json.contains("\"kind\":\"Ingress\""), "{json}");
    let object: Value = serde_json::from_str(json).unwrap();
    format!("{} {}", object["metadata"]["name"].as_str().unwrap(), object["spec"]["rules"][0]["host"].as_str().unwrap())
}

#[tokio::test]
async fn kind_is_listed_in_pages_and_followed_from_there() {
    let changes = [
        change("MODIFIED", ingress("a", "new.example", "8")),
        change("DELETED", ingress("b", "b.example", "9")),
        change("BOOKMARK", json!({"kind": "Ingress", "apiVersion": "v1", "metadata": {"resourceVersion": "12"}})),
    ];
    let script = Script::new()
        .expect("GET", PATH, list(json!({"continue": "more/here"}), &[ingress("a", "a.example", "1")]))
        .expect("GET", PATH, list(json!({"resourceVersion": "7"}), &[ingress("b", "b.example", "2")]))
        .stream("GET", PATH, lines(&changes));
    let mut stand = stand(&script);
    stand.follower.follow().await.unwrap();
    assert_eq!(stand.seen(), ["a new.example"]);
    assert_eq!(stand.follower.version.as_deref(), Some("12"), "the next watch goes on from the bookmark");
    assert!(stand.status.unreplicated().is_empty());
    let asked = script.queries();
    assert!(asked[1].contains("continue=more%2Fhere") && asked[1].contains("limit=500"), "{asked:?}");
    assert!(asked[2].contains("resourceVersion=7") && asked[2].contains("allowWatchBookmarks=true"), "{asked:?}");
    script.assert_done();
}

#[tokio::test]
async fn expired_watch_lists_anew_and_forgets_what_is_gone() {
    let expired = json!({"type": "ERROR", "object": failure(410, "too old").1});
    let script = Script::new()
        .expect("GET", PATH, list(json!({"resourceVersion": "7"}), &[ingress("a", "a.example", "1")]))
        .stream("GET", PATH, lines(&[expired]))
        .expect("GET", PATH, list(json!({"resourceVersion": "9"}), &[ingress("b", "b.example", "8")]))
        .stream("GET", PATH, String::new());
    let mut stand = stand(&script);
    stand.follower.follow().await.unwrap();
    assert_eq!(stand.seen(), ["a a.example"], "what is known stays until there is a new list");
    stand.follower.follow().await.unwrap();
    assert_eq!(stand.seen(), ["b b.example"]);
    script.assert_done();
}

#[tokio::test]
async fn list_that_took_too_long_starts_over() {
    let script = Script::new()
        .expect("GET", PATH, list(json!({"continue": "more"}), &[ingress("a", "a.example", "1")]))
        .expect("GET", PATH, failure(410, "the continue token is too old"))
        .expect("GET", PATH, list(json!({"resourceVersion": "9"}), &[ingress("b", "b.example", "8")]))
        .stream("GET", PATH, String::new());
    let mut stand = stand(&script);
    stand.follower.follow().await.unwrap();
    assert_eq!(stand.seen(), ["a a.example", "b b.example"]);
    script.assert_done();
}

#[tokio::test]
async fn missing_permission_is_told_by_kind_and_to_who_asked() {
    let script = Script::new().expect("GET", PATH, failure(403, "ingresses is forbidden"));
    let mut stand = stand(&script);
    let (reply, told) = oneshot::channel();
    stand.follower.begin(Relist { reply: Some(reply), ..Relist::default() });
    let problem = stand.follower.follow().await.unwrap_err();
    stand.follower.fail(problem);
    assert!(told.await.unwrap().unwrap_err().contains("ingresses is forbidden"));
    let told = &stand.status.unreplicated()["networking.k8s.io/v1/Ingress"];
    assert!(told.contains("ingresses is forbidden"), "{told}");
}

#[tokio::test]
async fn kind_that_vanished_is_forgotten() {
    let script = Script::new()
        .expect("GET", PATH, list(json!({"resourceVersion": "7"}), &[ingress("a", "a.example", "1")]))
        .expect("GET", PATH, absent());
    let mut stand = stand(&script);
    let problem = stand.follower.follow().await.unwrap_err();
    assert_eq!(stand.seen(), ["a a.example"]);
    stand.follower.fail(problem);
    assert_eq!(stand.seen(), Vec::<String>::new());
    assert_eq!(stand.status.unreplicated()["networking.k8s.io/v1/Ingress"], "the API server has no such kind");
}

#[tokio::test]
async fn what_is_known_outlives_the_api_server_and_its_age_is_told() {
    let script = Script::new()
        .expect("GET", PATH, list(json!({"resourceVersion": "7"}), &[ingress("a", "a.example", "1")]))
        .expect("GET", PATH, failure(503, "not now"));
    let mut stand = stand(&script);
    let problem = stand.follower.follow().await.unwrap_err();
    stand.follower.fail(problem);
    assert!(stand.status.unreplicated().is_empty(), "a short absence is nobody's affair");
    let long_ago = Instant::now().checked_sub(PATIENCE * 20).unwrap();
    stand.follower.heard = Some((long_ago, 0));
    let problem = stand.follower.follow().await.unwrap_err();
    stand.follower.fail(problem);
    assert_eq!(stand.seen(), ["a a.example"]);
    let told = &stand.status.unreplicated()["networking.k8s.io/v1/Ingress"];
    assert!(told.ends_with("what is known is of 1970-01-01T00:00:00Z"), "{told}");
}

#[tokio::test]
async fn list_that_somebody_asks_for_is_answered_while_the_watch_goes_on() {
    let script = Script::new()
        .expect("GET", PATH, list(json!({"resourceVersion": "7"}), &[ingress("a", "a.example", "1")]))
        .hold("GET", PATH)
        .expect("GET", PATH, list(json!({"resourceVersion": "9"}), &[ingress("b", "b.example", "8")]));
    let Stand { mut follower, wishes, inventory, .. } = stand(&script);
    let (reply, told) = oneshot::channel();
    wishes.send(Relist { reply: Some(reply), ..Relist::default() }).await.unwrap();
    let objects = tokio::select! {
        ended = follower.follow() => panic!("the watch ended: {ended:?}"),
        told = told => told.unwrap(),
    };
    assert_eq!(objects, Ok(1));
    assert_eq!(inventory.objects().iter().map(|object| &*object.name).collect::<Vec<_>>(), ["b"]);
    script.assert_done();
}

#[tokio::test]
async fn page_that_is_too_large_is_asked_for_in_smaller_ones() {
    let large = ingress("large", &"x".repeat(9 << 20), "1");
    let script = Script::new()
        .expect("GET", PATH, list(json!({"continue": "never read"}), &[large]))
        .expect("GET", PATH, list(json!({"resourceVersion": "7"}), &[ingress("a", "a.example", "1")]))
        .stream("GET", PATH, String::new());
    let mut stand = stand(&script);
    stand.follower.follow().await.unwrap();
    assert_eq!(stand.seen(), ["a a.example"]);
    let asked = script.queries();
    assert!(asked[0].contains("limit=500") && asked[1].contains("limit=100"), "{asked:?}");
}
