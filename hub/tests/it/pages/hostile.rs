//! Texts that agents and authors choose are shown as they are and do nothing.

use super::{Page, enforcing, evaluations, reviews};
use crate::support::{NOW, TestHub, failure, policy, violation};
use writ_policy::wire::{Failure, Report, Violation};

const HOSTILE: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>\u{202e}txt";

async fn hub() -> TestHub {
    let mut hub = TestHub::empty(&[]).await;
    let title = "Odd <script>alert(1)</script> & \\\"quoted\\\"";
    hub.repository.write("test1.rego", policy("TEST1", "no").replace("Test TEST1", &format!("\"{title}\"")));
    hub.commit(&format!("Subject {HOSTILE}\n\nBody {HOSTILE}")).await;
    let agent = enforcing(&hub, "prod").await;
    let hostile = Failure {
        message: HOSTILE.into(),
        kind: HOSTILE.into(),
        workload: HOSTILE.into(),
        operation: HOSTILE.into(),
        user: HOSTILE.repeat(20),
        ..failure(HOSTILE)
    };
    let mut odd =
        Violation { message: HOSTILE.into(), name: HOSTILE.into(), because: HOSTILE.into(), ..violation("x", NOW) };
    odd.exemption = Some(HOSTILE.into());
    odd.uid = format!("{HOSTILE}\0");
    (odd.key.kind, odd.key.workload) = (HOSTILE.into(), format!("{HOSTILE}'; DROP TABLE violations; --"));
    let long = Violation { message: "é".repeat(1 << 20), ..violation("long", NOW) };
    let counts = vec![reviews(1, "shop", [100, 50, 10]), reviews(70, "shop", [100, 1, 0])];
    let (violations, review_counts) = (vec![odd, long], counts);
    let policy_counts = vec![evaluations(1, "shop", [50, 50, 10]), evaluations(70, "shop", [99, 1, 0])];
    let report = Report { violations, review_counts, policy_counts, ..agent.report(1, vec![hostile]) };
    assert_eq!(agent.send(&hub, &report).await.status, 200);
    let (desired, _) = agent.desired(&hub).await;
    agent.ask(&hub, None, agent.refusing(&desired, HOSTILE)).await;
    hub
}

#[tokio::test]
async fn hostile_text_is_shown_and_does_nothing() {
    let hub = hub().await;
    let served = hub.served().await.as_str().unwrap().to_owned();
    let revision = format!("/revisions/{served}");
    let paths =
        ["/", "/policies", "/policies/test1", "/namespaces", "/namespaces/shop", "/failures", "/revisions", &revision];
    let violations = Page::of(&hub, "/violations").await;
    let own: Vec<String> =
        violations.all("#list .code").iter().map(|link| link.attr("href").unwrap().to_owned()).collect();
    let more = ["/violations", "/violations?state=fixed", "/changes", "/clusters", "/clusters/prod"];
    let own = own.iter().map(String::as_str);
    for path in paths.into_iter().chain(more).chain(own) {
        let page = Page::of(&hub, path).await;
        assert_eq!(page.all("script").len(), 1, "{path}: only the page's own");
        assert!(page.all("img, [onerror], iframe, object").is_empty(), "{path}");
    }
    let page = Page::of(&hub, "/failures").await;
    assert_eq!(page.text("#list .cut bdi"), HOSTILE, "a text of its own direction cannot turn its neighbours");
    assert!(page.text("#list").contains(HOSTILE));
    let page = Page::of(&hub, "/violations").await;
    assert_eq!(page.all("#list tbody tr").len(), 2, "no table was dropped");
    assert!(page.texts("#list .cut bdi").contains(&HOSTILE.to_owned()));
    assert!(page.texts("#list .cut bdi").iter().all(|message| message.len() <= 1_024), "long messages are cut");
    let page = Page::of(&hub, &revision).await;
    assert_eq!(page.text("h1 bdi"), format!("Subject {HOSTILE}"));
}

#[tokio::test]
async fn hostile_filters_come_back_as_text() {
    let hub = hub().await;
    let query: String = url::form_urlencoded::byte_serialize(HOSTILE.as_bytes()).collect();
    let page =
        Page::of(&hub, &format!("/failures?namespace={query}&code={query}&policy={query}&cluster={query}")).await;
    assert_eq!(page.attribute("input[name=namespace]", "value"), HOSTILE);
    assert_eq!(page.all("script").len(), 1);
    assert!(page.all("img").is_empty());
    let asked = ["kind", "revision", "severity", "action", "state", "since", "before", "namespace", "code", "exempted"];
    let asked: Vec<String> = asked.iter().map(|name| format!("{name}={query}")).collect();
    for path in [format!("/violations?{}", asked.join("&")), format!("/changes?since={query}&policy={query}")] {
        let page = Page::of(&hub, &path).await;
        assert_eq!((page.all("script").len(), page.all("img, [onerror]").len()), (1, 0), "{path}");
    }
    assert_eq!(hub.get(&format!("/clusters/{query}")).await.status, 404);
    assert_eq!(hub.get(&format!("/violations/{query}")).await.status, 404);
}
