//! Which Events there are: one per object and words, whose count grows while the same is said again. Bounded by
//! namespace and in total. Who sends them is `kubernetes::events`.

use super::{Bucket, MOST_REMEMBERED, Notice, SAME_MS};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use writ_policy::Digest;

/// Events of one namespace: so many at once, then one every three seconds.
const BY_NAMESPACE: (i64, i64) = (20, 3_000);
/// Events of all namespaces.
const IN_TOTAL: (i64, i64) = (100, 200);

/// What is sent next.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// A new Event.
    New {
        /// Where it is.
        namespace: String,
        /// `events.k8s.io/v1`.
        event: Value,
    },
    /// The same again, so many times by now.
    Again {
        /// Where it is.
        namespace: String,
        /// The Event's name.
        name: String,
        /// What changes of it.
        patch: Value,
    },
}

/// The Events of the last minutes.
#[derive(Debug)]
pub struct Events {
    /// Who tells: the replica.
    instance: String,
    known: HashMap<Arc<Notice>, Known>,
    by_namespace: HashMap<String, Bucket>,
    total: Bucket,
}

#[derive(Debug)]
struct Known {
    name: String,
    count: u32,
    told: u32,
    last: i64,
}

impl Events {
    /// None yet.
    pub fn new(replica: &str) -> Self {
        let instance = if replica.is_empty() { "writ-agent" } else { replica };
        let total = Bucket::new(IN_TOTAL.0, IN_TOTAL.1);
        Self { instance: instance.to_owned(), known: HashMap::new(), by_namespace: HashMap::new(), total }
    }

    /// What a notice makes; `Ok(None)` when it is counted with an Event that is there, and `Err` when it is too much.
    pub fn take(&mut self, notice: &Arc<Notice>, now: i64) -> Result<Option<Said>, TooMany> {
        if notice.is_heard() {
            return Ok(None);
        }
        if let Some(known) = self.known.get_mut(notice) {
            (known.count, known.last) = (known.count.saturating_add(1), now);
            return Ok(None);
        }
        let new = || Bucket::new(BY_NAMESPACE.0, BY_NAMESPACE.1);
        let own = self.by_namespace.entry(notice.namespace.clone()).or_insert_with(new);
        let is_full = self.known.len() >= MOST_REMEMBERED;
        if is_full || !own.take(now) || !self.total.take(now) {
            return Err(TooMany);
        }
        let name = name(notice, now);
        let event = event(notice, &name, &self.instance, now);
        self.known.insert(notice.clone(), Known { name, count: 1, told: 1, last: now });
        Ok(Some(Said::New { namespace: place(notice), event }))
    }

    /// What was said again since the last look; forgets what is long ago.
    pub fn again(&mut self, now: i64) -> Vec<Said> {
        let mut said = vec![];
        for (notice, known) in &mut self.known {
            if known.count > known.told {
                known.told = known.count;
                let patch = json!({"series": {"count": known.count, "lastObservedTime": time(known.last)}});
                said.push(Said::Again { namespace: place(notice), name: known.name.clone(), patch });
            }
        }
        self.known.retain(|_, known| now - known.last < SAME_MS);
        self.by_namespace.retain(|_, bucket| !bucket.is_full(now));
        said
    }
}

/// There are too many Events.
#[derive(Debug, PartialEq, Eq)]
pub struct TooMany;

/// Events of cluster-scoped objects are in `default`.
fn place(notice: &Notice) -> String {
    if notice.namespace.is_empty() { "default".into() } else { notice.namespace.clone() }
}

/// A name of its own: the object's, and what tells this Event from others.
fn name(notice: &Notice, now: i64) -> String {
    let digest = Digest::of(format!("{notice:?} {now}")).to_string();
    let hash: String = digest.chars().rev().take(16).collect();
    let safe = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' };
    let object: String = notice.name.chars().map(safe).take(200).collect();
    format!("{}.{hash}", if object.is_empty() { "object" } else { &object }.trim_matches('-'))
}

fn event(notice: &Notice, name: &str, instance: &str, now: i64) -> Value {
    let group = notice.kind.split_once('/').map_or("", |(group, _)| group);
    let api_version = if group.is_empty() { notice.version.clone() } else { format!("{group}/{}", notice.version) };
    let reason = if notice.denied { "PolicyDenied" } else { "PolicyFailed" };
    json!({
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": place(notice)},
        "type": "Warning",
        "reason": reason,
        "action": "Admission",
        "note": notice.message,
        "eventTime": time(now),
        "reportingController": "writ.dev/agent",
        "reportingInstance": instance.chars().take(128).collect::<String>(),
        "regarding": {
            "apiVersion": api_version, "kind": notice.short_kind(), "namespace": notice.namespace, "name": notice.name,
            "uid": notice.uid,
        },
    })
}

/// `2030-01-31T12:00:00.000000Z`.
fn time(at: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(at).unwrap_or_default();
    at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tell::tests::notice;

    #[test]
    fn event_is_about_the_object_and_has_its_words() {
        let mut events = Events::new("writ-agent-0");
        let Ok(Some(Said::New { namespace, event })) = events.take(&notice("web").into(), 1_000) else {
            panic!("no event")
        };
        assert_eq!(
            (namespace.as_str(), &event["type"], &event["reason"]),
            ("shop", &"Warning".into(), &"PolicyDenied".into())
        );
        assert_eq!(event["note"], "[FAIL] HIGH - no (MT1)");
        assert_eq!(event["eventTime"], "1970-01-01T00:00:01.000000Z");
        assert_eq!(event["regarding"]["apiVersion"], "apps/v1");
        assert_eq!(event["regarding"]["kind"], "Deployment");
        assert!(event["metadata"]["name"].as_str().unwrap().starts_with("web."));
        let node = Notice { namespace: String::new(), kind: "Node".into(), ..notice("n1") };
        let Ok(Some(Said::New { namespace, .. })) = events.take(&node.into(), 0) else { panic!("no event") };
        assert_eq!(namespace, "default", "of a cluster-scoped object");
    }

    #[test]
    fn same_words_again_are_counted_and_not_repeated() {
        let mut events = Events::new("");
        assert!(events.take(&notice("web").into(), 0).unwrap().is_some());
        for at in 1..5 {
            assert_eq!(events.take(&notice("web").into(), at * 1_000), Ok(None));
        }
        let again = events.again(5_000);
        let [Said::Again { namespace, patch, .. }] = again.as_slice() else { panic!("{again:?}") };
        assert_eq!((namespace.as_str(), &patch["series"]["count"]), ("shop", &5.into()));
        assert_eq!(events.again(6_000), []);
        events.again(SAME_MS + 4_000);
        assert!(events.take(&notice("web").into(), SAME_MS + 4_000).unwrap().is_some(), "long ago is forgotten");
    }

    #[test]
    fn storm_of_one_namespace_is_bounded_and_leaves_room_for_others() {
        let mut events = Events::new("");
        let told = (0..500).filter(|number| events.take(&notice(&format!("web-{number}")).into(), 0).is_ok()).count();
        assert_eq!(told, 20);
        let other = Notice { namespace: "bank".into(), ..notice("web") };
        assert!(events.take(&other.into(), 0).is_ok());
        let in_total = (0..500).filter(|number| {
            let other = Notice { namespace: format!("team-{number}"), ..notice("web") };
            events.take(&other.into(), 0).is_ok()
        });
        assert_eq!(in_total.count(), 79);
    }

    #[test]
    fn child_that_goes_through_is_silent() {
        let mut events = Events::new("");
        let child = |denied| Arc::new(Notice { child: true, denied, ..notice("web") });
        assert_eq!(events.take(&child(false), 0), Ok(None));
        assert!(events.take(&child(true), 0).unwrap().is_some());
    }
}
