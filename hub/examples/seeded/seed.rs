//! Two days of a small fleet: seven clusters in every state, twelve policies, eight namespaces, nine commits.

mod violations;

use std::path::Path;
use writ_hub::store::fixture::{SeedAssignment, SeedFailure, SeedPolicy, SeedRevision};
use writ_hub::store::{Store, Tx};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

const POLICIES: [(&str, &str, &str, &str, &str); 12] = [
    ("MT1001", "policy-liveness-probe", "Containers have a liveness probe", "LOW", "workload"),
    ("MT1002", "policy-readiness-probe", "Containers have a readiness probe", "LOW", "workload"),
    ("MT1003", "policy-resource-limits", "Containers have CPU and memory limits", "LOW", "workload"),
    ("MT1004", "policy-resource-requests", "Containers request CPU and memory", "LOW", "workload"),
    ("MT1005", "policy-pdb", "Disruption budgets leave room for maintenance", "HIGH", "PodDisruptionBudget"),
    ("MT1006", "policy-port-name-mismatch", "A port named http does not serve 443", "HIGH", "Service"),
    ("MT1007", "policy-singleton-pod-check", "Pods have an owner", "LOW", "Pod"),
    ("MT1008", "policy-hostport", "Containers use no host port", "HIGH", "Pod"),
    ("MT1009", "policy-emptydir", "emptyDir volumes have a small size limit", "MED", "Pod"),
    ("MT1010", "policy-host-path", "Pods mount nothing of the host", "MED", "Pod"),
    ("MT2001", "policy-privileged-pod", "Containers are not privileged", "HIGH", "workload"),
    ("MT2002", "policy-nodeport-range", "Node ports stay in the namespace's range", "MED", "Service"),
];
const MESSAGES: [&str; 12] = [
    "[FAIL] LOW - Liveness Probe missing for container \"app\" (MT1001)",
    "[FAIL] LOW - Readiness Probe missing for container \"app\" (MT1002)",
    "[FAIL] LOW - Resource limits missing (CPU/MEM) for container \"app\" (MT1003)",
    "[FAIL] LOW - Resource requests missing (CPU) for container \"sidecar\" (MT1004)",
    "[FAIL] HIGH - Value \"1\" for \"minAvailable\" should be a Percentage, not an Integer (MT1005)",
    "[FAIL] HIGH - Logical port name \"http\" mismatch with port number \"443\" for service \"checkout\" (MT1006)",
    "[FAIL] LOW - \"debug\" is a singleton pod. (MT1007)",
    "[FAIL] HIGH - hostPort is configured for container \"agent\" (MT1008)",
    "[FAIL] MED - Size limit of emptyDir volume \"cache\" is not set (MT1009)",
    "[FAIL] MED - hostPath is configured for volume \"docker-sock\" (MT1010)",
    "[FAIL] HIGH - Found privileged Security Context for container \"node-tuner\" (MT2001)",
    "[FAIL] MED - nodePort 31000 is out of defined range for Service \"edge\" (MT2002)",
];
/// How often each fails, in parts per thousand.
const WEIGHTS: [u64; 12] = [95, 60, 120, 44, 9, 12, 26, 6, 40, 14, 5, 18];
const NAMESPACES: [(&str, u64); 8] = [
    ("checkout", 100),
    ("payments", 45),
    ("search", 130),
    ("ml-training", 230),
    ("platform", 30),
    ("web", 75),
    ("legacy-erp", 310),
    ("", 20),
];
const CLUSTERS: [(&str, &str, &str, u64); 7] = [
    ("dev-1", r#"{"env":"dev","region":"eu"}"#, "OFF", 6),
    ("dev-2", r#"{"env":"dev","region":"us"}"#, "OFF", 5),
    ("edge-berlin", r#"{"env":"prod","ring":"2","site":"berlin"}"#, "MED", 2),
    ("prod-eu", r#"{"env":"prod","region":"eu","ring":"1"}"#, "MED", 9),
    ("prod-us", r#"{"env":"prod","region":"us","ring":"1"}"#, "MED", 11),
    ("prod-us-canary", r#"{"env":"prod","region":"us","ring":"0"}"#, "HIGH", 2),
    ("staging", r#"{"env":"staging"}"#, "LOW", 4),
];
/// Minutes ago, author, message, and whether it was refused.
const COMMITS: [(i64, &str, &str, bool); 9] = [
    (2_900, "Ada Lindqvist", "Begin with the twelve policies", false),
    (2_300, "Ada Lindqvist", "Deny MED in production", false),
    (1_500, "Tomás Rivera", "MT2002: Accept ranges with blanks", false),
    (1_180, "Priya Nair", "MT1010: Allow the log collector's paths", false),
    (
        400,
        "Priya Nair",
        "MT1003: Ask for limits on init containers too\n\nThey can starve a node as well as any other.",
        false,
    ),
    (95, "Jonas Weber", "fleet: Canary denies everything", false),
    (52, "Ada Lindqvist", "MT1001: Sidecars need a liveness probe", false),
    (26, "Tomás Rivera", "Revert \"MT1001: Sidecars need a liveness probe\"", false),
    (4, "Jonas Weber", "MT1005: Percentages only", true),
];
const USERS: [&str; 5] = [
    "system:serviceaccount:argocd:argocd-application-controller",
    "maria@shop.example",
    "system:serviceaccount:ci:deployer",
    "kenji@shop.example",
    "system:serviceaccount:kube-system:replicaset-controller",
];
const DIAGNOSTICS: &str = r#"[
  {"path":"policies/mt1005_pdb.rego","line":31,"column":9,"length":12,"level":"error","message":"`to_percnt` is not a rule or builtin that this policy can call","help":"Did you mean `to_percent`, a rule of this file?"},
  {"path":"policies/mt1005_pdb_test.rego","line":44,"column":1,"length":1,"level":"error","message":"test `test_integer_is_refused` failed","help":"Run `writ test .` to see what it compared."},
  {"path":"fleet.yaml","line":0,"column":0,"length":1,"level":"warning","message":"no cluster matches the rule `{env: qa}`","help":null}
]"#;

/// Draws numbers, always the same.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end.max(1)
    }
}

pub(crate) async fn fill(store: &Store, now: i64) -> anyhow::Result<()> {
    let mut tx = store.seed().await?;
    revisions(&mut tx, now).await?;
    clusters(&mut tx, now).await?;
    counts(&mut tx, now).await?;
    failures(&mut tx, now).await?;
    violations::fill(&mut tx, now).await?;
    tx.seed_sums().await?;
    Ok(tx.commit().await?)
}

fn commit(index: usize) -> String {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ (index as u64 + 1));
    (0..40).map(|_| char::from_digit(dice.below(16) as u32, 16).unwrap_or('0')).collect()
}

fn kinds(of: &str) -> String {
    match of {
        "workload" => r#"["apps/Deployment","apps/StatefulSet","apps/DaemonSet","Pod"]"#.to_owned(),
        "PodDisruptionBudget" => r#"["policy/PodDisruptionBudget"]"#.to_owned(),
        kind => format!(r#"["{kind}"]"#),
    }
}

async fn revisions(tx: &mut Tx, now: i64) -> anyhow::Result<()> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies-repo-template/docs");
    let texts: Vec<(String, String)> = POLICIES
        .iter()
        .map(|(code, .., of)| (std::fs::read_to_string(docs.join(format!("{code}.md"))).unwrap_or_default(), kinds(of)))
        .collect();
    let policies: Vec<SeedPolicy<'_>> = POLICIES
        .iter()
        .zip(&texts)
        .map(|((code, name, title, severity, _), (page, kinds))| SeedPolicy {
            name,
            code,
            title,
            severity,
            kinds,
            page,
        })
        .collect();
    for (index, (ago, author, message, is_refused)) in COMMITS.into_iter().enumerate() {
        let (diagnostics, policies) = if is_refused { (DIAGNOSTICS, &[][..]) } else { ("[]", &policies[..]) };
        let (revision, at) = (commit(index), now - ago * MINUTE);
        tx.seed_revision(&SeedRevision { revision: &revision, author, message, at, diagnostics, policies }).await?;
    }
    Ok(())
}

/// Most clusters enforce the newest good commit; one is offline, one refuses, one is slow, one was never heard.
async fn clusters(tx: &mut Tx, now: i64) -> anyhow::Result<()> {
    let good: Vec<(usize, i64)> =
        COMMITS.iter().enumerate().filter(|(_, commit)| !commit.3).map(|(index, commit)| (index, commit.0)).collect();
    for (position, (cluster, labels, deny_level, _)) in CLUSTERS.into_iter().enumerate() {
        let seen_ago = if cluster == "edge-berlin" { 41 * MINUTE } else { 1_000 * (3 + position as i64) };
        tx.seed_cluster(cluster, labels, Some(now - seen_ago)).await?;
        for (epoch, (index, ago)) in good.iter().enumerate() {
            let is_newest = epoch + 1 == good.len();
            let issued_at = now - ago * MINUTE + 14;
            let answers = !(is_newest && matches!(cluster, "edge-berlin" | "prod-us-canary" | "dev-2"));
            let active_at = answers.then_some(issued_at + 42 + 9 * position as i64);
            let (epoch, revision) = (epoch as i64 + 1, commit(*index));
            let revision = revision.as_str();
            let seed = SeedAssignment { cluster, epoch, revision, deny_level, issued_at, active_at };
            tx.seed_assignment(&seed).await?;
        }
    }
    let reason = "the bundle names 12 policies, 11 could be loaded: policies/mt1009_emptydir.rego:18:5: out of memory";
    tx.seed_refusal("prod-us-canary", good.len() as i64, reason).await?;
    tx.seed_cluster("staging-new", r#"{"env":"staging"}"#, None).await?;
    Ok(())
}

/// Which severities deny at this level.
fn denies(level: &str, severity: &str) -> bool {
    matches!((level, severity), ("HIGH", _) | ("MED", "HIGH" | "MED") | ("LOW", "HIGH"))
}

/// Every second minute of the last three hours, every quarter of an hour before that.
async fn counts(tx: &mut Tx, now: i64) -> anyhow::Result<()> {
    let mut dice = Dice(42);
    let recent = (0..180).step_by(2);
    for ago in recent.chain((180..2_880).step_by(15)) {
        let weight = if ago < 180 { 1 } else { 7 };
        // Less at night, and the sidecar commit of 52 minutes ago made MT1001 fail more until it was reverted.
        let hour = (now - ago * MINUTE).div_euclid(HOUR).rem_euclid(24) as u64;
        let busy = if (7..20).contains(&hour) { 10 } else { 5 };
        let sidecars = (26..=52).contains(&ago);
        for (cluster, _, level, size) in CLUSTERS.into_iter().filter(|(name, ..)| *name != "edge-berlin" || ago > 41) {
            for (namespace, badness) in NAMESPACES {
                let reviews = (size * busy * weight * (5 + dice.below(8))) / 70;
                if reviews == 0 {
                    continue;
                }
                let at = now - ago * MINUTE;
                let (mut failing, mut denied) = (0, 0);
                for ((_, name, _, severity, _), rate) in POLICIES.into_iter().zip(WEIGHTS) {
                    let rate = if sidecars && name == "policy-liveness-probe" { rate * 4 } else { rate };
                    let chance = (rate * badness / 100).min(900);
                    let failures = (0..reviews).filter(|_| dice.below(1_000) < chance).count() as i64;
                    let denials = if denies(level, severity) { failures } else { 0 };
                    (failing, denied) = (failing.max(failures), denied.max(denials));
                    let counts = [reviews as i64 - failures, failures, denials];
                    tx.seed_policy_minute(at, (cluster, namespace, name), counts).await?;
                }
                tx.seed_review_minute(at, (cluster, namespace), [reviews as i64, failing, denied]).await?;
            }
        }
    }
    Ok(())
}

async fn failures(tx: &mut Tx, now: i64) -> anyhow::Result<()> {
    let mut dice = Dice(7);
    let workloads = ["cart", "ledger", "indexer", "trainer", "gateway", "frontend", "batch-import"];
    for index in 0..400_u64 {
        let place = (dice.below(12)) as usize;
        let (code, policy, _, severity, of) = POLICIES[place];
        let (cluster, _, level, _) = CLUSTERS[dice.below(7) as usize];
        let (namespace, _) = NAMESPACES[dice.below(7) as usize];
        let owner = workloads[dice.below(7) as usize];
        let is_pod = matches!(of, "Pod");
        let object = if is_pod { format!("{owner}-7d9c5b8f6d-x{:03}", index % 1_000) } else { owner.to_owned() };
        let (kind, workload) = match of {
            "workload" => ("apps/Deployment", format!("Deployment/{owner}")),
            "Pod" => ("Pod", format!("Deployment/{owner}")),
            "PodDisruptionBudget" => ("policy/PodDisruptionBudget", format!("PodDisruptionBudget/{owner}")),
            kind => (kind, format!("{kind}/{owner}")),
        };
        let at = now - (index as i64 * 47_000 + dice.below(40_000) as i64);
        let served = COMMITS.iter().rposition(|commit| !commit.3 && now - commit.0 * MINUTE <= at).unwrap_or(0);
        let (id, revision) = (format!("0193-{:08}", 1_000 - index), commit(served));
        tx.seed_failure(&SeedFailure {
            id: &id,
            at,
            cluster,
            namespace,
            policy,
            code,
            action: if denies(level, severity) { "deny" } else { "warn" },
            message: MESSAGES[place],
            kind,
            object: &object,
            workload: &workload,
            user: USERS[dice.below(5) as usize],
            revision: &revision,
        })
        .await?;
    }
    Ok(())
}
