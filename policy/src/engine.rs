//! The engine that evaluates Rego, and the way of a source to it. Only this module tree names `regorus`.

pub mod builtins;
pub mod load;
