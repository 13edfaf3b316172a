//! Expressions in CEL, as Kubernetes' admission policies and Gatekeeper's templates have them: the one place that knows
//! the crate `cel`. Read and checked when loaded, so that whatever is not evaluated here is refused by name; evaluated
//! within a time and a size. Where expressions stand, and what their answers mean, is the dialect's affair.

mod budget;
mod environment;
mod equality;
mod evaluate;
mod fault;
mod functions;
mod library;
mod policy;
mod rewrite;
mod tree;
mod value;

pub(crate) use policy::{Asked, Policy, Said, Source, Validation};
pub(crate) use rewrite::{Expression, Finding, Scope};
pub(crate) use value::Shared;

#[cfg(test)]
mod tests;
