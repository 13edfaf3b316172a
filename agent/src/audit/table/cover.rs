//! Who speaks for whom: a violation of a workload is not told again of the pods and the like that it makes.

use writ_policy::wire::ViolationKey;

/// Workloads as their children name them, and their kinds.
const WORKLOADS: [(&str, &str); 7] = [
    ("Deployment", "apps/Deployment"),
    ("ReplicaSet", "apps/ReplicaSet"),
    ("StatefulSet", "apps/StatefulSet"),
    ("DaemonSet", "apps/DaemonSet"),
    ("Job", "batch/Job"),
    ("CronJob", "batch/CronJob"),
    ("ReplicationController", "ReplicationController"),
];
/// Kinds that workloads make.
const CHILDREN: [&str; 3] = ["Pod", "apps/ReplicaSet", "batch/Job"];

/// The violations that would speak for this one: those of the workload at the top by the same policy.
pub(super) fn covers(key: &ViolationKey) -> impl Iterator<Item = ViolationKey> {
    let workload = key.workload.split_once('/').filter(|(kind, _)| kind_of(kind) != Some(&*key.kind));
    let own = workload.and_then(|(kind, _)| Some(of(key, kind_of(kind)?, &key.workload)));
    // A Job that a CronJob made ends with the minute that it is for.
    let scheduled = workload.filter(|(kind, _)| *kind == "Job").and_then(|(_, name)| name.rsplit_once('-'));
    let scheduled = scheduled.filter(|(_, minute)| minute.len() >= 8 && minute.bytes().all(|b| b.is_ascii_digit()));
    let scheduled = scheduled.map(|(name, _)| of(key, "batch/CronJob", &format!("CronJob/{name}")));
    own.into_iter().chain(scheduled)
}

/// The violations that this one speaks for, if it is of a workload itself.
pub(super) fn covered_by(key: &ViolationKey) -> Vec<ViolationKey> {
    let kind = key.workload.split_once('/').and_then(|(kind, _)| kind_of(kind));
    let children = CHILDREN.iter().filter(|child| kind == Some(&*key.kind) && **child != key.kind);
    children.map(|child| of(key, child, &key.workload)).collect()
}

fn of(key: &ViolationKey, kind: &str, workload: &str) -> ViolationKey {
    ViolationKey { kind: kind.to_owned(), workload: workload.to_owned(), ..key.clone() }
}

fn kind_of(name: &str) -> Option<&'static str> {
    WORKLOADS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
}
