//! Which addresses are called. A team's Secret says a path at Slack, never a host of its own choice. Pure.

use anyhow::ensure;
use url::Url;

/// Slack's own server.
const SLACK: &str = "hooks.slack.com";

/// What stands in for Slack's server, where something does.
#[derive(Debug, Clone, Default)]
pub struct Addresses(pub Option<Url>);

impl Addresses {
    /// The address that a webhook URL means. The reason why not never holds the URL, which is a secret.
    pub fn of(&self, written: &str) -> anyhow::Result<Url> {
        let Ok(mut url) = Url::parse(written.trim()) else { anyhow::bail!("its webhook URL is no URL") };
        ensure!(url.scheme() == "https", "its webhook URL is not https");
        ensure!(url.username().is_empty() && url.password().is_none(), "its webhook URL holds a user");
        ensure!(url.fragment().is_none(), "its webhook URL has a fragment");
        let Some(base) = &self.0 else {
            ensure!(url.host_str() == Some(SLACK) && url.port().is_none(), "its webhook URL is not one of {SLACK}");
            return Ok(url);
        };
        // Only the path of what is written counts; where it leads to is the platform's word.
        let mut address = base.clone();
        address.set_path(&format!("{}{}", base.path().trim_end_matches('/'), url.path()));
        address.set_query(url.query());
        std::mem::swap(&mut url, &mut address);
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_chooses_a_path_at_slack_and_no_host() {
        let slack = Addresses(None);
        assert!(slack.of(" https://hooks.slack.com/services/T/B/x\n").is_ok());
        for wrong in [
            "http://hooks.slack.com/services/T/B/x",
            "https://hooks.slack.com.evil.example/x",
            "https://evil.example/x",
            "https://hooks.slack.com:8443/x",
            "https://hooks.slack.com@evil.example/x",
            "https://user:pass@hooks.slack.com/x",
            "https://169.254.169.254/latest",
            "file:///etc/passwd",
            "gibberish",
            "",
        ] {
            let reason = slack.of(wrong).unwrap_err().to_string();
            assert!(wrong.is_empty() || !reason.contains(wrong), "{reason}");
        }
    }

    #[test]
    fn override_is_where_every_card_goes() {
        let forwarder = Addresses(Some(Url::parse("http://127.0.0.1:9/slack/").unwrap()));
        for written in ["https://hooks.slack.com/services/T/B/x", "https://evil.example/services/T/B/x"] {
            assert_eq!(forwarder.of(written).unwrap().as_str(), "http://127.0.0.1:9/slack/services/T/B/x");
        }
        assert!(forwarder.of("http://hooks.slack.com/x").is_err());
    }
}
