//! `writ explain`: why a failure of a policy does what it does in one cluster and namespace, and whose word decided.

use crate::arguments::{Explain, StatusFormat};
use crate::exit::{DONE, Outcome};
use crate::{files, terminal};
use anyhow::Context;
use std::fmt::Write;
use writ_policy::explain::{Explanation, Question, explain};
use writ_policy::{Labels, SourceFile};

pub(crate) async fn run(options: Explain) -> Outcome {
    let explanation = match &options.cluster {
        Some(cluster) => {
            let hub = crate::client::Hub::new(&options.hub)?;
            hub.explanation(&options.policy, cluster, &options.namespace).await?
        }
        None => of_folder(&options)?,
    };
    match options.format {
        StatusFormat::Human => terminal::say(&render(&explanation))?,
        StatusFormat::Json => terminal::say(&serde_json::to_string_pretty(&explanation)?)?,
    }
    Ok(DONE)
}

/// What the policies of a folder say.
fn of_folder(options: &Explain) -> anyhow::Result<Explanation> {
    let folder = files::read(&options.policies)?;
    let report = writ_policy::check(&folder.files);
    let word = options.policy.as_str();
    let is_it = |info: &&writ_policy::PolicyInfo| info.code.as_str() == word || info.name.as_str() == word;
    let policy = report.policies.iter().find(is_it);
    let policy = policy.with_context(|| {
        format!("{} holds no policy that loads with the code or name {word}", options.policies.display())
    })?;
    let labels: Labels = options.cluster_labels.iter().cloned().collect();
    let is_fleet =
        |file: &&SourceFile| file.is_yaml() && file.text.lines().any(|line| line.trim_end() == "kind: Fleet");
    let namespace_object = options.namespace_object.as_deref().map(namespace_object).transpose()?;
    Ok(explain(&Question {
        policy,
        fleet: &report.fleet,
        fleet_file: folder.files.iter().find(is_fleet),
        labels: &labels,
        namespace: &options.namespace,
        namespace_object: namespace_object.as_deref(),
        now: jiff::Timestamp::now().as_millisecond(),
    }))
}

fn namespace_object(path: &std::path::Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
    let object: serde_json::Value =
        serde_saphyr::from_str(&text).with_context(|| format!("{} is not YAML", path.display()))?;
    Ok(object.to_string())
}

fn render(explanation: &Explanation) -> String {
    let mut text = match explanation.action {
        Some(action) => format!("a failure of {} there: {action}\n", explanation.policy),
        None => format!("{} does not judge there\n", explanation.policy),
    };
    let width = explanation.words.iter().map(|word| word.place.chars().count()).max().unwrap_or(0);
    for word in &explanation.words {
        let mark = if word.wins { terminal::green("->") } else { "  ".to_owned() };
        let _ = writeln!(text, "{mark} {:width$}  {}", word.place, word.says);
    }
    text.trim_end().to_owned()
}
