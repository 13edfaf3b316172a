//! Moving everything from SQLite to PostgreSQL. Which tables and columns there are is read from the database, so that a
//! new one is moved without a word here. What is kept in partitions by day is copied while the hub goes on; then the
//! source is closed for good, by triggers that refuse every write, and the rest is copied in one transaction.
//! Each piece is compared by its count and a sum over its numbers, so whatever was interrupted is done again.

mod copy;
mod source;
mod tables;
mod target;

pub use source::Source;
pub use tables::{Table, Tally};
pub use target::Target;

pub(super) use source::moved_to;
pub(super) use target::is_unfinished;
