//! `spec.match` of a constraint: which reviews it judges, in Gatekeeper's order and by its rules. Native, read once.

use super::config::not_a_name;
use super::selector::Selector;
use super::wildcard::Wildcard;
use crate::Diagnostic;
use crate::engine::Value;
use crate::yaml::{Field, Node};

/// Everything that a constraint's `match` asks for. What it does not name matches.
#[derive(Debug, Clone, Default)]
pub(crate) struct Matcher {
    kinds: Vec<Kinds>,
    scope: Scope,
    namespaces: Vec<Wildcard>,
    excluded: Vec<Wildcard>,
    labels: Option<Selector>,
    namespace_labels: Option<Selector>,
    name: Option<Wildcard>,
    source: Source,
}

/// Any of these groups with any of these kinds; an empty list is any.
#[derive(Debug, Clone, Default)]
struct Kinds {
    groups: Vec<String>,
    kinds: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Scope {
    #[default]
    Any,
    Cluster,
    Namespaced,
}

/// Whether a review is what somebody asked for, or what a workload implies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Source {
    #[default]
    All,
    Original,
    Generated,
}

/// A review as matchers see it.
pub(crate) struct Target<'a> {
    /// The object, and what it was: matching either is enough.
    pub objects: [&'a Value; 2],
    /// Of the request; empty for cluster-scoped objects.
    pub group: &'a str,
    pub kind: &'a str,
    pub namespace: &'a str,
    /// The Namespace object, when it is known.
    pub namespace_object: Option<&'a Value>,
    /// Whether the object is what a workload implies.
    pub implied: bool,
}

impl<'a> Target<'a> {
    fn known_objects(&self) -> impl Iterator<Item = &'a Value> {
        self.objects.into_iter().filter(|object| matches!(object, Value::Object(_)))
    }

    fn is_without_object(&self) -> bool {
        self.known_objects().next().is_none()
    }

    fn is_namespace(&self) -> bool {
        self.kind == "Namespace" && self.group.is_empty()
    }

    /// The namespace that the object belongs to, or is; empty for other cluster-scoped objects.
    fn namespace_of(&self, object: &'a Value) -> &'a str {
        match self.is_namespace() {
            true => text(&object["metadata"], "name"),
            false if self.namespace.is_empty() => text(&object["metadata"], "namespace"),
            false => self.namespace,
        }
    }
}

impl Matcher {
    /// What `spec.match` says; fields that Gatekeeper does not have are errors, because leaving them out would judge
    /// other objects than its author meant.
    pub(super) fn read(node: Option<&Node>, path: &str, findings: &mut Vec<Diagnostic>) -> Self {
        let mut matcher = Self::default();
        for field in node.map(Node::fields).unwrap_or_default() {
            matcher.read_field(field, path, findings);
        }
        matcher
    }

    fn read_field(&mut self, field: &Field, path: &str, findings: &mut Vec<Diagnostic>) {
        let value = &field.value;
        let mut wrong = |finding: Diagnostic| findings.push(finding);
        match field.key.as_str() {
            "kinds" => self.kinds = value.items().iter().map(Kinds::read).collect(),
            "scope" => match value.text() {
                Some("*" | "") => {}
                Some("Cluster") => self.scope = Scope::Cluster,
                Some("Namespaced") => self.scope = Scope::Namespaced,
                _ => wrong(value.error(path, "`scope` is not known").help("Use `*`, Cluster or Namespaced.")),
            },
            "namespaces" => self.namespaces = wildcards(value, path, findings),
            "excludedNamespaces" => self.excluded = wildcards(value, path, findings),
            "labelSelector" => self.labels = Some(Selector::read(value, path, findings)),
            "namespaceSelector" => self.namespace_labels = Some(Selector::read(value, path, findings)),
            "name" => match value.text().map(|text| (text, Wildcard::new(text))) {
                Some(("", _)) => {}
                Some((_, Some(name))) => self.name = Some(name),
                _ => wrong(not_a_name(value, path)),
            },
            "source" => match value.text() {
                Some("" | "All") => {}
                Some("Original") => self.source = Source::Original,
                Some("Generated") => self.source = Source::Generated,
                _ => wrong(value.error(path, "`source` is not known").help("Use All, Original or Generated.")),
            },
            other => wrong(field.error(path, format!("`match` has no field `{other}`")).help(
                "Gatekeeper's are kinds, scope, namespaces, excludedNamespaces, labelSelector, namespaceSelector, name and source.",
            )),
        }
    }

    /// Whether the Namespace object must be known.
    pub(crate) fn wants_namespace(&self) -> bool {
        self.namespace_labels.is_some()
    }

    /// Whether it asks for what workloads imply and nothing else.
    pub(crate) fn is_for_implied_alone(&self) -> bool {
        self.source == Source::Generated
    }

    /// The kinds for the index: `group/Kind`, `*/Kind`, or `*` when it must look for itself.
    pub(crate) fn kinds(&self) -> Vec<String> {
        let any = |list: &[String]| list.is_empty() || list.iter().any(|item| item == "*");
        if self.kinds.is_empty() || self.kinds.iter().any(|kinds| any(&kinds.kinds)) {
            return vec!["*".into()];
        }
        let listed = self.kinds.iter().flat_map(|kinds| {
            let groups = if any(&kinds.groups) { vec!["*"] } else { kinds.groups.iter().map(String::as_str).collect() };
            groups.into_iter().flat_map(|group| {
                kinds
                    .kinds
                    .iter()
                    .map(move |kind| if group.is_empty() { kind.clone() } else { format!("{group}/{kind}") })
            })
        });
        let mut listed: Vec<String> = listed.collect();
        listed.sort_unstable();
        listed.dedup();
        listed
    }

    /// Whether the constraint judges this review. What cannot be said is taken for yes; [`Self::problem`] tells it then.
    pub(crate) fn matches(&self, target: &Target<'_>) -> bool {
        target.is_without_object() || target.known_objects().any(|object| self.matches_object(object, target))
    }

    /// Why it cannot be said whether the constraint judges a review that matches else; an error, never a pass.
    pub(crate) fn problem(&self, target: &Target<'_>) -> Option<String> {
        if target.is_without_object() {
            return Some("the review holds neither an object nor an old object".into());
        }
        let is_asked = self.namespace_labels.is_some() && !target.is_namespace() && target.namespace_object.is_none();
        let namespace = target.known_objects().map(|object| target.namespace_of(object)).find(|name| !name.is_empty());
        let namespace = namespace.filter(|_| is_asked)?;
        Some(format!("its namespaceSelector cannot be answered: the Namespace `{namespace}` is not known"))
    }

    fn matches_object(&self, object: &Value, target: &Target<'_>) -> bool {
        let metadata = &object["metadata"];
        let (is_namespace, namespace) = (target.is_namespace(), target.namespace_of(object));
        (self.kinds.is_empty() || self.kinds.iter().any(|kinds| kinds.holds(target)))
            && self.scope.holds(is_namespace, !namespace.is_empty())
            && (namespace.is_empty() || self.holds_namespace(namespace))
            && self.labels.as_ref().is_none_or(|selector| selector.matches(&metadata["labels"]))
            && self.holds_namespace_labels(metadata, namespace, target)
            && self.holds_name(metadata)
            && self.source.holds(target.implied)
    }

    /// Objects without a namespace are never left out by a list of namespaces.
    fn holds_namespace(&self, namespace: &str) -> bool {
        let is_one_of = |list: &[Wildcard]| list.iter().any(|wildcard| wildcard.matches(namespace));
        (self.namespaces.is_empty() || is_one_of(&self.namespaces)) && !is_one_of(&self.excluded)
    }

    /// A Namespace matches by its own labels.
    fn holds_namespace_labels(&self, metadata: &Value, namespace: &str, target: &Target<'_>) -> bool {
        let Some(selector) = &self.namespace_labels else { return true };
        match target.namespace_object {
            _ if target.is_namespace() => selector.matches(&metadata["labels"]),
            _ if namespace.is_empty() => true,
            Some(object) => selector.matches(&object["metadata"]["labels"]),
            None => true,
        }
    }

    fn holds_name(&self, metadata: &Value) -> bool {
        let matches = |name: &Wildcard| {
            name.matches(text(metadata, "name")) || name.matches_generated(text(metadata, "generateName"))
        };
        self.name.as_ref().is_none_or(matches)
    }
}

impl Kinds {
    fn read(node: &Node) -> Self {
        let list = |key: &str| -> Vec<String> {
            let items = node.get(key).map(Node::items).unwrap_or_default();
            items.iter().filter_map(Node::text).map(str::to_owned).collect()
        };
        Self { groups: list("apiGroups"), kinds: list("kinds") }
    }

    fn holds(&self, target: &Target<'_>) -> bool {
        let names =
            |list: &[String], wanted: &str| list.is_empty() || list.iter().any(|item| item == "*" || item == wanted);
        names(&self.kinds, target.kind) && names(&self.groups, target.group)
    }
}

impl Scope {
    fn holds(self, is_namespace: bool, has_namespace: bool) -> bool {
        match self {
            Scope::Any => true,
            Scope::Cluster => is_namespace || !has_namespace,
            Scope::Namespaced => !is_namespace && has_namespace,
        }
    }
}

impl Source {
    fn holds(self, implied: bool) -> bool {
        match self {
            Source::All => true,
            Source::Original => !implied,
            Source::Generated => implied,
        }
    }
}

fn wildcards(value: &Node, path: &str, findings: &mut Vec<Diagnostic>) -> Vec<Wildcard> {
    let mut wildcards = vec![];
    for item in value.items() {
        match item.text().and_then(Wildcard::new) {
            Some(wildcard) => wildcards.push(wildcard),
            None => findings.push(not_a_name(item, path)),
        }
    }
    wildcards
}

/// The text at this key, empty when there is none.
fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_string().map(AsRef::as_ref).unwrap_or_default()
}
