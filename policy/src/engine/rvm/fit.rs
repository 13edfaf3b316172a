//! Which sources the machine reads as the interpreter does, and what they are rewritten to so that it does.

mod agree;
mod look;
mod packages;

use super::super::load::LoadedSource;
use super::super::load::token::{Token, tokens};
use look::Look;
use packages::Packages;

pub(super) use agree::AGREE;

/// A change of a text.
enum Change {
    /// Inserts before what begins here.
    Before(u32, String),
    /// Inserts after what ends here.
    After(u32, String),
    /// Replaces a name.
    Name(u32, u32, String),
}

impl Change {
    /// The range of the text that goes. The engine's places of a text in quotes are within them.
    fn range(&self, tokens: &[Token]) -> (usize, usize, bool) {
        let around = |at: u32| {
            let at = at as usize;
            let token = tokens.partition_point(|token| token.range.end <= at);
            tokens
                .get(token)
                .map(|token| &token.range)
                .filter(|range| range.start < at)
                .map_or((at, at), |range| (range.start, range.end))
        };
        match self {
            Change::Before(at, _) => (around(*at).0, around(*at).0, false),
            Change::After(at, _) => (around(*at).1, around(*at).1, true),
            Change::Name(start, end, _) => (*start as usize, *end as usize, false),
        }
    }

    fn text(&self) -> &str {
        let (Change::Before(_, text) | Change::After(_, text) | Change::Name(_, _, text)) = self;
        text
    }
}

/// The texts for the machine, or none if one of them is not fit.
pub(super) fn texts(sources: &[&LoadedSource]) -> Option<Vec<String>> {
    let several = agree::Several::of(sources);
    let packages = Packages::all(sources);
    sources.iter().map(|source| text(source, &Packages::seen_by(source, &packages), &several)).collect()
}

fn text(source: &LoadedSource, packages: &Packages<'_>, several: &agree::Several<'_>) -> Option<String> {
    let (mut changes, mut added) = (vec![], String::new());
    for rule in &source.module().policy {
        changes.extend(Look::at(rule, packages).changes()?);
    }
    for group in several.of_source(source) {
        let (renamed, rule) = group.split(source.v0, packages)?;
        changes.extend(renamed);
        added += &rule;
    }
    Some(apply(&source.text, changes)? + "\n" + &added)
}

/// The text with the changes made. What is inserted after the same thing keeps its order.
fn apply(text: &str, changes: Vec<Change>) -> Option<String> {
    let tokens = tokens(text).ok()?;
    let mut changes: Vec<_> = changes.iter().map(|change| (change.range(&tokens), change.text())).collect();
    changes.sort_by_key(|(range, _)| *range);
    let (mut out, mut done) = (String::with_capacity(text.len() * 5 / 4), 0);
    for ((start, end, _), inserted) in changes {
        out.push_str(text.get(done..start)?);
        out.push_str(inserted);
        done = end;
    }
    Some(out + &text[done..])
}
