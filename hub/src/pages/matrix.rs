//! The matrix of namespaces and policies: who fails what, how often. Pure: rows and cells in, a grid out.

use crate::store::{NamespaceCell, PolicyRow};
use std::collections::HashMap;

/// The most policies side by side; the rest is in the sums of the rows.
pub(super) const MAX_COLUMNS: usize = 14;

/// The grid: a column per policy that fails anywhere, the worst first.
pub(super) struct Matrix {
    pub(super) columns: Vec<Column>,
    /// Policies that did not fit.
    pub(super) left_out: usize,
    counts: HashMap<(String, String), i64>,
    most: i64,
}

/// One policy.
pub(super) struct Column {
    pub(super) policy: String,
    /// Its code, or its name when no code is known.
    pub(super) code: String,
    pub(super) title: String,
}

impl Matrix {
    /// The columns, from policies with the worst first; without cells yet.
    pub(super) fn new(policies: &[PolicyRow]) -> Self {
        let failing: Vec<&PolicyRow> = policies.iter().filter(|policy| policy.failing > 0).collect();
        let columns = failing.iter().take(MAX_COLUMNS).map(|policy| Column {
            policy: policy.name.clone(),
            code: if policy.code.is_empty() { policy.name.clone() } else { policy.code.clone() },
            title: policy.title.clone(),
        });
        let left_out = failing.len().saturating_sub(MAX_COLUMNS);
        Self { columns: columns.collect(), left_out, counts: HashMap::new(), most: 1 }
    }

    /// The policies of the columns.
    pub(super) fn policies(&self) -> Vec<&str> {
        self.columns.iter().map(|column| column.policy.as_str()).collect()
    }

    /// Puts the cells in.
    pub(super) fn fill(&mut self, cells: Vec<NamespaceCell>) {
        self.most = cells.iter().map(|cell| cell.failing).max().unwrap_or(1);
        self.counts = cells.into_iter().map(|cell| ((cell.namespace, cell.policy), cell.failing)).collect();
    }

    /// How often the policy failed in the namespace.
    pub(super) fn count(&self, namespace: &str, policy: &str) -> i64 {
        self.counts.get(&(namespace.to_owned(), policy.to_owned())).copied().unwrap_or(0)
    }

    /// How strong the cell is coloured, 0 to 5, by square root so that small numbers differ.
    pub(super) fn heat(&self, count: &i64) -> u8 {
        if *count <= 0 {
            return 0;
        }
        let part = (*count as f64 / self.most.max(1) as f64).sqrt();
        ((part * 5.0).ceil() as u8).clamp(1, 5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(namespace: &str, policy: &str, failing: i64) -> NamespaceCell {
        NamespaceCell { namespace: namespace.into(), policy: policy.into(), failing }
    }

    fn policy(name: &str, failing: i64) -> PolicyRow {
        PolicyRow { name: name.into(), failing, ..PolicyRow::default() }
    }

    #[test]
    fn worst_policy_is_first_and_heat_follows_the_count() {
        let mut matrix = Matrix::new(&[policy("y", 104), policy("x", 1), policy("z", 0)]);
        matrix.fill(vec![cell("a", "x", 1), cell("b", "y", 100), cell("a", "y", 4)]);
        assert_eq!(matrix.columns.iter().map(|column| column.code.as_str()).collect::<Vec<_>>(), ["y", "x"]);
        assert_eq!((matrix.count("a", "y"), matrix.count("b", "x")), (4, 0));
        assert_eq!([0, 1, 4, 25, 100].map(|count| matrix.heat(&count)), [0, 1, 1, 3, 5]);
    }

    #[test]
    fn policies_that_do_not_fit_are_counted() {
        let policies: Vec<PolicyRow> = (0..20).map(|index| policy(&format!("p{index}"), 20 - index)).collect();
        let matrix = Matrix::new(&policies);
        assert_eq!((matrix.columns.len(), matrix.left_out), (MAX_COLUMNS, 6));
    }
}
