//! The instructions of a Dockerfile: continued lines joined, comments gathered, here-documents skipped.

/// One instruction and where it begins.
pub(super) struct Instruction {
    /// From 1.
    pub(super) line: usize,
    /// All of it on one line.
    pub(super) text: String,
    /// The comment lines directly above it.
    pub(super) comments: Vec<String>,
}

pub(super) fn instructions(text: &str) -> Vec<Instruction> {
    let escape = escape(text);
    let mut instructions = vec![];
    let mut comments = vec![];
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let trimmed = line.trim();
        if let Some(comment) = trimmed.strip_prefix('#') {
            comments.push(comment.trim().to_owned());
            continue;
        }
        if trimmed.is_empty() {
            comments.clear();
            continue;
        }
        let mut whole = line.trim_start().to_owned();
        while let Some(before) = whole.trim_end().strip_suffix(escape) {
            whole = before.to_owned();
            match next_part(&mut lines) {
                Some(next) => whole.push_str(next),
                None => break,
            }
        }
        for delimiter in heredocs(&whole) {
            lines.find(|(_, line)| line.trim_start_matches('\t') == delimiter);
        }
        instructions.push(Instruction { line: number + 1, text: whole, comments: std::mem::take(&mut comments) });
    }
    instructions
}

/// The next line of a continued instruction: neither empty nor a comment.
fn next_part<'t>(lines: &mut impl Iterator<Item = (usize, &'t str)>) -> Option<&'t str> {
    lines.map(|(_, line)| line).find(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
}

/// The character that continues a line, which a directive at the top may choose.
fn escape(text: &str) -> char {
    let directives = text.lines().map_while(|line| line.trim().strip_prefix('#')?.split_once('='));
    let mut escapes = directives.filter(|(name, _)| name.trim().eq_ignore_ascii_case("escape"));
    if escapes.any(|(_, value)| value.trim() == "`") { '`' } else { '\\' }
}

/// The delimiters of the here-documents of a RUN, COPY or ADD.
fn heredocs(text: &str) -> Vec<String> {
    let (name, _) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    if !["run", "copy", "add"].iter().any(|known| name.eq_ignore_ascii_case(known)) {
        return vec![];
    }
    let words = text
        .split_whitespace()
        .filter_map(|word| word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<"));
    let delimiter = |word: &str| word.trim_start_matches('-').trim_matches(['"', '\'']).to_owned();
    let is_name = |word: &String| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '_');
    words.map(delimiter).filter(is_name).collect()
}
