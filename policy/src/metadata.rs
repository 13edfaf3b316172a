//! The `# METADATA` block of a Writ policy: YAML in the comment above its `package`. Findings point into the comment.

mod kinds;

use crate::fleet::yaml_diagnostic;
use crate::{Diagnostic, OnError, PolicyCode, PolicyName, Severity, SourceFile};
use serde::Deserialize;
use serde_saphyr::Spanned;

/// What the author says of a policy.
#[derive(Debug, Clone)]
pub(crate) struct Metadata {
    pub title: String,
    pub description: String,
    pub code: PolicyCode,
    /// Where the code is written, for findings about duplicates.
    pub code_place: (u32, u32),
    pub severity: Severity,
    pub kinds: Vec<String>,
    pub parameters: serde_json::Map<String, serde_json::Value>,
    pub on_error: OnError,
    pub name: Option<PolicyName>,
    pub enabled: bool,
    pub sets: Vec<String>,
    pub expand: bool,
}

/// OPA's annotations; what Writ does not use is allowed and ignored.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Block {
    title: Option<Spanned<String>>,
    description: Option<String>,
    custom: Option<Custom>,
    #[serde(rename = "scope")]
    _scope: Option<serde_json::Value>,
    #[serde(rename = "authors")]
    _authors: Option<serde_json::Value>,
    #[serde(rename = "organizations")]
    _organizations: Option<serde_json::Value>,
    #[serde(rename = "related_resources")]
    _related_resources: Option<serde_json::Value>,
    #[serde(rename = "schemas")]
    _schemas: Option<serde_json::Value>,
    #[serde(rename = "entrypoint")]
    _entrypoint: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Custom {
    code: Option<Spanned<String>>,
    severity: Option<Spanned<String>>,
    kinds: Option<Spanned<Vec<Spanned<String>>>>,
    parameters: Option<serde_json::Map<String, serde_json::Value>>,
    on_error: Option<Spanned<String>>,
    name: Option<Spanned<String>>,
    enabled: Option<bool>,
    #[serde(default)]
    sets: Vec<String>,
    expand: Option<bool>,
}

/// The comment block and where it stands.
struct Comment {
    path: String,
    /// Line of `# METADATA`.
    line: u32,
    yaml: String,
}

impl Metadata {
    /// The metadata of the policy in this file, or everything that is wrong with it.
    pub(crate) fn parse(file: &SourceFile) -> Result<Self, Vec<Diagnostic>> {
        let Some(comment) = Comment::find(file) else {
            let message = "the policy has no `# METADATA` block above its package";
            return Err(vec![Diagnostic::error(&file.path, message).at(package_line(&file.text), 1).help(EXAMPLE)]);
        };
        let block: Block = serde_saphyr::from_str(&comment.yaml).map_err(|error| {
            let found = yaml_diagnostic(&comment.path, &error);
            let (line, column) = (found.line, found.column);
            vec![comment.shifted(found, line, column).help(EXAMPLE)]
        })?;
        let mut findings = vec![];
        let metadata = block.validate(&comment, &mut findings);
        metadata.filter(|_| findings.is_empty()).ok_or(findings)
    }
}

const EXAMPLE: &str = "Write `# METADATA`, `# title: ...`, `# custom:` with `code`, `severity` and `kinds` (and, if needed, \
    `parameters`, `on_error`, `name`, `enabled`, `sets`, `expand`), each line beginning with `# `, directly above `package`.";

impl Block {
    fn validate(self, comment: &Comment, findings: &mut Vec<Diagnostic>) -> Option<Metadata> {
        let title = self.title.map(|title| title.value).filter(|title| !title.trim().is_empty());
        if title.is_none() {
            findings.push(comment.whole("`title` is missing").help("Add `# title: ` and one line for people."));
        }
        let Some(custom) = self.custom else {
            findings.push(comment.whole("`custom` is missing").help(EXAMPLE));
            return None;
        };
        let code_place = custom.code.as_ref().map(|code| comment.place(code)).unwrap_or((comment.line, 1));
        let code = required::<OwnCode>(
            "code",
            "Add a code that people can look up, e.g. `code: WR1001`.",
            custom.code,
            comment,
            findings,
        );
        let severity = required("severity", "Use LOW, MED or HIGH.", custom.severity, comment, findings);
        let on_error = custom.on_error.map_or(Some(OnError::default()), |word| on_error(&word, comment, findings));
        let name =
            custom.name.and_then(|name| parsed::<PolicyName>(&name, "Use lower-case letters.", comment, findings));
        let kinds = kinds(custom.kinds, comment, findings);
        Some(Metadata {
            title: title?,
            description: self.description.unwrap_or_default().trim().to_owned(),
            code: code?.0,
            code_place,
            severity: severity?,
            kinds,
            parameters: custom.parameters.unwrap_or_default(),
            on_error: on_error?,
            name,
            enabled: custom.enabled.unwrap_or(true),
            sets: custom.sets,
            expand: custom.expand.unwrap_or(true),
        })
    }
}

/// A policy's own code; only constraints are looked up as `Kind/name`.
struct OwnCode(PolicyCode);

impl std::str::FromStr for OwnCode {
    type Err = crate::name::NameError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains('/') { Err(PolicyCode::refuse(text)) } else { PolicyCode::new(text).map(Self) }
    }
}

fn required<T: std::str::FromStr<Err: std::fmt::Display>>(
    field: &str,
    help: &str,
    text: Option<Spanned<String>>,
    comment: &Comment,
    findings: &mut Vec<Diagnostic>,
) -> Option<T> {
    if text.is_none() {
        findings.push(comment.whole(&format!("`custom.{field}` is missing")).help(help));
    }
    parsed(&text?, help, comment, findings)
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    text: &Spanned<String>,
    help: &str,
    comment: &Comment,
    findings: &mut Vec<Diagnostic>,
) -> Option<T> {
    text.value.parse().map_err(|error: T::Err| findings.push(comment.at(text, error.to_string()).help(help))).ok()
}

fn on_error(word: &Spanned<String>, comment: &Comment, findings: &mut Vec<Diagnostic>) -> Option<OnError> {
    match word.value.as_str() {
        "deny" => Some(OnError::Deny),
        "warn" => Some(OnError::Warn),
        "allow" => Some(OnError::Allow),
        other => {
            let message = format!("{other:?} is not one of deny, warn, allow");
            findings.push(comment.at(word, message).help("Leave `on_error` out to deny when the policy itself errs."));
            None
        }
    }
}

fn kinds(
    listed: Option<Spanned<Vec<Spanned<String>>>>,
    comment: &Comment,
    findings: &mut Vec<Diagnostic>,
) -> Vec<String> {
    let help = "List `group/Kind`, e.g. `kinds: [apps/Deployment, Pod]`; `\"*\"` for every kind.";
    let Some(listed) = listed.filter(|listed| !listed.value.is_empty()) else {
        findings.push(comment.whole("`custom.kinds` is missing or empty").help(help));
        return vec![];
    };
    for kind in &listed.value {
        if let Err((message, help)) = kinds::check(&kind.value) {
            findings.push(comment.at(kind, message).help(help));
        }
    }
    let mut kinds: Vec<String> = listed.value.into_iter().map(|kind| kind.value).collect();
    kinds.dedup();
    kinds
}

impl Comment {
    /// The last `# METADATA` block above the package.
    fn find(file: &SourceFile) -> Option<Self> {
        let package = package_line(&file.text);
        let lines: Vec<&str> = file.text.lines().take(package.saturating_sub(1) as usize).collect();
        let start = lines.iter().rposition(|line| line.trim_end() == "# METADATA" || line.trim_end() == "#METADATA")?;
        let yaml: Vec<&str> = lines[start + 1..].iter().map_while(|line| line.strip_prefix('#')).collect();
        Some(Self { path: file.path.clone(), line: start as u32 + 1, yaml: yaml.join("\n") })
    }

    /// Where something of the YAML is in the file: below the first line, and right of the `#`.
    fn place<T>(&self, spanned: &Spanned<T>) -> (u32, u32) {
        (self.line + spanned.referenced.line() as u32, spanned.referenced.column() as u32 + 1)
    }

    fn at(&self, spanned: &Spanned<String>, message: impl Into<String>) -> Diagnostic {
        let (line, column) = self.place(spanned);
        Diagnostic::error(&self.path, message).at(line, column).spanning(spanned.value.chars().count() as u32)
    }

    fn whole(&self, message: &str) -> Diagnostic {
        Diagnostic::error(&self.path, message).at(self.line, 1).spanning(10)
    }

    fn shifted(&self, found: Diagnostic, line: u32, column: u32) -> Diagnostic {
        if line == 0 { found.at(self.line, 1) } else { found.at(self.line + line, column + 1) }
    }
}

/// The line of the `package` statement, or one past the end.
fn package_line(text: &str) -> u32 {
    let is_package = |line: &str| line.trim_start().starts_with("package");
    let lines = || text.lines();
    lines().position(is_package).unwrap_or_else(|| lines().count()) as u32 + 1
}
