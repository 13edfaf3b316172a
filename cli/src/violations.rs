//! `writ violations`: what policies object to of what exists, the newest first.

use crate::arguments::{StatusFormat, Violations as Options};
use crate::client::Hub;
use crate::client::answers::{Violation, Violations};
use crate::exit::{DONE, Outcome};
use crate::terminal;
use comfy_table::{ContentArrangement, Table, presets};
use jiff::Timestamp;

pub(crate) async fn run(options: Options) -> Outcome {
    let hub = Hub::new(&options.hub)?;
    let query = query(&options);
    match options.format {
        StatusFormat::Json => terminal::say(hub.history_text("/api/v1/violations", &query).await?.trim_end())?,
        StatusFormat::Human => {
            let violations: Violations = hub.history("/api/v1/violations", &query).await?;
            terminal::say(&render(&violations, options.fixed, Timestamp::now()))?;
        }
    }
    Ok(DONE)
}

fn query(options: &Options) -> Vec<(&'static str, String)> {
    let given = [
        ("cluster", &options.cluster),
        ("namespace", &options.namespace),
        ("code", &options.code),
        ("severity", &options.severity),
        ("action", &options.action),
    ];
    let mut query: Vec<_> = given.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect();
    query.push(("state", if options.fixed { "fixed" } else { "open" }.to_owned()));
    query.push(("limit", options.limit.to_string()));
    query
}

fn render(violations: &Violations, fixed: bool, now: Timestamp) -> String {
    let state = if fixed { "fixed" } else { "open" };
    if violations.items.is_empty() {
        return match violations.looks_further {
            true => {
                format!("none of the newest {state} violations matches; there are older ones that were not looked at")
            }
            false => format!("no {state} violations"),
        };
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header([
        if fixed { "FIXED" } else { "SINCE" },
        "ACTION",
        "CODE",
        "CLUSTER",
        "NAMESPACE",
        "WORKLOAD",
        "BEGAN WITH",
        "ID",
    ]);
    for violation in &violations.items {
        table.add_row(row(violation, now));
    }
    let more =
        violations.next.as_ref().map_or("", |_| "\nThere are more: --limit, or narrow by cluster, namespace, code.");
    format!("{table}{more}")
}

fn row(violation: &Violation, now: Timestamp) -> [String; 8] {
    let exempted = if violation.exemption.is_empty() { "" } else { " (exempted)" };
    let namespace = if violation.namespace.is_empty() { "-" } else { &violation.namespace };
    [
        crate::status::ago(violation.fixed_at.unwrap_or(violation.opened_at), now),
        format!("{}{exempted}", violation.action),
        violation.code.clone(),
        violation.cluster.clone(),
        namespace.to_owned(),
        violation.workload.clone(),
        crate::status::short(&violation.opened_revision).to_owned(),
        violation.id.clone(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_tells_what_is_open_since_when_and_whether_there_is_more() {
        let violations = serde_json::json!({"next": "5-x", "looks_further": false, "items": [{
            "id": "f0", "cluster": "prod", "namespace": "", "workload": "Deployment/web", "code": "MT1001", "action": "dryrun",
            "exemption": "legacy", "opened_at": 40_000, "fixed_at": null, "opened_revision": "a".repeat(40)}]});
        let violations: Violations = serde_json::from_value(violations).unwrap();
        let text = render(&violations, false, Timestamp::from_millisecond(100_000).unwrap());
        let trimmed: Vec<&str> = text.lines().map(str::trim_end).collect();
        insta::assert_snapshot!(trimmed.join("\n"), @r"
         SINCE   ACTION             CODE    CLUSTER  NAMESPACE  WORKLOAD        BEGAN WITH  ID
         1m ago  dryrun (exempted)  MT1001  prod     -          Deployment/web  aaaaaaaaaa  f0
        There are more: --limit, or narrow by cluster, namespace, code.
        ");
    }
}
