//! What is absent is the architecture: rules of the house that a machine can check, on the text of the repository.
//! Function length, panics and spawns are clippy's; licences and sources of crates are cargo-deny's.

mod docs;
mod files;
mod house;
mod text;
