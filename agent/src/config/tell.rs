//! What can be set about telling people.

use anyhow::ensure;
use std::path::PathBuf;
use url::Url;

/// Events and Slack.
#[derive(Debug, Clone, clap::Args)]
pub struct TellConfig {
    /// Whether a failing review makes a Kubernetes Event in the object's namespace; in a cluster only.
    #[arg(long, env = "WRIT_EVENTS", default_value_t = true, action = clap::ArgAction::Set)]
    pub events: bool,
    /// File with the Slack webhook URL of the administrators' channel, which hears of every failing review.
    #[arg(long, env = "WRIT_SLACK_WEBHOOK_FILE")]
    pub slack_webhook_file: Option<PathBuf>,
    /// Whether namespaces with the label `writ.dev/slack: enabled` have a channel of their own: the URL is in their
    /// Secret `magtape-slack`, key `webhook-url`, which the agent must be allowed to get; in a cluster only.
    #[arg(long, env = "WRIT_SLACK_NAMESPACES")]
    pub slack_namespaces: bool,
    /// Server that stands in for https://hooks.slack.com in every webhook URL, e.g. https://forwarder.example.
    #[arg(long, env = "WRIT_SLACK_BASE")]
    pub slack_base: Option<Url>,
    /// Whether Slack also hears of failing reviews that were not refused.
    #[arg(long, env = "WRIT_SLACK_PASSIVE", default_value_t = true, action = clap::ArgAction::Set)]
    pub slack_passive: bool,
}

impl TellConfig {
    /// Rules between fields.
    pub(super) fn validate(&self) -> anyhow::Result<()> {
        let is_web = |base: &Url| matches!(base.scheme(), "https" | "http") && base.host().is_some();
        ensure!(self.slack_base.as_ref().is_none_or(is_web), "--slack-base wants an http or https URL");
        Ok(())
    }

    /// Whether anything is to be sent to Slack.
    pub fn slack(&self) -> bool {
        self.slack_webhook_file.is_some() || self.slack_namespaces
    }
}
