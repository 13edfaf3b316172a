//! A table with a row per result.

use super::{Group, Results, Status, one_line};
use comfy_table::{ContentArrangement, Table, presets};

pub(super) fn render(results: &Results) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(crate::terminal::width()).unwrap_or(u16::MAX));
    table.set_header(["RESULT", "FILE", "NAMESPACE", "MESSAGE"]);
    for group in &results.groups {
        rows(&mut table, group);
    }
    table.to_string()
}

fn rows(table: &mut Table, group: &Group) {
    for entry in group.in_order() {
        let word = match entry.status {
            Status::Failed => "failure",
            Status::Warned => "warning",
            Status::Exempted => "exception",
            Status::Skipped => "skipped",
            Status::Passed => "success",
        };
        let said = one_line(&[entry.name.as_str(), &entry.message].join(" "));
        let said = if said.trim().is_empty() { "SUCCESS" } else { said.trim() };
        table.add_row([word, group.file_of(entry), &group.namespace, said]);
    }
}
