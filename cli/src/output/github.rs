//! Workflow commands, which GitHub shows as annotations on the lines of a pull request.

use super::{Entry, Group, Place, Results, Status, counts, one_line};

pub(super) fn render(results: &Results) -> String {
    let mut lines = vec![];
    for group in &results.groups {
        let entries: Vec<&Entry> = group.in_order().filter(|entry| entry.status != Status::Passed).collect();
        if entries.is_empty() {
            continue;
        }
        let what = one_line(&format!("{} ({})", group.file, group.namespace));
        lines.push(format!("::group::{}", data(&what)));
        lines.extend(entries.into_iter().flat_map(|entry| commands(group, entry)));
        lines.push("::endgroup::".to_owned());
    }
    lines.push(counts(results));
    lines.join("\n")
}

/// One annotation; where a policy names another file than the one that was judged, one on each.
fn commands(group: &Group, entry: &Entry) -> Vec<String> {
    let (own, judged) = (group.file_of(entry), group.file.as_str());
    let mut lines = vec![command(entry, own, &entry.place, "")];
    if own != judged {
        let origin = format!("(ORIGINATING FROM {own} L{}) ", entry.place.line);
        lines.push(command(entry, judged, &Place::default(), &origin));
    }
    lines
}

fn command(entry: &Entry, file: &str, place: &Place, before: &str) -> String {
    let level = match entry.status {
        Status::Failed => "error",
        Status::Warned => "warning",
        _ => "notice",
    };
    let mut at = format!("file={},line={}", property(file), place.line.max(1));
    if place.column > 0 {
        at.push_str(&format!(",col={}", place.column));
    }
    let parts = [entry.name.as_str(), &entry.message, &entry.help];
    let said: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("::{level} {at}::{before}{}", data(&said.join("\n")))
}

/// The escapes that the workflow commands prescribe; without them a file name could write a command of its own.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    #[test]
    fn text_of_the_repository_cannot_write_a_command_of_its_own() {
        let text = super::render(&super::super::samples::results());
        let commands: Vec<&str> = text.lines().filter(|line| line.starts_with("::")).collect();
        assert_eq!(commands.len(), 8, "{text}");
        assert!(commands[1].starts_with("::error file=a%2Cb.yaml,line=3,col=5::no \"owner\" & <b>%0A::error::x"));
        assert!(text.contains("50%25 used"));
    }
}
