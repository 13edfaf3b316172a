//! Builders that name only what matters: a repository, a hub that follows it, agents that speak to it.

mod agent;
mod hub;
mod repository;

pub(crate) use agent::{TestAgent, failure, policy_count, review_count, violation};
pub(crate) use hub::{Answer, NOW, TestHub};
pub(crate) use repository::{TestRepository, policy};
