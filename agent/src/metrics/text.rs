//! OpenMetrics as the Prometheus text format 0.0.4: counters are declared by the name that their samples have.

/// The content type of OpenMetrics.
pub(super) const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The content type of the text format.
pub(super) const PLAIN: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The same metrics in the older format.
pub(super) fn plain(open: &str) -> String {
    let mut plain = String::with_capacity(open.len() + 512);
    let mut help = None;
    for line in open.lines() {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some("HELP"), Some(name), Some(text)) => help = Some((name, text)),
            (Some("#"), Some("TYPE"), Some(name), Some(kind)) => {
                let ending = if kind == "counter" { "_total" } else { "" };
                if let Some((_, text)) = help.take().filter(|(named, _)| *named == name) {
                    plain.push_str(&format!("# HELP {name}{ending} {text}\n"));
                }
                plain.push_str(&format!("# TYPE {name}{ending} {kind}\n"));
            }
            (Some("#"), ..) => {}
            _ => {
                plain.push_str(line);
                plain.push('\n');
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_declared_as_they_are_sampled() {
        let open = "# HELP a_b Words.\n# TYPE a_b counter\na_b_total 1\n# HELP g Now.\n# TYPE g gauge\n# UNIT g s\ng 2\n# EOF\n";
        let plain_text =
            "# HELP a_b_total Words.\n# TYPE a_b_total counter\na_b_total 1\n# HELP g Now.\n# TYPE g gauge\ng 2\n";
        assert_eq!(plain(open), plain_text);
    }
}
