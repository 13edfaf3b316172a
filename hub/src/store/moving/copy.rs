//! Rows in the text form of PostgreSQL's COPY.

use super::source::Value;
use std::fmt::Write;

/// So much is sent at a time.
pub(super) const PIECE: usize = 256 << 10;

/// Adds a row as one line.
pub(super) fn add_line(line: &mut String, row: &[Value]) {
    for (place, value) in row.iter().enumerate() {
        if place > 0 {
            line.push('\t');
        }
        match value {
            Value::Null => line.push_str("\\N"),
            Value::Int(number) => write!(line, "{number}").expect("a string takes any text"),
            Value::Text(text) => text.chars().for_each(|c| add_char(line, c)),
            Value::Bytes(bytes) => {
                line.push_str("\\\\x");
                bytes.iter().for_each(|byte| write!(line, "{byte:02x}").expect("a string takes any text"));
            }
        }
    }
    line.push('\n');
}

fn add_char(line: &mut String, c: char) {
    match c {
        '\\' => line.push_str("\\\\"),
        '\t' => line.push_str("\\t"),
        '\n' => line.push_str("\\n"),
        '\r' => line.push_str("\\r"),
        // No text of PostgreSQL may hold it; reports have had it replaced all along.
        '\0' => line.push('\u{fffd}'),
        other => line.push(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_one_line() {
        let mut line = String::new();
        let text = Value::Text("a\tb\nc\\N\r\0é".into());
        add_line(&mut line, &[Value::Int(-1), Value::Null, text, Value::Bytes(vec![0, 255])]);
        assert_eq!(line, "-1\t\\N\ta\\tb\\nc\\\\N\\r\u{fffd}é\t\\\\x00ff\n");
    }
}
