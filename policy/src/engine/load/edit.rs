//! Changes to a text, kept as pieces of the author's own and of inserted text, so that places can be mapped back.

use super::position_map::Segment;
use std::ops::Range;

/// A part of what replaces a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// New text; it maps to the beginning of the replaced range.
    New(String),
    /// Text from elsewhere in the same source; it maps to where it stands there.
    Own(Range<usize>),
}

/// Replaces a range of a text. An empty range inserts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edit {
    pub(crate) range: Range<usize>,
    pub(crate) pieces: Vec<Piece>,
}

impl Edit {
    /// Inserts new text.
    pub(crate) fn insert(at: usize, text: impl Into<String>) -> Self {
        Self::replace(at..at, text)
    }

    /// Replaces a range by new text.
    pub(crate) fn replace(range: Range<usize>, text: impl Into<String>) -> Self {
        Self { range, pieces: vec![Piece::New(text.into())] }
    }
}

/// The text with the edits made, and its segments. An edit that overlaps one before it is left out: a rewrite that
/// nests is run again until nothing is left to do.
pub(crate) fn apply(text: &str, mut edits: Vec<Edit>) -> (String, Vec<Segment>) {
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let mut writer = Writer { text, out: String::with_capacity(text.len() + text.len() / 8), segments: vec![] };
    let mut done = 0;
    for edit in edits {
        if edit.range.start < done {
            continue;
        }
        writer.own(done..edit.range.start);
        for piece in edit.pieces {
            match piece {
                Piece::New(new) => writer.insert(&new, edit.range.start),
                Piece::Own(range) => writer.own(range),
            }
        }
        done = edit.range.end;
    }
    writer.own(done..text.len());
    (writer.out, writer.segments)
}

struct Writer<'t> {
    text: &'t str,
    out: String,
    segments: Vec<Segment>,
}

impl Writer<'_> {
    fn own(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            self.segments.push(Segment { after: self.out.len(), before: range.start, copied: true });
            self.out.push_str(&self.text[range]);
        }
    }

    fn insert(&mut self, new: &str, place: usize) {
        if !new.is_empty() {
            self.segments.push(Segment { after: self.out.len(), before: place, copied: false });
            self.out.push_str(new);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::position_map::PositionMap;
    use super::*;

    #[test]
    fn moved_text_keeps_its_place() {
        let text = "not f(a.b)";
        let hoist =
            Edit { range: 0..0, pieces: vec![Piece::New("h := ".into()), Piece::Own(6..9), Piece::New("; ".into())] };
        let (out, segments) = apply(text, vec![Edit::replace(6..9, "h"), hoist]);
        assert_eq!(out, "h := a.b; not f(h)");
        let mut map = PositionMap::identity(text.into());
        map.push(segments);
        assert_eq!(map.author_offset(out.find("a.b").unwrap()), 6);
        assert_eq!(map.author_offset(out.find("not").unwrap()), 0);
        assert_eq!(map.author_offset(out.rfind('h').unwrap()), 6);
    }
}
