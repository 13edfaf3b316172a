//! What a source names below `data`, by its tokens: strings and comments name nothing. Rego has no other way to reach a
//! module, because `data` cannot be built from text.

use super::token::{Kind, tokens};
use crate::engine::module::path;
use std::collections::BTreeSet;

/// Every path below `data` that the text names, up to the first part that is not constant; an empty path stands for
/// all of `data`. Text that is no Rego names nothing.
pub(super) fn below_data(text: &str) -> BTreeSet<Vec<String>> {
    let tokens = tokens(text).unwrap_or_default();
    let is_field = |at: usize| at > 0 && tokens[at - 1].is(text, ".");
    let names = tokens
        .iter()
        .enumerate()
        .filter(|(at, token)| token.kind == Kind::Word && token.text(text) == "data" && !is_field(*at));
    names.map(|(_, token)| path(&text[token.range.end..])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_below_data_are_found() {
        let text = "import data.lib.pods\nx := data.kubernetes[\"namespaces\"][ns]\ny := metadata.data.z\n";
        let found: Vec<String> = below_data(text).iter().map(|path| path.join("/")).collect();
        assert_eq!(found, ["kubernetes/namespaces", "lib/pods"]);
        assert_eq!(below_data("x := data[name]"), BTreeSet::from([vec![]]));
    }

    #[test]
    fn strings_and_comments_name_nothing() {
        let text =
            "x := \"no data here\" # data.a\n# data.b\ny := `data.c`\nz := {\"data\": database, \"a\": o.data}\n";
        assert_eq!(below_data(text), BTreeSet::new());
    }
}
