//! `writ changes`: what got better or worse since a commit or a day.

use crate::arguments::{Changes as Options, StatusFormat};
use crate::client::Hub;
use crate::client::answers::{Mover, Movers, Rate};
use crate::exit::{DONE, Outcome};
use crate::terminal;
use comfy_table::{ContentArrangement, Table, presets};

pub(crate) async fn run(options: Options) -> Outcome {
    let hub = Hub::new(&options.hub)?;
    let mut query = vec![("by", options.by.as_str().to_owned())];
    query.extend(options.since.map(|since| ("since", since)));
    match options.format {
        StatusFormat::Json => terminal::say(hub.history_text("/api/v1/movers", &query).await?.trim_end())?,
        StatusFormat::Human => terminal::say(&render(&hub.history("/api/v1/movers", &query).await?))?,
    }
    Ok(DONE)
}

fn render(movers: &Movers) -> String {
    if movers.worse.is_empty() && movers.better.is_empty() {
        return "nothing got better or worse by more than chance explains".to_owned();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["", "NAME", "BEFORE", "NOW", "FAILING", "SINCE"]);
    for mover in movers.worse.iter().chain(&movers.better) {
        table.add_row(row(mover));
    }
    let more = if movers.more > 0 { format!("\n{} more moved, by less.", movers.more) } else { String::new() };
    format!("{table}{more}")
}

fn row(mover: &Mover) -> [String; 6] {
    let name = match (mover.code.as_str(), mover.name.as_str()) {
        ("", "") => "cluster-scoped".to_owned(),
        ("", name) => name.to_owned(),
        (code, _) => format!("{code} {}", mover.title),
    };
    let since = mover.since.as_ref();
    [
        mover.movement.clone(),
        name,
        share(mover.before),
        share(mover.after),
        mover.after.failing.to_string(),
        since.map_or_else(|| "-".to_owned(), |line| format!("{} {}", crate::status::short(&line.revision), line.title)),
    ]
}

fn share(rate: Rate) -> String {
    if rate.judged == 0 { "-".to_owned() } else { format!("{:.1} %", rate.failing as f64 * 100.0 / rate.judged as f64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_names_what_moved_and_since_which_commit() {
        let movers = serde_json::json!({"more": 2, "better": [], "worse": [
            {"name": "probe", "code": "MT1001", "title": "Probes", "movement": "worse",
             "before": {"judged": 1_000, "failing": 112}, "after": {"judged": 1_000, "failing": 264},
             "since": {"revision": "b".repeat(40), "title": "Sidecars too"}},
            {"name": "", "code": "", "title": "", "movement": "new",
             "before": {"judged": 0, "failing": 0}, "after": {"judged": 40, "failing": 4}, "since": null}]});
        let text = render(&serde_json::from_value(movers).unwrap());
        let trimmed: Vec<&str> = text.lines().map(str::trim_end).collect();
        insta::assert_snapshot!(trimmed.join("\n"), @r"
                NAME            BEFORE  NOW     FAILING  SINCE
         worse  MT1001 Probes   11.2 %  26.4 %  264      bbbbbbbbbb Sidecars too
         new    cluster-scoped  -       10.0 %  4        -
        2 more moved, by less.
        ");
    }
}
