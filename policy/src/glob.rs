//! Globs of names: `*` stands for any text, anywhere and any number of times.

/// Whether the text is what the pattern means.
pub fn glob_matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    // The first place of each part is the best one: it leaves most for the parts behind it.
    for part in parts {
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    left.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text, expected) in [
            ("kube-*", "kube-system", true),
            ("*-system", "kube-system", true),
            ("*be-s*", "kube-system", true),
            ("*", "x", true),
            ("*", "", true),
            ("kube", "kube-system", false),
            ("team-*-test", "team-shop-test", true),
            ("team-*-test", "team-test", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "acb", false),
            ("ab*ba", "aba", false),
            ("", "x", false),
        ] {
            assert_eq!(glob_matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
