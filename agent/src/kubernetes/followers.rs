//! Who follows which kinds: one follower for each kind that policies read or that audit looks at, begun and ended as
//! they ask.

use super::consumers::Consumers;
use super::follow::{Follower, Relist};
use super::reader::Reader;
use crate::objects::Resource;
use anyhow::Context;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Wishes that may wait at one follower.
const WISHES: usize = 16;

/// What the loop is told.
enum Command {
    Keep(BTreeSet<Resource>),
    Audit(BTreeSet<Resource>),
    Relist(Resource, Relist),
}

/// The way to the loop.
#[derive(Clone)]
pub(super) struct Followers {
    commands: mpsc::Sender<Command>,
    pub(super) consumers: Arc<Consumers>,
}

/// The loop's parts.
pub(super) struct Loop {
    reader: Reader,
    consumers: Arc<Consumers>,
    commands: mpsc::Receiver<Command>,
    kept: BTreeSet<Resource>,
    audited: BTreeSet<Resource>,
    running: BTreeMap<Resource, (mpsc::Sender<Relist>, CancellationToken)>,
    tasks: JoinSet<()>,
}

impl Followers {
    /// The handle and the loop.
    pub(super) fn new(reader: Reader, consumers: Arc<Consumers>) -> (Self, Loop) {
        let (sender, commands) = mpsc::channel(WISHES);
        let (kept, audited, running, tasks) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new(), JoinSet::new());
        let followers = Self { commands: sender, consumers: consumers.clone() };
        (followers, Loop { reader, consumers, commands, kept, audited, running, tasks })
    }

    /// Policies see these kinds from now on.
    pub(super) async fn keep(&self, resources: BTreeSet<Resource>) {
        let _ends_with_the_process = self.commands.send(Command::Keep(resources)).await;
    }

    /// Audit looks at these kinds from now on.
    pub(super) async fn audit(&self, resources: BTreeSet<Resource>) {
        let _ends_with_the_process = self.commands.send(Command::Audit(resources)).await;
    }

    /// Lists a kind again, or one namespace of it; how many objects there were, or why it is not known.
    pub(super) async fn relist(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        retell: bool,
    ) -> Result<u64, String> {
        let (reply, listed) = oneshot::channel();
        let wish = Relist { namespace: namespace.map(str::to_owned), retell, reply: Some(reply) };
        let _ends_with_the_process = self.commands.send(Command::Relist(resource.clone(), wish)).await;
        listed.await.unwrap_or_else(|_| Err("nobody follows it any more".into()))
    }
}

impl Loop {
    /// Runs until shutdown.
    pub(super) async fn run(mut self, shutdown: CancellationToken) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(Command::Keep(resources)) => self.keep(resources, &shutdown),
                    Some(Command::Audit(resources)) => self.audit(resources, &shutdown),
                    Some(Command::Relist(resource, wish)) => self.relist(&resource, wish),
                    None => return Ok(()),
                },
                Some(ended) = self.tasks.join_next() => ended.context("a follower ended")?,
                () = shutdown.cancelled() => return Ok(()),
            }
        }
    }

    fn keep(&mut self, resources: BTreeSet<Resource>, shutdown: &CancellationToken) {
        let new: Vec<Resource> = resources.difference(&self.kept).cloned().collect();
        self.kept.clone_from(&resources);
        self.consumers.keep(resources);
        // Those that audit follows already are listed again, for whoever comes later has missed the list.
        let late: Vec<Resource> = new.into_iter().filter(|resource| self.running.contains_key(resource)).collect();
        self.adjust(shutdown);
        late.iter().for_each(|resource| self.relist(resource, Relist::default()));
    }

    fn audit(&mut self, resources: BTreeSet<Resource>, shutdown: &CancellationToken) {
        self.audited.clone_from(&resources);
        self.consumers.audit(resources);
        self.adjust(shutdown);
    }

    fn adjust(&mut self, shutdown: &CancellationToken) {
        let wanted: BTreeSet<Resource> = self.kept.union(&self.audited).cloned().collect();
        self.running.retain(|resource, (_, stop)| {
            let stays = wanted.contains(resource);
            if !stays {
                stop.cancel();
                self.consumers.set_problem(resource, None);
            }
            stays
        });
        for resource in wanted {
            if self.running.contains_key(&resource) {
                continue;
            }
            let (wishes, commands) = mpsc::channel(WISHES);
            let stop = shutdown.child_token();
            let (reader, consumers) = (self.reader.clone(), self.consumers.clone());
            let eager = self.kept.contains(&resource);
            self.tasks.spawn(Follower::new(reader, resource.clone(), consumers, commands, eager).run(stop.clone()));
            self.running.insert(resource, (wishes, stop));
        }
    }

    /// A wish that cannot be handed over is answered by being dropped.
    fn relist(&self, resource: &Resource, wish: Relist) {
        if let Some((wishes, _)) = self.running.get(resource) {
            let _full = wishes.try_send(wish);
        }
    }
}
