//! `kind: Exemption` as it is written: strict, because a field that is misread would permit what nobody approved.

use super::Exemption;
use crate::document::Document;
use crate::fleet::API_VERSION;
use crate::yaml::{Field, Node, Shape};
use crate::{Diagnostic, Labels};

const EXAMPLE: &str = "Write `metadata.name` and `spec` with `policies`, `reason`, `approvedBy` and `expires`, and what it is \
    limited to: `clusters` (labels), `namespaces`, `kinds`, `names`, `subjects` (`users`, `groups`).";

/// The exemption of this document, and everything that is wrong with it.
pub(crate) fn read(document: &Document<'_>, findings: &mut Vec<Diagnostic>) -> Option<Exemption> {
    let before = findings.len();
    let mut reader = Reader { path: &document.file.path, findings };
    if document.api_version != API_VERSION {
        let finding = document.error(format!("`{}` is not known", document.api_version));
        reader.findings.push(finding.help("Write `apiVersion: writ.dev/v1`."));
    }
    for field in document.node.fields() {
        if !["apiVersion", "kind", "metadata", "spec"].contains(&field.key.as_str()) {
            reader.unknown(field, "an exemption");
        }
    }
    let mut exemption = Exemption { path: document.file.path.clone(), ..Exemption::default() };
    match document.node.at(&["metadata", "name"]).and_then(|name| Some((name.text()?, name.place.0))) {
        Some((name, line)) => (exemption.name, exemption.line) = (name.to_owned(), line),
        None => reader.findings.push(document.error("the exemption has no name").help("Write `metadata.name`.")),
    }
    let fields = document.node.get("spec").map(Node::fields).unwrap_or_default();
    fields.iter().for_each(|field| reader.field(field, &mut exemption));
    for required in ["policies", "reason", "approvedBy", "expires"] {
        if !fields.iter().any(|field| field.key == required && !field.value.is_null()) {
            reader.findings.push(document.error(format!("`spec.{required}` is missing")).help(EXAMPLE));
        }
    }
    (findings.len() == before).then_some(exemption)
}

struct Reader<'a> {
    path: &'a str,
    findings: &'a mut Vec<Diagnostic>,
}

impl Reader<'_> {
    fn field(&mut self, field: &Field, exemption: &mut Exemption) {
        let value = &field.value;
        match field.key.as_str() {
            "policies" => exemption.policies = self.texts(value),
            "clusters" => exemption.clusters = self.labels(value),
            "namespaces" => exemption.namespaces = self.texts(value),
            "kinds" => exemption.kinds = self.texts(value),
            "names" => exemption.names = self.texts(value),
            "subjects" => self.subjects(value, exemption),
            "reason" => exemption.reason = self.text(value),
            "ticket" => exemption.ticket = self.text(value),
            "approvedBy" => exemption.approved_by = self.text(value),
            "expires" => exemption.expires_at = self.time(value),
            _ => self.unknown(field, "`spec` of an exemption"),
        }
    }

    fn subjects(&mut self, value: &Node, exemption: &mut Exemption) {
        if value.fields().is_empty() {
            self.wrong(value, "an object with `users`, `groups` or both");
        }
        for field in value.fields() {
            match field.key.as_str() {
                "users" => exemption.users = self.texts(&field.value),
                "groups" => exemption.groups = self.texts(&field.value),
                _ => self.unknown(field, "`subjects`"),
            }
        }
    }

    /// An empty list is refused: it would mean everything, and is hardly meant so.
    fn texts(&mut self, value: &Node) -> Vec<String> {
        let texts: Vec<String> = value.items().iter().filter_map(Node::text).map(str::to_owned).collect();
        if texts.is_empty() || texts.len() != value.items().len() || texts.iter().any(String::is_empty) {
            self.wrong(value, "a list of texts that is not empty");
        }
        texts
    }

    fn text(&mut self, value: &Node) -> String {
        match &value.shape {
            Shape::Text(text) if !text.trim().is_empty() => text.trim().to_owned(),
            Shape::Number(number) => number.to_string(),
            _ => {
                self.wrong(value, "a text that is not empty");
                String::new()
            }
        }
    }

    fn labels(&mut self, value: &Node) -> Labels {
        let pair = |field: &Field| Some((field.key.clone(), field.value.text()?.to_owned()));
        let labels: Labels = value.fields().iter().filter_map(pair).collect();
        if labels.is_empty() || labels.len() != value.fields().len() {
            self.wrong(value, "an object of labels, e.g. `{env: prod}`");
        }
        labels
    }

    /// Unix milliseconds. A date without a time is over when the day is over, in UTC.
    fn time(&mut self, value: &Node) -> i64 {
        let day_after = |text: &str| {
            let day: jiff::civil::Date = text.parse().ok().filter(|_| text.len() == "2030-01-31".len())?;
            Some(day.tomorrow().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
        };
        let time = value.text().and_then(|text| day_after(text).or_else(|| text.parse::<jiff::Timestamp>().ok()));
        match time {
            Some(time) => time.as_millisecond(),
            None => {
                self.wrong(value, "a time such as `2030-01-31` or `2030-01-31T12:00:00Z`");
                0
            }
        }
    }

    fn wrong(&mut self, value: &Node, wanted: &str) {
        let shown = value.text().map_or_else(|| value.what().to_owned(), |text| format!("{text:?}"));
        self.findings.push(value.error(self.path, format!("{shown} is not {wanted}")).help(EXAMPLE));
    }

    fn unknown(&mut self, field: &Field, of: &str) {
        self.findings.push(field.error(self.path, format!("{of} has no field `{}`", field.key)).help(EXAMPLE));
    }
}
