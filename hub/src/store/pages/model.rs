//! The lists of pages against a model that adds up what was counted, minute by minute: whatever the window is, and whether
//! counts are folded or wait.

use super::{NamespaceRow, Window};
use crate::store::Store;
use crate::store::fresh::Fresh;
use crate::store::sums::{DAY, HOUR};
use fastrand::Rng;
use sqlx::AssertSqlSafe;
use std::collections::BTreeMap;

/// A Tuesday, some hours and minutes into the day.
const NOW: i64 = 29_918_000;
const NAMES: [&str; 5] = ["ns-0", "ns-1", "ns-2", "p-0", "p-1"];
const NAMESPACES: [&str; 3] = [NAMES[0], NAMES[1], NAMES[2]];
const POLICIES: [&str; 2] = [NAMES[3], NAMES[4]];

/// What one agent counted in a minute of a namespace: reviews, or evaluations of a policy.
#[derive(Debug, Clone, Copy)]
struct Count {
    minute: i64,
    namespace: &'static str,
    policy: Option<&'static str>,
    passes: i64,
    failing: i64,
    denied: i64,
}

impl Count {
    /// Of now and a while ago, near the ends of hours, days and weeks as often as not.
    fn random(random: &mut Rng) -> Self {
        let ago = [HOUR, DAY, 14 * DAY, 70 * DAY][random.usize(..4)];
        let minute = NOW - random.i64(0..ago);
        let span = [1, HOUR, DAY, 7 * DAY][random.usize(..4)];
        let minute = minute.div_euclid(span) * span + random.i64(-2..2);
        let failing = random.i64(0..4);
        let policy = random.bool().then(|| POLICIES[random.usize(..2)]);
        let namespace = NAMESPACES[random.usize(..3)];
        Self { minute, namespace, policy, passes: random.i64(0..4), failing, denied: random.i64(0..=failing) }
    }

    fn is_in(&self, from: i64, until: i64) -> bool {
        (from..until).contains(&self.minute)
    }
}

fn id(name: &str) -> usize {
    1_001 + NAMES.iter().position(|known| *known == name).unwrap()
}

async fn run(store: &Store, text: String) {
    on!(write store, |pool| sqlx::query(AssertSqlSafe(text)).execute(pool).await.map(drop)).unwrap();
}

async fn add(store: &Store, count: Count) {
    let Count { minute, namespace, policy, passes, failing, denied } = count;
    let (what, policy) = policy.map_or((0, 0), |policy| (1, id(policy)));
    let namespace = id(namespace);
    run(
        store,
        format!(
            "INSERT INTO recent VALUES ({what}, {minute}, 1, {namespace}, {policy}, 0, {passes}, {failing}, {denied}, 0, 0, 0, 0, 0, 0)"
        ),
    )
    .await;
}

/// Judged, failing and denied of those that match.
fn sum(counts: &[Count], from: i64, until: i64, matches: impl Fn(&Count) -> bool) -> [i64; 3] {
    counts.iter().filter(|count| count.is_in(from, until) && matches(count)).fold([0; 3], |sum, count| {
        [sum[0] + count.passes + count.failing, sum[1] + count.failing, sum[2] + count.denied]
    })
}

fn namespaces(counts: &[Count], window: Window) -> Vec<NamespaceRow> {
    let row = |name: &str| {
        let of = |from, until| sum(counts, from, until, |count| count.policy.is_none() && count.namespace == name);
        let [reviews, failing, denied] = of(window.since, window.until);
        let [reviews_before, failing_before, denied_before] = of(window.before, window.since);
        NamespaceRow { name: name.into(), reviews, failing, denied, reviews_before, failing_before, denied_before }
    };
    let rows = NAMESPACES.iter().map(|name| row(name));
    rows.filter(|row| row.reviews + row.reviews_before > 0).collect()
}

/// Failing of the later span by namespace and policy.
fn cells(counts: &[Count], window: Window) -> BTreeMap<(String, String), i64> {
    let pairs = NAMESPACES.iter().flat_map(|namespace| POLICIES.iter().map(move |policy| (*namespace, *policy)));
    let failing = |(namespace, policy): (&str, &str)| {
        let matches = |count: &Count| count.policy == Some(policy) && count.namespace == namespace;
        ((namespace.to_owned(), policy.to_owned()), sum(counts, window.since, window.until, matches)[1])
    };
    pairs.map(failing).filter(|(_, failing)| *failing > 0).collect()
}

async fn check(store: &Store, counts: &[Count], window: Window) {
    let mut rows = store.namespace_rows(window, 100, 0).await.unwrap();
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(rows, namespaces(counts, window), "{window:?}");
    let found = store.namespace_cells(window, &NAMESPACES, &POLICIES).await.unwrap();
    let found: BTreeMap<_, _> = found.into_iter().map(|cell| ((cell.namespace, cell.policy), cell.failing)).collect();
    let cells = cells(counts, window);
    assert_eq!(found, cells, "{window:?}");
    for namespace in NAMESPACES {
        let rows = store.namespace_policies(namespace, window, 100).await.unwrap();
        let failing = |policy: &str| cells.get(&(namespace.to_owned(), policy.to_owned())).copied().unwrap_or_default();
        assert!(rows.iter().all(|row| row.failing == failing(&row.name)), "{window:?} {namespace}: {rows:?}");
        assert_eq!(rows.iter().map(|row| row.failing).sum::<i64>(), POLICIES.map(failing).iter().sum::<i64>());
    }
    for row in store.policy_rows("", window, 100).await.unwrap() {
        let of = |from, until| sum(counts, from, until, |count| count.policy == Some(&row.name));
        let (later, before) = (of(window.since, window.until), of(window.before, window.since));
        let found = ([row.judged, row.failing, row.denied], [row.judged_before, row.failing_before, row.denied_before]);
        assert_eq!(found, (later, before), "{window:?} {}", row.name);
    }
}

#[tokio::test]
async fn lists_are_what_was_counted_in_the_window_and_nothing_beside_it() {
    let fresh = Fresh::new().await;
    let store = &fresh.store;
    let mut random = Rng::with_seed(7);
    for name in NAMES {
        run(store, format!("INSERT INTO names (id, name) VALUES ({}, '{name}')", id(name))).await;
    }
    let mut counts: Vec<Count> = vec![];
    for _ in 0..20 {
        for _ in 0..20 {
            counts.push(Count::random(&mut random));
            add(store, counts[counts.len() - 1]).await;
        }
        if random.bool() {
            store.fold(1_000, 0).await.unwrap();
        }
        for minutes in [HOUR, DAY, 7 * DAY, 30 * DAY] {
            check(store, &counts, Window::ending_at((NOW + random.i64(-DAY..DAY)) * super::MINUTE_MS, minutes)).await;
        }
        let since = NOW - random.i64(1..3 * DAY);
        check(store, &counts, Window { before: since - random.i64(1..3 * DAY), since, until: NOW }).await;
    }
}
