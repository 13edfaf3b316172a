//! Follows one kind: lists it in pages, watches it from there on, and lists it again when somebody asks, while the watch
//! goes on. What is known stays known while the API server is away.

use super::consumers::Consumers;
use super::reader::{Change, Cursor, Page, ReadError, Reader};
use crate::audit::Seen;
use crate::backoff::Backoff;
use crate::objects::{Item, Object, ObjectName, Resource};
use futures::future::{BoxFuture, FutureExt, pending};
use futures::stream::{BoxStream, StreamExt};
use kube::api::WatchEvent;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::debug;

/// Objects of a list that are handled before the watch is looked at again.
const HANDFUL: usize = 32;
/// How often a list starts over because it took so long that the API server forgot where it was.
const MOST_REWINDS: u8 = 3;
/// The API server may be away for so long before anybody is told.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a kind that may not be read, or is not there, rests: twice as long at most. Dozens of kinds that ask again
/// sooner keep the others waiting, because all of them ask at one pace.
const REFUSED_FOR: Duration = Duration::from_secs(15);
/// A watch that lives shorter than this is taken up again with a pause.
const SHORT: Duration = Duration::from_secs(5);

/// Somebody wants the kind to be listed again.
#[derive(Default)]
pub(super) struct Relist {
    /// Only this namespace of it.
    pub(super) namespace: Option<String>,
    /// Whether violations are told though nothing changed.
    pub(super) retell: bool,
    /// Told how many objects there were, or why it is not known.
    pub(super) reply: Option<oneshot::Sender<Result<u64, String>>>,
}

/// The follower of one kind.
pub(super) struct Follower {
    reader: Reader,
    resource: Resource,
    consumers: Arc<Consumers>,
    commands: mpsc::Receiver<Relist>,
    /// Whether it is to be known by itself, not only when somebody asks.
    eager: bool,
    /// Grows with each list.
    generation: u32,
    /// The state that is known; nothing before the first list.
    version: Option<String>,
    listing: Option<Listing>,
    heard: Option<(Instant, i64)>,
}

/// A list on its way.
struct Listing {
    wish: Relist,
    cursor: Cursor,
    page: Option<BoxFuture<'static, (Cursor, Result<Page, ReadError>)>>,
    items: std::vec::IntoIter<Item>,
    /// The state that the list shows.
    version: String,
    is_last: bool,
    /// What changed meanwhile and is newer than the list.
    touched: HashSet<ObjectName>,
    objects: u64,
    rewinds: u8,
}

impl Follower {
    pub(super) fn new(
        reader: Reader,
        resource: Resource,
        consumers: Arc<Consumers>,
        commands: mpsc::Receiver<Relist>,
        eager: bool,
    ) -> Self {
        let (generation, version, listing, heard) = (0, None, None, None);
        Self { reader, resource, consumers, commands, eager, generation, version, listing, heard }
    }

    /// Runs until it is stopped.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(30));
        loop {
            let started = Instant::now();
            let ended = tokio::select! {
                ended = self.follow() => ended,
                () = stop.cancelled() => return,
            };
            let mut pause = None;
            if let Err(problem) = ended {
                pause = problem.is_refusal().then(|| REFUSED_FOR.mul_f64(1.0 + fastrand::f64()));
                self.fail(problem);
            } else if started.elapsed() >= SHORT {
                backoff.reset();
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep(pause.unwrap_or_else(|| backoff.next_pause())) => {}
                wish = self.commands.recv() => match wish {
                    Some(wish) => self.begin(wish),
                    None => return,
                },
                () = stop.cancelled() => return,
            }
        }
    }

    /// Lists and watches until the watch ends, as it does every few minutes, or fails.
    pub(super) async fn follow(&mut self) -> Result<(), ReadError> {
        let mut changes: Option<BoxStream<'static, Change>> = None;
        loop {
            if self.eager && self.version.is_none() && self.listing.is_none() {
                self.begin(Relist::default());
            }
            if let Some(version) = self.version.clone().filter(|_| changes.is_none()) {
                match self.reader.watch(&self.resource, &version).await {
                    Ok(opened) => changes = Some(opened),
                    Err(ReadError::Expired) => {
                        self.version = None;
                        continue;
                    }
                    Err(problem) => return Err(problem),
                }
                self.heard();
            }
            if self.handle_some().await {
                while let Some(change) = changes.as_mut().and_then(|changes| changes.next().now_or_never()) {
                    if !self.handle_change(change).await? {
                        return Ok(());
                    }
                }
                continue;
            }
            let is_listing = self.listing.is_some();
            tokio::select! {
                change = next(&mut changes) => if !self.handle_change(change).await? {
                    return Ok(());
                },
                (cursor, page) = page(&self.reader, &self.resource, &mut self.listing) => self.handle_page(cursor, page)?,
                wish = self.commands.recv(), if !is_listing => match wish {
                    Some(wish) => self.begin(wish),
                    None => pending().await,
                },
            }
        }
    }

    fn begin(&mut self, wish: Relist) {
        self.eager = true;
        self.generation += 1;
        let cursor = Cursor::new(wish.namespace.clone());
        let (items, version, touched) = (vec![].into_iter(), String::new(), HashSet::new());
        let (is_last, objects, rewinds) = (false, 0, 0);
        let listing = Listing { wish, cursor, page: None, items, version, is_last, touched, objects, rewinds };
        if let Some(Listing { wish: Relist { reply: Some(reply), .. }, .. }) = self.listing.replace(listing) {
            let _ = reply.send(Err("another list of it began".into()));
        }
    }

    /// One change; false when the watch ended.
    async fn handle_change(&mut self, change: Option<Change>) -> Result<bool, ReadError> {
        let (value, is_gone) = match change {
            Some(Ok(WatchEvent::Added(value) | WatchEvent::Modified(value))) => (value, false),
            Some(Ok(WatchEvent::Deleted(value))) => (value, true),
            Some(Ok(WatchEvent::Bookmark(bookmark))) => {
                self.version = Some(bookmark.metadata.resource_version);
                return Ok(true);
            }
            Some(Ok(WatchEvent::Error(status))) => return Err(ReadError::Away(status.message)),
            Some(Err(ReadError::Expired)) => {
                debug!("the watch of {} starts over", self.resource.group_kind());
                self.version = None;
                return Ok(false);
            }
            Some(Err(problem)) => return Err(problem),
            None => return Ok(false),
        };
        self.heard();
        let item = Item::from(value);
        self.version = Some(item.version().to_owned());
        let Some(object) = item.into_object(&self.resource) else { return Ok(true) };
        if let Some(listing) = &mut self.listing {
            listing.touched.insert(object.name.clone());
        }
        if is_gone {
            self.consumers.gone(&self.resource, &object.name);
        } else {
            self.consume(vec![object], false).await;
        }
        Ok(true)
    }

    fn handle_page(&mut self, cursor: Cursor, page: Result<Page, ReadError>) -> Result<(), ReadError> {
        let Some(listing) = &mut self.listing else { return Ok(()) };
        (listing.page, listing.cursor) = (None, cursor);
        match page {
            Ok(page) => {
                listing.cursor.follow(&page);
                listing.is_last = page.more.is_none();
                listing.version = page.version;
                listing.items = page.items.into_iter();
                Ok(())
            }
            Err(ReadError::Expired) if listing.rewinds < MOST_REWINDS => {
                listing.rewinds += 1;
                listing.cursor.rewind();
                Ok(())
            }
            Err(problem) => Err(problem),
        }
    }

    /// The next objects of the list, or its end. False when there is nothing to do but to wait.
    async fn handle_some(&mut self) -> bool {
        let Some(listing) = &mut self.listing else { return false };
        let items: Vec<Item> = listing.items.by_ref().take(HANDFUL).collect();
        if items.is_empty() {
            if listing.is_last {
                self.finish();
                return true;
            }
            return false;
        }
        let objects = items.into_iter().filter_map(|item| item.into_object(&self.resource));
        let objects: Vec<Object> = objects.filter(|object| !listing.touched.contains(&object.name)).collect();
        listing.objects += objects.len() as u64;
        let retell = listing.wish.retell;
        self.consume(objects, retell).await;
        true
    }

    async fn consume(&mut self, objects: Vec<Object>, retell: bool) {
        self.consumers.apply(&self.resource, &objects, Seen { generation: self.generation, retell }).await;
    }

    /// The list is whole.
    fn finish(&mut self) {
        let Some(listing) = self.listing.take() else { return };
        let namespace = listing.wish.namespace.as_deref();
        self.consumers.listed(&self.resource, namespace, self.generation);
        if namespace.is_none() && self.version.is_none() {
            self.version = Some(listing.version);
        }
        self.heard();
        if let Some(reply) = listing.wish.reply {
            let _ = reply.send(Ok(listing.objects + listing.touched.len() as u64));
        }
    }

    fn heard(&mut self) {
        let was_silent = self.heard.is_none_or(|(since, _)| since.elapsed() > PATIENCE);
        self.heard = Some((Instant::now(), crate::clock::now()));
        if was_silent || self.consumers.has_problem(&self.resource) {
            self.consumers.set_problem(&self.resource, None);
        }
    }

    fn fail(&mut self, problem: ReadError) {
        let text = match (&problem, self.heard) {
            (ReadError::Absent, _) => {
                self.version = None;
                self.consumers.absent(&self.resource);
                Some(problem.to_string())
            }
            (ReadError::Away(_) | ReadError::Expired, Some((since, _))) if since.elapsed() < PATIENCE => None,
            (_, Some((_, at))) => Some(format!("{problem}; what is known is of {}", crate::clock::text(at))),
            _ => Some(problem.to_string()),
        };
        if let Some(Listing { wish: Relist { reply: Some(reply), .. }, .. }) = self.listing.take() {
            let _ = reply.send(Err(problem.to_string()));
        }
        if let Some(text) = text {
            self.consumers.set_problem(&self.resource, Some(text));
        }
    }
}

async fn next(changes: &mut Option<BoxStream<'static, Change>>) -> Option<Change> {
    match changes {
        Some(changes) => changes.next().await,
        None => pending().await,
    }
}

/// The next page of the list that is on its way. Dropped while it waits, it goes on where it was.
async fn page(
    reader: &Reader,
    resource: &Resource,
    listing: &mut Option<Listing>,
) -> (Cursor, Result<Page, ReadError>) {
    let Some(listing) = listing else { return pending().await };
    let (reader, resource, mut cursor) = (reader.clone(), resource.clone(), listing.cursor.clone());
    let ask = move || {
        async move {
            let page = reader.page(&resource, &mut cursor).await;
            (cursor, page)
        }
        .boxed()
    };
    listing.page.get_or_insert_with(ask).await
}

#[cfg(test)]
mod tests;
