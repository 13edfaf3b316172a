//! Gatekeeper's globs: `*` at the front, at the end, or at both.

/// A name or a glob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wildcard(String);

impl Wildcard {
    /// `None` for what Gatekeeper's schema refuses: a `*` in the middle, or letters that names do not have.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let inner = text.strip_prefix('*').unwrap_or(text);
        let inner = inner.strip_suffix('*').unwrap_or(inner);
        let is_name = inner.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-:.".contains(&b));
        is_name.then(|| Self(text.to_owned()))
    }

    /// Whether this name is meant.
    pub(crate) fn matches(&self, name: &str) -> bool {
        match (self.0.strip_prefix('*'), self.0.strip_suffix('*')) {
            (Some(end), Some(_)) => name.contains(end.strip_suffix('*').unwrap_or(end)),
            (Some(end), None) => name.ends_with(end),
            (None, Some(start)) => name.starts_with(start),
            (None, None) => self.0 == name,
        }
    }

    /// Whether every name that is generated from this prefix is meant.
    pub(crate) fn matches_generated(&self, prefix: &str) -> bool {
        self.0.ends_with('*') && self.matches(prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_are_at_the_ends() {
        for (pattern, name, expected) in [
            ("kube-*", "kube-system", true),
            ("*-system", "kube-system", true),
            ("*be-s*", "kube-system", true),
            ("*", "", true),
            ("kube", "kube-system", false),
            ("kube-system", "kube-system", true),
        ] {
            assert_eq!(Wildcard::new(pattern).unwrap().matches(name), expected, "{pattern} {name}");
        }
        assert_eq!(Wildcard::new("a*b"), None);
        let generated = |pattern: &str| Wildcard::new(pattern).unwrap().matches_generated("web-");
        assert!(generated("web*") && generated("*eb*") && !generated("*-x") && !generated("web-"));
    }
}
