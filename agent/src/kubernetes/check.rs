//! What `writ-agent check` asks the API server: whether it answers, what may be done there, and how the agent's own
//! objects stand.

use super::Cluster;
use super::webhook_configuration::SUSPENDED;
use crate::certificate::Material;
use crate::check::Finding;
use crate::clock;
use anyhow::{Context, bail, ensure};
use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::PostParams;

/// Verb, group, resource, name; `@` stands for the agent's namespace, names are those of the settings.
type Right<'a> = (&'a str, &'a str, &'a str, &'a str, bool);

impl Cluster {
    /// Everything that can be asked, one after the other.
    pub(crate) async fn check(&self, pre: bool) -> Vec<Finding> {
        let mut findings = vec![Finding::of("API server", self.version().await)];
        if findings[0].outcome.is_err() {
            return findings;
        }
        let rights = if pre { self.rights_to_install() } else { self.rights_to_run() };
        for right in rights {
            let (verb, group, resource, name, _) = right;
            let what = format!(
                "may {verb} {resource}{} {name}",
                if group.is_empty() { String::new() } else { format!(".{group}") }
            );
            findings.push(Finding::of(what.trim_end(), self.may(right).await));
        }
        if !pre {
            findings.push(Finding::of("certificate", self.check_certificate().await.map(|(text, _)| text)));
            findings.push(Finding::of("webhook configuration", self.check_webhook().await));
        }
        findings
    }

    async fn version(&self) -> anyhow::Result<String> {
        let version = self.client.apiserver_version().await.context("it does not answer")?;
        let minor: String = version.minor.chars().take_while(char::is_ascii_digit).collect();
        let old = version.major == "1" && minor.parse().is_ok_and(|minor: u32| minor < 30);
        ensure!(
            !old,
            "{} is older than 1.30, which the agent needs for matchConditions and discovery",
            version.git_version
        );
        Ok(version.git_version)
    }

    fn rights_to_run(&self) -> Vec<Right<'_>> {
        let webhooks = ("admissionregistration.k8s.io", "validatingwebhookconfigurations");
        let shared: Option<Right<'_>> =
            self.shares().then_some(("update", "", "secrets", self.policies_secret.as_str(), true));
        let always: [Right<'_>; 10] = [
            ("get", "", "secrets", &self.secret, true),
            ("update", "", "secrets", &self.secret, true),
            ("get", "", "secrets", &self.identity_secret, true),
            ("create", "", "secrets", "", true),
            ("update", "coordination.k8s.io", "leases", &self.lease, true),
            ("watch", webhooks.0, webhooks.1, &self.webhook_configuration, false),
            ("update", webhooks.0, webhooks.1, &self.webhook_configuration, false),
            ("create", webhooks.0, webhooks.1, "", false),
            ("list", "", "namespaces", "", false),
            ("watch", "", "namespaces", "", false),
        ];
        always.into_iter().chain(shared).collect()
    }

    fn rights_to_install(&self) -> Vec<Right<'_>> {
        vec![
            ("create", "", "namespaces", "", false),
            ("create", "rbac.authorization.k8s.io", "clusterroles", "", false),
            ("create", "rbac.authorization.k8s.io", "clusterrolebindings", "", false),
            ("create", "rbac.authorization.k8s.io", "roles", "", true),
            ("create", "apps", "deployments", "", true),
            ("create", "", "secrets", "", true),
            ("create", "policy", "poddisruptionbudgets", "", true),
            ("create", "networking.k8s.io", "networkpolicies", "", true),
            (
                "delete",
                "admissionregistration.k8s.io",
                "validatingwebhookconfigurations",
                &self.webhook_configuration,
                false,
            ),
        ]
    }

    async fn may(&self, (verb, group, resource, name, namespaced): Right<'_>) -> anyhow::Result<String> {
        let attributes = ResourceAttributes {
            verb: Some(verb.into()),
            group: Some(group.into()),
            resource: Some(resource.into()),
            name: Some(name.to_owned()).filter(|name| !name.is_empty()),
            namespace: namespaced.then(|| self.namespace.clone()),
            ..ResourceAttributes::default()
        };
        let spec = SelfSubjectAccessReviewSpec { resource_attributes: Some(attributes), ..Default::default() };
        let review = SelfSubjectAccessReview { spec, ..Default::default() };
        let asked = Api::all(self.client.clone()).create(&PostParams::default(), &review).await;
        let allowed = asked.context("asking for the permission")?.status.is_some_and(|status| status.allowed);
        ensure!(allowed, "not allowed; apply the manifests of this version again");
        Ok("yes".into())
    }

    async fn check_certificate(&self) -> anyhow::Result<(String, String)> {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), &self.namespace);
        let found = secrets.get_opt(&self.secret).await.context("reading the Secret")?;
        let data =
            found.and_then(|found| found.data).with_context(|| format!("there is no Secret `{}`", self.secret))?;
        let text =
            |name: &str| data.get(name).map(|bytes| String::from_utf8_lossy(&bytes.0).into_owned()).unwrap_or_default();
        let (authority, former) = Material::split(&text("ca.crt"));
        let material = Material {
            authority,
            former,
            authority_key: String::new(),
            certificate: text("tls.crt"),
            key: text("tls.key"),
        };
        let names = self.names.join(", ");
        let serves = self.names.iter().any(|name| material.serves(std::slice::from_ref(name), clock::now()));
        ensure!(serves, "the certificate has ended, is not of its key, or is for none of {names}");
        let end = material.expires_at()?;
        let days = (end - clock::now() / 1000) / 86_400;
        Ok((format!("good for {days} days, for {names}"), material.authority))
    }

    async fn check_webhook(&self) -> anyhow::Result<String> {
        let name = &self.webhook_configuration;
        let all: Api<ValidatingWebhookConfiguration> = Api::all(self.client.clone());
        let found = all.get_opt(name).await.context("reading it")?;
        let found =
            found.with_context(|| format!("there is no `{name}`: the agents make it once they have policies"))?;
        if let Some(reason) = found.metadata.annotations.as_ref().and_then(|all| all.get(SUSPENDED)) {
            bail!("it is suspended ({reason}): nothing is judged until the annotation {SUSPENDED} is removed");
        }
        let webhooks = found.webhooks.unwrap_or_default();
        ensure!(!webhooks.is_empty(), "`{name}` is empty: no request is judged");
        let wanted = &self.settings.client;
        for webhook in &webhooks {
            let client = &webhook.client_config;
            let same = |service: &k8s_openapi::api::admissionregistration::v1::ServiceReference| {
                (service.name.clone(), service.namespace.clone())
            };
            let here = client.service.as_ref().map(same) == wanted.service.as_ref().map(same)
                && client.url.is_some() == wanted.url.is_some();
            ensure!(here, "`{}` calls another than this agent", webhook.name);
            let bundle = client
                .ca_bundle
                .as_ref()
                .map(|bundle| String::from_utf8_lossy(&bundle.0).into_owned())
                .unwrap_or_default();
            if let Ok((_, authority)) = self.check_certificate().await {
                ensure!(
                    bundle.contains(authority.trim()),
                    "`{}` does not trust the authority of the certificate",
                    webhook.name
                );
            }
        }
        let rules: usize = webhooks.iter().map(|webhook| webhook.rules.as_ref().map_or(0, Vec::len)).sum();
        let policies: Vec<&str> = webhooks.iter().filter_map(|webhook| webhook.failure_policy.as_deref()).collect();
        Ok(format!("{rules} rules, failure policy {}", policies.join(" and ")))
    }
}
