//! What an operator can set. The doc of each field is the reference. The only place that reads the environment.

mod alone;
mod cluster;
mod tell;

pub use alone::AloneConfig;
pub use cluster::{CertificateFrom, ClusterConfig, PolicyReports, SelectNamespaces};
pub use tell::TellConfig;

use anyhow::Context;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// The agent of one cluster: an admission webhook that enforces what the hub signed for it.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "writ-agent", version, about)]
pub struct Config {
    /// Folder for the identity, the cached bundle, the certificate and reports that wait.
    #[arg(long, env = "WRIT_DATA", default_value = "./writ-agent")]
    pub data: PathBuf,
    /// The hub, e.g. https://writ.example:8420.
    #[arg(long, env = "WRIT_HUB", required_unless_present = "bundle")]
    pub hub: Option<Url>,
    /// PEM file of the authority that signed the hub's certificate; without it the system's authorities are trusted.
    #[arg(long, env = "WRIT_HUB_CA")]
    pub hub_ca: Option<PathBuf>,
    /// File with the one-time enrollment token; not needed once enrolled.
    #[arg(long, env = "WRIT_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
    /// Address of the TLS webhook: `/validate`, `/healthz`, `/readyz`.
    #[arg(long, env = "WRIT_LISTEN", default_value = "0.0.0.0:8443")]
    pub listen: SocketAddr,
    /// Address of plain HTTP: `/metrics`, `/healthz`, `/readyz`.
    #[arg(long, env = "WRIT_METRICS_LISTEN", default_value = "127.0.0.1:9443")]
    pub metrics_listen: SocketAddr,
    /// File that receives the bound addresses as JSON (`webhook`, `metrics`, `ca`) once connections are accepted.
    #[arg(long, env = "WRIT_LISTEN_FILE")]
    pub listen_file: Option<PathBuf>,
    /// Run without Kubernetes: the certificate is kept in the data folder, Namespaces come from `--namespaces`.
    #[arg(long, env = "WRIT_STANDALONE")]
    pub standalone: bool,
    /// Folder of Namespace objects (YAML or JSON) for policies that read them; standalone only.
    #[arg(long, env = "WRIT_NAMESPACES")]
    pub namespaces: Option<PathBuf>,
    /// Evaluation threads.
    #[arg(long, env = "WRIT_WORKERS", default_value_t = 2)]
    pub workers: usize,
    /// Names and addresses of the webhook's own certificate; may be repeated. Default: localhost and 127.0.0.1 when
    /// standalone, else the names of the Service.
    #[arg(long, env = "WRIT_DNS_NAME", value_delimiter = ',')]
    pub dns_name: Vec<String>,
    /// What a review gets that cannot be judged because no policy was received yet or too many wait.
    #[arg(long, env = "WRIT_FAILURE_POLICY", value_enum, ignore_case = true, default_value = "fail")]
    pub failure_policy: FailurePolicy,
    /// How long reports are gathered before they are sent.
    #[arg(long, env = "WRIT_REPORT_EVERY", value_parser = duration, default_value = "1s")]
    pub report_every: Duration,
    /// The most bytes of reports that wait on disk while the hub is away; the oldest are dropped and counted.
    #[arg(long, env = "WRIT_SPOOL_BYTES", default_value_t = 64 << 20)]
    pub spool_bytes: u64,
    /// Namespace that the agent runs in; in a cluster only.
    #[arg(long, env = "WRIT_NAMESPACE", default_value = "writ-system")]
    pub namespace: String,
    /// Secret that holds the webhook's certificate for all replicas; in a cluster only.
    #[arg(long, env = "WRIT_SECRET", default_value = "writ-agent-tls")]
    pub secret: String,
    /// ValidatingWebhookConfiguration whose caBundle the agent keeps right; in a cluster only.
    #[arg(long, env = "WRIT_WEBHOOK_CONFIGURATION", default_value = "writ")]
    pub webhook_configuration: String,
    /// Service that the API server calls; in a cluster only.
    #[arg(long, env = "WRIT_SERVICE", default_value = "writ-agent")]
    pub service: String,
    /// Whether existing objects are audited; in a cluster only.
    #[arg(long, env = "WRIT_AUDIT", default_value_t = true, action = clap::ArgAction::Set)]
    pub audit: bool,
    /// How often every existing object is judged anew, beside judging each when it changes; in a cluster only.
    #[arg(long, env = "WRIT_AUDIT_EVERY", value_parser = duration, default_value = "1h")]
    pub audit_every: Duration,
    /// In a cluster only.
    #[command(flatten)]
    pub cluster: ClusterConfig,
    /// Whose word is wanted beside the hub's, and life without a hub.
    #[command(flatten)]
    pub alone: AloneConfig,
    /// How people are told.
    #[command(flatten)]
    pub tell: TellConfig,
    /// What to log: a level, or filters as `info,writ_agent=debug`.
    #[arg(long, env = "WRIT_LOG", default_value = "info")]
    pub log: String,
    /// How to log.
    #[arg(long, env = "WRIT_LOG_FORMAT", value_enum, default_value = "text")]
    pub log_format: LogFormat,
}

/// What is answered when there is no verdict. Kubernetes' own word, and a different thing from a policy's `on_error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum FailurePolicy {
    /// The request is refused.
    Fail,
    /// The request goes through with a warning.
    Ignore,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines, one object a line.
    Json,
}

impl Config {
    /// Rules between fields.
    pub fn validate(&self) -> anyhow::Result<()> {
        let reachable = self.hub.as_ref().is_none_or(|hub| matches!(hub.scheme(), "http" | "https"));
        anyhow::ensure!(reachable, "--hub wants an http or https URL");
        self.alone.validate()?;
        anyhow::ensure!((1..=64).contains(&self.workers), "--workers wants a number from 1 to 64");
        anyhow::ensure!(self.spool_bytes >= 1 << 20, "--spool-bytes wants at least one mebibyte (1048576)");
        anyhow::ensure!(!self.report_every.is_zero(), "--report-every wants more than nothing");
        let calm = self.audit_every >= Duration::from_secs(60);
        anyhow::ensure!(calm, "--audit-every wants at least a minute; objects that change are judged at once anyway");
        let folder = self.namespaces.is_none() || self.standalone;
        anyhow::ensure!(folder, "--namespaces is for --standalone; in a cluster the agent asks the API server");
        self.tell.validate()?;
        self.cluster.validate()
    }

    /// The names of the webhook's own certificate.
    pub fn certificate_names(&self) -> Vec<String> {
        let Self { service, namespace, .. } = self;
        match (self.dns_name.is_empty(), self.standalone) {
            (false, _) => self.dns_name.clone(),
            (true, true) => vec!["localhost".into(), "127.0.0.1".into(), "::1".into()],
            (true, false) => ["", ".svc", ".svc.cluster.local"]
                .iter()
                .map(|ending| format!("{service}.{namespace}{ending}"))
                .collect(),
        }
    }
}

fn duration(text: &str) -> anyhow::Result<Duration> {
    let parsed: jiff::SignedDuration = text.parse().context("a duration is a number with a unit, e.g. 500ms or 2s")?;
    Duration::try_from(parsed).context("a duration is not negative")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn parse(arguments: &[&str]) -> Result<Config, clap::Error> {
        Config::try_parse_from([&["writ-agent", "--hub", "http://127.0.0.1:8420"], arguments].concat())
    }

    #[test]
    fn failure_policy_is_written_as_kubernetes_writes_it() {
        assert_eq!(parse(&["--failure-policy", "Ignore"]).unwrap().failure_policy, FailurePolicy::Ignore);
        assert_eq!(parse(&[]).unwrap().failure_policy, FailurePolicy::Fail);
        assert!(parse(&["--failure-policy", "Maybe"]).is_err());
    }

    #[test]
    fn certificate_names_follow_the_way_it_runs() {
        assert!(parse(&["--standalone"]).unwrap().certificate_names().contains(&"127.0.0.1".to_owned()));
        assert!(parse(&[]).unwrap().certificate_names().contains(&"writ-agent.writ-system.svc".to_owned()));
        assert_eq!(parse(&["--dns-name", "a,b"]).unwrap().certificate_names(), ["a", "b"]);
    }

    #[test]
    fn nonsense_dies_at_start() {
        assert!(parse(&["--report-every", "soon"]).is_err());
        assert!(parse(&["--workers", "0"]).unwrap().validate().is_err());
        assert!(parse(&["--namespaces", "ns"]).unwrap().validate().is_err());
        for wrong in ["--webhook-timeout=31s", "--webhook-url=http://10.0.0.7", "--inject-ca-from=a/b"] {
            assert!(parse(&[wrong]).unwrap().validate().is_err(), "{wrong}");
        }
    }
}
