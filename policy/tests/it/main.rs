//! Behaviour of the policy crate from outside: files in, findings and decisions out.

mod cases;
mod files;
mod template;
