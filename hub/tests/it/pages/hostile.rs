//! Texts that agents and authors choose are shown as they are and do nothing.

use super::{Page, enforcing};
use crate::support::{TestHub, failure, policy};
use writ_policy::wire::Failure;

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
    assert_eq!(agent.send(&hub, &agent.report(1, vec![hostile])).await.status, 200);
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
    for path in paths {
        let page = Page::of(&hub, path).await;
        assert_eq!(page.all("script").len(), 1, "{path}: only the page's own");
        assert!(page.all("img, [onerror], iframe, object").is_empty(), "{path}");
    }
    let page = Page::of(&hub, "/failures").await;
    assert_eq!(page.text("#list .cut bdi"), HOSTILE, "a text of its own direction cannot turn its neighbours");
    assert!(page.text("#list").contains(HOSTILE));
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
}
