//! An agent's side of the conversation, and reports to send.

use super::{Answer, NOW, TestHub};
use axum::body::Body;
use axum::http::{Request, header};
use serde_json::json;
use uuid::Uuid;
use writ_policy::bundle::{Assignment, BundleStatement, Index};
use writ_policy::sign::Signed;
use writ_policy::wire::{
    Active, AgentState, Desired, DesiredRequest, Enrolled, Failure, FailureOutcome, PolicyCount, Refused, Report,
    ReviewCount, Violation, ViolationKey,
};
use writ_policy::{Action, Digest, PolicyCode, PolicyName, Revision, Severity};

pub(crate) struct TestAgent {
    pub(crate) enrolled: Enrolled,
    pub(crate) boot: Uuid,
}

impl TestAgent {
    pub(crate) fn new(_: &TestHub, enrolled: Enrolled) -> Self {
        Self { enrolled, boot: Uuid::now_v7() }
    }

    pub(crate) async fn get(&self, hub: &TestHub, path: &str) -> Answer {
        hub.send(Request::get(path).header(header::AUTHORIZATION, self.bearer()).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn send(&self, hub: &TestHub, report: &Report) -> Answer {
        self.post(hub, "/v1/reports", serde_json::to_vec(report).unwrap()).await
    }

    pub(crate) async fn post(&self, hub: &TestHub, path: &str, body: Vec<u8>) -> Answer {
        let request = Request::post(path).header(header::AUTHORIZATION, self.bearer());
        hub.send(request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body)).unwrap()).await
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.enrolled.credential)
    }

    /// Asks what to enforce, with nothing yet.
    pub(crate) async fn desired(&self, hub: &TestHub) -> (Desired, Assignment) {
        let answer = self.ask(hub, None, self.state()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let desired: Desired = serde_json::from_slice(&answer.body).unwrap();
        let assignment = self.enrolled.hub_key.verify(&desired.assignment).unwrap();
        (desired, assignment)
    }

    /// Asks, saying what it has.
    pub(crate) async fn ask(&self, hub: &TestHub, have: Option<Digest>, state: AgentState) -> Answer {
        hub.send(self.request(have, state)).await
    }

    /// Asks, and shows what it enforces as the hub signed it.
    pub(crate) async fn show(&self, hub: &TestHub, have: Option<Digest>, state: AgentState, proof: Signed) -> Answer {
        let body = serde_json::to_vec(&DesiredRequest { have, proof: Some(proof), state }).unwrap();
        self.post(hub, "/v1/desired", body).await
    }

    /// The request by which it asks.
    pub(crate) fn request(&self, have: Option<Digest>, state: AgentState) -> Request<Body> {
        let body = serde_json::to_vec(&DesiredRequest { have, proof: None, state }).unwrap();
        let request = Request::post("/v1/desired").header(header::AUTHORIZATION, self.bearer());
        let request = request.header(header::HOST, "localhost").header(header::CONTENT_TYPE, "application/json");
        request.body(Body::from(body)).unwrap()
    }

    pub(crate) fn state(&self) -> AgentState {
        let version = "1".into();
        let (active, refused, load_errors) = (None, None, vec![]);
        AgentState {
            version,
            boot: self.boot,
            started_at: NOW,
            active,
            refused,
            load_errors,
            spooled: 0,
            dropped: 0,
            replica: String::new(),
            certificate_expires_at: None,
            leaving: false,
            break_glass: vec![],
            untold: 0,
        }
    }

    /// The state of an agent that enforces this.
    pub(crate) fn enforcing(&self, desired: &Desired, at: i64) -> AgentState {
        let assignment: Assignment = self.enrolled.hub_key.verify(&desired.assignment).unwrap();
        let active = Active {
            assignment: desired.assignment.digest(),
            epoch: assignment.epoch,
            revision: self.bundle(desired).revision,
            fetched_at: at,
            verified_at: at,
            active_at: at,
        };
        AgentState { active: Some(active), ..self.state() }
    }

    pub(crate) fn refusing(&self, desired: &Desired, reason: &str) -> AgentState {
        let refused = Refused { assignment: desired.assignment.digest(), reason: reason.into(), at: NOW };
        AgentState { refused: Some(refused), ..self.state() }
    }

    pub(crate) fn bundle(&self, desired: &Desired) -> BundleStatement {
        self.enrolled.hub_key.verify(&desired.bundle).unwrap()
    }

    /// The blob with this digest, decompressed and found right.
    pub(crate) async fn blob(&self, hub: &TestHub, digest: Digest) -> String {
        let answer = self.get(hub, &format!("/v1/blobs/{digest}")).await;
        assert_eq!(answer.headers[header::CONTENT_ENCODING], "gzip");
        let text = std::io::read_to_string(flate2::read::GzDecoder::new(&answer.body[..])).unwrap();
        assert_eq!(Digest::of(&text), digest);
        text
    }

    pub(crate) async fn index(&self, hub: &TestHub, desired: &Desired) -> Index {
        serde_json::from_str(&self.blob(hub, self.bundle(desired).index).await).unwrap()
    }

    /// A report of this boot.
    pub(crate) fn report(&self, sequence: u64, failures: Vec<Failure>) -> Report {
        Report { boot: self.boot, sequence, failures, ..report() }
    }
}

pub(crate) fn report() -> Report {
    let json = json!({ "boot": Uuid::now_v7(), "sequence": 1, "closed_at": NOW });
    serde_json::from_value(json).unwrap()
}

pub(crate) fn failure(name: &str) -> Failure {
    Failure {
        id: Uuid::now_v7(),
        at: NOW,
        review: "review".into(),
        policy: PolicyName::new("test1").unwrap(),
        code: PolicyCode::new("TEST1").unwrap(),
        severity: Some(Severity::Low),
        action: Action::Warn,
        because: "denyLevel LOW".into(),
        exemption: None,
        implied: false,
        child: false,
        outcome: FailureOutcome::Fail,
        message: "[FAIL] LOW - no (TEST1)".into(),
        namespace: "shop".parse().ok(),
        kind: "Pod".into(),
        name: name.into(),
        uid: String::new(),
        workload: format!("Pod/{name}"),
        operation: "CREATE".into(),
        user: "ada".into(),
        revision: Revision::new("0".repeat(40)).unwrap(),
    }
}

pub(crate) fn policy_count(failures: u64) -> PolicyCount {
    let Failure { policy, code, revision, namespace, .. } = failure("x");
    let minute = NOW / 60_000;
    PolicyCount {
        minute,
        namespace,
        policy,
        code,
        revision,
        passes: 1,
        failures,
        denials: 0,
        warnings: failures,
        dryruns: 0,
        errors: 0,
        exempted: 0,
        micros: 100,
        micros_max: 60,
    }
}

/// Seen at this time.
pub(crate) fn violation(workload: &str, at: i64) -> Violation {
    let Failure { policy, code, severity, action, because, outcome, message, namespace, kind, revision, .. } =
        failure(workload);
    let workload = format!("Deployment/{workload}");
    let (exemption, name, uid, objects) = (None, format!("{workload}-x7k2p"), String::new(), 1);
    let key = ViolationKey { policy, namespace, kind, workload };
    Violation { key, at, code, severity, action, because, exemption, outcome, message, name, uid, objects, revision }
}

pub(crate) fn review_count(reviews: u64) -> ReviewCount {
    ReviewCount { minute: NOW / 60_000, namespace: None, reviews, failing: 1, denied: 0 }
}
