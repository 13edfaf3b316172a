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
    pub(super) total: i64,
}

impl Matrix {
    /// The grid of these cells; `policies` tell codes and titles.
    pub(super) fn new(cells: Vec<NamespaceCell>, policies: &[PolicyRow]) -> Self {
        let mut totals: HashMap<&str, i64> = HashMap::new();
        for cell in &cells {
            *totals.entry(&cell.policy).or_default() += cell.failing;
        }
        let mut columns: Vec<Column> = totals.iter().map(|(policy, total)| column(policy, *total, policies)).collect();
        columns.sort_by(|a, b| (b.total, &a.code).cmp(&(a.total, &b.code)));
        let left_out = columns.len().saturating_sub(MAX_COLUMNS);
        columns.truncate(MAX_COLUMNS);
        let most = cells.iter().map(|cell| cell.failing).max().unwrap_or(1);
        let counts = cells.into_iter().map(|cell| ((cell.namespace, cell.policy), cell.failing)).collect();
        Self { columns, left_out, counts, most }
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

fn column(policy: &str, total: i64, policies: &[PolicyRow]) -> Column {
    let known = policies.iter().find(|row| row.name == policy);
    let code = known.map(|row| row.code.clone()).filter(|code| !code.is_empty());
    Column {
        policy: policy.to_owned(),
        code: code.unwrap_or_else(|| policy.to_owned()),
        title: known.map(|row| row.title.clone()).unwrap_or_default(),
        total,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(namespace: &str, policy: &str, failing: i64) -> NamespaceCell {
        NamespaceCell { namespace: namespace.into(), policy: policy.into(), failing }
    }

    #[test]
    fn worst_policy_is_first_and_heat_follows_the_count() {
        let matrix = Matrix::new(vec![cell("a", "x", 1), cell("b", "y", 100), cell("a", "y", 4)], &[]);
        assert_eq!(matrix.columns.iter().map(|column| column.code.as_str()).collect::<Vec<_>>(), ["y", "x"]);
        assert_eq!((matrix.count("a", "y"), matrix.count("b", "x")), (4, 0));
        assert_eq!([0, 1, 4, 25, 100].map(|count| matrix.heat(&count)), [0, 1, 1, 3, 5]);
    }

    #[test]
    fn policies_that_do_not_fit_are_counted() {
        let cells = (0..20).map(|index| cell("a", &format!("p{index}"), index + 1)).collect();
        let matrix = Matrix::new(cells, &[]);
        assert_eq!((matrix.columns.len(), matrix.left_out), (MAX_COLUMNS, 6));
    }
}
