//! Why a failure of a policy does what it does in one cluster and namespace: every word that was said, from the fleet to
//! the exemption, and which one won. The very functions that decide are asked; the places of the words are found in the
//! repository.

use crate::action::{Because, NamespaceWord, Objection, Ruling, Words, rule};
use crate::engine::Value;
use crate::lifeline::is_lifeline;
use crate::yaml::{self, Node};
use crate::{Action, BreakGlass, Fleet, Labels, PolicyInfo, SourceFile};
use serde::{Deserialize, Serialize};

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The policy.
    pub policy: &'a PolicyInfo,
    /// The repository's fleet, and the file that holds it, where there is one.
    pub fleet: &'a Fleet,
    /// See `fleet`.
    pub fleet_file: Option<&'a SourceFile>,
    /// The cluster's labels.
    pub labels: &'a Labels,
    /// The namespace's name; empty for cluster-scoped objects.
    pub namespace: &'a str,
    /// The Namespace object as JSON, where it is known.
    pub namespace_object: Option<&'a str>,
    /// Unix milliseconds.
    pub now: i64,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The policy's code.
    pub policy: String,
    /// Whether the policy judges there at all.
    pub judges: bool,
    /// What a failure does; `None` when it does not judge.
    pub action: Option<Action>,
    /// Every word, from the general to the specific.
    pub words: Vec<Word>,
}

/// One word, and whether it decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Word {
    /// Where it is written: `fleet.yaml:7`, or whose it is.
    pub place: String,
    /// What it says.
    pub says: String,
    /// Whether it decided the action, or that the policy does not judge.
    pub wins: bool,
}

/// Every word about the policy there, and what comes of them. Exemptions that hold for some objects only are told and do
/// not win: `Explanation::action` is that of an object without one.
pub fn explain(question: &Question<'_>) -> Explanation {
    let Question { policy, fleet, labels, namespace, .. } = *question;
    let settings = fleet.settings_for(labels);
    let namespace_word = question.namespace_object.and_then(|text| Value::from_json_str(text).ok());
    let team = namespace_word.map(|object| NamespaceWord::of(&object)).unwrap_or_default();
    let namespace_level = team.level;
    let glass = team.glass.opened(namespace, &settings.break_glass, question.now);
    let words = Words {
        deny_level: settings.deny_level,
        namespace_level,
        may_tighten: settings.namespaces.may_tighten,
        action: settings.actions.get(policy.code.as_str()).copied(),
        exempted: false,
        break_glass: glass.is_some(),
        lifeline: is_lifeline("", namespace, &settings.own_namespaces),
    };
    let is_excluded = settings.namespaces.excludes(namespace);
    let is_elsewhere = !policy.judges_in("", namespace);
    let unserved = fleet.class_of(labels).filter(|class| !class.has(&policy.path));
    let judges = settings.enables(policy) && !is_excluded && !is_elsewhere && unserved.is_none();
    let ruling = judges.then(|| rule(objection(policy), &words));
    let told =
        Told { question, ruling: ruling.as_ref(), file: question.fleet_file.map(Places::read).unwrap_or_default() };
    let mut said = told.enabling(settings.enables(policy));
    said.extend(told.exclusion(is_excluded));
    said.extend(unserved.map(|class| {
        let place = told.file.of(&["classes"], &class.name);
        word(place, format!("clusters of class {} are not served {}", class.name, policy.path), true)
    }));
    if is_elsewhere {
        said.push(word(policy.path.clone(), format!("judges only in {}", policy.namespaces.join(", ")), true));
    }
    said.extend(told.levels());
    said.extend(told.namespace(namespace_level));
    said.push(told.policy());
    said.extend(told.exemptions());
    said.extend(told.kept_open(glass.as_ref()));
    Explanation { policy: policy.code.to_string(), judges, action: ruling.map(|ruling| ruling.action), words: said }
}

fn objection(policy: &PolicyInfo) -> Objection {
    match policy.severity {
        Some(severity) => Objection::Failure(severity),
        // A constraint's `on_error` follows its `enforcementAction`.
        None => Objection::Constraint(policy.on_error.action()),
    }
}

struct Told<'a> {
    question: &'a Question<'a>,
    ruling: Option<&'a Ruling>,
    file: Places,
}

impl Told<'_> {
    fn won(&self, is_it: impl Fn(&Because) -> bool) -> bool {
        self.ruling.is_some_and(|ruling| is_it(&ruling.because))
    }

    /// Whether it judges: its author's word, and those of the fleet.
    fn enabling(&self, judges: bool) -> Vec<Word> {
        let Question { policy, fleet, labels, .. } = *self.question;
        let settings = fleet.settings_for(labels);
        let switch = settings.switch_of(policy);
        let own = if policy.enabled { "judges" } else { "is off until it is enabled" };
        let mut words = vec![word(policy.path.clone(), own.into(), !judges && switch.is_none())];
        words.extend(switch.map(|switch| {
            let verb = if switch.on { "enable" } else { "disable" };
            word(self.file.of(&[verb], &switch.name), format!("{verb} {}", switch.name), !switch.on)
        }));
        words
    }

    fn exclusion(&self, is_excluded: bool) -> Option<Word> {
        let says = format!("the namespace {} is excluded", self.question.namespace);
        is_excluded.then(|| word(self.file.of(&["namespaces", "exclude"], ""), says, true))
    }

    /// The deny level that holds in the cluster, and the platform's own action.
    fn levels(&self) -> Vec<Word> {
        let Question { policy, fleet, labels, .. } = *self.question;
        let settings = fleet.settings_for(labels);
        let level = format!("denyLevel {}", settings.deny_level);
        let wins = self.won(|because| matches!(because, Because::DenyLevel(_)));
        let mut words = vec![word(self.file.of(&["denyLevel"], &settings.deny_level.to_string()), level, wins)];
        if let Some(action) = settings.actions.get(policy.code.as_str()) {
            let place = self.file.of(&["actions"], policy.code.as_str());
            words.push(word(
                place,
                format!("actions {}: {action}", policy.code),
                self.won(|it| *it == Because::Action),
            ));
        }
        words
    }

    fn namespace(&self, level: Option<crate::DenyLevel>) -> Option<Word> {
        let level = level?;
        let wins = self.won(|because| matches!(because, Because::NamespaceLevel(_)));
        let heard = if self.question.fleet.namespaces.may_tighten { "" } else { " (not heard: mayTighten is not set)" };
        let place = format!("namespace {}", self.question.namespace);
        Some(word(place, format!("{} {level}{heard}", crate::action::DENY_LEVEL), wins))
    }

    fn policy(&self) -> Word {
        let policy = self.question.policy;
        let (says, wins) = match policy.severity {
            Some(severity) => (format!("severity {}", severity.as_str()), false),
            None => {
                (format!("enforcementAction {}", policy.on_error.action()), self.won(|it| *it == Because::Constraint))
            }
        };
        word(policy.path.clone(), says, wins)
    }

    /// What turns a refusal into a warning.
    fn kept_open(&self, glass: Option<&BreakGlass>) -> Option<Word> {
        let namespace = self.question.namespace;
        if self.won(|because| *because == Because::Lifeline) {
            return Some(word(format!("namespace {namespace}"), "must stay usable: it refuses nothing".into(), true));
        }
        let wins = self.won(|because| *because == Because::BreakGlass);
        glass.map(|glass| word(format!("namespace {namespace}"), glass.told(), wins))
    }

    fn exemptions(&self) -> Vec<Word> {
        let Question { policy, fleet, labels, now, .. } = *self.question;
        let about = fleet.exemptions.iter().filter(|exemption| exemption.is_about(policy) && exemption.is_for(labels));
        let told = about.map(|exemption| {
            let state = if exemption.is_expired(now) { "expired" } else { "makes it dryrun for what it covers" };
            let place = format!("{}:{}", exemption.path, exemption.line);
            word(place, format!("exemption {}: {state}", exemption.name), false)
        });
        told.collect()
    }
}

fn word(place: String, says: String, wins: bool) -> Word {
    Word { place, says, wins }
}

/// The lines of the fleet's file on which keys with their values stand.
#[derive(Default)]
struct Places {
    path: String,
    document: Option<Node>,
}

impl Places {
    fn read(file: &SourceFile) -> Self {
        let document = yaml::documents(file).ok().and_then(|documents| documents.into_iter().next());
        Self { path: file.path.clone(), document }
    }

    /// `fleet.yaml:7`: the first place, rules before the top level, at which this path says (or has among it) the word.
    fn of_word(&self, path: &[&str], wanted: &str) -> Option<u32> {
        let document = self.document.as_ref()?;
        let rules = document.get("clusters").map(Node::items).unwrap_or_default();
        rules.iter().chain([document]).find_map(|node| line_of(node.at(path)?, wanted))
    }

    fn of(&self, path: &[&str], wanted: &str) -> String {
        match self.of_word(path, wanted) {
            Some(line) => format!("{}:{line}", self.path),
            None if self.path.is_empty() => "the fleet".to_owned(),
            None => format!("{} (by default)", self.path),
        }
    }
}

fn line_of(node: &Node, wanted: &str) -> Option<u32> {
    if wanted.is_empty() || node.text() == Some(wanted) {
        return Some(node.place.0);
    }
    let item = node.items().iter().find(|item| item.text() == Some(wanted)).map(|item| item.place.0);
    item.or_else(|| node.fields().iter().find(|field| field.key == wanted).map(|field| field.place.0))
}
