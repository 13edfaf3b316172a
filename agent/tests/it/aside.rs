//! A bundle whose compilation ended the agent: at the next start what was enforced before is again, and after a second
//! time the bundle is refused.

use crate::bundles::{label_policy, pod_review};
use crate::fake_hub::FakeHub;
use crate::test_agent::TestAgent;
use std::fs;
use std::path::Path;

/// What tells a pair that is enforced from one that is being compiled.
struct Marks([(&'static str, Vec<u8>); 2]);

impl Marks {
    fn of(data: &Path) -> Self {
        Self(["current.json", "floor.json"].map(|name| (name, fs::read(data.join("cache").join(name)).unwrap())))
    }

    /// Makes the files be as they are when an agent ends while it compiles what it enforces now.
    fn put_back(&self, data: &Path) {
        let cache = data.join("cache");
        fs::rename(cache.join("current.json"), cache.join("next.json")).unwrap();
        self.0.iter().for_each(|(name, content)| fs::write(cache.join(name), content).unwrap());
    }
}

#[tokio::test]
async fn bundle_that_ended_the_agent_is_put_aside_tried_once_more_and_then_refused() {
    let hub = FakeHub::start().await;
    let good = hub.sign(5, &[label_policy("WT1", "bad")]);
    hub.assign(good.clone());
    let agent = TestAgent::start(&hub).await;
    hub.until_active(&good).await;
    let mut data = agent.stop().await;
    let marks = Marks::of(data.path());
    let files = [label_policy("WT2", "worse")];
    for epoch in 6..8 {
        let next = hub.sign(epoch, &files);
        hub.assign(next.clone());
        let agent = TestAgent::start_in(data, &hub, &[]).await;
        hub.until_active(&next).await;
        data = agent.stop().await;
        marks.put_back(data.path());
        hub.go_away();
        let agent = TestAgent::start_in(data, &hub, &[]).await;
        assert!(!agent.allows(&pod_review("bad")).await, "what was enforced before is enforced");
        assert!(agent.allows(&pod_review("worse")).await);
        data = agent.stop().await;
        hub.come_back();
    }
    let next = hub.sign(8, &files);
    hub.assign(next.clone());
    let agent = TestAgent::start_in(data, &hub, &[]).await;
    let said = hub.until_refused(&next).await;
    assert!(said.contains("the agent ended while it compiled") && said.contains("aside.json"), "{said}");
    assert!(!agent.allows(&pod_review("bad")).await);
}
