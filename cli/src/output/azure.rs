//! Logging commands of Azure Pipelines, which shows them as issues of the run.

use super::{Entry, Group, Results, Status, counts, one_line};

pub(super) fn render(results: &Results) -> String {
    let mut lines = vec![];
    for group in &results.groups {
        lines.push(format!("##[group]{}", one_line(&format!("{} ({})", group.file, group.namespace))));
        lines.extend(group.in_order().filter_map(|entry| command(group, entry)));
        lines.push("##[endgroup]".to_owned());
    }
    lines.push(counts(results));
    lines.join("\n")
}

fn command(group: &Group, entry: &Entry) -> Option<String> {
    let level = match entry.status {
        Status::Failed => "error",
        Status::Warned => "warning",
        _ => return None,
    };
    let mut place = format!("sourcepath={}", property(group.file_of(entry)));
    if entry.place.line > 0 {
        place.push_str(&format!(";linenumber={}", entry.place.line));
    }
    let said = [entry.name.as_str(), &entry.message].join(" ");
    Some(format!("##vso[task.logissue type={level};{place}]{}", one_line(said.trim())))
}

/// Property values end at `;` and `]`.
fn property(text: &str) -> String {
    text.replace('%', "%AZP25").replace(';', "%3B").replace(']', "%5D").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    #[test]
    fn failures_and_warnings_are_issues_on_one_line_each() {
        let text = super::render(&super::super::samples::results());
        let issues: Vec<&str> = text.lines().filter(|line| line.starts_with("##vso")).collect();
        assert_eq!(issues.len(), 2);
        assert!(issues[0].starts_with("##vso[task.logissue type=error;sourcepath=a,b.yaml;linenumber=3]no \"owner\""));
    }
}
