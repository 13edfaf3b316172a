//! From a place in the text that the engine sees back to the place in the author's text. Every rewrite adds a layer.

use std::ops::Range;
use std::sync::Arc;

/// A stretch of a rewritten text and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Where it begins in the text after the rewrite.
    pub(crate) after: usize,
    /// Where it begins in the text before the rewrite.
    pub(crate) before: usize,
    /// Whether it was copied byte by byte; inserted text maps to one place as a whole.
    pub(crate) copied: bool,
}

/// Where each byte of a rewritten text stands in the author's text.
#[derive(Debug, Clone)]
pub struct PositionMap {
    author: Arc<str>,
    author_lines: Vec<usize>,
    layers: Vec<Vec<Segment>>,
}

impl PositionMap {
    /// The map of a text that was not rewritten.
    pub(crate) fn identity(author: Arc<str>) -> Self {
        let author_lines = line_starts(&author);
        Self { author, author_lines, layers: vec![] }
    }

    /// Adds a rewrite of the text that the map led from so far.
    pub(crate) fn push(&mut self, segments: Vec<Segment>) {
        self.layers.push(segments);
    }

    /// The author's byte for a byte of the rewritten text.
    pub(crate) fn author_offset(&self, offset: usize) -> usize {
        let offset = self.layers.iter().rev().fold(offset, |offset, layer| before(layer, offset));
        floor_char(&self.author, offset)
    }

    /// The author's line and column (from 1, in characters) for a byte of the rewritten text.
    pub fn place(&self, offset: usize) -> (u32, u32) {
        let offset = self.author_offset(offset);
        let line = self.author_lines.partition_point(|start| *start <= offset).max(1);
        let column = self.author[self.author_lines[line - 1]..offset].chars().count() + 1;
        (line as u32, column as u32)
    }

    /// How many of the author's characters a range of the rewritten text covers on its first line, at least 1.
    pub fn length(&self, range: Range<usize>) -> u32 {
        let start = self.author_offset(range.start);
        let end = self.author_offset(range.end.max(range.start + 1) - 1).max(start);
        let line = self.author[start..].split('\n').next().unwrap_or_default();
        let wanted = self.author[start..].char_indices().take_while(|(at, _)| start + at <= end).count();
        wanted.min(line.trim_end().chars().count()).max(1) as u32
    }
}

fn before(layer: &[Segment], offset: usize) -> usize {
    match layer.partition_point(|segment| segment.after <= offset).checked_sub(1) {
        Some(at) if layer[at].copied => layer[at].before + (offset - layer[at].after),
        Some(at) => layer[at].before,
        None => 0,
    }
}

fn floor_char(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// The byte at which each line begins.
pub(crate) fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_and_stay_within_the_text() {
        let map = PositionMap::identity("a\n\"é\" x".into());
        assert_eq!(map.place(0), (1, 1));
        assert_eq!(map.place(7), (2, 5));
        assert_eq!(map.place(900), (2, 6));
        assert_eq!(map.length(2..6), 3);
    }

    #[test]
    fn layers_lead_back_one_after_the_other() {
        let mut map = PositionMap::identity("ab".into());
        let copied = |after, before| Segment { after, before, copied: true };
        map.push(vec![copied(0, 0), Segment { after: 1, before: 1, copied: false }, copied(3, 1)]);
        map.push(vec![Segment { after: 0, before: 0, copied: false }, copied(2, 0)]);
        assert_eq!([0, 2, 3, 4, 5].map(|offset| map.author_offset(offset)), [0, 0, 1, 1, 1]);
    }
}
