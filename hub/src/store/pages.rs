//! What the pages read. One file per page, each with its statements beside the rows they fill; nothing here writes.

mod clusters;
mod fleet;
mod lookup;
#[cfg(test)]
mod model;
mod namespaces;
mod policies;
mod revisions;
pub(super) mod totals;
mod trend;
mod window;

pub use clusters::ClusterRow;
pub use fleet::{ReviewSlot, SLOT_MINUTES};
pub use lookup::Found;
pub use namespaces::{NamespaceCell, NamespaceRow};
pub use policies::{PolicyPage, PolicyRow, Spread};
pub use revisions::{LedgerRow, RevisionLine, RevisionRow};
pub use trend::{MAX_BUCKETS, Minute, Trend};
pub use window::{MINUTE_MS, Window};

/// The statements of the pages with values, for the test of their plans.
#[cfg(test)]
pub(super) fn heavy(store: &super::Store) -> Vec<(String, super::scan::Statement)> {
    use super::scan::{Bound, Statement};
    let window = Window::ending_at(1_795_243_328_000, 30 * super::sums::DAY);
    let with_window = |(name, text, more): (&str, String, Vec<Bound>)| {
        let values = totals::values(window, super::sums::Kind::PolicyInCluster)
            .into_iter()
            .map(Bound::Number)
            .chain(more)
            .collect();
        (name.to_owned(), Statement { text, values })
    };
    let of_window = policies::statements().into_iter().chain(namespaces::statements(store));
    let of_window = of_window.chain(clusters::statements()).chain(fleet::statements());
    let mut all: Vec<(String, Statement)> = of_window.map(with_window).collect();
    all.push(("slots".to_owned(), fleet::slots()));
    all.extend(trend::statements());
    all.extend(lookup::statements());
    all
}
