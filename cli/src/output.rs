//! How `eval`, `check` and `test` tell what they found to people and to other programs: one set of results, one file
//! per format. What was found, and the human text of each command, is the commands' own.

mod azure;
mod github;
mod human;
mod json;
mod junit;
mod sarif;
mod table;
mod tap;

pub(crate) use human::counts;

use clap::ValueEnum;
use serde_json::{Map, Value};

/// How to write what was found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    #[value(alias = "stdout")]
    Human,
    /// For programs
    Json,
    /// Test Anything Protocol
    Tap,
    /// A table
    Table,
    /// JUnit XML, as CI servers show it
    Junit,
    /// Annotations on a pull request (GitHub Actions workflow commands)
    Github,
    /// Logging commands of Azure Pipelines
    #[value(name = "azuredevops")]
    Azure,
    /// SARIF 2.1.0, as code scanning reads it
    Sarif,
}

/// All that a command found.
#[derive(Debug, Default)]
pub(crate) struct Results {
    pub(crate) groups: Vec<Group>,
    /// Whether the text for people leaves out what is exempted; it is counted all the same.
    pub(crate) hides_exempted: bool,
}

/// What was found of one file by one set of rules.
#[derive(Debug, Default)]
pub(crate) struct Group {
    /// `-` for standard input.
    pub(crate) file: String,
    /// What judged: a package, or the name of the command.
    pub(crate) namespace: String,
    pub(crate) entries: Vec<Entry>,
}

/// One result.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    pub(crate) status: Status,
    /// What people read; empty for most passes.
    pub(crate) message: String,
    /// What was tried, where that has a name of its own: a unit test.
    pub(crate) name: String,
    /// What objects, for tools that group by it: `main/deny`, `MT1001`.
    pub(crate) rule: String,
    pub(crate) place: Place,
    pub(crate) help: String,
    pub(crate) metadata: Map<String, Value>,
    /// `None` when nobody measured.
    pub(crate) micros: Option<u64>,
}

/// How something ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Status {
    #[default]
    Passed,
    Failed,
    Warned,
    /// A permission covers it.
    Exempted,
    Skipped,
}

/// Where in a file; zero where not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Another file than the group's.
    pub(crate) file: Option<String>,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Results {
    /// The results in a format that all commands share.
    pub(crate) fn render(&self, format: Format) -> serde_json::Result<String> {
        Ok(match format {
            Format::Human => human::render(self),
            Format::Json => json::render(self)?,
            Format::Tap => tap::render(self),
            Format::Table => table::render(self),
            Format::Junit => junit::render(self),
            Format::Github => github::render(self),
            Format::Azure => azure::render(self),
            Format::Sarif => sarif::render(self)?,
        })
    }

    pub(crate) fn count(&self, status: Status) -> usize {
        self.groups.iter().map(|group| group.count(status)).sum()
    }

    /// Conftest's exit codes: 1 when something failed; where warnings count too, 1 for warnings and 2 for failures.
    pub(crate) fn exit_code(&self, fail_on_warn: bool) -> u8 {
        let (failed, warned) = (self.count(Status::Failed) > 0, self.count(Status::Warned) > 0);
        match (failed, warned, fail_on_warn) {
            (true, _, true) => 2,
            (true, _, false) | (false, true, true) => 1,
            _ => 0,
        }
    }
}

impl Group {
    pub(crate) fn count(&self, status: Status) -> usize {
        self.entries.iter().filter(|entry| entry.status == status).count()
    }

    fn with(&self, status: Status) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.status == status)
    }

    /// Failures first, then warnings, exemptions, skips, passes.
    fn in_order(&self) -> impl Iterator<Item = &Entry> {
        let order = [Status::Failed, Status::Warned, Status::Exempted, Status::Skipped, Status::Passed];
        order.into_iter().flat_map(|status| self.with(status))
    }

    fn file_of<'a>(&'a self, entry: &'a Entry) -> &'a str {
        entry.place.file.as_deref().unwrap_or(&self.file)
    }
}

impl Entry {
    /// A pass of which there is nothing more to say.
    pub(crate) fn passed() -> Self {
        Self::default()
    }

    /// A result of this status with its message.
    pub(crate) fn new(status: Status, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), ..Self::default() }
    }
}

/// The text on one line, for formats in which a line is a record of its own.
fn one_line(text: &str) -> String {
    text.split(['\n', '\r']).map(str::trim_end).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod samples {
    use super::*;

    /// One of each, with all that a format must escape.
    pub(super) fn results() -> Results {
        let place = |line, column| Place { file: None, line, column };
        let failed = Entry {
            rule: "main/deny".into(),
            place: place(3, 5),
            help: "Set <it>.".into(),
            ..Entry::new(Status::Failed, "no \"owner\" & <b>\n::error::x\u{1b}")
        };
        let warned = Entry { rule: "main/warn".into(), ..Entry::new(Status::Warned, "50% used # soon") };
        let exempted = Entry { rule: "main/deny".into(), ..Entry::new(Status::Exempted, "legacy") };
        let entries = vec![failed, warned, exempted, Entry::passed()];
        let group = Group { file: "a,b.yaml".into(), namespace: "main".into(), entries };
        let named = Entry { name: "test_a".into(), micros: Some(1500), ..Entry::passed() };
        let skipped = Entry { name: "todo_test_b".into(), ..Entry::new(Status::Skipped, "to do") };
        let tests = Group { file: "a_test.rego".into(), namespace: "test".into(), entries: vec![named, skipped] };
        Results { groups: vec![group, tests], ..Results::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_conftests() {
        let results = |statuses: &[Status]| {
            let entries = statuses.iter().map(|status| Entry::new(*status, "x")).collect();
            Results { groups: vec![Group { entries, ..Group::default() }], ..Results::default() }
        };
        for (statuses, plain, fail_on_warn) in [
            (vec![Status::Passed, Status::Exempted, Status::Skipped], 0, 0),
            (vec![Status::Warned], 0, 1),
            (vec![Status::Failed, Status::Warned], 1, 2),
            (vec![Status::Failed], 1, 2),
        ] {
            let found = results(&statuses);
            assert_eq!((found.exit_code(false), found.exit_code(true)), (plain, fail_on_warn), "{statuses:?}");
        }
    }
}
