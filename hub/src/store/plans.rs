//! How the databases go about the statements of pages and lists: every one of them finds its rows by an index. None reads
//! a table that grows with reports from end to end, whatever is asked for.

use super::fresh::Fresh;
use super::pages::heavy;
use super::scan::{Bound, Statement};
use super::{FailureQuery, Store, ViolationQuery, failure_list, violation_list};

/// Tables that grow with what agents report, or with every commit.
const GROWING: [&str; 6] = ["failures", "violations", "violation_events", "sums", "rollups", "revision_policies"];

/// The statement with its values in their places, so that it can be explained.
fn in_words(Statement { text, values }: &Statement) -> String {
    let mut words = text.clone();
    for (index, value) in values.iter().enumerate().rev() {
        let word = match value {
            Bound::Number(number) => number.to_string(),
            Bound::Text(text) => format!("'{text}'"),
        };
        words = words.replace(&format!("${}", index + 1), &word);
    }
    words
}

fn lists() -> Vec<(String, Statement)> {
    let some = |text: &str| Some(text.to_owned());
    let place = Some((1_000, "00000000-0000-0000-0000-000000000000".to_owned()));
    let failures = [
        FailureQuery::default(),
        FailureQuery { cluster: some("a"), ..FailureQuery::default() },
        FailureQuery { namespace: some("a"), before: place.clone(), ..FailureQuery::default() },
        FailureQuery { policy: some("a"), action: some("deny"), since: 5, ..FailureQuery::default() },
        FailureQuery { code: some("A"), before: place.clone(), ..FailureQuery::default() },
        FailureQuery { action: some("deny"), exemption: some("a"), before: place.clone(), ..FailureQuery::default() },
    ];
    let violations = [
        ViolationQuery::default(),
        ViolationQuery { cluster: some("a"), policy: some("a"), ..ViolationQuery::default() },
        ViolationQuery { namespace: some("a"), before: place.clone(), ..ViolationQuery::default() },
        ViolationQuery {
            policy: some("a"),
            severity: some("HIGH"),
            exempted: Some(false),
            ..ViolationQuery::default()
        },
        ViolationQuery { kind: some("a"), before: place.clone(), ..ViolationQuery::default() },
        ViolationQuery { fixed: true, cluster: some("a"), before: place, ..ViolationQuery::default() },
    ];
    let failures = failures.iter().flat_map(failure_list::statements);
    let violations = violations.iter().flat_map(violation_list::statements);
    failures.chain(violations).enumerate().map(|(index, statement)| (format!("list {index}"), statement)).collect()
}

/// The lines of the plan that read a growing table from end to end.
async fn walked_whole(store: &Store, statement: &Statement) -> Vec<String> {
    let words = in_words(statement);
    let lines: Vec<String> = match store {
        Store::Sqlite { readers, .. } => {
            let text = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {words}"));
            let rows: Vec<(i64, i64, i64, String)> = sqlx::query_as(text).fetch_all(readers).await.unwrap();
            rows.into_iter().map(|row| row.3).collect()
        }
        Store::Postgres { readers, .. } => {
            let mut connection = readers.acquire().await.unwrap();
            // An empty table is always read whole, unless the planner is told that it is dear.
            sqlx::query("SET enable_seqscan = off").execute(&mut *connection).await.unwrap();
            let text = sqlx::AssertSqlSafe(format!("EXPLAIN {words}"));
            let lines = sqlx::query_scalar(text).fetch_all(&mut *connection).await.unwrap();
            sqlx::query("SET enable_seqscan = on").execute(&mut *connection).await.unwrap();
            lines
        }
    };
    let aliases = [("f", "failures"), ("v", "violations"), ("t", "sums"), ("l", "revision_policies")];
    let is_whole = |line: &String| {
        let line = line.trim().trim_start_matches("-> ").trim();
        let scanned = line.strip_prefix("SCAN ").map(|rest| rest.split_whitespace().next().unwrap_or_default());
        let by_index = line.contains("USING INDEX") || line.contains("USING COVERING INDEX");
        let sqlite = scanned.is_some_and(|name| {
            // A list without filters walks its index from the newest on, and stops.
            let is_growing = GROWING.contains(&name) || aliases.iter().any(|(alias, _)| *alias == name);
            is_growing && !by_index
        });
        // Of sums only what is asked for: a bucket of one kind, of one policy, cluster or namespace.
        let is_wide = line.starts_with("SEARCH t USING PRIMARY KEY (span=?") && !line.contains("of_id=?");
        let postgres = GROWING.iter().any(|table| line.contains(&format!("Seq Scan on {table}")));
        sqlite || is_wide || postgres
    };
    lines.into_iter().filter(is_whole).collect()
}

#[tokio::test]
async fn nothing_that_a_page_asks_reads_a_growing_table_whole() {
    let fresh = Fresh::new().await;
    let statements: Vec<(String, Statement)> = heavy(&fresh.store).into_iter().chain(lists()).collect();
    assert!(statements.len() > 30, "{}", statements.len());
    for (name, statement) in statements {
        let whole = walked_whole(&fresh.store, &statement).await;
        assert!(whole.is_empty(), "{name} reads a table whole: {whole:?}\n{}", in_words(&statement));
    }
}
