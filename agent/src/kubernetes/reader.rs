//! Reading objects from the API server: lists in pages, watches, and which kinds there are. Every request waits for its
//! turn, every answer has a bound.

use super::throttle::Throttle;
use crate::metrics::Metrics;
use crate::objects::{Item, Resource};
use futures::stream::BoxStream;
use futures::{AsyncReadExt, StreamExt};
use http::Request;
use kube::Client;
use kube::api::WatchEvent;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

/// Objects of one answer to a list, unless they are large.
const PAGE: u32 = 500;
/// The largest answer to a list. A page that would be larger is asked for in smaller ones.
const MAX_PAGE_BYTES: u64 = 8 << 20;
/// Watches are ended by the API server after about so long, and taken up again.
const WATCH_SECONDS: u32 = 290;

/// The agent's eyes.
#[derive(Clone)]
pub(super) struct Reader {
    pub(super) client: Client,
    throttle: Arc<Throttle>,
    metrics: Arc<Metrics>,
}

/// Part of a list.
pub(super) struct Page {
    pub(super) items: Vec<Item>,
    /// Where the list goes on.
    pub(super) more: Option<String>,
    /// The state of the cluster that the list shows.
    pub(super) version: String,
}

/// What a list is asked for next.
#[derive(Debug, Clone)]
pub(super) struct Cursor {
    pub(super) namespace: Option<String>,
    more: Option<String>,
    limit: u32,
}

/// Why nothing could be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// 410: what was asked for is too old; a new list is needed.
    #[error("what was known is too old to go on from")]
    Expired,
    /// 404: the API server has no such kind.
    #[error("the API server has no such kind")]
    Absent,
    /// 403: the role does not say so.
    #[error("{0}")]
    Forbidden(String),
    /// Anything else; it may pass.
    #[error("{0}")]
    Away(String),
}

impl ReadError {
    /// Whether asking again changes nothing until somebody does something about it.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, ReadError::Absent | ReadError::Forbidden(_))
    }
}

/// One change.
pub(super) type Change = Result<WatchEvent<Value>, ReadError>;

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    metadata: ListMetadata,
    #[serde(default)]
    items: Option<Vec<Item>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ListMetadata {
    resource_version: String,
    #[serde(rename = "continue")]
    more: String,
}

impl Cursor {
    /// The whole kind, or one namespace of it.
    pub(super) fn new(namespace: Option<String>) -> Self {
        Self { namespace, more: None, limit: PAGE }
    }

    /// Starts over.
    pub(super) fn rewind(&mut self) {
        self.more = None;
    }

    /// Goes on behind the page.
    pub(super) fn follow(&mut self, page: &Page) {
        self.more.clone_from(&page.more);
    }

    fn path(&self, resource: &Resource) -> String {
        let mut path = format!("{}?limit={}", resource.path(self.namespace.as_deref()), self.limit);
        if let Some(more) = &self.more {
            let more: String = url::form_urlencoded::byte_serialize(more.as_bytes()).collect();
            path.push_str("&continue=");
            path.push_str(&more);
        }
        path
    }
}

impl Reader {
    pub(super) fn new(client: Client, metrics: Arc<Metrics>) -> Self {
        Self { client, throttle: Arc::new(Throttle::of_objects()), metrics }
    }

    /// Waits until one more request may be made.
    pub(super) async fn turn(&self) {
        self.throttle.turn().await;
        self.metrics.audit.requests.inc();
    }

    /// The next page, in smaller portions from then on when the objects are large.
    pub(super) async fn page(&self, resource: &Resource, cursor: &mut Cursor) -> Result<Page, ReadError> {
        loop {
            self.turn().await;
            if let Some(text) = self.bounded(&cursor.path(resource)).await? {
                let list: List = serde_json::from_slice(&text).map_err(|error| not_understood(&error))?;
                let ListMetadata { more, resource_version: version } = list.metadata;
                let more = Some(more).filter(|more| !more.is_empty());
                return Ok(Page { items: list.items.unwrap_or_default(), more, version });
            }
            if cursor.limit == 1 {
                return Err(ReadError::Away(format!("one of its objects has more than {MAX_PAGE_BYTES} bytes")));
            }
            cursor.limit = (cursor.limit / 5).max(1);
        }
    }

    /// The answer, or nothing when it is larger than a page may be.
    async fn bounded(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        let answer = self.client.request_stream(request(path)?).await.map_err(ReadError::from)?;
        let mut text = vec![];
        let read = std::pin::pin!(answer).take(MAX_PAGE_BYTES + 1).read_to_end(&mut text).await;
        read.map_err(|error| ReadError::Away(format!("the answer ended early: {error}")))?;
        Ok(Some(text).filter(|text| text.len() as u64 <= MAX_PAGE_BYTES))
    }

    /// Changes since that state, until the API server ends the watch.
    pub(super) async fn watch(
        &self,
        resource: &Resource,
        version: &str,
    ) -> Result<BoxStream<'static, Change>, ReadError> {
        self.turn().await;
        let path = format!(
            "{}?watch=true&allowWatchBookmarks=true&timeoutSeconds={WATCH_SECONDS}&resourceVersion={version}",
            resource.path(None)
        );
        let changes = self.client.request_events::<Value>(request(&path)?).await.map_err(ReadError::from)?;
        Ok(changes.map(|change| expired(change.map_err(ReadError::from))).boxed())
    }
}

/// A watch says 410 as an event.
fn expired(change: Change) -> Change {
    match change {
        Ok(WatchEvent::Error(status)) if status.code == 410 => Err(ReadError::Expired),
        Ok(WatchEvent::Error(status)) => Err(ReadError::Away(status.message)),
        other => other,
    }
}

fn request(path: &str) -> Result<Request<Vec<u8>>, ReadError> {
    Request::get(path).body(vec![]).map_err(|error| ReadError::Away(error.to_string()))
}

fn not_understood(error: &serde_json::Error) -> ReadError {
    ReadError::Away(format!("the answer is not a list of objects: {error}"))
}

impl From<kube::Error> for ReadError {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) if status.code == 410 => ReadError::Expired,
            kube::Error::Api(status) if status.code == 404 => ReadError::Absent,
            kube::Error::Api(status) if matches!(status.code, 401 | 403) => {
                ReadError::Forbidden(status.message.clone())
            }
            error => ReadError::Away(format!("{:#}", anyhow::Error::from(error))),
        }
    }
}
