//! JUnit XML: a suite per namespace, a case per result. Warnings are failures of type `warning`, so that a server shows
//! them.

use super::{Entry, Group, Results, Status};
use std::collections::BTreeMap;
use std::fmt::Write;

pub(super) fn render(results: &Results) -> String {
    let mut suites: BTreeMap<&str, Vec<(&Group, &Entry)>> = BTreeMap::new();
    for group in &results.groups {
        let suite = suites.entry(group.namespace.as_str()).or_default();
        suite.extend(group.in_order().map(|entry| (group, entry)));
    }
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for (name, cases) in suites {
        let is = |status: Status| cases.iter().filter(|(_, entry)| entry.status == status).count();
        let failures = is(Status::Failed) + is(Status::Warned);
        let skipped = is(Status::Skipped) + is(Status::Exempted);
        let micros: u64 = cases.iter().filter_map(|(_, entry)| entry.micros).sum();
        let _ = writeln!(
            text,
            "  <testsuite name=\"writ.{}\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\" time=\"{}\">",
            escaped(name),
            cases.len(),
            seconds(micros)
        );
        for (group, entry) in cases {
            case(&mut text, group, entry);
        }
        text.push_str("  </testsuite>\n");
    }
    text + "</testsuites>"
}

fn case(text: &mut String, group: &Group, entry: &Entry) {
    let summary = entry.message.lines().next().unwrap_or_default();
    let name = match (entry.name.as_str(), summary) {
        ("", "") => group.file.clone(),
        ("", summary) => format!("{} - {summary}", group.file),
        (name, _) => name.to_owned(),
    };
    let time = seconds(entry.micros.unwrap_or_default());
    let line = if entry.place.line > 0 { format!(" line=\"{}\"", entry.place.line) } else { String::new() };
    let file = escaped(group.file_of(entry));
    let head =
        format!("    <testcase name=\"{}\" classname=\"{file}\" file=\"{file}\"{line} time=\"{time}\"", escaped(&name));
    let message = escaped(&entry.message);
    let body = [entry.message.as_str(), entry.help.as_str()].join("\n");
    let body = escaped(body.trim());
    let _ = match entry.status {
        Status::Passed => writeln!(text, "{head}/>"),
        Status::Failed => writeln!(
            text,
            "{head}>\n      <failure type=\"failure\" message=\"{message}\">{body}</failure>\n    </testcase>"
        ),
        Status::Warned => writeln!(
            text,
            "{head}>\n      <failure type=\"warning\" message=\"{message}\">{body}</failure>\n    </testcase>"
        ),
        Status::Exempted | Status::Skipped => {
            writeln!(text, "{head}>\n      <skipped message=\"{message}\"/>\n    </testcase>")
        }
    };
}

fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// For text and attributes. What XML cannot hold at all is replaced.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\t' => escaped.push_str("&#9;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    #[test]
    fn result_is_xml_whatever_messages_hold() {
        let text = super::render(&super::super::samples::results());
        let document = roxmltree::Document::parse(&text).unwrap();
        let count = |name: &str| document.descendants().filter(|node| node.has_tag_name(name)).count();
        assert_eq!((count("testsuite"), count("testcase"), count("failure"), count("skipped")), (2, 6, 2, 2));
        let failure = document.descendants().find(|node| node.has_tag_name("failure")).unwrap();
        assert_eq!(failure.attribute("message"), Some("no \"owner\" & <b>\n::error::x\u{fffd}"));
        assert_eq!(failure.parent().unwrap().attribute("line"), Some("3"));
    }
}
