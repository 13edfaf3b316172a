//! The webhooks that the configuration should hold, from what policies judge and what the operator set. Pure.

use super::catalog::Catalog;
use crate::config::{Config, FailurePolicy, SelectNamespaces};
use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::{
    MatchCondition, ServiceReference, ValidatingWebhook, WebhookClientConfig,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use std::collections::BTreeSet;

/// The name of the webhook; requests that go through without a verdict have one of their own.
pub(super) const NAME: &str = "validate.writ.dev";
const IGNORING: &str = "ignore.validate.writ.dev";
/// Where the agent answers those.
pub(crate) const IGNORING_PATH: &str = "/validate/ignore";

/// Never judged, whatever is set: what must run so that the cluster, and the agent in it, can be repaired.
const LIFELINES: [&str; 3] = ["kube-system", "kube-public", "kube-node-lease"];
/// Left out of a policy for every kind, unless a policy names the kind: what nodes and control planes live by.
const LIFELINE_RESOURCES: [(&str, &str, &str); 14] = [
    ("", "nodes", "Node"),
    ("", "events", "Event"),
    ("", "endpoints", "Endpoints"),
    ("", "bindings", "Binding"),
    ("apiregistration.k8s.io", "apiservices", "APIService"),
    ("authentication.k8s.io", "tokenreviews", "TokenReview"),
    ("authorization.k8s.io", "subjectaccessreviews", "SubjectAccessReview"),
    ("authorization.k8s.io", "localsubjectaccessreviews", "LocalSubjectAccessReview"),
    ("authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview"),
    ("certificates.k8s.io", "certificatesigningrequests", "CertificateSigningRequest"),
    ("coordination.k8s.io", "leases", "Lease"),
    ("discovery.k8s.io", "endpointslices", "EndpointSlice"),
    ("events.k8s.io", "events", "Event"),
    ("storage.k8s.io", "volumeattachments", "VolumeAttachment"),
];

/// What the operator set, as the configuration needs it.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) client: WebhookClientConfig,
    pub(crate) account: String,
    pub(crate) failure_policy: FailurePolicy,
    pub(crate) ignore_kinds: BTreeSet<String>,
    pub(crate) select: SelectNamespaces,
    pub(crate) excluded: Vec<String>,
    pub(crate) timeout_seconds: i32,
    pub(crate) deletions: bool,
}

/// What should be there.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) webhooks: Vec<ValidatingWebhook>,
    pub(super) unknown: BTreeSet<String>,
}

impl Settings {
    pub(crate) fn of(config: &Config) -> Self {
        let cluster = &config.cluster;
        let service = ServiceReference {
            name: config.service.clone(),
            namespace: config.namespace.clone(),
            path: Some("/validate".into()),
            port: Some(443),
        };
        let client = match &cluster.webhook_url {
            Some(url) => WebhookClientConfig { url: Some(url.to_string()), ..WebhookClientConfig::default() },
            None => WebhookClientConfig { service: Some(service), ..WebhookClientConfig::default() },
        };
        let mut excluded: BTreeSet<String> = LIFELINES.map(str::to_owned).into();
        excluded.insert(config.namespace.clone());
        excluded.extend(cluster.exclude_namespace.iter().cloned());
        Self {
            client,
            account: format!("system:serviceaccount:{}:{}", config.namespace, config.service),
            failure_policy: config.failure_policy,
            ignore_kinds: cluster.ignore_kind.iter().cloned().collect(),
            select: cluster.select_namespaces,
            excluded: excluded.into_iter().collect(),
            timeout_seconds: i32::try_from(cluster.webhook_timeout.as_secs()).unwrap_or(5),
            deletions: cluster.judge_deletions,
        }
    }

    /// The webhooks for these kinds of policies, trusting this authority.
    pub(super) fn wanted(&self, catalog: &Catalog, kinds: &BTreeSet<String>, authority: Option<&[u8]>) -> Wanted {
        let ignores = self.failure_policy == FailurePolicy::Fail;
        let is_ignored = |kind: &&String| ignores && self.ignore_kinds.contains(*kind);
        let (ignored, others): (BTreeSet<String>, BTreeSet<String>) = (
            kinds.iter().filter(is_ignored).cloned().collect(),
            kinds.iter().filter(|kind| !is_ignored(kind)).cloned().collect(),
        );
        let mut wanted = Wanted::default();
        let all = kinds.contains("*").then(|| lifelines(kinds));
        for (name, kinds, policy) in [(NAME, others, self.failure_policy), (IGNORING, ignored, FailurePolicy::Ignore)] {
            let rules = catalog.rules(&kinds, self.deletions);
            wanted.unknown.extend(rules.unknown);
            if rules.rules.is_empty() {
                continue;
            }
            let mut conditions = self.conditions();
            if name == NAME {
                conditions.extend(all.clone());
                conditions.extend(self.ignore_kinds.iter().filter(|_| ignores).enumerate().map(not_ignored));
            }
            let webhook = self.webhook(name, policy, conditions, authority);
            wanted.webhooks.push(ValidatingWebhook { rules: Some(rules.rules), ..webhook });
        }
        wanted
    }

    fn webhook(
        &self,
        name: &str,
        policy: FailurePolicy,
        conditions: Vec<MatchCondition>,
        authority: Option<&[u8]>,
    ) -> ValidatingWebhook {
        let mut client_config = self.client.clone();
        client_config.ca_bundle = authority.map(|authority| ByteString(authority.to_vec()));
        if name == IGNORING {
            client_config.url = client_config.url.map(|url| format!("{}/ignore", url.trim_end_matches('/')));
            client_config.service =
                client_config.service.map(|service| ServiceReference { path: Some(IGNORING_PATH.into()), ..service });
        }
        ValidatingWebhook {
            name: name.to_owned(),
            admission_review_versions: vec!["v1".into()],
            client_config,
            failure_policy: Some(if policy == FailurePolicy::Fail { "Fail" } else { "Ignore" }.into()),
            match_conditions: Some(conditions),
            match_policy: Some("Equivalent".into()),
            namespace_selector: Some(self.namespace_selector()),
            object_selector: Some(LabelSelector::default()),
            rules: None,
            side_effects: "None".into(),
            timeout_seconds: Some(self.timeout_seconds),
        }
    }

    fn namespace_selector(&self) -> LabelSelector {
        let requirement = |key: &str, operator: &str, values: &[String]| LabelSelectorRequirement {
            key: key.into(),
            operator: operator.into(),
            values: Some(values.to_vec()),
        };
        let word = |word: &str| vec![word.to_owned()];
        let selected = match self.select {
            SelectNamespaces::OptOut => requirement("writ.dev/admission", "NotIn", &word("disabled")),
            SelectNamespaces::OptIn => requirement("writ.dev/admission", "In", &word("enabled")),
            SelectNamespaces::Magtape => requirement("k8s.t-mobile.com/magtape", "In", &word("enabled")),
        };
        let excluded = requirement("kubernetes.io/metadata.name", "NotIn", &self.excluded);
        LabelSelector { match_expressions: Some(vec![excluded, selected]), match_labels: None }
    }

    /// Neither a node nor the agent itself ever waits for the agent.
    fn conditions(&self) -> Vec<MatchCondition> {
        let nodes = r#"!has(request.userInfo.groups) || !("system:nodes" in request.userInfo.groups)"#;
        let agent = format!("request.userInfo.username != \"{}\"", self.account);
        vec![condition("not-a-node", nodes), condition("not-the-agent", &agent)]
    }
}

fn condition(name: &str, expression: &str) -> MatchCondition {
    MatchCondition { name: name.into(), expression: expression.into() }
}

/// Whether requests for the kind never wait for a policy that judges every kind.
pub(crate) fn is_lifeline(group: &str, kind: &str) -> bool {
    LIFELINE_RESOURCES.iter().any(|(of, _, name)| (*of, *name) == (group, kind))
}

/// The lifelines that no policy names.
fn lifelines(kinds: &BTreeSet<String>) -> MatchCondition {
    let kind = |group: &str, kind: &str| if group.is_empty() { kind.to_owned() } else { format!("{group}/{kind}") };
    let named = |group: &str, name: &str| kinds.contains(&kind(group, name)) || kinds.contains(&format!("*/{name}"));
    let left_out = LIFELINE_RESOURCES.iter().filter(|(group, _, kind)| !named(group, kind));
    let list: Vec<String> = left_out.map(|(group, resource, _)| format!("\"{group}/{resource}\"")).collect();
    let expression =
        format!("!((request.resource.group + \"/\" + request.resource.resource) in [{}])", list.join(", "));
    condition("not-a-lifeline", &expression)
}

/// The requests of an ignored kind are the other webhook's.
fn not_ignored((index, kind): (usize, &String)) -> MatchCondition {
    let (group, name) = kind.rsplit_once('/').unwrap_or(("", kind));
    let group = if group == "*" { String::new() } else { format!("request.kind.group == \"{group}\" && ") };
    condition(&format!("not-ignored-{index}"), &format!("!({group}request.kind.kind == \"{name}\")"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::catalog::tests::catalog;
    use super::*;
    use clap::Parser;

    pub(in super::super) fn settings(arguments: &[&str]) -> Settings {
        let all = [&["writ-agent", "--hub", "https://hub.example"], arguments].concat();
        Settings::of(&Config::try_parse_from(all).unwrap())
    }

    fn wanted(arguments: &[&str], kinds: &[&str]) -> Vec<ValidatingWebhook> {
        let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        settings(arguments).wanted(&catalog(), &kinds, Some(b"authority")).webhooks
    }

    #[test]
    fn lifelines_and_the_agents_own_namespace_are_excluded_whatever_is_set() {
        for select in ["opt-out", "opt-in", "magtape"] {
            let webhooks =
                wanted(&["--select-namespaces", select, "--namespace", "ours", "--exclude-namespace=ops"], &["*"]);
            let selector = webhooks[0].namespace_selector.clone().unwrap().match_expressions.unwrap();
            let excluded = selector[0].values.clone().unwrap();
            assert_eq!(selector[0].operator, "NotIn");
            assert_eq!(excluded, ["kube-node-lease", "kube-public", "kube-system", "ops", "ours"]);
            assert_eq!(selector.len(), 2);
        }
    }

    #[test]
    fn policies_for_every_kind_leave_lifelines_alone_unless_one_is_named() {
        let text = |kinds: &[&str]| {
            let conditions = wanted(&[], kinds)[0].match_conditions.clone().unwrap();
            conditions.into_iter().map(|condition| condition.expression).collect::<Vec<_>>().join("\n")
        };
        assert!(text(&["*"]).contains("coordination.k8s.io/leases"));
        assert!(!text(&["*", "coordination.k8s.io/Lease"]).contains("coordination.k8s.io/leases"));
        assert!(!text(&["Pod"]).contains("leases"));
    }

    #[test]
    fn kinds_that_may_go_through_have_a_webhook_of_their_own() {
        let webhooks = wanted(&["--ignore-kind=Namespace"], &["Pod", "Namespace"]);
        let told: Vec<_> = webhooks
            .iter()
            .map(|webhook| {
                let path = webhook.client_config.service.as_ref().unwrap().path.clone().unwrap();
                (
                    webhook.failure_policy.clone().unwrap(),
                    path,
                    webhook.rules.as_ref().unwrap()[0].resources.clone().unwrap(),
                )
            })
            .collect();
        assert_eq!(
            told[0],
            ("Fail".into(), "/validate".into(), vec!["pods".into(), "pods/ephemeralcontainers".into()])
        );
        assert_eq!(told[1], ("Ignore".into(), "/validate/ignore".into(), vec!["namespaces".into()]));
    }

    #[test]
    fn address_takes_the_place_of_the_service() {
        let webhooks = wanted(&["--webhook-url=https://10.0.0.7:8443/validate", "--ignore-kind=Pod"], &["Pod"]);
        assert_eq!(webhooks[0].client_config.url.as_deref(), Some("https://10.0.0.7:8443/validate/ignore"));
        assert!(webhooks[0].client_config.service.is_none());
    }
}
