//! The card that a Slack channel gets: MagTape's, field by field, so that its users find what they know. Pure.

use super::Notice;
use serde_json::{Value, json};

/// What a card says beside the notice.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub cluster: &'a str,
    pub deny_level: &'a str,
    /// Whether the namespace's own channel is told too.
    pub customer: bool,
}

/// The card; `times` says how often in the last minutes, when it is not the first of its kind.
pub(super) fn card(notice: &Notice, place: &Place<'_>, times: u32) -> Value {
    let Notice { namespace, name, user, denied, message, .. } = notice;
    let Place { cluster, deny_level, customer } = place;
    let kind = notice.short_kind().to_lowercase();
    let (color, header) = match denied {
        true => ("danger", "Writ refused a request"),
        false => ("warning", "Writ let a request through that fails policies"),
    };
    let text = match times {
        0 | 1 => escape(message),
        times => format!("{} (seen {times} times in the last ten minutes)", escape(message)),
    };
    let field = |title: &str, value: &str, short: bool| json!({"title": title, "value": escape(value), "short": short});
    let alert = if *customer { "True" } else { "False" };
    json!({"attachments": [{
        "fallback": escape(&format!("{header}: {kind} \"{name}\" in namespace \"{namespace}\" on cluster \"{cluster}\"")),
        "color": color,
        "pretext": header,
        "text": text,
        "fields": [
            field("Cluster", cluster, true),
            field("Namespace", namespace, true),
            field("MagTape Deny Level", deny_level, true),
            field("Workload", &format!("{kind}/{name}"), false),
            field("User", user, false),
            field("Customer Alert", alert, true),
        ],
    }]})
}

/// Slack reads three characters as its own; with them a name could mention a whole channel.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tell::tests::notice;

    const PLACE: Place<'_> = Place { cluster: "prod-eu", deny_level: "LOW", customer: true };

    #[test]
    fn card_has_the_fields_that_users_of_magtape_know() {
        let card = card(&notice("web"), &PLACE, 1);
        let fields = card["attachments"][0]["fields"].as_array().unwrap();
        let said: Vec<String> = fields.iter().map(|field| format!("{}: {}", field["title"], field["value"])).collect();
        insta::assert_snapshot!(said.join("\n").replace('"', ""), @r"
        Cluster: prod-eu
        Namespace: shop
        MagTape Deny Level: LOW
        Workload: deployment/web
        User: ada
        Customer Alert: True
        ");
        assert_eq!(card["attachments"][0]["color"], "danger");
    }

    #[test]
    fn failure_that_goes_through_has_another_colour_and_header() {
        let passive = card(&Notice { denied: false, ..notice("web") }, &PLACE, 3);
        let (denial, passive) = (&card(&notice("web"), &PLACE, 1)["attachments"][0], &passive["attachments"][0]);
        assert_eq!(passive["color"], "warning");
        assert_ne!(passive["pretext"], denial["pretext"]);
        assert!(passive["text"].as_str().unwrap().ends_with("(seen 3 times in the last ten minutes)"));
    }

    #[test]
    fn nobody_mentions_a_channel_by_a_name() {
        let text = card(&Notice { user: "<!channel>".into(), ..notice("<!here>") }, &PLACE, 1).to_string();
        assert!(!text.contains("<!"), "{text}");
    }
}
