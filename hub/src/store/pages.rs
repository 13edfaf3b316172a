//! What the pages read. One file per page, each with its statements beside the rows they fill; nothing here writes.

mod clusters;
mod fleet;
mod lookup;
mod namespaces;
mod policies;
mod revisions;
mod totals;
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
pub(super) fn heavy() -> Vec<(String, super::scan::Statement)> {
    use super::scan::{Bound, Statement};
    let window = Window::ending_at(1_795_243_328_000, 30 * super::sums::DAY);
    let with_window = |name: &str, text: &str, more: Vec<Bound>| {
        let values = totals::values(window).into_iter().map(Bound::Number).chain(more).collect();
        (name.to_owned(), Statement { text: totals::statement(text), values })
    };
    let numbers = |numbers: &[i64]| numbers.iter().copied().map(Bound::Number).collect::<Vec<_>>();
    let mut all = Vec::new();
    for (name, text, more) in
        policies::statements().into_iter().chain(namespaces::statements()).chain(clusters::statements())
    {
        all.push(with_window(name, &text, more));
    }
    all.push(with_window("fleet", fleet::TOTALS, numbers(&[0, 0, 0])));
    let slots = fleet::SLOTS.replace("{CLUSTERS}", "('a')");
    all.push(("slots".to_owned(), Statement { text: slots, values: numbers(&[1, 121, 5, 1, 1]) }));
    all.push((
        "trend".to_owned(),
        Statement { text: trend::TREND.to_owned(), values: numbers(&[1, 700, 3, 60, 0, 5]) },
    ));
    all.extend(lookup::statements());
    all
}
