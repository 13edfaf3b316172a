//! What the pages read. One file per page, each with its statements beside the rows they fill; nothing here writes.

mod fleet;
mod lookup;
mod namespaces;
mod policies;
mod revisions;
mod trend;
mod window;

pub use fleet::{ReviewSlot, SLOT_MINUTES};
pub use lookup::Found;
pub use namespaces::{NamespaceCell, NamespaceRow};
pub use policies::{PolicyPage, PolicyRow, Spread};
pub use revisions::{LedgerRow, RevisionLine, RevisionRow};
pub use trend::{Minute, Trend};
pub use window::{MINUTE_MS, Window};
