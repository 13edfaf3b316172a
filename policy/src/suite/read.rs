//! Suites as their authors write them. A field that Gatekeeper does not have is told, because a misspelt `assertions`
//! asserts nothing.

use super::assertion::{Assertion, Wanted};
use super::{Case, Suite, Test};
use crate::engine::builtins;
use crate::yaml::{self, Node, Shape};
use crate::{Diagnostic, SourceFile};

/// The suites of a file; none when it holds other documents. What is wrong is told, and nothing of the file is run then.
pub fn read(file: &SourceFile) -> Result<Vec<Suite>, Vec<Diagnostic>> {
    if !file.is_yaml() || !file.text.contains("test.gatekeeper.sh") {
        return Ok(vec![]);
    }
    let documents = yaml::documents(file).map_err(|finding| vec![finding])?;
    let mut reader = Reader { path: &file.path, findings: vec![] };
    let suites = documents.iter().filter(|node| is_suite(node)).map(|node| reader.suite(node)).collect();
    if reader.findings.is_empty() { Ok(suites) } else { Err(reader.findings) }
}

fn is_suite(node: &Node) -> bool {
    node.text_at(&["apiVersion"]).starts_with("test.gatekeeper.sh/") && node.text_at(&["kind"]) == "Suite"
}

struct Reader<'a> {
    path: &'a str,
    findings: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn suite(&mut self, node: &Node) -> Suite {
        self.known(node, "suite", &["apiVersion", "kind", "metadata", "skip", "tests"]);
        let tests = self.list(node, "tests").iter().map(|test| self.test(test)).collect();
        Suite { path: self.path.to_owned(), skip: self.flag(node, "skip"), tests }
    }

    fn test(&mut self, node: &Node) -> Test {
        self.known(node, "test", &["name", "template", "constraint", "expansion", "cases", "invalid", "skip"]);
        let (skip, invalid) = (self.flag(node, "skip"), self.flag(node, "invalid"));
        for key in ["template", "constraint"] {
            if !skip && node.text_at(&[key]).is_empty() {
                self.tell(node, format!("the test names no `{key}`"), "Write its path, relative to the suite.");
            }
        }
        Test {
            name: self.text(node, "name"),
            line: node.place.0,
            template: self.text(node, "template"),
            constraint: self.text(node, "constraint"),
            expansion: self.text(node, "expansion"),
            invalid,
            skip,
            cases: self.list(node, "cases").iter().map(|case| self.case(case)).collect(),
        }
    }

    fn case(&mut self, node: &Node) -> Case {
        self.known(node, "case", &["name", "object", "inventory", "assertions", "skip"]);
        let skip = self.flag(node, "skip");
        let assertions: Vec<_> = self.list(node, "assertions").iter().map(|item| self.assertion(item)).collect();
        if !skip && node.text_at(&["object"]).is_empty() {
            self.tell(node, "the case names no `object`", "Write its path, relative to the suite.");
        }
        if !skip && assertions.is_empty() {
            self.tell(node, "the case asserts nothing", "Write `assertions: [{violations: yes}]` or `no`.");
        }
        let inventory = self.list(node, "inventory").iter().filter_map(Node::text).map(str::to_owned).collect();
        Case {
            name: self.text(node, "name"),
            line: node.place.0,
            object: self.text(node, "object"),
            inventory,
            assertions,
            skip,
        }
    }

    fn assertion(&mut self, node: &Node) -> Assertion {
        self.known(node, "assertion", &["violations", "message"]);
        let wanted = match node.get("violations").map(|wanted| (wanted, &wanted.shape)) {
            None | Some((_, Shape::Null | Shape::Bool(true))) => Wanted::AtLeastOne,
            Some((_, Shape::Bool(false))) => Wanted::None,
            Some((_, Shape::Text(text))) if text == "yes" => Wanted::AtLeastOne,
            Some((_, Shape::Text(text))) if text == "no" => Wanted::None,
            Some((wanted, Shape::Number(number))) => number.as_u64().map_or_else(
                || {
                    self.tell(wanted, format!("`violations` is {number}"), VIOLATIONS);
                    Wanted::None
                },
                Wanted::Exactly,
            ),
            Some((wanted, _)) => {
                self.tell(wanted, format!("`violations` is {}", wanted.text().unwrap_or(wanted.what())), VIOLATIONS);
                Wanted::None
            }
        };
        let message = node.get("message").filter(|message| !message.is_null());
        if let Some(message) = message.filter(|message| message.text().is_none_or(is_no_pattern)) {
            self.tell(
                message,
                "`message` is not a pattern (RE2)",
                "Escape brackets and dots that are meant as they are.",
            );
        }
        Assertion { wanted, message: message.and_then(Node::text).map(str::to_owned) }
    }

    fn text(&mut self, node: &Node, key: &str) -> String {
        match node.get(key) {
            Some(value) if value.text().is_none() && !value.is_null() => {
                self.tell(value, format!("`{key}` is {}", value.what()), "Write a text.");
                String::new()
            }
            value => value.and_then(Node::text).unwrap_or_default().to_owned(),
        }
    }

    fn flag(&mut self, node: &Node, key: &str) -> bool {
        match node.get(key).map(|value| (value, &value.shape)) {
            None | Some((_, Shape::Null)) => false,
            Some((_, Shape::Bool(flag))) => *flag,
            Some((value, _)) => {
                self.tell(value, format!("`{key}` is {}", value.what()), "Write `true` or `false`.");
                false
            }
        }
    }

    fn list<'n>(&mut self, node: &'n Node, key: &str) -> &'n [Node] {
        match node.get(key).map(|value| (value, &value.shape)) {
            None | Some((_, Shape::Null)) => &[],
            Some((_, Shape::List(items))) => items,
            Some((value, _)) => {
                self.tell(value, format!("`{key}` is {}", value.what()), "Write a list.");
                &[]
            }
        }
    }

    fn known(&mut self, node: &Node, what: &str, fields: &[&str]) {
        for field in node.fields().iter().filter(|field| !fields.contains(&field.key.as_str())) {
            let message = format!("a {what} has no field `{}`", field.key);
            self.findings.push(field.error(self.path, message).help(format!("Its fields are {}.", fields.join(", "))));
        }
        if !matches!(node.shape, Shape::Map(_)) {
            self.tell(
                node,
                format!("the {what} is {}", node.what()),
                &format!("Its fields are {}.", fields.join(", ")),
            );
        }
    }

    fn tell(&mut self, node: &Node, message: impl Into<String>, help: &str) {
        self.findings.push(node.error(self.path, message).help(help));
    }
}

const VIOLATIONS: &str = "Write `yes`, `no` or how many.";

fn is_no_pattern(text: &str) -> bool {
    builtins::pattern_matches(text, "").is_none()
}
